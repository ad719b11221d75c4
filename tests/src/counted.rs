//! A poller that counts its waits.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::time::Duration;

use reactor::{Backend, Blocked, Capabilities, Direction, Events, Interest, Key, Poller, Waker};

use crate::Subject;

/// A poller, and how often it was asked: what the reactor over it did when nobody looked.
#[derive(Debug)]
pub struct Counted<P> {
    poller: P,
    /// Waits that there were.
    pub waits: usize,
    /// Waits that ended without an event.
    pub empty: usize,
    /// Events that there were.
    pub events: usize,
}

impl<P: Subject> Subject for Counted<P> {
    fn backend() -> Backend {
        P::backend()
    }

    fn create() -> io::Result<Self> {
        Ok(Self { poller: P::create()?, waits: 0, empty: 0, events: 0 })
    }
}

impl<P: Poller> Poller for Counted<P> {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        self.poller.add(fd, key, interest)
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        self.poller.modify(key, interest)
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        self.poller.remove(key)
    }

    fn blocked(&mut self, key: Key, direction: Direction, why: Blocked) {
        self.poller.blocked(key, direction, why);
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let before = events.len();
        self.poller.wait(events, timeout)?;
        let came = events.len() - before;
        self.waits += 1;
        self.empty += usize::from(came == 0);
        self.events += came;
        Ok(())
    }

    fn waker(&self) -> Waker {
        self.poller.waker()
    }

    fn capabilities(&self) -> Capabilities {
        self.poller.capabilities()
    }
}

impl<P: AsFd> AsFd for Counted<P> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poller.as_fd()
    }
}
