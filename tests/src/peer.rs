//! The other end of a connection: a plain nonblocking socket.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

/// Bytes of a TCP peer's receive buffer; the kernel doubles it.
const BUFFER: usize = 128 * 1024;

/// A client.
#[derive(Debug)]
pub struct Peer {
    socket: Socket,
}

/// What a peer finds behind the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// More may come.
    Open,
    /// The end of the stream.
    End,
    /// An error, as after an RST.
    Failed(io::ErrorKind),
}

impl Peer {
    /// Connects by TCP. On the loopback interface that is over at once.
    #[must_use]
    pub fn tcp(address: SocketAddr) -> Self {
        Self::tcp_with(address, |_| {})
    }

    /// Connects by TCP with a socket that was prepared.
    pub fn tcp_with(address: SocketAddr, prepare: impl FnOnce(&Socket)) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
        let socket = socket.expect("a socket can be made");
        // Or else the kernel finds room for more, and more again, for a peer that doesn't read.
        socket.set_recv_buffer_size(BUFFER).expect("sockets have buffers");
        prepare(&socket);
        Self::connect(socket, &address.into())
    }

    /// Connects to a Unix socket.
    #[must_use]
    pub fn unix(path: &Path) -> Self {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket can be made");
        Self::connect(socket, &SockAddr::unix(path).expect("a short path"))
    }

    fn connect(socket: Socket, address: &SockAddr) -> Self {
        socket.connect(address).expect("the server listens");
        Self::of(socket)
    }

    /// The end of a connection that somebody else has begun.
    ///
    /// # Panics
    ///
    /// If it isn't one.
    #[must_use]
    pub fn of(socket: Socket) -> Self {
        socket.set_nonblocking(true).expect("a socket can be nonblocking");
        if socket.domain().expect("a socket knows its domain") != Domain::UNIX {
            socket.set_tcp_nodelay(true).expect("TCP has the option");
        }
        Self { socket }
    }

    /// Sends bytes that fit into the socket's buffer.
    ///
    /// # Panics
    ///
    /// If they don't.
    pub fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).expect("a few bytes can be sent");
    }

    /// Sends what fits, and says how much it was. An error counts as nothing: the peer of a
    /// connection that was reset goes on to read.
    pub fn send_some(&mut self, bytes: &[u8]) -> usize {
        self.socket.write(bytes).unwrap_or(0)
    }

    /// Reads once, at most as much as `into` may still grow to have room for.
    pub fn read_some(&mut self, into: &mut Vec<u8>, most: usize) -> Tail {
        let mut buffer = vec![0; most];
        match self.socket.read(&mut buffer) {
            Ok(0) => Tail::End,
            Ok(count) => {
                into.extend_from_slice(&buffer[..count]);
                Tail::Open
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Tail::Open,
            Err(error) => Tail::Failed(error.kind()),
        }
    }

    /// Says that no more comes (SHUT_WR).
    pub fn finish(&self) {
        self.socket.shutdown(Shutdown::Write).expect("a connected socket can be shut down");
    }

    /// Closes with an RST (TCP).
    pub fn reset(self) {
        self.socket.set_linger(Some(Duration::ZERO)).expect("the option exists");
    }

    /// The address of its other end.
    #[must_use]
    pub fn peer_address(&self) -> SocketAddr {
        let address = self.socket.peer_addr().expect("a connected socket has a peer");
        address.as_socket().expect("an internet address")
    }

    /// Its own address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let address = self.socket.local_addr().expect("a connected socket has an address");
        address.as_socket().expect("an internet address")
    }
}

impl AsFd for Peer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
