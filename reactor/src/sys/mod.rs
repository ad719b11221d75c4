//! The system calls, one file for one family, each a thin safe function.
//!
//! Every `unsafe` block of the library stands below this module. A function here does what its
//! system call does and no more: no retry, no policy; errors are the kernel's own.

#![allow(unsafe_code)]

pub(crate) mod ancillary;
pub(crate) mod batch;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) mod chmod;
pub(crate) mod datagram;
#[cfg(epoll)]
pub(crate) mod epoll;
pub(crate) mod error_queue;
pub(crate) mod fd;
pub(crate) mod flock;
pub(crate) mod ioctl;
pub(crate) mod poll;
#[cfg(select)]
pub(crate) mod select;
pub(crate) mod socket;
pub(crate) mod sockopt;
pub(crate) mod urgent;
pub(crate) mod wakeup;

use std::io;

/// What a system call returned, or the error that it left in `errno`.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
