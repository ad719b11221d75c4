//! What can be said about a UDP socket before there is one.

use crate::net::options::{Ipv6, SocketOptions};

/// How a UDP socket is made: by default IPv6 sockets are for IPv6 alone, nothing is shared, and buffers
/// are as the system has them.
///
/// ```
/// use reactor::{Ipv6, UdpOptions};
///
/// let options = UdpOptions::default().ipv6(Ipv6::DualStack).receive_buffer(1 << 20);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct UdpOptions {
    socket: SocketOptions,
    ignores_icmp: bool,
    joins_segments: bool,
}

impl UdpOptions {
    /// Whether a socket on an IPv6 address serves IPv4 peers too. By default it doesn't. Sockets on
    /// IPv4 addresses don't care.
    pub fn ipv6(mut self, ipv6: Ipv6) -> Self {
        self.socket = self.socket.ipv6(ipv6);
        self
    }

    /// Whether the address may be bound by several sockets that all say so (`SO_REUSEADDR`,
    /// socket(7)): no, unless said otherwise.
    ///
    /// It is for multicast. A unicast datagram goes to one of them: on Linux, to whoever bound last.
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.socket = self.socket.reuse_address(reuse);
        self
    }

    /// Whether the address may be shared by several sockets of this user that all say so
    /// (`SO_REUSEPORT`, socket(7)): no, unless said otherwise.
    ///
    /// Linux spreads the peers over the sockets by a hash of the addresses; macOS and the BSDs don't.
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.socket = self.socket.reuse_port(reuse);
        self
    }

    /// Whether the socket may send to broadcast addresses (`SO_BROADCAST`, socket(7)): no, unless
    /// said otherwise; such a send is answered with EACCES. Receiving them needs no permission.
    pub fn broadcast(mut self, broadcast: bool) -> Self {
        self.socket = self.socket.broadcast(broadcast);
        self
    }

    /// Whether a socket that isn't connected hears what ICMP says of the datagrams that it has sent:
    /// yes, unless said otherwise (`IP_RECVERR`, ip(7); Linux). Each error comes by
    /// [`datagram_failed`](crate::Handler::datagram_failed), with the peer that it is about.
    ///
    /// Errors that wait to be told take room in the receive buffer, as datagrams do.
    ///
    /// A connected socket hears of its own peer in any case. Without this, an error of an earlier
    /// datagram may come as that of a later call of
    /// [`send_connected`](crate::Context::send_connected), which then has sent nothing.
    pub fn icmp_errors(mut self, hear: bool) -> Self {
        self.ignores_icmp = !hear;
        self
    }

    /// Whether datagrams of one sender and one length, which come in a burst, may be taken from the
    /// kernel joined: no, unless said otherwise (`UDP_GRO`, udp(7); Linux 5.0, elsewhere it changes
    /// nothing). The handler gets them one by one all the same.
    ///
    /// For bulk it saves most of what receiving costs. Others gain nothing, and fewer datagrams than
    /// usual are taken by one call if they don't come in such bursts.
    pub fn join_segments(mut self, join: bool) -> Self {
        self.joins_segments = join;
        self
    }

    /// Bytes that may wait to be received (`SO_RCVBUF`, socket(7)). What comes beyond is dropped
    /// without a word to anybody; [`udp_drops`](crate::Context::udp_drops) counts it.
    ///
    /// Each datagram takes more than its bytes: on Linux some 800 bytes at least, whatever its length,
    /// so that the default of 212,992 holds fewer than 300. What comes in a burst while the loop does
    /// something else must fit.
    ///
    /// Linux doubles the figure, to pay for its bookkeeping, and cuts it at the sysctl
    /// `net.core.rmem_max` without an error.
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.socket = self.socket.receive_buffer(bytes);
        self
    }

    /// Bytes that may wait to be sent (`SO_SNDBUF`, socket(7)). A datagram that finds no room is
    /// answered with [`WouldBlock`](std::io::ErrorKind::WouldBlock); one that is longer can't be sent.
    ///
    /// Linux doubles the figure, and cuts it at the sysctl `net.core.wmem_max` without an error.
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.socket = self.socket.send_buffer(bytes);
        self
    }

    /// The other options of the socket, where they say something.
    ///
    /// One that is refused makes binding fail, with an error that names it.
    pub fn socket(mut self, options: SocketOptions) -> Self {
        self.socket = options.or(&self.socket);
        self
    }

    pub(super) fn hears_icmp(&self) -> bool {
        !self.ignores_icmp
    }

    pub(super) fn joins_segments(&self) -> bool {
        self.joins_segments
    }

    /// Whether an IPv6 socket made so has to do with IPv4.
    pub(super) fn takes_v4(&self) -> bool {
        self.for_kernel().serves_v4()
    }

    /// What is set on the socket: what was chosen, and what is chosen by default.
    pub(super) fn for_kernel(&self) -> SocketOptions {
        self.socket.clone().or(&SocketOptions::default().ipv6(Ipv6::Only))
    }
}
