//! From users to their connections: all of them are this server's own.

use reactor::{ConnId, Context};
use slotmap::SecondaryMap;

use crate::bus::Bus;
use crate::line::{Class, Line};
use crate::state::UserId;

/// Where each user is reached.
#[derive(Default)]
pub(super) struct Routes(SecondaryMap<UserId, Route>);

#[derive(Clone, Copy)]
struct Route {
    conn: ConnId,
    class: Class,
}

impl Routes {
    pub(super) fn insert(&mut self, user: UserId, conn: ConnId) {
        self.0.insert(user, Route { conn, class: Class::PLAIN });
    }

    pub(super) fn get(&self, user: UserId) -> Option<ConnId> {
        self.0.get(user).map(|route| route.conn)
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
        if let Some(route) = self.routes.0.get(to) {
            self.ctx.send(route.conn, lines);
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
