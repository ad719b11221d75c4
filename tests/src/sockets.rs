//! Sockets and pipes to test on.

use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::pipe::{PipeFlags, pipe_with};
use socket2::SockRef;

use crate::rig::PATIENCE;

/// A connected TCP pair on the loopback interface, both ends nonblocking.
#[must_use]
pub fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let near =
        TcpStream::connect(listener.local_addr().expect("a bound address")).expect("connect");
    let (far, _) = listener.accept().expect("accept");
    for end in [&near, &far] {
        end.set_nonblocking(true).expect("a socket can be nonblocking");
        end.set_nodelay(true).expect("TCP has the option");
    }
    (near, far)
}

/// A connected Unix stream pair, both ends nonblocking.
#[must_use]
pub fn unix() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().expect("a socket pair");
    for end in [&near, &far] {
        end.set_nonblocking(true).expect("a socket can be nonblocking");
    }
    (near, far)
}

/// A pipe, both ends nonblocking: the reading one first.
#[must_use]
pub fn pipe() -> (OwnedFd, OwnedFd) {
    pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).expect("a pipe")
}

/// A nonblocking eventfd(2): readable while its count isn't zero, and empty after one read.
#[derive(Debug)]
pub struct Counter(OwnedFd);

impl Counter {
    /// A counter that begins at `count`.
    #[must_use]
    pub fn new(count: u32) -> Self {
        Self(eventfd(count, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).expect("an eventfd"))
    }

    /// Another descriptor of the same count.
    #[must_use]
    pub fn duplicate(&self) -> OwnedFd {
        self.0.try_clone().expect("a descriptor can be duplicated")
    }

    /// Adds to the count.
    pub fn add(&self, count: u64) {
        rustix::io::write(&self.0, &count.to_ne_bytes()).expect("an eventfd takes a count");
    }

    /// Takes the whole count.
    pub fn read(&self) -> u64 {
        let mut count = [0; size_of::<u64>()];
        rustix::io::read(&self.0, &mut count).expect("an eventfd gives its count");
        u64::from_ne_bytes(count)
    }
}

impl AsFd for Counter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Closes a TCP socket with an RST instead of a FIN.
pub fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("the option exists");
    drop(stream);
}

/// Reads all that is there, up to the end of the stream or to where it would block.
///
/// # Panics
///
/// If reading fails otherwise.
pub fn drain(mut from: impl Read) -> (Vec<u8>, bool) {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return (all, true),
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (all, false),
            Err(error) => panic!("read: {error}"),
        }
    }
}

/// Sends one urgent byte.
pub fn send_urgent(socket: &impl AsFd, byte: u8) {
    send(socket, &[byte], SendFlags::OOB).expect("urgent data can be sent");
}

/// Takes the urgent byte.
pub fn receive_urgent(socket: &impl AsFd) -> u8 {
    let mut byte = [0];
    recv(socket, &mut byte, RecvFlags::OOB).expect("urgent data is there");
    byte[0]
}

/// How long one poll(2) of [`shows`] lasts: it ends at any of the bits, and is to see all.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };

/// Waits until `socket` shows all of `bits`, by a plain poll(2): so that a test knows that what the
/// peer did has arrived, without asking the poller under test.
///
/// # Panics
///
/// If they don't come in time.
pub fn await_bits(socket: &impl AsFd, bits: PollFlags) {
    let end = Instant::now() + PATIENCE;
    while !shows(socket, bits) {
        assert!(Instant::now() < end, "{bits:?} never came");
    }
}

/// Whether a plain poll(2) sees all of `bits` within a millisecond.
///
/// # Panics
///
/// If poll(2) fails.
pub fn shows(fd: &impl AsFd, bits: PollFlags) -> bool {
    let mut entry = [PollFd::new(fd, bits)];
    poll(&mut entry, Some(&TICK)).expect("poll");
    entry[0].revents().contains(bits)
}
