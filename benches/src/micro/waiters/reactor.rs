//! The library's mechanisms, through the trait that they share.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

use reactor::{Backend, Blocked, Direction, Events, Interest, Key, Trigger};

use super::{Patience, Waiter, Wanted};
use crate::micro::mechanisms::Mechanism;

pub(in crate::micro) struct Ours<P> {
    poller: P,
    events: Events,
    is_edge_triggered: bool,
}

/// No slot is used twice here.
fn key(token: usize) -> Key {
    Key::new(token as u32, 0)
}

impl<P: Mechanism> Waiter for Ours<P> {
    const NAME: &'static str = P::NAME;

    fn new(capacity: usize) -> io::Result<Self> {
        let poller = P::new()?;
        let is_edge_triggered = poller.capabilities().trigger == Trigger::Edge;
        Ok(Self { poller, events: Events::with_capacity(capacity.max(1)), is_edge_triggered })
    }

    fn is_edge_triggered(&self) -> bool {
        self.is_edge_triggered
    }

    fn learning(&self, ready: usize) -> usize {
        match self.poller.capabilities().backend {
            // More than it takes: 16 waits to know them, 256 to know that they are enough, and one to move
            // each 32.
            Backend::Adaptive => 300 + ready / 16,
            _ => 0,
        }
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: usize) -> io::Result<()> {
        self.poller.add(fd.as_raw_fd(), key(token), Interest::READABLE)
    }

    fn set(
        &mut self,
        _: BorrowedFd<'_>,
        token: usize,
        _: Wanted,
        wanted: Wanted,
    ) -> io::Result<()> {
        let interest = match wanted {
            Wanted::Nothing => Interest::NONE,
            Wanted::Reading => Interest::READABLE,
            Wanted::Writing => Interest::WRITABLE,
        };
        self.poller.modify(key(token), interest)
    }

    fn remove(&mut self, _: BorrowedFd<'_>, token: usize) -> io::Result<()> {
        self.poller.remove(key(token))
    }

    fn wait(&mut self, patience: Patience, mut ready: impl FnMut(usize)) -> io::Result<()> {
        let timeout = match patience {
            Patience::None => Some(Duration::ZERO),
            Patience::Endless => None,
        };
        self.poller.wait(&mut self.events, timeout)?;
        for event in self.events.as_slice() {
            ready(event.key().slot() as usize);
            if self.is_edge_triggered {
                // Whoever was told has read until a read would have blocked.
                self.poller.blocked(event.key(), Direction::Read, Blocked::WouldBlock);
            }
        }
        self.events.clear();
        Ok(())
    }
}
