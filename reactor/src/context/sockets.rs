//! The sockets themselves, for their options and names.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};

use super::{Context, gone};
use crate::ids::{ConnId, ListenerId, UdpId};

/// A socket that the reactor lends is nonblocking, and stays the reactor's: to be asked and set, by the
/// modules [`options`](crate::options) and [`control`](crate::control), and never to be read, written,
/// shut down or closed.
impl Context<'_> {
    /// A connection's socket.
    #[must_use]
    pub fn socket(&self, conn: ConnId) -> Option<BorrowedFd<'_>> {
        self.connection(conn).map(|connection| connection.socket.as_fd())
    }

    /// A listener's socket.
    #[must_use]
    pub fn listener_socket(&self, listener: ListenerId) -> Option<BorrowedFd<'_>> {
        self.core.sources.acceptor(listener.0).map(|acceptor| acceptor.listener().as_fd())
    }

    /// A UDP socket.
    #[must_use]
    pub fn udp_socket(&self, socket: UdpId) -> Option<BorrowedFd<'_>> {
        self.core.sources.udp(socket.0).map(AsFd::as_fd)
    }

    /// The peer of a connected UDP socket.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such socket; ENOTCONN if it isn't connected.
    pub fn udp_peer(&self, socket: UdpId) -> io::Result<SocketAddr> {
        self.core.sources.udp(socket.0).ok_or_else(gone)?.peer_addr()
    }
}
