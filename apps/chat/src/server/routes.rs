//! From users to their connections: all of them are this server's own.

use reactor::{ConnId, ConnMap, Context, Sent};
use slotmap::SecondaryMap;

use crate::bus::Bus;
use crate::line::{Class, Line};
use crate::state::UserId;

/// Bytes of an answer from which on the client has to take it before it is read from again.
const LONG: usize = 4 * 1024;

/// Bytes that long answers may have beyond the queues of those whom they are for, in all: a thousand clients that
/// ask for megabytes, and take them slowly, are not to have as much memory as they like. With more than this
/// each answer has a bound of its own until some are taken.
pub(super) const MOST_BEYOND: usize = 64 * 1024 * 1024;

/// Where each user is reached.
#[derive(Default)]
pub(super) struct Routes {
    users: SecondaryMap<UserId, Route>,
    /// Connections for which more may be queued, until they have taken an answer or are closed.
    raised: ConnMap<Raised>,
    /// Bytes by which they are raised, in all.
    pub(super) beyond: usize,
}

#[derive(Clone, Copy)]
struct Route {
    conn: ConnId,
    class: Class,
    /// It was answered with more than it takes at once: it isn't read from until it has taken that.
    answered: bool,
}

/// A connection for which more may be queued than for others.
#[derive(Clone, Copy)]
struct Raised {
    /// What may be queued for it otherwise.
    cap: usize,
    by: usize,
}

impl Routes {
    pub(super) fn insert(&mut self, user: UserId, conn: ConnId) {
        self.users.insert(user, Route { conn, class: Class::PLAIN, answered: false });
    }

    pub(super) fn get(&self, user: UserId) -> Option<ConnId> {
        self.users.get(user).map(|route| route.conn)
    }

    /// Whether a user has to take an answer before the next command is looked at.
    pub(super) fn is_answered(&self, user: UserId) -> bool {
        self.users.get(user).is_some_and(|route| route.answered)
    }

    /// Whether answers are to have a bound, for there is too much of them that nobody has taken yet.
    pub(super) fn are_full(&self) -> bool {
        self.beyond > MOST_BEYOND
    }

    /// For a connection that has taken its answer, or is closed, no more counts than for others: gives what may be
    /// queued for it then, if it was more.
    pub(super) fn lower(&mut self, conn: ConnId) -> Option<usize> {
        let raised = self.raised.remove(conn)?;
        self.beyond -= raised.by;
        Some(raised.cap)
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = ConnId> {
        self.users.values().map(|route| route.conn)
    }

    pub(super) fn users(&self) -> impl Iterator<Item = UserId> {
        self.users.keys()
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
        let Some(route) = self.routes.users.get_mut(user) else { return };
        route.answered = false;
        let conn = route.conn;
        if let Some(cap) = self.routes.lower(conn) {
            set_cap(self.ctx, conn, cap);
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
            if let Some(route) = self.routes.users.get(user) {
                // Who doesn't read is dropped by the reactor, which says so later.
                self.ctx.send_shared(route.conn, line.bytes(route.class).clone());
            }
        }
    }

    fn tell(&mut self, to: UserId, lines: &[u8]) {
        let Some(route) = self.routes.users.get_mut(to) else { return };
        let conn = route.conn;
        let Some(limits) = self.ctx.limits(conn) else { return };
        // Nobody is to be dropped for the length of an answer, such as the names on a big channel: it doesn't count
        // against what others may queue. There is only one at a time, for the client isn't read from meanwhile.
        let (high, cap) = (limits.write_high, limits.write_cap);
        let is_long = lines.len() > LONG;
        let is_raised = self.routes.raised.contains(conn);
        if is_long && self.ctx.queued(conn) + lines.len() > high && !is_raised {
            self.routes.raised.insert(conn, Raised { cap, by: lines.len() });
            self.routes.beyond += lines.len();
            set_cap(self.ctx, conn, cap.saturating_add(lines.len()));
        }
        // Then `drained` comes, when it has taken most of it. A word or two don't hold a client up, for which
        // others have queued so much.
        if self.ctx.send(conn, lines) == Sent::AboveHighWater && is_long {
            route.answered = true;
        } else if !route.answered {
            self.taken(to);
        }
    }

    fn classify(&mut self, user: UserId, class: Class) {
        if let Some(route) = self.routes.users.get_mut(user) {
            route.class = class;
        }
    }

    fn part_with(&mut self, user: UserId) {
        if let Some(route) = self.routes.users.remove(user) {
            self.ctx.close(route.conn);
        }
    }
}
