//! UDP (RFC 768): datagrams that know which of our addresses was asked, and answers that leave from
//! it.
//!
//! A server on a wildcard address has many addresses. Whoever asks one of them takes no answer from
//! another: firewalls, NAT and connected sockets drop it. The kernel by itself answers from the
//! address that the route prefers, so each datagram here brings its [`Source`], and the answer takes
//! it along.
//!
//! IPv4 addresses look the same on every socket: `192.0.2.1`, never `::ffff:192.0.2.1`.

mod datagram;
mod error;
mod options;
mod sending;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::Failure;
use super::options::Stage;
use crate::sys::batch::Batch;
use crate::sys::{ancillary, batch, datagram as calls, error_queue};

pub(crate) use datagram::Segments;
pub use datagram::{Datagram, Source};
pub use error::DatagramError;
pub(crate) use error::is_icmp;
pub use options::UdpOptions;

/// Datagrams that one call takes at most.
const PLACES: usize = if batch::TAKES_SEVERAL { 32 } else { 1 };
/// Bytes of each, which is more than the longest has.
const PLACE: usize = 64 * 1024;
/// Places for a socket whose datagrams come joined, up to 64 in one.
const JOINED: usize = if batch::TAKES_SEVERAL { 4 } else { 1 };

/// A UDP socket: nonblocking, close-on-exec.
#[derive(Debug)]
pub(crate) struct UdpSocket {
    socket: Socket,
    /// IPv6 sockets know IPv4 addresses as mapped ones alone (RFC 3493, section 3.7).
    v6: bool,
    /// What it was bound to, with the port that the kernel chose.
    bound: SocketAddr,
    /// Whom it is connected to.
    peer: Option<SocketAddr>,
    /// Whether ICMP errors wait in a queue of their own.
    keeps_errors: bool,
    /// Whether the kernel cuts what is sent into datagrams.
    cuts_segments: bool,
    /// Whether datagrams come joined.
    joins_segments: bool,
}

/// Room for what one call takes from a socket.
pub(crate) fn room() -> Batch {
    Batch::new(PLACES, PLACE)
}

impl UdpSocket {
    /// A socket on `address`; port 0 lets the kernel choose one.
    ///
    /// # Errors
    ///
    /// `AddrInUse`, `AddrNotAvailable` (not an address of this machine), `PermissionDenied` (ports
    /// below 1,024), EAFNOSUPPORT (no IPv6), EMFILE and ENFILE, each with the address in the message.
    pub(crate) fn bind(address: SocketAddr, options: &UdpOptions) -> io::Result<Self> {
        Self::try_bind(address, options)
            .map_err(|error| Failure::at("bind UDP socket to", &address.into(), error))
    }

    fn try_bind(address: SocketAddr, options: &UdpOptions) -> io::Result<Self> {
        let v6 = address.is_ipv6();
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        options.for_kernel().apply(&socket, Stage::Created)?;
        // Before bind: a datagram that arrives between the two wouldn't tell.
        let v4 = !v6 || options.takes_v4();
        ancillary::report(socket.as_fd(), v4, v6)?;
        let keeps_errors = options.hears_icmp() && error_queue::enable(socket.as_fd(), v4, v6)?;
        // Where the kernel can't, they come one by one.
        let joins_segments =
            options.joins_segments() && ancillary::join_segments(socket.as_fd()).is_ok();
        let cuts_segments = ancillary::cuts_segments(socket.as_fd());
        socket.bind(&SockAddr::from(address))?;
        let bound = local_addr(&socket)?;
        Ok(Self { socket, v6, bound, peer: None, keeps_errors, cuts_segments, joins_segments })
    }

    /// Makes `peer` the only one to send to and to hear from, and its ICMP errors known.
    ///
    /// The kernel turns others away from then on; what they had sent before is
    /// [passed over](Self::hears). With an error the socket is connected to nobody.
    ///
    /// # Errors
    ///
    /// What the routing table says: ENETUNREACH, EHOSTUNREACH, EACCES (a broadcast address, or
    /// prohibited); EAFNOSUPPORT for an IPv6 peer of an IPv4 socket; those of
    /// [`disconnect`](Self::disconnect), if it was connected.
    pub(crate) fn connect(&mut self, peer: SocketAddr) -> io::Result<()> {
        // A second connect(2) alone would keep the address that the way to the first peer has chosen.
        if self.peer.is_some() {
            self.disconnect()?;
        }
        self.socket
            .connect(&SockAddr::from(self.own_form(peer)))
            .map_err(|error| Failure::wrap(format!("connect UDP socket to {peer}"), error, None))?;
        // The kernel makes an address of this machine of the unspecified one.
        let name = self.socket.peer_addr()?.as_socket();
        self.peer = Some(canonical(name.unwrap_or(peer)));
        Ok(())
    }

    /// Undoes [`connect`](Self::connect): the socket hears everybody again, at the address and port that
    /// it was bound to. Nothing happens to one that isn't connected.
    ///
    /// # Errors
    ///
    /// EADDRINUSE: Linux gives up a port that it had chosen itself, and somebody else has taken it before
    /// it could be bound again. Then the socket has no port.
    pub(crate) fn disconnect(&mut self) -> io::Result<()> {
        let Some(peer) = self.peer else { return Ok(()) };
        self.try_disconnect().map_err(|error| {
            let attempt = format!("disconnect UDP socket at {} from {peer}", self.bound);
            Failure::wrap(attempt, error, None)
        })
    }

    fn try_disconnect(&mut self) -> io::Result<()> {
        match calls::disconnect(self.as_fd()) {
            Err(error) if error.raw_os_error() != Some(libc::EAFNOSUPPORT) => return Err(error),
            _ => self.peer = None,
        }
        if self.local_addr()?.port() == 0 {
            self.socket.bind(&SockAddr::from(self.bound))?;
        }
        Ok(())
    }

    /// The address that the socket is bound to; on a wildcard one, [`Datagram::source`] says more.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        local_addr(&self.socket)
    }

    /// The peer that it is connected to.
    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        let peer = self.socket.peer_addr()?.as_socket();
        peer.map(canonical).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Takes datagrams from the queue, as many as one call can, and says how many came and whether the
    /// queue is known to be empty then.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is none; what an ICMP message said, see [`is_icmp`], once for each
    /// message; ENOMEM.
    pub(crate) fn receive(&self, batch: &mut Batch) -> io::Result<(usize, bool)> {
        let most = if self.joins_segments { JOINED } else { PLACES }.min(batch.places());
        let count = uninterrupted(|| batch.receive(self.as_fd(), most))?;
        Ok((count, batch::TAKES_SEVERAL && count < most))
    }

    /// Whether what `peer` sends is for this socket: it isn't if another one is its peer. Only what came
    /// before it was connected is to be asked.
    pub(crate) fn hears(&self, peer: SocketAddr) -> bool {
        self.peer.is_none_or(|own| own.ip() == peer.ip() && own.port() == peer.port())
    }

    /// Whom the socket is connected to.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Takes from the queue of errors up to the first that tells what ICMP has said. `None` if there is
    /// none: as long as there is any, the socket is ready.
    ///
    /// # Errors
    ///
    /// What recvmsg(2) says: ENOMEM.
    pub(crate) fn take_error(&self) -> io::Result<Option<DatagramError>> {
        if !self.keeps_errors {
            return Ok(None);
        }
        loop {
            match uninterrupted(|| error_queue::take(self.as_fd())) {
                Ok(entry) if entry.by_icmp => {
                    let error = io::Error::from_raw_os_error(entry.errno);
                    return Ok(Some(DatagramError::new(entry.peer.map(canonical), error)));
                }
                // The call that it is about has answered with it.
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// How many datagrams were dropped for want of room, up to now.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the system doesn't count; ENOPROTOOPT if Linux is older than 4.12.
    pub(crate) fn drops(&self) -> io::Result<u32> {
        calls::drops(self.as_fd())
    }

    /// `address` as this socket's family has it.
    fn own_form(&self, address: SocketAddr) -> SocketAddr {
        match address {
            SocketAddr::V4(v4) if self.v6 => {
                SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0).into()
            }
            SocketAddr::V6(_) if !self.v6 => canonical(address),
            own => own,
        }
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn local_addr(socket: &Socket) -> io::Result<SocketAddr> {
    // socket2 says None for a family other than IP's, which a UDP socket hasn't.
    socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// IPv4 as IPv4, whatever kind of socket it came through.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(ip) => SocketAddr::new(ip.into(), v6.port()),
            None => address,
        },
        SocketAddr::V4(_) => address,
    }
}

/// Repeats `call` as long as signals interrupt it.
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
