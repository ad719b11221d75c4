//! The adaptive mechanism at its most restless: whatever moving could lose is lost here.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use reactor::{Backend, Capabilities, Events, Interest, Key, Poller, Waker};

use crate::Subject;

/// Moves each descriptor as soon as it is reported, and back as soon as it isn't.
#[derive(Debug)]
pub struct Restless(reactor::AdaptivePoller);

impl Subject for Restless {
    const IS_RESTLESS: bool = true;

    fn backend() -> Backend {
        Backend::Adaptive
    }

    fn create() -> io::Result<Self> {
        reactor::AdaptivePoller::restless().map(Self)
    }
}

impl Poller for Restless {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        self.0.add(fd, key, interest)
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        self.0.modify(key, interest)
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        self.0.remove(key)
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        self.0.wait(events, timeout)
    }

    fn waker(&self) -> Waker {
        self.0.waker()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
}
