//! Coming to a channel, and leaving it: JOIN, PART.

use crate::caps::Caps;
use crate::line::whole_characters;
use crate::message::Message;
use crate::names;
use crate::numerics::{
    ERR_BADCHANNELKEY, ERR_BANNEDFROMCHAN, ERR_CHANNELISFULL, ERR_INVITEONLYCHAN,
    ERR_NOSUCHCHANNEL, ERR_TOOMANYCHANNELS, Numeric,
};
use crate::state::{ChannelFlag, ChannelId, Rank, State, UserId};
use crate::turn::Turn;

pub(super) fn join(turn: &mut Turn<'_>, message: &Message<'_>) {
    if message.params[0] == b"0" {
        for channel in turn.me().channels.clone() {
            leave(turn, channel, b"");
        }
        return;
    }
    let mut keys = message.params.get(1).copied().unwrap_or_default().split(|byte| *byte == b',');
    let mut count = 0;
    for name in message.params[0].split(|byte| *byte == b',') {
        // A key belongs to the channel at its place, also where that has no name.
        let key = keys.next().unwrap_or_default();
        if name.is_empty() {
            continue;
        }
        if !super::is_within(turn, count, super::JOINED, name) {
            continue;
        }
        count += 1;
        join_one(turn, name, key);
    }
}

fn join_one(turn: &mut Turn<'_>, name: &[u8], key: &[u8]) {
    let limits = &turn.state.config.limits;
    // One that is there was possible once, when longer names may have been.
    let existing = turn.state.channel_named(name);
    if existing.is_none() && !names::is_channel(name, limits.channel) {
        return turn.reply(ERR_NOSUCHCHANNEL, &[super::spoken(name)]);
    }
    if existing.is_some_and(|id| turn.state.channels[id].has(turn.user)) {
        return;
    }
    if turn.me().channels.len() >= limits.channels {
        return turn.reply(ERR_TOOMANYCHANNELS, &[name]);
    }
    let rank = match existing {
        Some(id) => {
            let why = hindrance(turn.state, id, turn.user, key, &mut turn.work);
            if let Some(why) = why {
                return turn.reply(why, &[name]);
            }
            Rank::default()
        }
        None => Rank { operator: true, voice: false },
    };
    let id = turn.state.open_channel(name, turn.now);
    turn.state.join(turn.user, id, rank);
    announce(turn, id);
}

/// What keeps `user` from joining, if anything; comparing masks adds to `steps`.
fn hindrance(
    state: &State,
    channel: ChannelId,
    user: UserId,
    key: &[u8],
    steps: &mut u64,
) -> Option<Numeric> {
    let channel = &state.channels[channel];
    if channel.has_invited(user) {
        return None;
    }
    let source = state.users[user].source();
    let names = std::iter::once(source.as_slice());
    let full = channel.limit.is_some_and(|limit| channel.members().len() >= limit as usize);
    if channel.bans.fits(names.clone(), steps) && !channel.exceptions.fits(names.clone(), steps) {
        Some(ERR_BANNEDFROMCHAN)
    } else if channel.is(ChannelFlag::InviteOnly) && !channel.invite_exceptions.fits(names, steps) {
        Some(ERR_INVITEONLYCHAN)
    } else if channel.key.as_ref().is_some_and(|wanted| wanted.as_slice() != key) {
        Some(ERR_BADCHANNELKEY)
    } else if full {
        Some(ERR_CHANNELISFULL)
    } else {
        None
    }
}

/// Tells a channel of who has joined, and whoever has joined of the channel.
fn announce(turn: &mut Turn<'_>, id: ChannelId) {
    let name = turn.state.channels[id].name.clone();
    let real_name = turn.me().real_name.clone();
    let line = turn.my_line("JOIN").param(&name);
    let extended = turn.my_line("JOIN").param(&name).param("*").last(real_name);
    let knows = |user: UserId, state: &State| state.users[user].caps.has(Caps::EXTENDED_JOIN);
    turn.tell_channel(id, line, |user, state| !knows(user, state));
    turn.tell_channel(id, extended, knows);
    if let Some(away) = turn.me().away.clone() {
        let (line, me) = (turn.my_line("AWAY").last(away), turn.user);
        let notified = |user: UserId, state: &State| state.users[user].caps.has(Caps::AWAY_NOTIFY);
        turn.tell_channel(id, line, |user, state| user != me && notified(user, state));
    }
    super::topic::tell(turn, id);
    super::naming::tell(turn, id);
}

pub(super) fn part(turn: &mut Turn<'_>, message: &Message<'_>) {
    let most = turn.state.config.limits.kick;
    let reason = whole_characters(message.params.get(1).copied().unwrap_or_default(), most);
    for (count, name) in super::list(message.params[0]).enumerate() {
        if !super::is_within(turn, count, super::JOINED, name) {
            continue;
        }
        if let Some(id) = super::joined_channel(turn, name) {
            leave(turn, id, reason);
        }
    }
}

fn leave(turn: &mut Turn<'_>, id: ChannelId, reason: &[u8]) {
    let line = turn.my_line("PART").param(&turn.state.channels[id].name);
    let line = if reason.is_empty() { line } else { line.last(reason) };
    turn.tell_channel(id, line, |_, _| true);
    turn.state.part(turn.user, id);
}
