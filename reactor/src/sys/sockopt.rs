//! getsockopt(2) and setsockopt(2) for options whose value is one `int`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;

/// The value of an option.
pub(crate) fn get(fd: BorrowedFd<'_>, level: i32, option: i32) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the pointers are those of a live integer and of its length. The kernel writes no more
    // than that length, whatever the option is.
    check(unsafe {
        libc::getsockopt(fd.as_raw_fd(), level, option, (&raw mut value).cast(), &raw mut length)
    })?;
    Ok(value)
}

/// Sets an option.
pub(crate) fn set(
    fd: BorrowedFd<'_>,
    level: i32,
    option: i32,
    value: libc::c_int,
) -> io::Result<()> {
    let length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the pointer and the length are those of a live integer, which the kernel only reads.
    check(unsafe {
        libc::setsockopt(fd.as_raw_fd(), level, option, (&raw const value).cast(), length)
    })
    .map(drop)
}
