//! Urgent bytes that come, for the connections that want them.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use super::Reactor;
use crate::connection::State;
use crate::context::Context;
use crate::handler::Handler;
use crate::ids::ConnId;
use crate::poller::{Key, Poller};
use crate::sys::{self, urgent};

impl<H: Handler, P: Poller> Reactor<H, P> {
    /// A connection is ready with priority, and with nothing to read.
    pub(super) fn urgent_is_ready(&mut self, key: Key) {
        if self.take_urgent(key) {
            return;
        }
        let Some(connection) = self.core.sources.connection(key) else { return };
        // A hang-up or an error counts as priority, too, and after either there will be none. To ask
        // again would find the same for ever. Where neither shows, the system had no room to watch it.
        if !matches!(sys::poll::now(connection.socket.as_raw_fd(), libc::POLLPRI), Ok(0)) {
            self.core.watch_urgent(&mut self.poller, key, false);
        }
    }

    /// Takes the urgent byte, if there is one; says whether there is a point in asking again. It comes
    /// before each read, since one that begins at its place would lose it.
    pub(super) fn take_urgent(&mut self, key: Key) -> bool {
        let Some(connection) = self.core.sources.connection(key) else { return true };
        if !connection.hears_urgent() {
            return true;
        }
        match urgent::receive(connection.socket.as_fd()) {
            Ok(Some(byte)) => self.tell_urgent(key, byte),
            // Still ready: the next turn takes it.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another one was announced since the wait, in the place of the one that it found: it is ready
            // when it comes, and not before.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(None) | Err(_) => return false,
        }
        true
    }

    fn tell_urgent(&mut self, key: Key, byte: u8) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        connection.active = self.core.tick;
        self.deliver_before_mark(key);
        let Some(connection) = self.core.sources.connection(key) else { return };
        if connection.hears_urgent() {
            self.core.begin_callback(key);
            let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
            self.handler.urgent(&mut ctx, ConnId(key), byte);
            self.core.end_callback(&mut self.poller, key);
        }
    }

    /// Delivers bytes that are kept below the low-water mark, and that the next read would join with
    /// those behind the urgent one.
    pub(super) fn deliver_before_mark(&mut self, key: Key) {
        let Some(connection) = self.core.sources.connection(key) else { return };
        let waits = connection.unread() > 0 && !connection.state.has(State::PAUSED);
        if waits && self.core.is_at_mark(key) {
            self.deliver_left(key, State::LAST);
        }
    }
}
