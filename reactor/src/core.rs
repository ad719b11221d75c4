//! The state of the loop: all that a callback may reach, and what it does to connections.
//!
//! Nothing here calls the handler. What a call causes is noted on the agenda, and the loop takes it
//! from there once no callback runs.

use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::warn;

use crate::connection::{
    CloseReason, Connection, Flushed, GATHER, Limits, Phase, Pool, State, send,
};
use crate::context::Sent;
use crate::poller::{Blocked, Direction, Interest, Key, Poller};
use crate::sources::{Kind, Source, Sources};
use crate::timer::{TimerId, TimerWheel};

/// A `send` of at least this many bytes goes to the socket at once: copying them would cost more than
/// the system call that gathering might save.
const DIRECT: usize = 4 * 1024;

/// The key of no connection.
const NOBODY: Key = Key::new(u32::MAX, u32::MAX);

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The handler set it.
    User(u64),
    /// A connection was idle, unless it was active meanwhile.
    Idle(Key),
    /// A connection had its time to drain.
    Drain(Key),
    /// A listener may accept again.
    Accept(Key),
    /// The time that a shutdown leaves is over.
    Stop,
}

/// What is to be done when no callback runs, in the order of its doing.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    /// Connections whose left-over bytes are to be delivered again.
    pub(crate) deliver: Vec<Key>,
    /// Connections whose queue is to be sent, or whose end is to go on.
    pub(crate) flush: Vec<Key>,
    /// Connections to report as drained.
    pub(crate) drained: Vec<Key>,
    /// Connections to take away.
    pub(crate) closed: Vec<Key>,
}

impl Agenda {
    pub(crate) fn is_empty(&self) -> bool {
        self.deliver.is_empty()
            && self.flush.is_empty()
            && self.drained.is_empty()
            && self.closed.is_empty()
    }
}

/// Whether the loop goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    Run,
    /// Stop when the last connection is gone.
    Drain,
    Stop,
}

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) sources: Sources,
    pub(crate) timers: TimerWheel<Due>,
    /// The turn's time.
    pub(crate) now: Instant,
    /// The turn's time in milliseconds.
    pub(crate) tick: u64,
    start: Instant,
    pub(crate) limits: Arc<Limits>,
    pub(crate) pool: Pool,
    pub(crate) agenda: Agenda,
    pub(crate) course: Course,
    /// Connections that exist.
    pub(crate) connections: usize,
    /// Turns that have begun.
    pub(crate) turns: u64,
    /// The connection whose callback runs, as long as what it sends to itself is gathered: while
    /// nothing is queued that would have to go before, and nothing has ended its sending.
    gathers: Key,
    gather: Vec<u8>,
    /// How many bytes may be gathered.
    gather_room: usize,
    /// Whether listeners wait until a connection closes.
    pub(crate) accepting_waits: bool,
    pub(crate) signals: Option<Key>,
}

impl Core {
    pub(crate) fn new(limits: Limits) -> Self {
        let now = Instant::now();
        Self {
            sources: Sources::default(),
            timers: TimerWheel::new(now),
            now,
            tick: 0,
            start: now,
            limits: Arc::new(limits),
            pool: Pool::default(),
            agenda: Agenda::default(),
            course: Course::Run,
            connections: 0,
            turns: 0,
            gathers: NOBODY,
            gather: Vec::with_capacity(GATHER),
            gather_room: 0,
            accepting_waits: false,
            signals: None,
        }
    }

    /// A turn begins, or something between two of them.
    pub(crate) fn read_clock(&mut self) {
        self.now = Instant::now();
        let since = self.now.duration_since(self.start);
        self.tick = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        // The wheel's time is what timers count from.
        self.timers.advance(self.now);
    }

    /// Takes a source in, and has it watched.
    pub(crate) fn watch(
        &mut self,
        poller: &mut (impl Poller + ?Sized),
        source: Source,
        interest: Interest,
    ) -> io::Result<Key> {
        let fd = source.fd();
        let key = self.sources.insert(source);
        match poller.add(fd, key, interest) {
            Ok(()) => Ok(key),
            Err(error) => {
                self.sources.remove(key);
                Err(error)
            }
        }
    }

    /// Lets a source go: out of the poller first, then closed.
    pub(crate) fn unwatch(
        &mut self,
        poller: &mut (impl Poller + ?Sized),
        key: Key,
    ) -> Option<Source> {
        let source = self.sources.remove(key)?;
        if let Err(error) = poller.remove(key) {
            warn!("{key:?}: {error}");
        }
        Some(source)
    }

    /// Takes a connection in.
    pub(crate) fn open(
        &mut self,
        poller: &mut (impl Poller + ?Sized),
        mut connection: Connection,
    ) -> io::Result<Key> {
        connection.active = self.tick;
        let idle = connection.limits.idle_timeout;
        let key = self.watch(poller, Source::Connection(connection), Interest::READABLE)?;
        self.connections += 1;
        self.set_idle_timer(key, idle);
        Ok(key)
    }

    fn set_idle_timer(&mut self, key: Key, timeout: Option<Duration>) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if let Some(timer) = connection.timer.take() {
            self.timers.cancel(timer);
        }
        connection.timer = timeout.map(|after| self.timers.insert(after, Due::Idle(key)));
    }

    #[inline]
    pub(crate) fn send(&mut self, key: Key, bytes: &[u8]) -> Sent {
        if self.gathers == key
            && bytes.len() < DIRECT
            && self.gather.len() + bytes.len() <= self.gather_room
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
        if self.gathers == key {
            return self.send_at_once(key, bytes);
        }
        self.queue(key, bytes)
    }

    /// Sends what was gathered and then `bytes` itself; what the socket refuses is queued.
    fn send_at_once(&mut self, key: Key, bytes: &[u8]) -> Sent {
        self.send_gathered(key);
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        if connection.state.has(State::WRITE_FAILED) {
            return Sent::Refused;
        }
        if connection.outgoing.is_some() {
            return self.queue(key, bytes);
        }
        match send(&connection.socket, bytes) {
            Ok(sent) if sent == bytes.len() => Sent::Queued,
            Ok(sent) => self.queue(key, &bytes[sent..]),
            Err(error) => {
                self.fail_writing(key, error);
                Sent::Refused
            }
        }
    }

    fn queue(&mut self, key: Key, bytes: &[u8]) -> Sent {
        if self.gathers == key {
            self.gathers = NOBODY;
        }
        if self.overflows(key, bytes.len()) {
            return Sent::Refused;
        }
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        connection.queue().push(bytes, &mut self.pool);
        self.after_queueing(key)
    }

    pub(crate) fn send_shared(&mut self, key: Key, bytes: Bytes) -> Sent {
        self.stop_gathering(key);
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        if !connection.state.accepts_sends() || self.overflows(key, bytes.len()) {
            return Sent::Refused;
        }
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        connection.queue().push_shared(bytes);
        self.after_queueing(key)
    }

    /// Ends a connection if `more` bytes are more than it may queue. That is asked before they are
    /// copied, so that memory stays below the cap.
    fn overflows(&mut self, key: Key, more: usize) -> bool {
        let Some(connection) = self.sources.connection(key) else { return true };
        let overflows = more > connection.limits.write_cap.saturating_sub(connection.queued());
        if overflows {
            self.end(key, CloseReason::Overflow);
        }
        overflows
    }

    /// The marks, and the flush at the end of the turn.
    fn after_queueing(&mut self, key: Key) -> Sent {
        let Some(connection) = self.sources.connection_mut(key) else { return Sent::Refused };
        let queued = connection.queued();
        if !connection.state.has(State::FLUSH_DUE) {
            connection.state.set(State::FLUSH_DUE);
            self.agenda.flush.push(key);
        }
        if queued > connection.limits.write_high {
            connection.state.set(State::ABOVE_HIGH);
            return Sent::AboveHighWater;
        }
        Sent::Queued
    }

    /// Ends a connection when all that is queued is sent.
    pub(crate) fn close(&mut self, key: Key) {
        self.stop_gathering(key);
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if connection.state.phase() == Phase::Open {
            connection.state.set_phase(Phase::Draining);
            connection.unread = None;
            self.agenda.flush.push(key);
        }
    }

    /// Sends no more after what is queued.
    pub(crate) fn finish(&mut self, key: Key) {
        self.stop_gathering(key);
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if connection.state.phase() == Phase::Open && !connection.state.has(State::FINISHING) {
            connection.state.set(State::FINISHING);
            self.agenda.flush.push(key);
        }
    }

    /// Ends a connection by an RST, without sending what is queued.
    pub(crate) fn abort(&mut self, key: Key) {
        self.end(key, CloseReason::Aborted);
    }

    /// Ends a connection at the end of the turn. What it didn't send, the peer is told by an RST.
    pub(crate) fn end(&mut self, key: Key, reason: CloseReason) {
        if self.gathers == key {
            self.gathers = NOBODY;
            self.gather.clear();
        }
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if connection.state.phase() == Phase::Closed {
            return;
        }
        let cuts_off = match reason {
            CloseReason::Finished => false,
            // What the system holds it goes on to deliver; a clean end must not hide what is missing.
            CloseReason::Idle | CloseReason::Stopped { .. } => connection.queued() > 0,
            _ => true,
        };
        if cuts_off {
            // What fails here has no connection left to reset.
            let _ = connection.reset_on_close();
        }
        connection.latch(reason);
        connection.state.set_phase(Phase::Closed);
        connection.unread = None;
        self.agenda.closed.push(key);
    }

    pub(crate) fn pause(&mut self, poller: &mut (impl Poller + ?Sized), key: Key) {
        if let Some(connection) = self.sources.connection_mut(key) {
            connection.state.set(State::PAUSED);
        }
        self.update_interest(poller, key);
    }

    pub(crate) fn resume(&mut self, poller: &mut (impl Poller + ?Sized), key: Key) {
        if let Some(connection) = self.sources.connection_mut(key) {
            connection.state.clear(State::PAUSED);
        }
        self.deliver_again(key);
        self.update_interest(poller, key);
    }

    pub(crate) fn set_limits(
        &mut self,
        poller: &mut (impl Poller + ?Sized),
        key: Key,
        limits: Limits,
    ) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        let idle = limits.idle_timeout;
        let changed = idle != connection.limits.idle_timeout;
        connection.remember(&limits);
        connection.limits = Arc::new(limits);
        if changed && connection.state.phase() == Phase::Open {
            self.set_idle_timer(key, idle);
        }
        self.deliver_again(key);
        self.update_interest(poller, key);
    }

    fn deliver_again(&mut self, key: Key) {
        // Whether there is anything can't be known yet: what the connection's own `data` leaves behind
        // is filed when that returns.
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if !connection.state.has(State::DELIVER_DUE) {
            connection.state.set(State::DELIVER_DUE);
            self.agenda.deliver.push(key);
        }
    }

    /// The bytes that `data` would be shown again are those that it was just shown, and it took none:
    /// unless the mark is another one now, that can wait until more come.
    pub(crate) fn forget_again(&mut self, key: Key, low: usize) {
        if let Some(connection) = self.sources.connection_mut(key) {
            if connection.read_low == low {
                connection.state.clear(State::DELIVER_DUE);
            }
        }
    }

    /// A callback of `key` begins.
    #[inline]
    pub(crate) fn begin_callback(&mut self, key: Key) {
        let room = self.sources.connection(key).and_then(Connection::gather_room);
        self.begin_callback_of(key, room);
    }

    /// A callback of `key` begins, of which the caller knows how much it may gather.
    #[inline]
    pub(crate) fn begin_callback_of(&mut self, key: Key, room: Option<usize>) {
        self.gathers = if room.is_some() { key } else { NOBODY };
        self.gather_room = room.unwrap_or(0);
    }

    /// The callback of `key` is over: what it sent goes out.
    #[inline]
    pub(crate) fn end_callback(&mut self, poller: &mut impl Poller, key: Key) {
        self.gathers = NOBODY;
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if !self.gather.is_empty() {
            match send(&connection.socket, &self.gather) {
                Ok(sent) if sent == self.gather.len() => self.gather.clear(),
                answer => return self.keep_gathered(poller, key, answer),
            }
        }
        if !connection.is_plain() || connection.interest != Interest::READABLE {
            self.update_interest(poller, key);
        }
    }

    #[cold]
    fn keep_gathered(&mut self, poller: &mut impl Poller, key: Key, answer: io::Result<usize>) {
        self.after_sending(key, answer);
        self.update_interest(poller, key);
    }

    /// What follows must not overtake what was gathered.
    fn stop_gathering(&mut self, key: Key) {
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
        self.after_sending(key, answer);
    }

    /// What was gathered was sent, or as much of it as `answer` says.
    fn after_sending(&mut self, key: Key, answer: io::Result<usize>) {
        match answer {
            Ok(sent) if sent == self.gather.len() => self.gather.clear(),
            Ok(sent) if self.overflows(key, self.gather.len() - sent) => self.gather.clear(),
            Ok(sent) => {
                let Some(connection) = self.sources.connection_mut(key) else { return };
                connection.queue().push(&self.gather[sent..], &mut self.pool);
                self.gather.clear();
                self.after_queueing(key);
            }
            Err(error) => {
                self.gather.clear();
                self.fail_writing(key, error);
            }
        }
    }

    /// A write failed. That ends the writing side alone: what the peer said before may still be
    /// unread, and is often what explains it.
    fn fail_writing(&mut self, key: Key, error: io::Error) {
        if self.gathers == key {
            self.gathers = NOBODY;
        }
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if connection.state.has(State::WRITE_FAILED) {
            return;
        }
        connection.latch(CloseReason::Error(error));
        connection.state.set(State::WRITE_FAILED);
        // Nobody is left to wait for `drained` before reading on.
        connection.state.clear(State::PAUSED);
        connection.state.clear(State::ABOVE_HIGH);
        if let Some(queue) = connection.outgoing.take() {
            queue.discard(&mut self.pool);
        }
        self.agenda.flush.push(key);
    }

    /// Sends what is queued, and goes on with an end that waited for it.
    pub(crate) fn flush(&mut self, poller: &mut impl Poller, key: Key) {
        let tick = self.tick;
        let Some(connection) = self.sources.connection_mut(key) else { return };
        connection.state.clear(State::FLUSH_DUE);
        if connection.state.can_write() {
            if let Some(queue) = &mut connection.outgoing {
                let before = queue.len();
                match queue.flush(&connection.socket, &mut self.pool) {
                    Ok(Flushed::All) => connection.outgoing = None,
                    Ok(Flushed::Blocked) => {
                        poller.blocked(key, Direction::Write, Blocked::Short);
                    }
                    Ok(Flushed::Budget) => {}
                    Err(error) => self.fail_writing(key, error),
                }
                let Some(connection) = self.sources.connection_mut(key) else { return };
                let queued = connection.queued();
                if queued < before {
                    connection.active = tick;
                }
                if connection.state.has(State::ABOVE_HIGH) && queued <= connection.limits.write_low
                {
                    connection.state.clear(State::ABOVE_HIGH);
                    self.agenda.drained.push(key);
                }
            }
        }
        self.go_on_ending(key);
        self.update_interest(poller, key);
    }

    /// Takes the next step of an end, if there is nothing left to send before it.
    fn go_on_ending(&mut self, key: Key) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        let state = connection.state;
        if state.has(State::WRITE_FAILED) {
            // Reading goes on to the end of what the peer has said, for a bounded time.
            match state.phase() {
                Phase::Open if !state.has(State::READ_ENDED) => self.set_drain_timer(key),
                Phase::Open | Phase::Draining => self.end(key, CloseReason::Finished),
                Phase::Lingering | Phase::Closed => {}
            }
            return;
        }
        if connection.queued() > 0 {
            if state.phase() == Phase::Draining {
                self.set_drain_timer(key);
            }
            return;
        }
        match state.phase() {
            Phase::Draining if state.has(State::READ_ENDED) => self.end(key, CloseReason::Finished),
            Phase::Draining => {
                connection.state.set_phase(Phase::Lingering);
                self.end_writing(key);
                self.set_drain_timer(key);
            }
            Phase::Open if state.has(State::FINISHING) => {
                self.end_writing(key);
                if state.has(State::READ_ENDED) {
                    self.end(key, CloseReason::Finished);
                }
            }
            _ => {}
        }
    }

    fn end_writing(&mut self, key: Key) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if !connection.state.has(State::WRITE_ENDED) {
            connection.state.set(State::WRITE_ENDED);
            if let Err(error) = connection.socket.shutdown(Shutdown::Write) {
                // "Not connected" is what came of it; why, is still to be asked for.
                let cause = connection.socket.take_error().ok().flatten();
                self.end(key, CloseReason::Error(cause.unwrap_or(error)));
            }
        }
    }

    fn set_drain_timer(&mut self, key: Key) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if connection.state.has(State::DRAIN_TIMED) {
            return;
        }
        connection.state.set(State::DRAIN_TIMED);
        let after = connection.limits.drain_timeout;
        if let Some(timer) = connection.timer.take() {
            self.timers.cancel(timer);
        }
        connection.timer = Some(self.timers.insert(after, Due::Drain(key)));
    }

    /// The time to drain is over.
    pub(crate) fn drain_is_over(&mut self, key: Key) {
        let Some(connection) = self.sources.connection(key) else { return };
        let unsent = connection.queued();
        match connection.state.phase() {
            Phase::Draining => self.end(key, CloseReason::Undelivered { unsent }),
            _ => self.end(key, CloseReason::Finished),
        }
    }

    /// An idle timeout has run out: whether the connection was really idle. If not, the timer goes on
    /// for what is left.
    pub(crate) fn check_idle(&mut self, timer: TimerId, key: Key) {
        let tick = self.tick;
        let Some(connection) = self.sources.connection(key) else { return };
        let Some(timeout) = connection.limits.idle_timeout else { return };
        // Both times are cut to milliseconds: less one, they are never too far apart.
        let idle = Duration::from_millis(tick.saturating_sub(connection.active + 1));
        if idle >= timeout {
            self.end(key, CloseReason::Idle);
        } else {
            self.timers.rearm(timer, timeout - idle);
        }
    }

    /// Asks the poller for what the state of a connection wants.
    #[inline]
    pub(crate) fn update_interest(&mut self, poller: &mut (impl Poller + ?Sized), key: Key) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        let wanted = connection.wanted();
        if wanted != connection.interest {
            connection.interest = wanted;
            if let Err(error) = poller.modify(key, wanted) {
                self.end(key, CloseReason::Error(error));
            }
        }
    }

    /// Takes a closed connection away; says why it ended.
    pub(crate) fn take_away(&mut self, poller: &mut impl Poller, key: Key) -> Option<CloseReason> {
        self.sources.connection(key)?;
        let Some(Source::Connection(mut connection)) = self.unwatch(poller, key) else {
            return None;
        };
        self.connections -= 1;
        if let Some(timer) = connection.timer {
            self.timers.cancel(timer);
        }
        if let Some(queue) = connection.outgoing.take() {
            queue.discard(&mut self.pool);
        }
        if let Some(listener) = connection.listener {
            if let Some(acceptor) = self.sources.acceptor_mut(listener.0) {
                acceptor.connections -= 1;
            }
        }
        self.accept_again(poller);
        if self.course == Course::Drain && self.connections == 0 {
            self.course = Course::Stop;
        }
        Some(connection.reason.map_or(CloseReason::Finished, |reason| *reason))
    }

    /// A descriptor has become free: listeners that wait for one try again.
    fn accept_again(&mut self, poller: &mut (impl Poller + ?Sized)) {
        if !std::mem::take(&mut self.accepting_waits) {
            return;
        }
        for key in self.sources.keys(Kind::Acceptor) {
            self.wake_acceptor(poller, key);
        }
    }

    /// A listener that took its interest away asks again.
    pub(crate) fn wake_acceptor(&mut self, poller: &mut (impl Poller + ?Sized), key: Key) {
        let Some(acceptor) = self.sources.acceptor_mut(key) else { return };
        if acceptor.is_full() {
            self.accepting_waits = true;
            return;
        }
        if let Some(timer) = acceptor.timer.take() {
            self.timers.cancel(timer);
        }
        if let Err(error) = poller.modify(key, Interest::READABLE) {
            warn!("{key:?}: {error}");
        }
    }

    /// Begins to stop: listeners go, connections drain.
    pub(crate) fn shut_down(&mut self, poller: &mut (impl Poller + ?Sized), deadline: Duration) {
        for key in self.sources.keys(Kind::Acceptor) {
            self.unwatch(poller, key);
        }
        for key in self.sources.keys(Kind::Connection) {
            self.close(key);
        }
        self.timers.insert(deadline, Due::Stop);
        self.course = if self.connections == 0 { Course::Stop } else { Course::Drain };
    }
}
