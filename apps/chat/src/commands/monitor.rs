//! Watching for people: MONITOR (IRCv3).

use crate::bus::Bus;
use crate::line::Line;
use crate::message::Message;
use crate::names;
use crate::numerics::{
    ERR_ERRONEUSNICKNAME, ERR_MONLISTFULL, ERR_NEEDMOREPARAMS, RPL_ENDOFMONLIST, RPL_MONLIST,
    RPL_MONOFFLINE, RPL_MONONLINE,
};
use crate::state::{State, UserId};
use crate::time::Moment;
use crate::turn::Turn;

pub(super) fn monitor(turn: &mut Turn<'_>, message: &Message<'_>) {
    let user = turn.user;
    match (message.params[0], message.param(1)) {
        (b"+", Some(targets)) => add(turn, targets),
        (b"-", Some(targets)) => {
            super::list(targets).for_each(|nick| turn.state.monitors.remove(user, nick));
        }
        (b"C" | b"c", _) => turn.state.monitors.forget(user),
        (b"L" | b"l", _) => {
            turn.reply_list(RPL_MONLIST, &[], watched(turn), b',');
            turn.reply(RPL_ENDOFMONLIST, &[]);
        }
        (b"S" | b"s", _) => tell_status(turn, &watched(turn)),
        _ => turn.reply(ERR_NEEDMOREPARAMS, &[b"MONITOR"]),
    }
}

fn watched(turn: &Turn<'_>) -> Vec<Vec<u8>> {
    turn.state.monitors.of(turn.user).map(|nick| nick.to_vec()).collect()
}

fn add(turn: &mut Turn<'_>, targets: &[u8]) {
    let (user, most) = (turn.user, turn.state.config.limits.monitor);
    let mut added = Vec::new();
    let mut targets = super::list(targets);
    while let Some(nick) = targets.next() {
        if !names::is_nick(nick, turn.state.config.limits.nick) {
            turn.reply(ERR_ERRONEUSNICKNAME, &[super::spoken(nick)]);
        } else if turn.state.monitors.watchers(nick).contains(&user) {
            // It is known already.
        } else if turn.state.monitors.of(user).len() >= most {
            // As many as there is room for, each whole.
            let mut rest = nick.to_vec();
            for nick in targets {
                if rest.len() + 1 + nick.len() > super::SPOKEN {
                    break;
                }
                rest.push(b',');
                rest.extend_from_slice(nick);
            }
            let limit = most.to_string();
            turn.reply(ERR_MONLISTFULL, &[limit.as_bytes(), super::spoken(&rest)]);
            break;
        } else {
            turn.state.monitors.add(user, nick);
            added.push(nick.to_vec());
        }
    }
    tell_status(turn, &added);
}

/// Tells who of these is here, and who isn't.
fn tell_status(turn: &mut Turn<'_>, nicks: &[Vec<u8>]) {
    let (mut online, mut offline) = (Vec::new(), Vec::new());
    for nick in nicks {
        match turn.state.person(nick) {
            Some((_, user)) => online.push(user.source().to_vec()),
            None => offline.push(nick.clone()),
        }
    }
    turn.reply_list(RPL_MONONLINE, &[], online, b',');
    turn.reply_list(RPL_MONOFFLINE, &[], offline, b',');
}

/// Tells those who watch for `user` that it is here.
pub(super) fn here(state: &State, bus: &mut dyn Bus, user: UserId, now: Moment) {
    let user = &state.users[user];
    tell(state, bus, user.nick(), RPL_MONONLINE.code, &user.source(), now);
}

/// Tells those who watch for `nick` that nobody is called so any more.
pub(super) fn gone(state: &State, bus: &mut dyn Bus, nick: &[u8], now: Moment) {
    tell(state, bus, nick, RPL_MONOFFLINE.code, nick, now);
}

fn tell(state: &State, bus: &mut dyn Bus, nick: &[u8], code: &str, whom: &[u8], now: Moment) {
    for watcher in state.monitors.watchers(nick) {
        let Some(user) = state.users.get(*watcher) else { continue };
        let line = Line::new(now, state.config.name.as_bytes(), code).param(user.nick()).last(whom);
        bus.publish(&line, &mut std::iter::once(*watcher));
    }
}
