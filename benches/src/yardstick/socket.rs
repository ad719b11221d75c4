//! The system calls on sockets that every loop makes, each as a thin safe function.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

use crate::limits;

/// Lets as many connections wait to be accepted as the system allows (net.core.somaxconn).
pub(super) fn widen_backlog(listener: &TcpListener) -> io::Result<()> {
    // SAFETY: takes no pointer.
    let result = unsafe { libc::listen(listener.as_raw_fd(), libc::SOMAXCONN) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes the next connection, nonblocking and without Nagle's delay; `None` when there is none.
pub(super) fn accept(listener: &TcpListener) -> io::Result<Option<TcpStream>> {
    loop {
        // SAFETY: null pointers say that the peer's address isn't wanted.
        let fd = unsafe {
            libc::accept4(
                listener.as_raw_fd(),
                ptr::null_mut(),
                ptr::null_mut(),
                libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
            )
        };
        if fd < 0 {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::WouldBlock {
                return Ok(None);
            }
            limits::survive_accept(&error)?;
            continue;
        }
        // SAFETY: the kernel just made this descriptor for us, and nothing else owns it.
        let stream = TcpStream::from(unsafe { OwnedFd::from_raw_fd(fd) });
        // Fails only for a connection that is already broken, which the first recv will tell.
        let _ = stream.set_nodelay(true);
        return Ok(Some(stream));
    }
}

/// Receives into `buffer` what is there: the number of bytes, 0 at the end of the stream.
pub(super) fn receive(fd: RawFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the kernel writes at most `buffer.len()` bytes to `buffer`.
    let result = unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), 0) };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Sends as much of `bytes` as the socket takes: the number of bytes.
pub(super) fn send(fd: RawFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the kernel reads at most `bytes.len()` bytes from `bytes`.
    let result = unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
