//! recv(2) with MSG_OOB: the urgent byte of a stream.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Takes the urgent byte. `None` if the peer has said that it will send no more before it came; EINVAL
/// if there is none, or it was taken; `WouldBlock` if it was announced and is still on its way, which is
/// no readiness.
pub(crate) fn receive(fd: BorrowedFd<'_>) -> io::Result<Option<u8>> {
    let mut byte = 0_u8;
    // SAFETY: the pointer is that of a live byte, and the length is one.
    let count = unsafe { libc::recv(fd.as_raw_fd(), (&raw mut byte).cast(), 1, libc::MSG_OOB) };
    match count {
        1 => Ok(Some(byte)),
        0 => Ok(None),
        _ => Err(io::Error::last_os_error()),
    }
}
