//! A listener in the loop: how many connections it takes, and when it holds back.

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connection::Limits;
use crate::net::{Accepted, Address, ListenOptions, Listener};
use crate::poller::Interest;
use crate::timer::TimerId;

/// The most connections that one turn accepts from one listener.
const BATCH: u32 = 64;
/// How long a listener without descriptors waits before it tries again, at first and at most.
const BACKOFF: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// How long there must have been descriptors before it is news that there are none.
const CALM: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Acceptor {
    listener: Listener,
    /// What its connections begin with.
    pub(crate) limits: Arc<Limits>,
    max_connections: u32,
    /// Connections of this listener that exist.
    pub(crate) connections: u32,
    /// How many to accept in the next turn. An accept that finds nobody costs more than one that finds
    /// somebody: so as many are tried as there were last time, and twice as many while there are.
    pub(crate) batch: u32,
    /// How long to wait the next time that there is no descriptor.
    backoff: Duration,
    /// When there was none the last time.
    starved: Option<Instant>,
    /// Runs while it waits for a descriptor.
    pub(crate) timer: Option<TimerId>,
}

impl Acceptor {
    pub(crate) fn new(listener: Listener, options: &ListenOptions, limits: Arc<Limits>) -> Self {
        Self {
            listener,
            limits,
            max_connections: options.max_connections.unwrap_or(u32::MAX),
            connections: 0,
            batch: 1,
            backoff: BACKOFF[0],
            starved: None,
            timer: None,
        }
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.listener.as_fd().as_raw_fd()
    }

    pub(crate) fn local_address(&self) -> &Address {
        self.listener.local_addr()
    }

    /// Whether it has as many connections as it may have.
    pub(crate) fn is_full(&self) -> bool {
        self.connections >= self.max_connections
    }

    /// What the poller is to be asked for, unless it waits for a connection to close or for its timer.
    pub(crate) fn asks_for(&self) -> Option<Interest> {
        (!self.is_full() && self.timer.is_none()).then_some(Interest::READABLE)
    }

    pub(crate) fn accept(&mut self) -> Accepted {
        let accepted = self.listener.accept();
        if matches!(accepted, Accepted::Empty) {
            self.batch = 1;
        }
        accepted
    }

    /// A whole batch was there: more may be waiting.
    pub(crate) fn batch_was_full(&mut self) {
        self.batch = (self.batch * 2).min(BATCH);
    }

    /// How long to wait for a descriptor this time, and whether that is news: twice as long as the
    /// last time, unless that is long ago.
    pub(crate) fn back_off(&mut self, now: Instant) -> (Duration, bool) {
        let news = self.starved.is_none_or(|last| now.duration_since(last) > CALM);
        if news {
            self.backoff = BACKOFF[0];
        }
        self.starved = Some(now);
        let wait = self.backoff;
        self.backoff = (wait * 2).min(BACKOFF[1]);
        (wait, news)
    }

    pub(crate) fn listener(&self) -> &Listener {
        &self.listener
    }
}
