//! The state of the loop: all that a callback may reach, and what it does to connections.
//!
//! Nothing here calls the handler. What a call causes is noted on the agenda, and the loop takes it
//! from there once no callback runs.

mod connecting;
mod ending;
mod keeping;
mod marks;
mod refusals;
mod sending;

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::warn;

use crate::connection::{
    CloseReason, Connection, GATHER, Limits, Origin, Phase, Pool, Rise, State,
};
use crate::ids::ListenerId;
use crate::net::{Address, Resolver, control};
use crate::poller::{Interest, Key, Poller, Waker};
use crate::sources::{NOBODY, Source, Sources};
use crate::timer::TimerWheel;

pub(crate) use connecting::Outcome;
use refusals::Refusals;

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
    /// A connect is to go on, or to end.
    Connect(Key),
    /// A peer that is kept connected is to be connected again.
    Reconnect(Key),
    /// A registered descriptor may have reached its mark.
    RawMark(Key),
    /// What the system refused to watch is to be asked for again.
    Refused,
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
    /// Connects that are to begin, or to go on.
    pub(crate) connects: VecDeque<Key>,
}

impl Agenda {
    pub(crate) fn is_empty(&self) -> bool {
        self.deliver.is_empty()
            && self.flush.is_empty()
            && self.drained.is_empty()
            && self.closed.is_empty()
            && self.connects.is_empty()
    }
}

/// Whether the loop goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    Run,
    /// Stop when the last connection is gone.
    Drain,
    Stop,
    /// It has stopped: nothing is begun any more.
    Over,
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
    /// Whether the loop has stopped, or a callback has panicked: nothing is watched any more.
    over: bool,
    /// Connections that exist.
    pub(crate) connections: usize,
    /// Turns that have begun.
    pub(crate) turns: u64,
    /// The connection whose callback runs, as long as what it sends to itself may be gathered.
    gathers: Key,
    gather: Vec<u8>,
    /// Fewer bytes than this may be gathered: none while a queue would have to go before them, or if
    /// nothing may be sent.
    gather_room: usize,
    /// How many bytes the running callback may still send at once.
    direct_room: usize,
    /// The connection that is being announced, and its peer.
    pub(crate) newcomer: Option<(Key, Address)>,
    /// The connection whose end is being told, and where it came from.
    pub(crate) departed: Option<(Key, Origin)>,
    /// Listeners that wait until any connection closes, or their pause is over.
    pub(crate) starved: Vec<Key>,
    refusals: Refusals,
    pub(crate) signals: Option<Key>,
    pub(crate) resolver: Resolver,
}

impl Core {
    pub(crate) fn new(limits: Limits, waker: Waker) -> Self {
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
            over: false,
            connections: 0,
            turns: 0,
            gathers: NOBODY,
            gather: Vec::with_capacity(GATHER),
            gather_room: 0,
            direct_room: 0,
            newcomer: None,
            departed: None,
            starved: Vec::new(),
            refusals: Refusals::new(),
            signals: None,
            resolver: Resolver::new(waker),
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
        if self.over {
            return Err(io::Error::other("the loop has stopped"));
        }
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

    /// Closes everything at once, for ever.
    pub(crate) fn close_all(&mut self) {
        self.over = true;
        self.course = Course::Over;
        self.sources.clear();
        self.connections = 0;
        self.agenda = Agenda::default();
        self.signals = None;
        // A callback that has panicked had no end.
        self.gathers = NOBODY;
        self.gather.clear();
    }

    /// Takes a connection in.
    pub(crate) fn open(
        &mut self,
        poller: &mut (impl Poller + ?Sized),
        mut connection: Connection,
    ) -> io::Result<Key> {
        connection.active = self.tick;
        connection.tell_mark(Rise::Exact);
        let idle = connection.limits.idle_timeout;
        let key = self.watch(poller, Source::Connection(connection), Interest::READABLE)?;
        self.connections += 1;
        self.set_idle_timer(key, idle);
        Ok(key)
    }

    /// Takes a connection in where its connect was, under the same key.
    pub(crate) fn open_in_place(
        &mut self,
        poller: &mut (impl Poller + ?Sized),
        key: Key,
        mut connection: Connection,
    ) -> io::Result<()> {
        poller.add(connection.socket.as_raw_fd(), key, Interest::READABLE)?;
        connection.active = self.tick;
        connection.tell_mark(Rise::Exact);
        let idle = connection.limits.idle_timeout;
        self.sources.replace(key, Source::Connection(connection));
        self.connections += 1;
        self.set_idle_timer(key, idle);
        Ok(())
    }

    /// Where a connection came from, also while its end is being told.
    pub(crate) fn origin(&self, key: Key) -> Option<Origin> {
        match self.departed {
            Some((departed, origin)) if departed == key => Some(origin),
            _ => self.sources.connection(key).map(|connection| connection.origin),
        }
    }

    /// Bytes that wait to be sent: in the queue, and those that the running callback has gathered.
    pub(crate) fn queued(&self, key: Key) -> usize {
        let gathered = if self.gathers == key { self.gather.len() } else { 0 };
        self.sources.connection(key).map_or(0, |connection| connection.queued() + gathered)
    }

    fn set_idle_timer(&mut self, key: Key, timeout: Option<Duration>) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if let Some(timer) = connection.timer.take() {
            self.timers.cancel(timer);
        }
        connection.timer = timeout.map(|after| self.timers.insert(after, Due::Idle(key)));
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

    pub(crate) fn watch_urgent(
        &mut self,
        poller: &mut (impl Poller + ?Sized),
        key: Key,
        wanted: bool,
    ) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if wanted {
            connection.state.set(State::URGENT);
        } else {
            connection.state.clear(State::URGENT);
        }
        self.update_interest(poller, key);
    }

    /// Whether a connection that hears urgent data was read up to the place of the last urgent byte.
    pub(crate) fn is_at_mark(&self, key: Key) -> bool {
        self.sources.connection(key).is_some_and(|connection| {
            connection.hears_urgent() && control::at_mark(&connection.socket).unwrap_or(false)
        })
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
        connection.limits = Arc::new(limits);
        if connection.remember() {
            connection.tell_mark(Rise::Exact);
        }
        if self.gathers == key {
            self.gather_room = connection.gather_room();
        }
        let times_its_end = connection.state.has(State::DRAIN_TIMED);
        if changed && connection.state.phase() == Phase::Open && !times_its_end {
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
    pub(crate) fn forget_again(&mut self, key: Key) {
        if let Some(connection) = self.sources.connection_mut(key) {
            if !connection.state.has(State::NEW_MARK) {
                connection.state.clear(State::DELIVER_DUE);
            }
        }
    }

    /// Asks the poller for what the state of a connection wants.
    pub(crate) fn update_interest(&mut self, poller: &mut (impl Poller + ?Sized), key: Key) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        connection.tell_mark(Rise::Worthwhile);
        if let Some(interest) = connection.new_interest() {
            if let Err(error) = poller.modify(key, interest) {
                self.end(key, CloseReason::Error(error));
            }
        }
    }

    /// A connection is gone: its listener may have room for another one, and any that is starved may
    /// find a descriptor.
    fn accept_again(&mut self, poller: &mut (impl Poller + ?Sized), listener: Option<ListenerId>) {
        if let Some(ListenerId(key)) = listener {
            if let Some(acceptor) = self.sources.acceptor_mut(key) {
                let was_full = acceptor.is_full();
                acceptor.connections -= 1;
                if was_full {
                    self.wake_acceptor(poller, key);
                }
            }
        }
        for key in std::mem::take(&mut self.starved) {
            self.wake_acceptor(poller, key);
        }
    }

    /// A listener that took its interest away asks again, unless it is full: then it waits for a
    /// connection of its own to close.
    pub(crate) fn wake_acceptor(&mut self, poller: &mut (impl Poller + ?Sized), key: Key) {
        let Some(acceptor) = self.sources.acceptor_mut(key) else { return };
        if acceptor.is_full() {
            return;
        }
        if let Some(timer) = acceptor.timer.take() {
            self.timers.cancel(timer);
        }
        if let Err(error) = poller.modify(key, Interest::READABLE) {
            warn!("{key:?}: {error}");
        }
    }
}
