//! Locks between processes on an open file: flock(2).

use std::fs::File;
use std::io;

/// Takes the exclusive lock of `file`, which ends when the file is closed; `WouldBlock` while
/// another open file has it.
#[cfg(not(target_os = "solaris"))]
pub(crate) fn try_exclusive(file: &File) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: flock takes two integers and touches no memory of ours; the descriptor is open.
    super::check(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }).map(drop)
}

/// There is no flock on this system.
#[cfg(target_os = "solaris")]
pub(crate) fn try_exclusive(_file: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
