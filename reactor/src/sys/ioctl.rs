//! ioctl(2), for what it tells about a socket's or a pipe's queues.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;

/// SIOCATMARK, which the libc crate doesn't have.
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(any(target_arch = "mips", target_arch = "mips64"))
))]
const AT_MARK: libc::c_ulong = 0x8905;
#[cfg(not(all(
    any(target_os = "linux", target_os = "android"),
    not(any(target_arch = "mips", target_arch = "mips64"))
)))]
const AT_MARK: libc::c_ulong = 0x4004_7307;

/// A request whose answer is one `int`.
macro_rules! ask {
    ($fd:expr, $request:expr) => {{
        let mut answer: libc::c_int = 0;
        // SAFETY: each of the requests below writes one integer, for which `answer` is the room.
        check(unsafe { libc::ioctl($fd.as_raw_fd(), $request as _, &raw mut answer) })?;
        Ok(answer)
    }};
}

/// FIONREAD: bytes that can be read at this moment.
pub(crate) fn readable(fd: BorrowedFd<'_>) -> io::Result<libc::c_int> {
    ask!(fd, libc::FIONREAD)
}

/// SIOCATMARK: not zero if the next byte to read stands behind the urgent mark.
pub(crate) fn at_mark(fd: BorrowedFd<'_>) -> io::Result<libc::c_int> {
    ask!(fd, AT_MARK)
}

/// SIOCOUTQ, which has TIOCOUTQ's number: bytes in the send queue.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn outgoing(fd: BorrowedFd<'_>) -> io::Result<libc::c_int> {
    ask!(fd, libc::TIOCOUTQ)
}

/// SIOCOUTQNSD: bytes in the send queue that weren't sent yet.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn unsent(fd: BorrowedFd<'_>) -> io::Result<libc::c_int> {
    ask!(fd, libc::SIOCOUTQNSD)
}
