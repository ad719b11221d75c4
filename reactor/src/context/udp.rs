//! UDP sockets.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use super::{Context, first, gone};
use crate::ids::UdpId;
use crate::net::{Datagram, UdpOptions, UdpSocket};
use crate::poller::Interest;
use crate::sources::Source;

impl Context<'_> {
    /// Binds a UDP socket; see [`bind_udp_with`](Self::bind_udp_with).
    ///
    /// # Errors
    ///
    /// As `bind_udp_with`.
    pub fn bind_udp(&mut self, address: impl ToSocketAddrs) -> io::Result<UdpId> {
        self.bind_udp_with(address, &UdpOptions::default())
    }

    /// Binds a UDP socket to the first of the addresses at which that is possible.
    ///
    /// # Errors
    ///
    /// As [`listen_with`](Self::listen_with): what was tried, on which address, and what the kernel said
    /// of the last one.
    pub fn bind_udp_with(
        &mut self,
        address: impl ToSocketAddrs,
        options: &UdpOptions,
    ) -> io::Result<UdpId> {
        let socket = first(address, |address| UdpSocket::bind(address, options))?;
        let source = Source::Udp(Box::new(socket));
        self.core.watch(&mut *self.poller, source, Interest::READABLE).map(UdpId)
    }

    /// Connects a UDP socket: it sends to this peer, hears of it alone, and of the ICMP errors that it
    /// causes. What others had sent before is dropped, unless it was delivered already. One that is
    /// connected changes its peer.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such socket; what connect(2) says, and as
    /// [`disconnect_udp`](Self::disconnect_udp). The socket is connected to nobody then.
    pub fn connect_udp(&mut self, socket: UdpId, peer: SocketAddr) -> io::Result<()> {
        self.core.sources.udp_mut(socket.0).ok_or_else(gone)?.connect(peer)
    }

    /// Undoes [`connect_udp`](Self::connect_udp): the socket hears everybody again, at the address and
    /// the port that it was bound to. Nothing happens to one that isn't connected.
    ///
    /// Linux gives a port up that was chosen by itself (one bound as 0), and it is bound again. A
    /// datagram that comes between the two is lost.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such socket; EADDRINUSE if somebody else has taken the port in between:
    /// then the socket has none, and had better be closed.
    pub fn disconnect_udp(&mut self, socket: UdpId) -> io::Result<()> {
        self.core.sources.udp_mut(socket.0).ok_or_else(gone)?.disconnect()
    }

    /// Sends one datagram. It goes out now or not at all.
    ///
    /// Nothing tells when a datagram that wasn't taken would be. A full send buffer (`WouldBlock`)
    /// empties as fast as the network takes it; the queue of an interface (ENOBUFS) isn't the socket's,
    /// which is writable all the while: to wait for that would be to spin. Such a datagram is one that
    /// is lost, as others are on their way. Who sends it again had better do so from a
    /// [timer](Self::after).
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such socket; `WouldBlock` if its send buffer is full; ENOBUFS if the
    /// interface's queue is; EMSGSIZE if `bytes` are more than a datagram holds; what else sendmsg(2)
    /// says. What ICMP says of it later comes by
    /// [`datagram_failed`](crate::Handler::datagram_failed).
    ///
    /// It is the system's error with its [number](io::Error::raw_os_error), and doesn't name the address,
    /// which the caller knows: where one datagram finds no room, many do, and none of them costs a text.
    pub fn send_to(&mut self, socket: UdpId, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        self.udp(socket)?.send(bytes, to, None)
    }

    /// Sends datagrams, each to its address, in their order, and says how many went: Linux takes up to 32
    /// by one call (sendmmsg(2)). That saves system calls, but little of what each datagram costs; for
    /// equal ones to one peer there is [`send_segments`](Self::send_segments).
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to), if the first one didn't go. If a later one didn't go, those before
    /// it are counted, and those after it weren't tried: what is left of the slice begins with it.
    pub fn send_batch(
        &mut self,
        socket: UdpId,
        datagrams: &[(SocketAddr, &[u8])],
    ) -> io::Result<usize> {
        self.udp(socket)?.send_batch(datagrams)
    }

    /// Sends `bytes` as datagrams of `segment` bytes each but the last, which may be shorter, and says how
    /// many went.
    ///
    /// Linux cuts them in the kernel, up to 64 by one call (`UDP_SEGMENT`, udp(7)), which for bulk saves
    /// most of what sending costs. Elsewhere, and where a datagram is longer than the path takes in one
    /// piece, it is a call for each.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to), if the first one didn't go; `InvalidInput` if `segment` is zero.
    /// If a later one didn't go, those before it are counted, and those after it weren't tried.
    pub fn send_segments(
        &mut self,
        socket: UdpId,
        bytes: &[u8],
        segment: usize,
        to: SocketAddr,
    ) -> io::Result<usize> {
        self.udp(socket)?.send_segments(bytes, segment, to)
    }

    /// Answers a datagram from the address that it was sent to, on a machine that has several.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to).
    pub fn reply(
        &mut self,
        socket: UdpId,
        datagram: &Datagram<'_>,
        bytes: &[u8],
    ) -> io::Result<()> {
        self.udp(socket)?.send(bytes, datagram.peer(), datagram.source())
    }

    /// Sends one datagram to the peer of a connected socket.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to); EDESTADDRREQ if the socket isn't connected. Where the system has
    /// no [queue of ICMP errors](UdpOptions::icmp_errors), also one that an earlier datagram caused: this
    /// one wasn't sent then.
    pub fn send_connected(&mut self, socket: UdpId, bytes: &[u8]) -> io::Result<()> {
        self.udp(socket)?.send_connected(bytes)
    }

    /// The address of a UDP socket: with port 0, the port that the kernel chose.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such socket.
    pub fn udp_address(&self, socket: UdpId) -> io::Result<SocketAddr> {
        self.udp(socket)?.local_addr()
    }

    /// How many datagrams a UDP socket has dropped because its [receive
    /// buffer](UdpOptions::receive_buffer) was full, since it was bound, up to now (`SO_MEMINFO`). Linux
    /// counts to 2³² and anew, and counts those along that came damaged.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such socket; `Unsupported` where the system doesn't tell (Linux does).
    pub fn udp_drops(&self, socket: UdpId) -> io::Result<u32> {
        self.udp(socket)?.drops()
    }

    /// Closes a UDP socket.
    pub fn close_udp(&mut self, socket: UdpId) {
        if self.core.sources.udp(socket.0).is_some() {
            self.core.unwatch(&mut *self.poller, socket.0);
        }
    }

    fn udp(&self, socket: UdpId) -> io::Result<&UdpSocket> {
        self.core.sources.udp(socket.0).ok_or_else(gone)
    }
}
