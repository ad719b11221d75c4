//! Asking somebody to come to a channel: INVITE.

use crate::caps::Caps;
use crate::message::Message;
use crate::numerics::{
    ERR_CHANOPRIVSNEEDED, ERR_NEEDMOREPARAMS, ERR_NOSUCHNICK, ERR_USERONCHANNEL, RPL_AWAY,
    RPL_ENDOFINVITELIST, RPL_INVITELIST, RPL_INVITING,
};
use crate::state::ChannelFlag;
use crate::turn::Turn;

pub(super) fn invite(turn: &mut Turn<'_>, message: &Message<'_>) {
    match &message.params[..] {
        [] => tell_invitations(turn),
        [_] => turn.reply(ERR_NEEDMOREPARAMS, &[b"INVITE"]),
        [nick, name, ..] => invite_one(turn, nick, name),
    }
}

fn tell_invitations(turn: &mut Turn<'_>) {
    let invited = turn.state.channels.values().filter(|channel| channel.has_invited(turn.user));
    let names: Vec<_> = invited.map(|channel| channel.name.clone()).collect();
    for name in names {
        turn.reply(RPL_INVITELIST, &[&name]);
    }
    turn.reply(RPL_ENDOFINVITELIST, &[]);
}

fn invite_one(turn: &mut Turn<'_>, nick: &[u8], name: &[u8]) {
    let Some(id) = super::joined_channel(turn, name) else { return };
    let channel = &turn.state.channels[id];
    let (name, rules) = (channel.name.clone(), channel.is_operator(turn.user));
    if channel.is(ChannelFlag::InviteOnly) && !rules {
        return turn.reply(ERR_CHANOPRIVSNEEDED, &[&name]);
    }
    let Some((guest, other)) = turn.state.person(nick) else {
        return turn.reply(ERR_NOSUCHNICK, &[super::spoken(nick)]);
    };
    let (nick, away) = (other.nick().to_vec(), other.away.clone());
    if channel.has(guest) {
        return turn.reply(ERR_USERONCHANNEL, &[&nick, &name]);
    }
    // What it lets pass, bans and keys among it, is for operators to decide: anybody else's is a hint.
    if rules {
        turn.state.invite(guest, id);
    }
    turn.reply(RPL_INVITING, &[&nick, &name]);
    if let Some(away) = away {
        turn.reply(RPL_AWAY, &[&nick, &away]);
    }
    let line = turn.my_line("INVITE").param(&nick).param(&name);
    turn.tell(guest, line.clone());
    let me = turn.user;
    turn.tell_channel(id, line, |user, state| {
        user != me
            && state.users[user].caps.has(Caps::INVITE_NOTIFY)
            && state.channels[id].is_operator(user)
    });
}
