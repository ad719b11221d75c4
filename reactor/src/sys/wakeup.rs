//! A descriptor that becomes readable on request: eventfd(2) where there is one, else pipe(2).

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::check;

/// Two ends of one signal. With an eventfd both are the same descriptor.
#[derive(Debug)]
pub(crate) struct Wakeup {
    receiver: OwnedFd,
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    sender: OwnedFd,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Wakeup {
    /// A fresh, unsignalled descriptor; nonblocking and close-on-exec.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: eventfd takes two integers and touches no memory of ours.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
        Ok(Self { receiver: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    fn sender(&self) -> RawFd {
        self.receiver.as_raw_fd()
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Wakeup {
    /// A fresh, unsignalled pair; nonblocking and close-on-exec.
    pub(crate) fn new() -> io::Result<Self> {
        let mut ends = [-1; 2];
        // SAFETY: `ends` has room for the two descriptors that pipe writes.
        check(unsafe { libc::pipe(ends.as_mut_ptr()) })?;
        // SAFETY: the kernel has just given us both descriptors, and nobody else knows them.
        let [receiver, sender] = ends.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        for fd in [receiver.as_raw_fd(), sender.as_raw_fd()] {
            // SAFETY: fcntl with an integer argument touches no memory of ours.
            check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
            // SAFETY: as above.
            check(unsafe { libc::fcntl(fd, libc::F_SETFL, libc::O_NONBLOCK) })?;
        }
        Ok(Self { receiver, sender })
    }

    fn sender(&self) -> RawFd {
        self.sender.as_raw_fd()
    }
}

impl Wakeup {
    /// The end to wait on.
    pub(crate) fn receiver(&self) -> RawFd {
        self.receiver.as_raw_fd()
    }

    /// Makes the receiver readable. `WouldBlock` means that it already is.
    pub(crate) fn signal(&self) -> io::Result<()> {
        let one = 1_u64;
        // SAFETY: the pointer and the length are those of a live u64.
        let wrote =
            unsafe { libc::write(self.sender(), (&raw const one).cast(), size_of::<u64>()) };
        if wrote == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Makes the receiver unreadable again. `WouldBlock` means that it already was.
    pub(crate) fn drain(&self) -> io::Result<()> {
        let mut counter = 0_u64;
        // SAFETY: the pointer and the length are those of a live u64.
        let read =
            unsafe { libc::read(self.receiver(), (&raw mut counter).cast(), size_of::<u64>()) };
        if read == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}
