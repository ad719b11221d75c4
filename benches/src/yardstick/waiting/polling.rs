//! The one call of the `polling` crate that is unsafe.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use polling::{Event, PollMode, Poller};

/// Watches `fd` in one of the crate's ways.
///
/// # Errors
///
/// What [`Poller::add_with_mode`] says.
pub fn watch(
    poller: &Poller,
    fd: BorrowedFd<'_>,
    interest: Event,
    mode: PollMode,
) -> io::Result<()> {
    // SAFETY: the crate asks that a descriptor be taken out before it is closed. On Linux, where it
    // waits with epoll, a number that was closed is a wrong report or an error at worst.
    unsafe { poller.add_with_mode(fd.as_raw_fd(), interest, mode) }
}
