//! Watching for people: MONITOR (IRCv3).

use crate::bus::Bus;
use crate::line::Line;
use crate::numerics::{RPL_MONOFFLINE, RPL_MONONLINE};
use crate::state::{State, UserId};
use crate::time::Moment;

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
