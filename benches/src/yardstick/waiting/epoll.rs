//! epoll(7) with room for the reports of all descriptors.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};

use super::super::epoll::{create, flags};
use super::{Patience, Wanted, uninterrupted};

/// Waits with epoll.
#[derive(Debug)]
pub struct EpollWait {
    epoll: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl EpollWait {
    /// Nobody, with room for `capacity` descriptors.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE: it needs a descriptor.
    pub fn new(capacity: usize) -> io::Result<Self> {
        let events = vec![libc::epoll_event { events: 0, u64: 0 }; capacity.max(1)];
        Ok(Self { epoll: create()?, events })
    }

    /// Watches `fd` for reading.
    ///
    /// # Errors
    ///
    /// What epoll_ctl(2) says.
    pub fn add(&mut self, fd: RawFd, token: usize) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, token, Wanted::Reading)
    }

    /// Watches a registered descriptor for something else. One of which nothing is wanted stays in the
    /// kernel's list: taking it out and putting it back would cost twice as much.
    ///
    /// # Errors
    ///
    /// What epoll_ctl(2) says.
    pub fn set(&mut self, fd: RawFd, token: usize, wanted: Wanted) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, token, wanted)
    }

    /// Forgets a descriptor.
    ///
    /// # Errors
    ///
    /// What epoll_ctl(2) says.
    pub fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, Wanted::Nothing)
    }

    fn control(&self, what: c_int, fd: RawFd, token: usize, wanted: Wanted) -> io::Result<()> {
        let events = match wanted {
            Wanted::Nothing => 0,
            Wanted::Reading => flags(libc::EPOLLIN),
            Wanted::Writing => flags(libc::EPOLLOUT),
        };
        let mut event = libc::epoll_event { events, u64: token as u64 };
        // SAFETY: the kernel reads one event from the pointer, which is valid for the call.
        let result = unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), what, fd, &raw mut event) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Waits, and calls `ready` with the token of each descriptor that is.
    ///
    /// # Errors
    ///
    /// What epoll_wait(2) says.
    #[inline]
    pub fn wait(&mut self, patience: Patience, mut ready: impl FnMut(usize)) -> io::Result<()> {
        let room = c_int::try_from(self.events.len()).unwrap_or(c_int::MAX);
        let (epoll, events) = (self.epoll.as_raw_fd(), self.events.as_mut_ptr());
        // SAFETY: the kernel writes at most `room` events, which is no more than there are.
        let call = || unsafe { libc::epoll_wait(epoll, events, room, patience.millis()) };
        let count = uninterrupted(call)?;
        for event in &self.events[..count] {
            ready(event.u64 as usize);
        }
        Ok(())
    }
}
