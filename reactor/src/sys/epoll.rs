//! epoll(7).

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::check;

pub(crate) use libc::epoll_event as Event;

/// An epoll instance.
#[derive(Debug)]
pub(crate) struct Epoll(OwnedFd);

impl Epoll {
    /// epoll_create1(2), close-on-exec.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: epoll_create1 takes an integer and touches no memory of ours.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// EPOLL_CTL_ADD.
    pub(crate) fn add(&self, fd: RawFd, events: u32, data: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, events, data)
    }

    /// EPOLL_CTL_MOD.
    pub(crate) fn modify(&self, fd: RawFd, events: u32, data: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, events, data)
    }

    /// EPOLL_CTL_DEL.
    pub(crate) fn delete(&self, fd: RawFd) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, 0)
    }

    fn control(&self, operation: i32, fd: RawFd, events: u32, data: u64) -> io::Result<()> {
        let mut event = Event { events, u64: data };
        // SAFETY: `event` is live for the call, and the kernel only reads it.
        check(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), operation, fd, &raw mut event) })
            .map(drop)
    }

    /// epoll_wait(2): fills the front of `events` and says how many; `millis` −1 waits for ever.
    pub(crate) fn wait(&self, events: &mut [Event], millis: i32) -> io::Result<usize> {
        let room = i32::try_from(events.len()).unwrap_or(i32::MAX);
        // SAFETY: the pointer is that of `events`, which holds at least `room` entries.
        let count = check(unsafe {
            libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), room, millis)
        })?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// Takes the place of `other`: the same number, another instance behind it (dup3(2)).
    pub(crate) fn replace(self, other: &Self) -> io::Result<()> {
        // SAFETY: both numbers are open and owned by the two instances; afterwards each still
        // owns its own number, `other`'s now naming a second reference to this instance.
        check(unsafe { libc::dup3(self.0.as_raw_fd(), other.0.as_raw_fd(), libc::O_CLOEXEC) })
            .map(drop)
    }
}

impl AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
