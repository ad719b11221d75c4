//! Plain `libc` echo loops: the opponents that the library is measured against.
//!
//! Each is what a good C programmer would write for this one job and this one mechanism, and no
//! more: no timers, no fairness between connections, no handler, no way to stop but to be killed.
//! What they share stands in `connection` (what to do with a socket that is ready) and in
//! `socket` (the system calls); a mechanism's file is its table of connections and its wait.
//!
//! All have one receive buffer of 64 KiB, echo from it directly, and keep bytes only when the peer
//! doesn't take them; until it does, they read no more from it. A message costs its share of a
//! wait, one `recv` and one `send`: no allocation, no hash, no clock, no change of interest.

#![allow(
    unsafe_code,
    reason = "a yardstick is honest only if nothing stands between it and the system calls, \
              not even the library's own wrappers"
)]

mod connection;
mod datagrams;
mod epoll;
mod poll;
mod select;
mod socket;

pub mod waiting;

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::RawFd;

/// Bytes of the receive buffer that all connections of a loop share.
const SCRATCH: usize = 64 * 1024;

/// How a loop learns which sockets are ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// `epoll`, edge-triggered.
    Epoll,
    /// `poll` with a dense array of entries.
    Poll,
    /// `select` with bitmaps on the heap, for file descriptors of any number.
    Select,
}

impl Mechanism {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Epoll, Self::Poll, Self::Select];
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Epoll => "epoll",
            Self::Poll => "poll",
            Self::Select => "select",
        })
    }
}

/// Listens at an address, with as long a backlog as the system allows: the 128 of the standard
/// library are too few for a thousand clients that come at once, and who finds no place there
/// tries again only after a second.
///
/// # Errors
///
/// When the address isn't this machine's, or is in use.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    socket::widen_backlog(&listener)?;
    Ok(listener)
}

/// Accepts connections from `listener` and echoes what they send, until something fails that
/// isn't one connection's own trouble.
///
/// # Errors
///
/// When the wait fails, or when a connection can't be accepted because this process has no file
/// descriptor left: a yardstick that turns connections away measures nothing.
pub fn run(mechanism: Mechanism, listener: &TcpListener) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    match mechanism {
        Mechanism::Epoll => epoll::run(listener),
        Mechanism::Poll => poll::run(listener),
        Mechanism::Select => select::run(listener),
    }
}

/// Answers each datagram that comes to `socket`, waiting with epoll, until something fails.
///
/// # Errors
///
/// When the wait or the receiving fails.
pub fn run_datagrams(socket: &UdpSocket) -> io::Result<Infallible> {
    socket.set_nonblocking(true)?;
    datagrams::run(socket)
}

/// The place of a descriptor in a table.
pub(crate) fn index_of(fd: RawFd) -> usize {
    usize::try_from(fd).expect("the kernel never hands out a negative descriptor")
}
