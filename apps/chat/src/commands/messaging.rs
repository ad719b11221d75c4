//! Talking: PRIVMSG, NOTICE, TAGMSG.

use crate::caps::Caps;
use crate::line::Line;
use crate::message::Message;
use crate::names::{self, Folded};
use crate::numerics::{
    ERR_CANNOTSENDTOCHAN, ERR_NORECIPIENT, ERR_NOSUCHNICK, ERR_NOTEXTTOSEND, ERR_TOOMANYTARGETS,
    Numeric, RPL_AWAY,
};
use crate::state::{ChannelFlag, ChannelId, Rank, State, UserId};
use crate::turn::{STEPS_OF_LINE, Turn};

/// One of the three: they differ in what they carry, and in whether anything is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Privmsg,
    Notice,
    Tagmsg,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Privmsg => "PRIVMSG",
            Self::Notice => "NOTICE",
            Self::Tagmsg => "TAGMSG",
        }
    }
}

pub(super) fn privmsg(turn: &mut Turn<'_>, message: &Message<'_>) {
    send(turn, message, Kind::Privmsg);
}

pub(super) fn notice(turn: &mut Turn<'_>, message: &Message<'_>) {
    send(turn, message, Kind::Notice);
}

pub(super) fn tagmsg(turn: &mut Turn<'_>, message: &Message<'_>) {
    // Who can't be told tags can't send them either.
    if turn.me().caps.has(Caps::MESSAGE_TAGS) {
        send(turn, message, Kind::Tagmsg);
    }
}

fn send(turn: &mut Turn<'_>, message: &Message<'_>, kind: Kind) {
    let some = |targets: &&[u8]| super::list(targets).next().is_some();
    let Some(targets) = message.param(0).filter(some) else {
        let text = format!("No recipient given ({})", kind.word());
        return complain(turn, kind, Numeric { text: None, ..ERR_NORECIPIENT }, &[text.as_bytes()]);
    };
    let text = match (kind, message.param(1)) {
        (Kind::Tagmsg, _) => None,
        (_, None) => return complain(turn, kind, ERR_NOTEXTTOSEND, &[]),
        (_, text) => text,
    };
    // A TAGMSG says nothing: clients send some by themselves.
    if kind != Kind::Tagmsg {
        turn.me_mut().talked = turn.now;
    }
    let most = turn.state.config.limits.targets;
    let mut told = Vec::new();
    for target in super::list(targets) {
        let folded = Folded::new(target);
        // Who is named twice is told once.
        if told.contains(&folded) {
            continue;
        }
        if told.len() >= most {
            return complain(turn, kind, ERR_TOOMANYTARGETS, &[super::spoken(target)]);
        }
        if !told.is_empty() {
            turn.work += STEPS_OF_LINE;
        }
        told.push(folded);
        send_to(turn, message, kind, target, text);
    }
}

fn send_to(
    turn: &mut Turn<'_>,
    message: &Message<'_>,
    kind: Kind,
    target: &[u8],
    text: Option<&[u8]>,
) {
    let signs = target.iter().take_while(|byte| b"@+".contains(byte)).count();
    let (signs, name) = target.split_at(signs);
    if names::looks_like_channel(name) {
        return match turn.state.channel_named(name) {
            Some(id) => send_to_channel(turn, message, kind, (id, target), lowest(signs), text),
            None => complain(turn, kind, ERR_NOSUCHNICK, &[super::spoken(target)]),
        };
    }
    let Some((id, other)) = turn.state.person(target) else {
        return complain(turn, kind, ERR_NOSUCHNICK, &[super::spoken(target)]);
    };
    let (nick, away, caps) = (other.nick().to_vec(), other.away.clone(), other.caps);
    let line = compose(turn, message, kind, &nick, text);
    if kind != Kind::Tagmsg || caps.has(Caps::MESSAGE_TAGS) {
        // To oneself, too: what is answered beside is the echo.
        turn.bus.publish(&line, &mut std::iter::once(id));
    }
    if turn.me().caps.has(Caps::ECHO_MESSAGE) {
        turn.answer(line);
    }
    if let (Kind::Privmsg, Some(away)) = (kind, away) {
        turn.reply(RPL_AWAY, &[&nick, &away]);
    }
}

/// Of several signs the one that lets most hear: who has a higher one hears it, too.
fn lowest(signs: &[u8]) -> &[u8] {
    if signs.contains(&b'+') { b"+" } else { &signs[..signs.len().min(1)] }
}

/// Sends to those on a channel who have this sign or a higher one, or to all of them (ISUPPORT's STATUSMSG).
fn send_to_channel(
    turn: &mut Turn<'_>,
    message: &Message<'_>,
    kind: Kind,
    (id, target): (ChannelId, &[u8]),
    sign: &[u8],
    text: Option<&[u8]>,
) {
    let me = turn.user;
    let may = may_talk(turn.state, id, me, text, &mut turn.work);
    let channel = &turn.state.channels[id];
    if !may {
        // To who may not know of it, it isn't there.
        if !channel.is_known_to(me) {
            return complain(turn, kind, ERR_NOSUCHNICK, &[target]);
        }
        let name = channel.name.clone();
        return complain(turn, kind, ERR_CANNOTSENDTOCHAN, &[&name]);
    }
    let shown = [sign, &channel.name].concat();
    let line = compose(turn, message, kind, &shown, text);
    // Without a text there is nothing in it for those who aren't told tags.
    let told = |user: UserId, state: &State| {
        kind != Kind::Tagmsg || state.users[user].caps.has(Caps::MESSAGE_TAGS)
    };
    let ranked = |user: UserId, state: &State| {
        let fits = |rank: Rank| rank.operator || (rank.voice && sign == b"+");
        sign.is_empty() || state.channels[id].rank(user).is_some_and(fits)
    };
    turn.tell_channel(id, line.clone(), |user, state| {
        user != me && told(user, state) && ranked(user, state)
    });
    if turn.me().caps.has(Caps::ECHO_MESSAGE) {
        turn.answer(line);
    }
}

/// Whether `user` may say this on a channel; comparing masks adds to `steps`.
fn may_talk(
    state: &State,
    channel: ChannelId,
    user: UserId,
    text: Option<&[u8]>,
    steps: &mut u64,
) -> bool {
    let channel = &state.channels[channel];
    let rank = channel.rank(user);
    if channel.is(ChannelFlag::NoCtcp) && text.is_some_and(is_ctcp) {
        return false;
    }
    match rank {
        Some(rank) if rank.operator || rank.voice => return true,
        None if channel.is(ChannelFlag::NoExternal) => return false,
        _ if channel.is(ChannelFlag::Moderated) => return false,
        _ if channel.bans.entries().is_empty() => return true,
        _ => {}
    }
    let source = state.users[user].source();
    let names = std::iter::once(source.as_slice());
    !channel.bans.fits(names.clone(), steps) || channel.exceptions.fits(names, steps)
}

/// Whether a text is a request between clients, other than an action.
fn is_ctcp(text: &[u8]) -> bool {
    text.first() == Some(&1) && !text.starts_with(b"\x01ACTION ") && text != b"\x01ACTION\x01"
}

fn compose(
    turn: &mut Turn<'_>,
    message: &Message<'_>,
    kind: Kind,
    target: &[u8],
    text: Option<&[u8]>,
) -> Line {
    let id = turn.message_id();
    let mut line = turn.my_line(kind.word()).param(target).tag("msgid", id);
    if let Some(text) = text {
        line = line.last(text);
    }
    // Only from those who know what they send.
    if turn.me().caps.has(Caps::MESSAGE_TAGS) {
        line = message.tags.of_clients().fold(line, |line, (key, value)| line.tag(key, value));
    }
    line
}

/// Nothing is ever answered to a NOTICE (RFC 1459, section 4.4.2).
fn complain(turn: &mut Turn<'_>, kind: Kind, numeric: Numeric, params: &[&[u8]]) {
    if kind != Kind::Notice {
        turn.reply(numeric, params);
    }
}
