//! What comes for connections, up to the peer's end.

use std::io::{self, Read};

use super::{Reactor, SCRATCH};
use crate::connection::{CloseReason, Input, Phase, State};
use crate::context::Context;
use crate::handler::Handler;
use crate::ids::ConnId;
use crate::poller::{Blocked, Direction, Key, Poller};

/// Bytes that one connection reads in a turn, before the others have their turn.
const READ_BUDGET: usize = 4 * SCRATCH;
/// Bytes that a closed connection drops while it waits for the peer's end.
const LINGER_BYTES: u32 = 1024 * 1024;

/// Which bytes a delivery is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bytes {
    /// What one read brings, and what was left behind.
    New,
    /// What was left behind.
    Left,
    /// What was left behind, for the last time: also if it is less than the low-water mark.
    Last,
}

impl<H: Handler, P: Poller> Reactor<H, P> {
    /// Reads until a short read or the budget ends it: never on to WouldBlock, which costs a system
    /// call for each message.
    #[inline]
    pub(super) fn read(&mut self, key: Key) {
        let mut budget = READ_BUDGET;
        while let Some(count) = self.deliver(key, Bytes::New) {
            if count < SCRATCH {
                self.poller.blocked(key, Direction::Read, Blocked::Short);
                return;
            }
            budget -= count;
            if budget == 0 {
                return;
            }
        }
    }

    /// Hands the handler what is unread: what it left behind, and what one read brings. Says how much
    /// that was, if there is a point in reading on.
    ///
    /// The one place from which `data` is called, so that the compiler can put the handler's code here.
    fn deliver(&mut self, key: Key, bytes: Bytes) -> Option<usize> {
        let connection = self.core.sources.connection_mut(key)?;
        let mut count = 0;
        if bytes == Bytes::New {
            if !connection.reads() {
                return None;
            }
            match (&connection.socket).read(&mut self.scratch) {
                Ok(read) if read > 0 => count = read,
                answer => return self.end_reading(key, answer),
            }
            connection.active = self.core.tick;
        }
        if connection.state.phase() != Phase::Open {
            self.drop_read(key, count);
            return Some(count);
        }
        let room = connection.gather_room();
        let mut left = connection.unread.take();
        let unread = match &mut left {
            None => &self.scratch[..count],
            Some(left) => {
                left.extend_from_slice(&self.scratch[..count]);
                &left[..]
            }
        };
        let (mut taken, low) = (0, connection.read_low);
        if !unread.is_empty() && (unread.len() >= low || bytes == Bytes::Last) {
            self.core.begin_callback_of(key, room);
            let mut input = Input::new(unread);
            let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
            self.handler.data(&mut ctx, ConnId(key), &mut input);
            taken = input.taken();
            if taken == 0 {
                self.core.forget_again(key, low);
            }
        }
        if let Some(mut left) = left {
            left.drain(..taken);
            self.keep(key, left);
        } else if taken < count {
            self.keep(key, Box::new(self.scratch[taken..count].to_vec()));
        }
        self.core.end_callback(&mut self.poller, key);
        Some(count)
    }

    /// Keeps what the handler left behind.
    #[cold]
    #[expect(clippy::box_collection, reason = "as it is kept")]
    fn keep(&mut self, key: Key, left: Box<Vec<u8>>) {
        if let Some(connection) = self.core.sources.connection_mut(key) {
            if !left.is_empty() && connection.state.phase() == Phase::Open {
                connection.unread = Some(left);
            }
        }
    }

    /// Bytes have come for a connection that is ending: they are dropped, and bounded.
    #[cold]
    fn drop_read(&mut self, key: Key, count: usize) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        if connection.state.phase() == Phase::Lingering {
            let lingered = &mut connection.lingered;
            *lingered = lingered.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            if *lingered > LINGER_BYTES {
                self.core.end(key, CloseReason::Finished);
            }
        }
    }

    /// A read gave nothing: it would block, or the peer's side has ended, by its FIN or by an error.
    /// Says whether to try again.
    #[cold]
    fn end_reading(&mut self, key: Key, answer: io::Result<usize>) -> Option<usize> {
        match answer {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                // Still readable: the next turn reads it.
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
            }
            Ok(_) => self.peer_has_ended(key, None),
            Err(error) => self.peer_has_ended(key, Some(error)),
        }
        None
    }

    fn peer_has_ended(&mut self, key: Key, error: Option<io::Error>) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        connection.state.set(State::READ_ENDED);
        let failed = error.is_some();
        if let Some(error) = error {
            connection.latch(CloseReason::Error(error));
        }
        match connection.state.phase() {
            Phase::Open => {}
            // The queue goes on: a peer that has finished may still read.
            Phase::Draining if !failed => return self.core.update_interest(&mut self.poller, key),
            Phase::Draining | Phase::Lingering => return self.core.end(key, CloseReason::Finished),
            Phase::Closed => return,
        }
        connection.state.set(State::END_DUE);
        self.tell_end(key);
    }

    /// The peer's end was read: what was left behind comes once more, and then the end is told, unless
    /// the handler pauses: then all that waits for it to resume.
    fn tell_end(&mut self, key: Key) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        // As often as the handler asks for the rest of it.
        let mut left = connection.unread();
        let state = loop {
            self.deliver(key, Bytes::Last);
            let Some(connection) = self.core.sources.connection_mut(key) else { return };
            let again = connection.state.has(State::DELIVER_DUE);
            connection.state.clear(State::DELIVER_DUE);
            let before = std::mem::replace(&mut left, connection.unread());
            if !again || connection.state.has(State::PAUSED) || left == 0 || left == before {
                break connection.state;
            }
        };
        if state.phase() != Phase::Open || state.has(State::PAUSED) {
            return;
        }
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        connection.state.clear(State::END_DUE);
        if connection.reason.is_some() || state.has(State::WRITE_ENDED) {
            return self.core.end(key, CloseReason::Finished);
        }
        self.core.begin_callback(key);
        let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
        self.handler.peer_finished(&mut ctx, ConnId(key));
        self.core.end_callback(&mut self.poller, key);
    }

    pub(super) fn deliver_again(&mut self, key: Key) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        let state = connection.state;
        connection.state.clear(State::DELIVER_DUE);
        if state.has(State::DELIVER_DUE) && !state.has(State::PAUSED) {
            if state.has(State::END_DUE) {
                return self.tell_end(key);
            }
            // After the end of the stream no more can come to reach the mark.
            let ended = state.has(State::READ_ENDED);
            self.deliver(key, if ended { Bytes::Last } else { Bytes::Left });
        }
    }
}
