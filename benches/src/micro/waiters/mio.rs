//! mio as its own documentation says to use it: edge-triggered, each report read to the end.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::{Patience, Waiter, Wanted};

pub(in crate::micro) struct Mio {
    poll: Poll,
    events: Events,
}

/// mio has no empty interest: a descriptor of which nothing is wanted isn't registered.
fn interest(wanted: Wanted) -> Option<Interest> {
    match wanted {
        Wanted::Nothing => None,
        Wanted::Reading => Some(Interest::READABLE),
        Wanted::Writing => Some(Interest::WRITABLE),
    }
}

impl Waiter for Mio {
    const NAME: &'static str = "mio";

    fn new(capacity: usize) -> io::Result<Self> {
        Ok(Self { poll: Poll::new()?, events: Events::with_capacity(capacity.max(1)) })
    }

    fn is_edge_triggered(&self) -> bool {
        true
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: usize) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        self.poll.registry().register(&mut SourceFd(&fd), Token(token), Interest::READABLE)
    }

    fn set(
        &mut self,
        fd: BorrowedFd<'_>,
        token: usize,
        was: Wanted,
        wanted: Wanted,
    ) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        let (registry, mut source) = (self.poll.registry(), SourceFd(&fd));
        match (interest(was), interest(wanted)) {
            (None, None) => Ok(()),
            (Some(_), None) => registry.deregister(&mut source),
            (None, Some(interest)) => registry.register(&mut source, Token(token), interest),
            (Some(_), Some(interest)) => registry.reregister(&mut source, Token(token), interest),
        }
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _: usize) -> io::Result<()> {
        self.poll.registry().deregister(&mut SourceFd(&fd.as_raw_fd()))
    }

    fn wait(&mut self, patience: Patience, mut ready: impl FnMut(usize)) -> io::Result<()> {
        let timeout = match patience {
            Patience::None => Some(Duration::ZERO),
            Patience::Endless => None,
        };
        while let Err(error) = self.poll.poll(&mut self.events, timeout) {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        for event in &self.events {
            ready(event.token().0);
        }
        Ok(())
    }
}
