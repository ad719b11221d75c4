//! What connections send: gathered, at once, or from their queues.

use std::io;

use bytes::Bytes;

use super::Core;
use crate::connection::{CloseReason, Connection, Flushed, PIECE, State, send, send_urgent};
use crate::context::Sent;
use crate::poller::{Blocked, Direction, Key, Poller};
use crate::sources::NOBODY;

/// A `send` of at least this many bytes goes to the socket at once: copying them would cost more than
/// the system call that gathering might save.
const DIRECT: usize = 4 * 1024;
/// Bytes that one callback sends at once. What is more is queued, as if the socket took no more, so that
/// a peer that reads as fast as a callback writes can't keep it from ever reaching a mark.
const DIRECT_BUDGET: usize = 1024 * 1024;

impl Core {
    #[inline]
    pub(crate) fn send(&mut self, key: Key, bytes: &[u8]) -> Sent {
        if self.gathers == key
            && bytes.len() < DIRECT
            && self.gather.len() + bytes.len() < self.gather_room
        {
            self.gather.extend_from_slice(bytes);
            return Sent::Queued;
        }
        self.send_slowly(key, bytes)
    }

    fn send_slowly(&mut self, key: Key, bytes: &[u8]) -> Sent {
        let Some(connection) = self.sources.connection(key) else { return Sent::Refused };
        if !connection.state.accepts_sends() {
            return Sent::Refused;
        }
        if bytes.is_empty() {
            return Sent::Queued;
        }
        if self.gathers == key {
            return self.send_at_once(key, bytes);
        }
        self.queue(key, bytes, false)
    }

    /// Sends what was gathered and then `bytes` itself; what the socket refuses is queued.
    fn send_at_once(&mut self, key: Key, bytes: &[u8]) -> Sent {
        self.send_gathered(key);
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        // What was gathered may have failed, or have been too much.
        if !connection.state.accepts_sends() {
            return Sent::Refused;
        }
        let now = &bytes[..bytes.len().min(self.direct_room)];
        if connection.has_queue() || now.is_empty() {
            return self.queue(key, bytes, false);
        }
        connection.active = self.tick;
        match send(&connection.socket, now) {
            Ok(sent) => {
                self.direct_room -= sent;
                if sent == bytes.len() {
                    return Sent::Queued;
                }
                self.queue(key, &bytes[sent..], sent < now.len())
            }
            Err(error) => {
                self.fail_writing(key, error);
                Sent::Refused
            }
        }
    }

    fn queue(&mut self, key: Key, bytes: &[u8], tried: bool) -> Sent {
        if self.gathers == key {
            self.gathers = NOBODY;
        }
        if self.overflows(key, bytes.len()) {
            return Sent::Refused;
        }
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        connection.queue(&mut self.pool).push(bytes, &mut self.pool);
        self.after_queueing(key, tried)
    }

    pub(crate) fn send_shared(&mut self, key: Key, bytes: Bytes) -> Sent {
        self.stop_gathering(key);
        let Some(mut connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        if !connection.state.accepts_sends() {
            return Sent::Refused;
        }
        if bytes.is_empty() {
            return Sent::Queued;
        }
        if !connection.has_room_for(bytes.len() + PIECE) {
            if self.overflows(key, bytes.len() + PIECE) {
                return Sent::Refused;
            }
            let Some(relieved) = self.sources.connection_mut(key) else { return Sent::Refused };
            connection = relieved;
        }
        connection.queue(&mut self.pool).push_shared(bytes);
        self.after_queueing(key, false)
    }

    /// Sends one urgent byte behind all that was sent before.
    pub(crate) fn send_urgent(&mut self, key: Key, byte: u8) -> Sent {
        self.stop_gathering(key);
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        if !connection.state.accepts_sends() {
            return Sent::Refused;
        }
        if !connection.has_queue() {
            match send_urgent(&connection.socket, byte) {
                Ok(0) => {}
                Ok(_) => {
                    connection.active = self.tick;
                    return Sent::Queued;
                }
                Err(error) => {
                    self.fail_writing(key, error);
                    return Sent::Refused;
                }
            }
        }
        if self.overflows(key, 1 + PIECE) {
            return Sent::Refused;
        }
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        connection.queue(&mut self.pool).push_urgent(byte, &mut self.pool);
        self.after_queueing(key, false)
    }

    /// Whether `more` bytes can't be queued: they are more than the cap allows, though the socket was
    /// given what is there, which ends the connection; or that has failed. That is asked before they are copied, so that memory stays below the cap.
    fn overflows(&mut self, key: Key, more: usize) -> bool {
        let Some(connection) = self.sources.connection(key) else { return true };
        if connection.has_room_for(more) {
            return false;
        }
        self.flush_early(key);
        let Some(connection) = self.sources.connection(key) else { return true };
        if connection.state.has(State::WRITE_FAILED) {
            return true;
        }
        let overflows = !connection.has_room_for(more);
        if overflows {
            self.end(key, CloseReason::Overflow);
        }
        overflows
    }

    /// The flush at the end of the turn, and the marks. They are about what the socket doesn't take: so
    /// it is asked before they speak, unless it was `tried` just now.
    fn after_queueing(&mut self, key: Key, tried: bool) -> Sent {
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        if !connection.state.has(State::FLUSH_DUE) {
            connection.state.set(State::FLUSH_DUE);
            self.agenda.flush.push(key);
        }
        if !connection.is_above_high() {
            return Sent::Queued;
        }
        if !connection.state.has(State::ABOVE_HIGH) && !tried {
            self.flush_early(key);
        }
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        if connection.state.has(State::WRITE_FAILED) {
            return Sent::Refused;
        }
        if connection.is_above_high() {
            connection.state.set(State::ABOVE_HIGH);
            return Sent::AboveHighWater;
        }
        Sent::Queued
    }

    /// Sends from a queue before the end of the turn.
    fn flush_early(&mut self, key: Key) {
        let tick = self.tick;
        let Some(connection) = self.sources.connection_mut(key) else { return };
        match connection.flush_early(&mut self.pool) {
            Ok(0) => {}
            Ok(_) => connection.active = tick,
            Err(error) => self.fail_writing(key, error),
        }
    }

    /// A callback of `key` begins.
    #[inline]
    pub(crate) fn begin_callback(&mut self, key: Key) {
        let room = self.sources.connection(key).map_or(0, Connection::gather_room);
        self.begin_callback_with(key, room);
    }

    /// A callback of `key` begins, of which the caller knows how much it may gather.
    #[inline]
    pub(crate) fn begin_callback_with(&mut self, key: Key, room: usize) {
        self.gathers = key;
        self.gather_room = room;
        self.direct_room = DIRECT_BUDGET;
    }

    /// The callback of `key` is over: what it sent goes out.
    #[inline(always)]
    pub(crate) fn end_callback(&mut self, poller: &mut impl Poller, key: Key) {
        self.gathers = NOBODY;
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if !self.gather.is_empty() {
            connection.active = self.tick;
            match send(&connection.socket, &self.gather) {
                Ok(sent) if sent == self.gather.len() => self.gather.clear(),
                answer => return self.keep_gathered(poller, key, answer),
            }
        }
        if !connection.state.is_plain() {
            self.update_interest(poller, key);
        }
    }

    #[cold]
    fn keep_gathered(&mut self, poller: &mut impl Poller, key: Key, answer: io::Result<usize>) {
        self.after_sending(key, answer);
        self.update_interest(poller, key);
    }

    /// What follows must not overtake what was gathered.
    pub(super) fn stop_gathering(&mut self, key: Key) {
        if self.gathers == key {
            self.send_gathered(key);
            self.gathers = NOBODY;
        }
    }

    fn send_gathered(&mut self, key: Key) {
        if self.gather.is_empty() {
            return;
        }
        let Some(connection) = self.sources.connection_mut(key) else { return };
        let answer = send(&connection.socket, &self.gather);
        self.direct_room = self.direct_room.saturating_sub(self.gather.len());
        self.after_sending(key, answer);
    }

    /// What was gathered was sent, or as much of it as `answer` says.
    fn after_sending(&mut self, key: Key, answer: io::Result<usize>) {
        match answer {
            Ok(sent) if sent == self.gather.len() => self.gather.clear(),
            Ok(sent) if self.overflows(key, self.gather.len() - sent) => self.gather.clear(),
            Ok(sent) => {
                let Some(connection) = self.sources.connection_mut(key) else { return };
                connection.queue(&mut self.pool).push(&self.gather[sent..], &mut self.pool);
                self.gather.clear();
                self.after_queueing(key, true);
            }
            Err(error) => {
                self.gather.clear();
                self.fail_writing(key, error);
            }
        }
    }

    /// A write failed. That ends the writing side alone: what the peer said before may still be
    /// unread, and is often what explains it.
    pub(super) fn fail_writing(&mut self, key: Key, error: io::Error) {
        if self.gathers == key {
            self.gathers = NOBODY;
        }
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if connection.state.has(State::WRITE_FAILED) {
            return;
        }
        connection.latch(CloseReason::Error(error));
        connection.state.set(State::WRITE_FAILED);
        connection.discard_queue(&mut self.pool);
        if connection.state.has(State::ABOVE_HIGH) {
            // Nothing waits any more: who paused until then may read on.
            connection.state.clear(State::ABOVE_HIGH);
            self.agenda.drained.push(key);
        }
        self.agenda.flush.push(key);
    }

    /// Sends what is queued, and goes on with an end that waited for it.
    pub(crate) fn flush(&mut self, poller: &mut impl Poller, key: Key) {
        let tick = self.tick;
        let Some(connection) = self.sources.connection_mut(key) else { return };
        connection.state.clear(State::FLUSH_DUE);
        if connection.has_queue() && connection.state.can_write() {
            let before = connection.queued();
            match connection.flush(&mut self.pool) {
                // So it is with almost every one: nothing waits for what was sent.
                Ok(Flushed::All) if connection.state.is_plain() => {
                    connection.active = tick;
                    return;
                }
                Ok(Flushed::All | Flushed::Budget) => {}
                Ok(Flushed::Blocked) => poller.blocked(key, Direction::Write, Blocked::Short),
                Err(error) => self.fail_writing(key, error),
            }
            let Some(connection) = self.sources.connection_mut(key) else { return };
            let queued = connection.queued();
            if queued < before {
                connection.active = tick;
            }
            if connection.state.has(State::ABOVE_HIGH) && queued <= connection.limits.write_low {
                connection.state.clear(State::ABOVE_HIGH);
                self.agenda.drained.push(key);
            }
        }
        self.go_on_ending(key);
        self.update_interest(poller, key);
    }
}
