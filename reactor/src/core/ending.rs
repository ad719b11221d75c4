//! How connections end, step by step.

use std::net::Shutdown;
use std::time::Duration;

use super::{Core, Course, Due};
use crate::connection::{CloseReason, Origin, Phase, State};
use crate::net::ConnectCause;
use crate::poller::{Key, Poller};
use crate::sources::{Kind, NOBODY, Source};
use crate::timer::TimerId;

impl Core {
    /// Ends a connection when all that is queued is sent.
    pub(crate) fn close(&mut self, key: Key) {
        self.stop_gathering(key);
        let Some(connection) = self.sources.connection_mut(key) else {
            return self.end_connecting(key, ConnectCause::Cancelled);
        };
        if connection.state.phase() == Phase::Open {
            connection.state.set_phase(Phase::Draining);
            connection.take_unread();
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
        self.end_connecting(key, ConnectCause::Cancelled);
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
            CloseReason::Idle | CloseReason::Stopped { .. } if connection.queued() == 0 => {
                // The system goes on to deliver what it holds, if nothing waits to be read.
                connection.drop_input();
                false
            }
            // A clean end must not hide what is missing.
            _ => true,
        };
        if cuts_off {
            // What fails here has no connection left to reset.
            let _ = connection.reset_on_close();
        }
        connection.latch(reason);
        connection.state.set_phase(Phase::Closed);
        connection.take_unread();
        self.agenda.closed.push(key);
    }

    /// Takes the next step of an end, if there is nothing left to send before it.
    pub(super) fn go_on_ending(&mut self, key: Key) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        let state = connection.state;
        // A handler that pauses may still be owed what was left behind.
        let read_all = state.has(State::READ_ENDED) && !state.has(State::END_DUE);
        if state.has(State::WRITE_FAILED) {
            // Reading goes on to the end of what the peer has said, for a bounded time.
            match state.phase() {
                Phase::Open if !read_all => self.set_drain_timer(key),
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
                if read_all {
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
                let cause = connection.socket.take_error().ok().flatten().unwrap_or(error);
                if connection.state.phase() == Phase::Open {
                    self.fail_writing(key, cause);
                } else {
                    self.end(key, CloseReason::Error(cause));
                }
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
        let Some(connection) = self.sources.connection_mut(key) else { return };
        let Some(timeout) = connection.limits.idle_timeout else { return };
        // Both times are cut to milliseconds: less one, they are never too far apart.
        let idle = Duration::from_millis(tick.saturating_sub(connection.active + 1));
        if idle < timeout {
            self.timers.rearm(timer, timeout - idle);
        } else if connection.finds_silent_bytes() {
            // Nobody knows when they came.
            self.timers.rearm(timer, timeout);
        } else {
            self.end(key, CloseReason::Idle);
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
        connection.discard_queue(&mut self.pool);
        self.departed = Some((key, connection.origin));
        let listener = match connection.origin {
            Origin::Listener(listener) => Some(listener),
            Origin::Peer(peer) => {
                self.connect_again(peer);
                None
            }
            Origin::Handler => None,
        };
        self.accept_again(poller, listener);
        if self.course == Course::Drain && self.connections == 0 {
            self.course = Course::Stop;
        }
        Some(connection.reason.map_or(CloseReason::Finished, |reason| *reason))
    }

    /// Stops at the end of the turn.
    pub(crate) fn stop(&mut self) {
        if self.course != Course::Over {
            self.course = Course::Stop;
        }
    }

    /// Lets a listener go, with the timer that it may wait by.
    pub(crate) fn close_listener(&mut self, poller: &mut (impl Poller + ?Sized), key: Key) {
        if self.sources.kind(key) != Some(Kind::Acceptor) {
            return;
        }
        if let Some(Source::Acceptor(acceptor)) = self.unwatch(poller, key) {
            if let Some(timer) = acceptor.timer {
                self.timers.cancel(timer);
            }
        }
    }

    /// Begins to stop: listeners go, connects fail, connections drain.
    pub(crate) fn shut_down(&mut self, poller: &mut (impl Poller + ?Sized), deadline: Duration) {
        if self.course == Course::Over {
            return;
        }
        for key in self.sources.keys(Kind::Acceptor) {
            self.close_listener(poller, key);
        }
        for key in self.sources.keys(Kind::Connecting) {
            self.end_connecting(key, ConnectCause::Stopped);
        }
        for key in self.sources.keys(Kind::Connection) {
            self.close(key);
        }
        if self.course == Course::Stop {
            return;
        }
        self.timers.insert(deadline, Due::Stop);
        self.course = if self.connections == 0 { Course::Stop } else { Course::Drain };
    }
}
