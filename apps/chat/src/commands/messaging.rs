//! Talking: PRIVMSG, NOTICE, TAGMSG.

use crate::caps::Caps;
use crate::line::Line;
use crate::message::Message;
use crate::names;
use crate::numerics::{
    ERR_CANNOTSENDTOCHAN, ERR_NORECIPIENT, ERR_NOSUCHNICK, ERR_NOTEXTTOSEND, ERR_TOOMANYTARGETS,
    Numeric, RPL_AWAY,
};
use crate::state::{ChannelFlag, ChannelId, State, UserFlag, UserId};
use crate::turn::Turn;

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
    let Some(targets) = message.param(0) else {
        let text = format!("No recipient given ({})", kind.word());
        return complain(turn, kind, Numeric { text: None, ..ERR_NORECIPIENT }, &[text.as_bytes()]);
    };
    let text = match (kind, message.param(1)) {
        (Kind::Tagmsg, _) => None,
        (_, None) => return complain(turn, kind, ERR_NOTEXTTOSEND, &[]),
        (_, text) => text,
    };
    turn.me_mut().talked = turn.now;
    let most = turn.state.config.limits.targets;
    for (count, target) in super::list(targets).enumerate() {
        if count >= most {
            return complain(turn, kind, ERR_TOOMANYTARGETS, &[super::spoken(target)]);
        }
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
        let Some(id) = turn.state.channel_named(name) else {
            return complain(turn, kind, ERR_NOSUCHNICK, &[super::spoken(target)]);
        };
        if !may_talk(turn.state, id, turn.user, text) {
            return complain(turn, kind, ERR_CANNOTSENDTOCHAN, &[name]);
        }
        let shown = [signs, &turn.state.channels[id].name].concat();
        let line = compose(turn, message, kind, &shown, text);
        let me = turn.user;
        let echo = turn.me().caps.has(Caps::ECHO_MESSAGE);
        // Without a text there is nothing in it for those who aren't told tags.
        let told = |user: UserId, state: &State| {
            kind != Kind::Tagmsg || state.users[user].caps.has(Caps::MESSAGE_TAGS)
        };
        let ranked = |user: UserId, state: &State| match signs {
            [] => true,
            _ => state.channels[id]
                .rank(user)
                .is_some_and(|rank| rank.operator || (rank.voice && !signs.contains(&b'@'))),
        };
        if kind != Kind::Tagmsg && signs.is_empty() {
            turn.tell_channel(id, line.clone(), |user, _| user != me);
        } else {
            turn.tell_channel(id, line.clone(), |user, state| {
                user != me && told(user, state) && ranked(user, state)
            });
        }
        if echo {
            turn.answer(line);
        }
        return;
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

/// Whether `user` may say this on a channel.
fn may_talk(state: &State, channel: ChannelId, user: UserId, text: Option<&[u8]>) -> bool {
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
    let masked = state.users[user].masked_names();
    let names = masked.iter().map(|name| name.as_slice());
    !channel.bans.fits(names.clone()) || channel.exceptions.fits(names)
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
    if turn.me().is(UserFlag::Bot) {
        line = line.tag("bot", "");
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
