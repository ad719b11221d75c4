//! Who is on a channel: NAMES.

use crate::caps::Caps;
use crate::line::Line;
use crate::message::{LINE, Message};
use crate::numerics::{RPL_ENDOFNAMES, RPL_NAMREPLY};
use crate::state::{ChannelFlag, ChannelId, UserFlag};
use crate::turn::Turn;

/// Everybody on the server isn't told at once: without a channel nobody is.
pub(super) fn names(turn: &mut Turn<'_>, message: &Message<'_>) {
    let Some(wanted) = message.param(0) else { return turn.reply(RPL_ENDOFNAMES, &[b"*"]) };
    let mut told = Vec::new();
    for (count, name) in super::list(wanted).enumerate() {
        if !super::is_within(turn, count, super::TARGETS, name) {
            break;
        }
        let found = turn.state.channel_named(name).filter(|id| !told.contains(id));
        if let Some(id) = found.filter(|id| turn.state.channels[*id].is_known_to(turn.user)) {
            told.push(id);
            let lines = members(turn, id);
            if !lines.into_iter().all(|line| turn.row(line, "NAMES")) {
                break;
            }
        }
    }
    // Whole, for clients wait for the end of what they have asked for.
    turn.reply(RPL_ENDOFNAMES, &[super::spoken_whole(wanted)]);
}

/// Tells who is on a channel, all of them unless answers are bounded now, and that this was all.
pub(super) fn tell(turn: &mut Turn<'_>, id: ChannelId) {
    for line in members(turn, id) {
        if !turn.bounded {
            turn.answer(line);
        } else if !turn.row(line, "NAMES") {
            break;
        }
    }
    let name = turn.state.channels[id].name.clone();
    turn.reply(RPL_ENDOFNAMES, &[&name]);
}

/// The lines that tell who is on a channel: to those outside only who isn't invisible.
fn members(turn: &Turn<'_>, id: ChannelId) -> Vec<Line> {
    let channel = &turn.state.channels[id];
    let caps = turn.me().caps;
    let inside = channel.has(turn.user);
    let sign: &[u8] = if channel.is(ChannelFlag::Secret) { b"@" } else { b"=" };
    let name = &channel.name;
    // What is left of a line beside its source, the numeric, the nick, the sign, the name, and its end.
    let beside = turn.state.config.name.len() + turn.me().nick().len() + name.len() + 14;
    let room = LINE.saturating_sub(beside);
    let mut lines = vec![Vec::new()];
    for member in channel.members() {
        let user = &turn.state.users[member.user];
        if !inside && user.is(UserFlag::Invisible) {
            continue;
        }
        let full = caps.has(Caps::USERHOST_IN_NAMES);
        let shown = if full { user.source().to_vec() } else { user.nick().to_vec() };
        let prefix = member.rank.prefix(caps.has(Caps::MULTI_PREFIX));
        let last =
            lines.last_mut().filter(|line| line.len() + 1 + prefix.len() + shown.len() <= room);
        let line = match last {
            Some(line) => line,
            None => {
                lines.push(Vec::new());
                let end = lines.len() - 1;
                &mut lines[end]
            }
        };
        if !line.is_empty() {
            line.push(b' ');
        }
        line.extend_from_slice(prefix.as_bytes());
        line.extend_from_slice(&shown);
    }
    let lines = lines.iter().filter(|line| !line.is_empty());
    lines.map(|line| turn.numeric(RPL_NAMREPLY, &[sign, name, line])).collect()
}
