//! polling, level-triggered: its default, one report a registration, would cost a call more each time.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use polling::{Event, Events, PollMode, Poller};

use super::{Patience, Waiter, Wanted};
use crate::yardstick::waiting::watch;

pub(in crate::micro) struct Polling {
    poller: Poller,
    events: Events,
}

impl Waiter for Polling {
    const NAME: &'static str = "polling";

    fn new(capacity: usize) -> io::Result<Self> {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Ok(Self { poller: Poller::new()?, events: Events::with_capacity(capacity) })
    }

    fn is_edge_triggered(&self) -> bool {
        false
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: usize) -> io::Result<()> {
        watch(&self.poller, fd, Event::readable(token), PollMode::Level)
    }

    fn set(
        &mut self,
        fd: BorrowedFd<'_>,
        token: usize,
        _: Wanted,
        wanted: Wanted,
    ) -> io::Result<()> {
        let interest = match wanted {
            Wanted::Nothing => Event::none(token),
            Wanted::Reading => Event::readable(token),
            Wanted::Writing => Event::writable(token),
        };
        self.poller.modify_with_mode(fd, interest, PollMode::Level)
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _: usize) -> io::Result<()> {
        self.poller.delete(fd)
    }

    fn wait(&mut self, patience: Patience, mut ready: impl FnMut(usize)) -> io::Result<()> {
        let timeout = match patience {
            Patience::None => Some(Duration::ZERO),
            Patience::Endless => None,
        };
        self.events.clear();
        // It begins again by itself when a signal interrupts it.
        self.poller.wait(&mut self.events, timeout)?;
        for event in self.events.iter() {
            ready(event.key);
        }
        Ok(())
    }
}
