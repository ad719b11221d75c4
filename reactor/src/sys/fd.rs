//! What can be asked of, and done to, any descriptor.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
#[cfg(any(select, poll, epoll, mio))]
use std::os::fd::RawFd;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};

use super::check;

/// Whether `fd` is open in this process: the kernel's EBADF where it isn't.
#[cfg(any(select, poll, epoll, mio))]
pub(crate) fn check_open(fd: RawFd) -> io::Result<()> {
    // SAFETY: F_GETFD takes no pointer; a number that isn't open is answered with EBADF.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) }).map(drop)
}

/// The most descriptors that this process may have open (RLIMIT_NOFILE, the soft limit).
#[cfg(poll)]
pub(crate) fn open_limit() -> io::Result<libc::rlim_t> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a live rlimit for the kernel to fill.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    Ok(limit.rlim_cur)
}

/// Borrows the descriptor that a [`mio::Poll`] owns.
#[cfg(mio)]
pub(crate) fn of_mio(poll: &mio::Poll) -> std::os::fd::BorrowedFd<'_> {
    // SAFETY: the descriptor belongs to `poll`, which outlives the borrow.
    unsafe { BorrowedFd::borrow_raw(poll.as_raw_fd()) }
}

/// Whether a descriptor is that of a regular file, fstat(2).
pub(crate) fn is_file(fd: BorrowedFd<'_>) -> io::Result<bool> {
    // SAFETY: the descriptor is open for as long as it is borrowed, and this file doesn't close it.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd.as_raw_fd()) });
    Ok(file.metadata()?.is_file())
}

/// Who gets the signals of a descriptor: a process, or, negative, a process group. Not by F_GETOWN, whose
/// answer for the group 1 is that of a call that failed.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn owner(fd: BorrowedFd<'_>) -> io::Result<libc::pid_t> {
    /// `struct f_owner_ex` of the kernel's `asm-generic/fcntl.h`, which libc lacks, with its numbers.
    #[repr(C)]
    struct Owner {
        kind: libc::c_int,
        id: libc::pid_t,
    }
    const F_GETOWN_EX: libc::c_int = 16;
    const F_OWNER_PGRP: libc::c_int = 2;
    let mut owner = Owner { kind: 0, id: 0 };
    // SAFETY: F_GETOWN_EX writes one such structure, to a pointer at a live one.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), F_GETOWN_EX, &raw mut owner) })?;
    Ok(if owner.kind == F_OWNER_PGRP { -owner.id } else { owner.id })
}

/// Who gets the signals of a descriptor (F_GETOWN): a process, or, negative, a process group.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn owner(fd: BorrowedFd<'_>) -> io::Result<libc::pid_t> {
    // SAFETY: F_GETOWN takes no pointer.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETOWN) })
}

/// F_SETOWN: a process, a process group (negative), or nobody (zero).
pub(crate) fn set_owner(fd: BorrowedFd<'_>, owner: libc::pid_t) -> io::Result<()> {
    // SAFETY: F_SETOWN takes an integer.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETOWN, owner) }).map(drop)
}
