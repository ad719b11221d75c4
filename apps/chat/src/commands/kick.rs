//! Putting somebody off a channel: KICK.

use crate::line::whole_characters;
use crate::message::Message;
use crate::numerics::{ERR_CHANOPRIVSNEEDED, ERR_NEEDMOREPARAMS, ERR_USERNOTINCHANNEL};
use crate::turn::Turn;

/// One channel and any number of nicks, or as many of each, which belong together in their order (RFC
/// 2812, section 3.2.8).
pub(super) fn kick(turn: &mut Turn<'_>, message: &Message<'_>) {
    let channels: Vec<_> = super::list(message.params[0]).collect();
    let nicks: Vec<_> = super::list(message.params[1]).collect();
    if nicks.is_empty() || (channels.len() != 1 && channels.len() != nicks.len()) {
        return turn.reply(ERR_NEEDMOREPARAMS, &[b"KICK"]);
    }
    let reason = message.param(2).unwrap_or_else(|| turn.me().nick()).to_vec();
    let reason = whole_characters(&reason, turn.state.config.limits.kick);
    for (count, (name, nick)) in channels.iter().cycle().zip(&nicks).enumerate() {
        if !super::is_within(turn, count, super::TARGETS, nick) {
            return;
        }
        kick_one(turn, name, nick, reason);
    }
}

fn kick_one(turn: &mut Turn<'_>, name: &[u8], nick: &[u8], reason: &[u8]) {
    let Some(id) = super::joined_channel(turn, name) else { return };
    let channel = &turn.state.channels[id];
    let name = channel.name.clone();
    if !channel.is_operator(turn.user) {
        return turn.reply(ERR_CHANOPRIVSNEEDED, &[&name]);
    }
    let Some((user, other)) = turn.state.person(nick).filter(|(user, _)| channel.has(*user)) else {
        return turn.reply(ERR_USERNOTINCHANNEL, &[super::spoken(nick), &name]);
    };
    let line = turn.my_line("KICK").param(&name).param(other.nick()).last(reason);
    turn.tell_channel(id, line, |_, _| true);
    turn.state.part(user, id);
}
