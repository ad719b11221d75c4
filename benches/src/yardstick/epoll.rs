//! Edge-triggered `epoll`: each socket is registered once, for everything.
//!
//! The interest never changes afterwards, so a message costs no `epoll_ctl`. A read that comes up
//! short ends the turn of a socket; the call that would say EAGAIN is saved. That is safe as long
//! as the report had no sign of an end: data and FIN that were both there before the wait make a
//! single edge, and the FIN would be missed.

use std::convert::Infallible;
use std::ffi::c_int;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use super::connection::{Connection, Next, ReadUntil};
use super::{SCRATCH, index_of, socket};

/// How many reports one wait takes from the kernel.
const EVENTS: usize = 1024;

/// Level-triggered, for what is registered alone and never left before it is empty.
pub(super) const INPUT: u32 = flags(libc::EPOLLIN);

/// A connection is registered for all that can ever happen to it.
const CONNECTION: u32 = flags(libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET);

/// Any of these says that the stream ends, behind whatever input there still is.
const END: u32 = flags(libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR);

/// The constants of `libc` are signed, the field that takes them isn't.
pub(super) const fn flags(constants: c_int) -> u32 {
    u32::from_ne_bytes(constants.to_ne_bytes())
}

pub(super) fn run(listener: &TcpListener) -> io::Result<Infallible> {
    let epoll = create()?;
    add(&epoll, listener.as_raw_fd(), INPUT)?;
    // Indexed by descriptor: the kernel hands out the lowest free number, so the table is dense.
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS];
    let mut scratch = vec![0; SCRATCH];
    loop {
        let ready = wait(&epoll, &mut events)?;
        for event in &events[..ready] {
            let (reported, index) = (event.events, event.u64 as usize);
            let Some(Some(connection)) = connections.get_mut(index) else {
                // Only the listener is registered without being a connection.
                accept(&epoll, listener, &mut connections)?;
                continue;
            };
            let until = if reported & END == 0 { ReadUntil::Short } else { ReadUntil::End };
            if connection.echo(&mut scratch, until) == Next::Close {
                // Closing the only descriptor of a socket takes it off the epoll set, too.
                connections[index] = None;
            }
        }
    }
}

/// Takes all connections that wait.
fn accept(
    epoll: &OwnedFd,
    listener: &TcpListener,
    connections: &mut Vec<Option<Connection>>,
) -> io::Result<()> {
    while let Some(stream) = socket::accept(listener)? {
        let connection = Connection::new(stream);
        add(epoll, connection.fd(), CONNECTION)?;
        let index = index_of(connection.fd());
        if connections.len() <= index {
            connections.resize_with(index + 1, || None);
        }
        connections[index] = Some(connection);
    }
    Ok(())
}

pub(super) fn create() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made this descriptor for us, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Registers `fd`, and has its reports carry its number.
pub(super) fn add(epoll: &OwnedFd, fd: RawFd, interest: u32) -> io::Result<()> {
    let mut event = libc::epoll_event { events: interest, u64: index_of(fd) as u64 };
    // SAFETY: the kernel reads one event from the pointer, which is valid for the call.
    let result =
        unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Waits until something is ready: how many of `events` the kernel has filled.
pub(super) fn wait(epoll: &OwnedFd, events: &mut [libc::epoll_event]) -> io::Result<usize> {
    let room = c_int::try_from(events.len()).unwrap_or(c_int::MAX);
    loop {
        // SAFETY: the kernel writes at most `room` events, which is no more than the slice holds.
        let ready = unsafe { libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr(), room, -1) };
        if let Ok(ready) = usize::try_from(ready) {
            return Ok(ready);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
