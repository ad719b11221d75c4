//! What people say of themselves, and ask of others by name: AWAY, SETNAME, USERHOST, ISON.

use crate::caps::Caps;
use crate::line::{Class, whole_characters};
use crate::message::{LINE, Message};
use crate::numerics::{Numeric, RPL_ISON, RPL_NOWAWAY, RPL_UNAWAY, RPL_USERHOST};
use crate::state::UserFlag;
use crate::turn::Turn;

/// Nicks that one USERHOST may ask for (RFC 2812, section 4.8).
const MOST_HOSTS: usize = 5;

pub(super) fn away(turn: &mut Turn<'_>, message: &Message<'_>) {
    let most = turn.state.config.limits.away;
    let reason = message.param(0).map(|reason| whole_characters(reason, most));
    let reason = reason.filter(|reason| !reason.is_empty());
    let changed = turn.me().away.as_deref().map(Vec::as_slice) != reason;
    turn.me_mut().away = reason.map(Into::into);
    if changed {
        let line = turn.my_line("AWAY");
        let line = match reason {
            Some(reason) => line.last(reason),
            None => line,
        };
        turn.tell_peers(&line, Caps::AWAY_NOTIFY);
    }
    turn.reply(if reason.is_some() { RPL_NOWAWAY } else { RPL_UNAWAY }, &[]);
}

pub(super) fn setname(turn: &mut Turn<'_>, message: &Message<'_>) {
    let name = message.params[0];
    if name.is_empty() || name.len() > turn.state.config.limits.real_name {
        return turn.fail_specified("SETNAME", "INVALID_REALNAME", "Realname is not valid");
    }
    turn.me_mut().real_name = name.into();
    let line = turn.my_line("SETNAME").last(name);
    turn.tell_peers(&line, Caps::SETNAME);
    if turn.me().caps.has(Caps::SETNAME) {
        turn.answer(line);
    }
}

pub(super) fn userhost(turn: &mut Turn<'_>, message: &Message<'_>) {
    let mut found = Vec::new();
    for nick in words(message).take(MOST_HOSTS) {
        let Some((_, user)) = turn.state.person(nick) else { continue };
        let star: &[u8] = if user.is(UserFlag::Operator) { b"*" } else { b"" };
        let sign: &[u8] = if user.away.is_some() { b"-" } else { b"+" };
        found.push([user.nick(), star, b"=", sign, &user.name, b"@", &user.host].concat());
    }
    tell_words(turn, RPL_USERHOST, found);
}

pub(super) fn ison(turn: &mut Turn<'_>, message: &Message<'_>) {
    let here: Vec<_> = words(message)
        .filter_map(|nick| turn.state.person(nick))
        .map(|(_, user)| user.nick().to_vec())
        .collect();
    tell_words(turn, RPL_ISON, here);
}

/// Answers with one line, in which are as many words as it has room for.
fn tell_words(turn: &mut Turn<'_>, numeric: Numeric, words: Vec<Vec<u8>>) {
    let start = turn.server_line(numeric.code).param(turn.me().nick());
    let mut room = LINE.saturating_sub(start.bytes(Class::PLAIN).len() + " :".len());
    let fits = |word: &Vec<u8>| {
        let left = room.checked_sub(word.len());
        // The next one has a space before it.
        room = left.unwrap_or(room).saturating_sub(1);
        left.is_some()
    };
    let told: Vec<_> = words.into_iter().take_while(fits).collect();
    turn.answer(start.last(told.join(&b' ')));
}

/// The words of all parameters: some clients send them as one.
fn words<'a>(message: &Message<'a>) -> impl Iterator<Item = &'a [u8]> {
    let params: Vec<&'a [u8]> = message.params.to_vec();
    params
        .into_iter()
        .flat_map(|param| param.split(|byte| *byte == b' '))
        .filter(|word| !word.is_empty())
}
