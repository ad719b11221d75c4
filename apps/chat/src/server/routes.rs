//! From users to their connections: all of them are this server's own.

use reactor::{ConnId, Context, Sent};
use slotmap::SecondaryMap;

use crate::bus::Bus;
use crate::line::{Class, Line};
use crate::state::UserId;

/// Bytes of an answer from which on the client has to take it before it is read from again.
const LONG: usize = 4 * 1024;

/// Where each user is reached.
#[derive(Default)]
pub(super) struct Routes(SecondaryMap<UserId, Route>);

#[derive(Clone, Copy)]
struct Route {
    conn: ConnId,
    class: Class,
    /// It was answered with more than it takes at once: it isn't read from until it has taken that.
    answered: bool,
    /// What may be queued for it, if for an answer that is still being taken it may be more.
    cap: Option<usize>,
}

impl Routes {
    pub(super) fn insert(&mut self, user: UserId, conn: ConnId) {
        self.0.insert(user, Route { conn, class: Class::PLAIN, answered: false, cap: None });
    }

    pub(super) fn get(&self, user: UserId) -> Option<ConnId> {
        self.0.get(user).map(|route| route.conn)
    }

    /// Whether a user has to take an answer before the next command is looked at.
    pub(super) fn is_answered(&self, user: UserId) -> bool {
        self.0.get(user).is_some_and(|route| route.answered)
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = ConnId> {
        self.0.values().map(|route| route.conn)
    }

    pub(super) fn users(&self) -> impl Iterator<Item = UserId> {
        self.0.keys()
    }
}

/// The bus of one server: a line goes into each user's queue, and the reactor writes to each socket once
/// in a turn.
pub(super) struct Local<'a, 'c> {
    pub(super) ctx: &'a mut Context<'c>,
    pub(super) routes: &'a mut Routes,
}

impl Local<'_, '_> {
    /// A user has taken its answer: others may queue no more for it than before.
    pub(super) fn taken(&mut self, user: UserId) {
        let Some(route) = self.routes.0.get_mut(user) else { return };
        route.answered = false;
        if let Some(cap) = route.cap.take() {
            set_cap(self.ctx, route.conn, cap);
        }
    }
}

fn set_cap(ctx: &mut Context<'_>, conn: ConnId, cap: usize) {
    if let Some(mut limits) = ctx.limits(conn).cloned() {
        limits.write_cap = cap;
        ctx.set_limits(conn, limits);
    }
}

impl Bus for Local<'_, '_> {
    fn publish(&mut self, line: &Line, to: &mut dyn Iterator<Item = UserId>) {
        for user in to {
            if let Some(route) = self.routes.0.get(user) {
                // Who doesn't read is dropped by the reactor, which says so later.
                self.ctx.send_shared(route.conn, line.bytes(route.class).clone());
            }
        }
    }

    fn tell(&mut self, to: UserId, lines: &[u8]) {
        let Some(route) = self.routes.0.get_mut(to) else { return };
        let Some(limits) = self.ctx.limits(route.conn) else { return };
        // Nobody is to be dropped for the length of an answer, such as the names on a big channel: it doesn't count
        // against what others may queue. There is only one at a time, for the client isn't read from meanwhile.
        let (high, cap) = (limits.write_high, limits.write_cap);
        let is_long = lines.len() > LONG;
        if is_long && self.ctx.queued(route.conn) + lines.len() > high && route.cap.is_none() {
            route.cap = Some(cap);
            set_cap(self.ctx, route.conn, cap.saturating_add(lines.len()));
        }
        // Then `drained` comes, when it has taken most of it. A word or two don't hold a client up, for which
        // others have queued so much.
        if self.ctx.send(route.conn, lines) == Sent::AboveHighWater && is_long {
            route.answered = true;
        } else if !route.answered {
            self.taken(to);
        }
    }

    fn classify(&mut self, user: UserId, class: Class) {
        if let Some(route) = self.routes.0.get_mut(user) {
            route.class = class;
        }
    }

    fn part_with(&mut self, user: UserId) {
        if let Some(route) = self.routes.0.remove(user) {
            self.ctx.close(route.conn);
        }
    }
}
