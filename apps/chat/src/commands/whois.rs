//! Who somebody is: WHOIS.

use crate::caps::Caps;
use crate::message::Message;
use crate::numerics::{
    ERR_NONICKNAMEGIVEN, ERR_NOSUCHNICK, ERR_NOSUCHSERVER, RPL_AWAY, RPL_ENDOFWHOIS,
    RPL_WHOISACTUALLY, RPL_WHOISBOT, RPL_WHOISCHANNELS, RPL_WHOISIDLE, RPL_WHOISMODES,
    RPL_WHOISOPERATOR, RPL_WHOISSERVER, RPL_WHOISUSER,
};
use crate::state::{UserFlag, UserId};
use crate::turn::Turn;

pub(super) fn whois(turn: &mut Turn<'_>, message: &Message<'_>) {
    // The first of two says which server is to answer: ours, or that of a user.
    let (server, asked) = match (message.param(0), message.param(1)) {
        (Some(server), Some(asked)) => (Some(server), asked),
        (Some(asked), None) => (None, asked),
        (None, _) => return turn.reply(ERR_NONICKNAMEGIVEN, &[]),
    };
    if let Some(server) = server {
        if !super::server_info::is_ours(turn, server) {
            return turn.reply(ERR_NOSUCHSERVER, &[super::spoken(server)]);
        }
    }
    let Some(nick) = super::list(asked).next() else {
        return turn.reply(ERR_NONICKNAMEGIVEN, &[]);
    };
    match turn.state.person(nick).map(|(id, _)| id) {
        Some(id) => describe(turn, id),
        None => turn.reply(ERR_NOSUCHNICK, &[super::spoken(nick)]),
    }
    turn.reply(RPL_ENDOFWHOIS, &[super::spoken(nick)]);
}

fn describe(turn: &mut Turn<'_>, id: UserId) {
    let user = turn.state.users[id].clone();
    let nick = user.nick();
    let config = turn.state.config.clone();
    turn.reply(RPL_WHOISUSER, &[nick, &user.name, &user.host, b"*", &user.real_name]);
    tell_channels(turn, id, nick);
    turn.reply(RPL_WHOISSERVER, &[nick, config.name.as_bytes(), config.description.as_bytes()]);
    if user.is(UserFlag::Operator) {
        turn.reply(RPL_WHOISOPERATOR, &[nick]);
    }
    if user.is(UserFlag::Bot) {
        turn.reply(RPL_WHOISBOT, &[nick]);
    }
    if let Some(away) = &user.away {
        turn.reply(RPL_AWAY, &[nick, away]);
    }
    if id == turn.user || turn.me().is(UserFlag::Operator) {
        if let Some(address) = user.shown_address() {
            turn.reply(RPL_WHOISACTUALLY, &[nick, address.as_bytes()]);
        }
        let modes = format!("is using modes {}", user.modes());
        turn.reply(RPL_WHOISMODES, &[nick, modes.as_bytes()]);
    }
    let idle = user.idle(turn.now).to_string();
    let since = user.since.unix().to_string();
    turn.reply(RPL_WHOISIDLE, &[nick, idle.as_bytes(), since.as_bytes()]);
}

/// Where somebody is, as far as whoever asks may know.
fn tell_channels(turn: &mut Turn<'_>, id: UserId, nick: &[u8]) {
    let all = turn.me().caps.has(Caps::MULTI_PREFIX);
    let state = &*turn.state;
    let shown =
        state.users[id].channels.iter().filter(|on| state.shows_member(turn.user, **on, id));
    let shown: Vec<_> = shown
        .map(|on| &state.channels[*on])
        .map(|on| {
            let rank = on.rank(id).unwrap_or_default();
            [rank.prefix(all).as_bytes(), &on.name].concat()
        })
        .collect();
    turn.reply_list(RPL_WHOISCHANNELS, &[nick], shown, b' ');
}
