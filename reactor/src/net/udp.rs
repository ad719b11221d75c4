//! UDP (RFC 768): datagrams that know which of our addresses was asked, and answers that leave from
//! it.
//!
//! A server on a wildcard address has many addresses. Whoever asks one of them takes no answer from
//! another: firewalls, NAT and connected sockets drop it. The kernel by itself answers from the
//! address that the route prefers, so each datagram here brings its [`Source`], and the answer takes
//! it along.
//!
//! IPv4 addresses look the same on every socket: `192.0.2.1`, never `::ffff:192.0.2.1`.

mod options;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::Failure;
use super::options::Stage;
use crate::sys::{datagram, packet_info};

pub use options::UdpOptions;

/// The most bytes in one datagram over IPv4: a packet of 65,535 without its headers of 20 and 8.
const MOST_V4: usize = 65_507;
/// The same over IPv6, whose packet length doesn't count the IP header (RFC 8200, section 3).
const MOST_V6: usize = 65_527;

/// Which of our addresses a datagram was sent to: an answer that is given it comes from there.
///
/// It may be kept and used for later datagrams to the same peer, on the same socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(packet_info::Destination);

impl Source {
    /// The address in the datagram's header.
    ///
    /// A broadcast or multicast address is told as such. No answer can come from it: then it comes
    /// from an address that we have on the network in question.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.0.asked
    }

    /// The index of the interface that the datagram arrived on: what
    /// [`SocketAddrV6::scope_id`] is for link-local addresses.
    #[must_use]
    pub fn interface(self) -> u32 {
        self.0.interface
    }
}

/// A datagram, as a handler sees it.
#[derive(Clone, Copy)]
pub struct Datagram<'a> {
    bytes: &'a [u8],
    received: Received,
}

impl<'a> Datagram<'a> {
    /// What [`UdpSocket::receive`] put into `buffer`.
    pub(crate) fn new(buffer: &'a [u8], received: Received) -> Self {
        Self { bytes: &buffer[..received.len.min(buffer.len())], received }
    }

    /// What was sent. It may be empty: a datagram of no bytes is a datagram, and ends nothing.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Who sent it; UDP proves nothing about that.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.received.peer
    }

    /// Which of our addresses it was sent to. `None` where the system doesn't tell: Linux and
    /// Android do, others aren't asked.
    #[must_use]
    pub fn local(&self) -> Option<IpAddr> {
        self.source().map(Source::address)
    }

    /// What makes an answer come from the address that was asked. `None` where
    /// [`local`](Self::local) is.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.received.source
    }

    /// Whether it was longer than the buffer, and the rest is lost.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.received.truncated
    }
}

/// The addresses and the number of bytes; the bytes would flood a log.
impl fmt::Debug for Datagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datagram")
            .field("len", &self.bytes.len())
            .field("peer", &self.peer())
            .field("local", &self.local())
            .field("truncated", &self.is_truncated())
            .finish()
    }
}

/// What [`UdpSocket::receive`] found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Bytes at the front of the buffer.
    pub(crate) len: usize,
    /// Who sent it.
    pub(crate) peer: SocketAddr,
    /// Which of our addresses it was sent to, where the system tells.
    pub(crate) source: Option<Source>,
    /// Whether the datagram was longer than the buffer.
    pub(crate) truncated: bool,
}

/// A UDP socket: nonblocking, close-on-exec.
#[derive(Debug)]
pub(crate) struct UdpSocket {
    socket: Socket,
    /// IPv6 sockets know IPv4 addresses as mapped ones alone (RFC 3493, section 3.7).
    v6: bool,
    /// Whom it is connected to.
    peer: Option<SocketAddr>,
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
        packet_info::report(socket.as_fd(), !v6 || options.takes_v4(), v6)?;
        socket.bind(&SockAddr::from(address))?;
        Ok(Self { socket, v6, peer: None })
    }

    /// Makes `peer` the only one to send to and to hear from, and its ICMP errors known.
    ///
    /// The kernel turns others away from then on; what they had sent before, [`receive`](Self::receive)
    /// passes over.
    ///
    /// # Errors
    ///
    /// What the routing table says: ENETUNREACH, EHOSTUNREACH, EACCES (a broadcast address, or
    /// prohibited); EAFNOSUPPORT for an IPv6 peer of an IPv4 socket.
    pub(crate) fn connect(&mut self, peer: SocketAddr) -> io::Result<()> {
        self.socket
            .connect(&SockAddr::from(self.own_form(peer)))
            .map_err(|error| Failure::wrap(format!("connect UDP socket to {peer}"), error, None))?;
        // The kernel makes an address of this machine of the unspecified one.
        let name = self.socket.peer_addr()?.as_socket();
        self.peer = Some(canonical(name.unwrap_or(peer)));
        Ok(())
    }

    /// The address that the socket is bound to; on a wildcard one, [`Received::source`] says more.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        // socket2 says None for a family other than IP's, which a UDP socket hasn't.
        self.socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The peer that it is connected to.
    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        let peer = self.socket.peer_addr()?.as_socket();
        peer.map(canonical).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Takes one datagram from the queue; one that is longer than `buffer` loses the rest.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is none; what an ICMP message said about the peer of a connected
    /// socket, once for each message, see [`is_icmp`]; ENOMEM.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        loop {
            let arrival = uninterrupted(|| datagram::receive(self.as_fd(), buffer))?;
            let peer = canonical(arrival.peer);
            // It ends: a connected socket's queue has no more strangers than came before.
            if self.peer.is_none_or(|own| own.ip() == peer.ip() && own.port() == peer.port()) {
                return Ok(Received {
                    len: arrival.len,
                    peer,
                    source: arrival.destination.map(Source),
                    truncated: arrival.truncated,
                });
            }
        }
    }

    /// Sends one datagram: all of `bytes` or nothing.
    ///
    /// `from` is the [`Source`] of a datagram of that peer, and ignored where the system tells none.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: the send buffer is full.
    /// - EMSGSIZE: more than 65,507 bytes over IPv4 or 65,527 over IPv6.
    /// - `InvalidInput`: `from` isn't of the same family as `to`.
    /// - EACCES: a broadcast address without [`UdpOptions::broadcast`], or prohibited by a route.
    /// - EPERM: a packet filter said no.
    /// - ENOBUFS: the interface's queue is full, or the datagram longer than the send buffer.
    /// - ENETUNREACH, EHOSTUNREACH: there is no route, or, ENETUNREACH for IPv4 and EINVAL for IPv6,
    ///   `from` isn't an address of ours any more.
    pub(crate) fn send(
        &self,
        bytes: &[u8],
        to: SocketAddr,
        from: Option<Source>,
    ) -> io::Result<()> {
        let to = canonical(to);
        let answer = from.map(|source| source.0.answer);
        if answer.is_some_and(|answer| answer.address.is_ipv4() != to.is_ipv4()) {
            let message = format!("send to {to}: the source is of the other IP version");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let name = Some(self.own_form(to));
        uninterrupted(|| datagram::send(self.as_fd(), bytes, name, answer))
            .map_err(|error| explain(error, bytes.len(), Some(to)))
    }

    /// Sends one datagram to the peer that the socket is [connected](Self::connect) to.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and: EDESTADDRREQ on a socket that isn't connected; what an ICMP
    /// message said about an earlier datagram, see [`is_icmp`]: then this one wasn't sent.
    pub(crate) fn send_connected(&self, bytes: &[u8]) -> io::Result<()> {
        uninterrupted(|| datagram::send(self.as_fd(), bytes, None, None))
            .map_err(|error| explain(error, bytes.len(), self.peer))
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

/// Whether `error` came from an ICMP message: somebody on the way, or the peer's system, wouldn't
/// have a datagram of ours. The socket is as good as before.
///
/// It is meant for [`UdpSocket::receive`] and [`UdpSocket::send_connected`], and knows what the
/// kernel makes of RFC 792's and RFC 4443's codes. For sending, the local routing table may have said
/// the same, which isn't the socket's fault either.
pub(crate) fn is_icmp(error: &io::Error) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if error.raw_os_error() == Some(libc::ENONET) {
        return true;
    }
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::ENOPROTOOPT
                | libc::EOPNOTSUPP
                | libc::EPROTO
                | libc::EACCES
                | libc::EMSGSIZE
        )
    )
}

/// IPv4 as IPv4, whatever kind of socket it came through.
fn canonical(address: SocketAddr) -> SocketAddr {
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

/// Puts EMSGSIZE into words, if the length is one that no datagram has.
fn explain(error: io::Error, len: usize, to: Option<SocketAddr>) -> io::Error {
    // A shorter one can be too long for the path alone: that is the kernel's to say.
    if error.raw_os_error() != Some(libc::EMSGSIZE) || len <= MOST_V4 {
        return error;
    }
    let Some(to) = to else { return error };
    let (most, advice) = match to {
        SocketAddr::V4(_) => (MOST_V4, "a datagram over IPv4 has at most 65507 bytes"),
        SocketAddr::V6(_) => (MOST_V6, "a datagram over IPv6 has at most 65527 bytes"),
    };
    if len <= most {
        return error;
    }
    Failure::wrap(format!("send {len} bytes to {to}"), error, Some(advice))
}
