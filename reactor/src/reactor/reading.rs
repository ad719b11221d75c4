//! What comes for connections, up to the peer's end.

use std::io;

use super::{Reactor, SCRATCH};
use crate::connection::{CloseReason, Connection, Input, Left, Phase, State};
use crate::context::Context;
use crate::handler::Handler;
use crate::ids::ConnId;
use crate::poller::{Blocked, Direction, Event, Key, Poller, Readiness};

/// Bytes that one connection reads in a turn, before the others have their turn.
const READ_BUDGET: usize = 4 * SCRATCH;
/// Bytes that a closed connection drops while it waits for the peer's end: `Context::close` tells of them.
const LINGER_BYTES: u32 = 1024 * 1024;

/// What is to be delivered.
struct Unread {
    /// What the handler left behind, with the new bytes.
    left: Option<Box<Left>>,
    /// How many bytes of the scratch buffer are new.
    count: usize,
    /// Whether the low-water mark is reached.
    enough: bool,
}

impl<H: Handler, P: Poller> Reactor<H, P> {
    /// Reads, and hands the handler what is unread, until a short read or the budget ends it: never on
    /// to WouldBlock, which costs a system call for each message. Says whether there is such a
    /// connection.
    #[inline(always)]
    pub(super) fn read(&mut self, key: Key) -> bool {
        let mut budget = READ_BUDGET;
        loop {
            let Some(connection) = self.core.sources.connection_mut(key) else { return false };
            let unread = if connection.state.is_plain() {
                match connection.read(&mut self.scratch) {
                    Ok(count) if count > 0 => {
                        connection.active = self.core.tick;
                        let enough = count >= connection.read_low;
                        let room = connection.gather_most;
                        self.core.begin_callback_with(key, room);
                        Unread { left: None, count, enough }
                    }
                    answer => {
                        self.end_reading(key, answer);
                        return true;
                    }
                }
            } else {
                match self.unread(key) {
                    Some(unread) => unread,
                    None => return true,
                }
            };
            let count = unread.count;
            self.deliver(key, unread);
            if count < SCRATCH {
                if count > 0 {
                    self.poller.blocked(key, Direction::Read, Blocked::Short);
                }
                return true;
            }
            budget -= count;
            if budget == 0 || self.stops_for_urgent(key) {
                return true;
            }
        }
    }

    /// What is unread of a connection of which there is more to be asked.
    fn unread(&mut self, key: Key) -> Option<Unread> {
        let connection = self.core.sources.connection_mut(key)?;
        let state = connection.state;
        connection.state.clear(State::NO_READ);
        connection.state.clear(State::LAST);
        let count = if state.has(State::NO_READ) { 0 } else { self.read_more(key)? };
        let connection = self.core.sources.connection_mut(key)?;
        if connection.state.phase() != Phase::Open {
            self.drop_read(key, count);
            return None;
        }
        connection.state.clear(State::NEW_MARK);
        let mut left = connection.take_unread();
        if let Some(left) = &mut left {
            left.append(&self.scratch[..count]);
        }
        let sum = left.as_ref().map_or(count, |left| left.len());
        let mut enough = sum >= connection.read_low || state.has(State::LAST) && sum > 0;
        let room = connection.gather_room();
        if !enough && state.has(State::URGENT) {
            enough = sum > 0 && self.core.is_at_mark(key);
        }
        self.core.begin_callback_with(key, room);
        Some(Unread { left, count, enough })
    }

    /// Reads from a connection of which there is more to be asked: more than nothing.
    fn read_more(&mut self, key: Key) -> Option<usize> {
        let connection = self.core.sources.connection(key)?;
        if connection.reads() && connection.hears_urgent() {
            self.take_urgent(key);
            self.deliver_before_mark(key);
        }
        let connection = self.core.sources.connection_mut(key)?;
        if !connection.reads() {
            return None;
        }
        match connection.read(&mut self.scratch) {
            Ok(count) if count > 0 => {
                connection.active = self.core.tick;
                Some(count)
            }
            answer => {
                self.end_reading(key, answer);
                None
            }
        }
    }

    /// Between two reads an urgent byte may come, and the second would lose it if it began at its place.
    /// After a wait it doesn't: what is readable then stands before the byte, which is taken first.
    #[cold]
    fn stops_for_urgent(&self, key: Key) -> bool {
        self.core.sources.connection(key).is_some_and(Connection::hears_urgent)
    }

    #[inline(always)]
    fn deliver(&mut self, key: Key, unread: Unread) {
        let bytes = match &unread.left {
            None => &self.scratch[..unread.count],
            Some(left) => left.bytes(),
        };
        let mut taken = 0;
        if unread.enough {
            let mut input = Input::new(bytes);
            let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
            self.handler.data(&mut ctx, ConnId(key), &mut input);
            taken = input.taken().min(bytes.len());
        }
        if taken < unread.count || unread.left.is_some() {
            self.keep(key, unread, taken);
        }
        self.core.end_callback(&mut self.poller, key);
    }

    /// Keeps what the handler left behind, or wasn't shown yet.
    #[cold]
    fn keep(&mut self, key: Key, unread: Unread, taken: usize) {
        if taken == 0 {
            self.core.forget_again(key);
        }
        let left = match unread.left {
            None => Box::new(Left::new(&self.scratch[taken..unread.count])),
            Some(mut left) => {
                left.take(taken);
                left
            }
        };
        if let Some(connection) = self.core.sources.connection_mut(key) {
            if left.len() > 0 && connection.state.phase() == Phase::Open {
                connection.keep_unread(left);
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
    #[cold]
    fn end_reading(&mut self, key: Key, answer: io::Result<usize>) {
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

    /// The peer's end was read: what was left behind comes once more, and as often as the handler asks
    /// for the rest of it. Then the end is told, unless the handler pauses: then all that waits for it to
    /// resume.
    fn tell_end(&mut self, key: Key) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        let before = connection.unread();
        connection.state.clear(State::DELIVER_DUE);
        self.deliver_left(key, State::LAST);
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        let state = connection.state;
        let left = connection.unread();
        if state.phase() != Phase::Open || state.has(State::PAUSED) {
            return;
        }
        if state.has(State::DELIVER_DUE) && left > 0 && left < before {
            // It is on the agenda: a turn goes through that only so often.
            return;
        }
        connection.state.clear(State::DELIVER_DUE);
        connection.state.clear(State::END_DUE);
        if connection.reason.is_some() || state.has(State::WRITE_ENDED) {
            return self.core.end(key, CloseReason::Finished);
        }
        self.core.begin_callback(key);
        let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
        self.handler.peer_finished(&mut ctx, ConnId(key));
        self.core.end_callback(&mut self.poller, key);
    }

    /// Delivers what was left behind, by the way that all bytes go.
    pub(super) fn deliver_left(&mut self, key: Key, how: State) {
        if let Some(connection) = self.core.sources.connection_mut(key) {
            connection.state.set(State::NO_READ);
            connection.state.set(how);
            self.serve(&[Event::new(key, Readiness::READABLE)]);
        }
    }

    pub(super) fn deliver_again(&mut self, key: Key) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        let state = connection.state;
        connection.state.clear(State::DELIVER_DUE);
        connection.state.clear(State::NEW_MARK);
        if state.has(State::DELIVER_DUE) && !state.has(State::PAUSED) {
            if state.has(State::END_DUE) {
                return self.tell_end(key);
            }
            // After the end of the stream no more can come to reach the mark.
            let ended = state.has(State::READ_ENDED);
            let enough = connection.unread() >= connection.read_low;
            if enough || ended || state.has(State::URGENT) {
                self.deliver_left(key, if ended { State::LAST } else { State::NO_READ });
            }
        }
        self.core.update_interest(&mut self.poller, key);
    }
}
