//! What can be said about a UDP socket before there is one.

use std::io;

use socket2::Socket;

/// How a UDP socket is made.
///
/// ```
/// use reactor::UdpOptions;
///
/// let options = UdpOptions::default().only_v6(false).receive_buffer(1 << 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UdpOptions {
    only_v6: bool,
    reuse_address: bool,
    reuse_port: bool,
    broadcast: bool,
    receive_buffer: Option<usize>,
    send_buffer: Option<usize>,
}

/// IPv6 sockets are for IPv6 alone; nothing is shared; buffers are as the system has them.
impl Default for UdpOptions {
    fn default() -> Self {
        Self {
            only_v6: true,
            reuse_address: false,
            reuse_port: false,
            broadcast: false,
            receive_buffer: None,
            send_buffer: None,
        }
    }
}

impl UdpOptions {
    /// Whether an IPv6 socket leaves IPv4 alone (`IPV6_V6ONLY`, ipv6(7)): yes, unless said otherwise,
    /// whatever the system's default is.
    ///
    /// With `false`, a socket on `[::]` takes IPv4 too. Sockets on IPv4 addresses don't care. OpenBSD
    /// refuses `false` with EINVAL.
    #[must_use]
    pub fn only_v6(mut self, only: bool) -> Self {
        self.only_v6 = only;
        self
    }

    /// Whether the address may be bound by several sockets that all say so (`SO_REUSEADDR`,
    /// socket(7)): no, unless said otherwise.
    ///
    /// It is for multicast. A unicast datagram goes to one of them: on Linux, to whoever bound last.
    #[must_use]
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.reuse_address = reuse;
        self
    }

    /// Whether the address may be shared by several sockets of this user that all say so
    /// (`SO_REUSEPORT`, socket(7)): no, unless said otherwise.
    ///
    /// Linux spreads the peers over the sockets by a hash of the addresses; macOS and the BSDs don't.
    #[must_use]
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// Whether the socket may send to broadcast addresses (`SO_BROADCAST`, socket(7)): no, unless
    /// said otherwise; such a send is answered with EACCES. Receiving them needs no permission.
    #[must_use]
    pub fn broadcast(mut self, broadcast: bool) -> Self {
        self.broadcast = broadcast;
        self
    }

    /// Bytes that may wait to be received (`SO_RCVBUF`, socket(7)). What comes beyond is dropped
    /// without a word.
    ///
    /// Linux doubles the figure, to pay for its bookkeeping, and cuts it at the sysctl
    /// `net.core.rmem_max` without an error.
    #[must_use]
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// Bytes that may wait to be sent (`SO_SNDBUF`, socket(7)). A datagram that finds no room is
    /// answered with [`WouldBlock`](io::ErrorKind::WouldBlock); one that is longer can't be sent.
    ///
    /// Linux doubles the figure, and cuts it at the sysctl `net.core.wmem_max` without an error.
    #[must_use]
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = Some(bytes);
        self
    }

    /// Whether an IPv6 socket made so has to do with IPv4.
    pub(super) fn takes_v4(&self) -> bool {
        !self.only_v6
    }

    /// Sets what must be set before bind(2).
    pub(super) fn apply(&self, socket: &Socket, v6: bool) -> io::Result<()> {
        if v6 {
            socket.set_only_v6(self.only_v6)?;
        }
        if self.reuse_address {
            socket.set_reuse_address(true)?;
        }
        if self.reuse_port {
            socket.set_reuse_port(true)?;
        }
        if self.broadcast {
            socket.set_broadcast(true)?;
        }
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.send_buffer {
            socket.set_send_buffer_size(bytes)?;
        }
        Ok(())
    }
}
