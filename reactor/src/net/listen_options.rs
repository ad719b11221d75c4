//! What can be chosen for a listening socket.

use super::options::{Ipv6, SocketOptions};

/// What can be chosen for a listening socket; the default is right for most servers.
///
/// ```
/// use reactor::{Ipv6, ListenOptions};
///
/// let options = ListenOptions::default().ipv6(Ipv6::DualStack).max_connections(10_000);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ListenOptions {
    backlog: Option<u32>,
    pub(crate) max_connections: Option<u32>,
    pub(super) file_mode: Option<u32>,
    socket: SocketOptions,
}

impl ListenOptions {
    /// How many connections may wait to be accepted. By default as many as the system allows.
    ///
    /// The system silently cuts what is too much: Linux to `/proc/sys/net/core/somaxconn`, the BSDs
    /// and macOS to the sysctl of that name under `kern.ipc` or `kern` (listen(2)). On Linux one
    /// more than the backlog fits, so that 0 lets one connection wait.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = Some(connections);
        self
    }

    /// Whether a socket on an IPv6 address serves IPv4 peers too. By default it doesn't.
    pub fn ipv6(mut self, ipv6: Ipv6) -> Self {
        self.socket = self.socket.ipv6(ipv6);
        self
    }

    /// Whether a TCP port can be bound while connections of a former listener linger in TIME_WAIT
    /// (SO_REUSEADDR, socket(7)). On by default: without it a restarted server waits for a minute
    /// or more. It lets nobody listen where another socket listens.
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.socket = self.socket.reuse_address(reuse);
        self
    }

    /// Whether other TCP listeners of the same user may share the port, if they ask for it too, and
    /// the kernel deals connections out among them (SO_REUSEPORT, socket(7); on FreeBSD
    /// SO_REUSEPORT_LB). Off by default.
    ///
    /// A connection belongs to one listener's queue from its handshake on: closing that listener
    /// resets what waits there. macOS and the other BSDs allow the sharing, but deal unevenly;
    /// Solaris and illumos refuse with [`Unsupported`](std::io::ErrorKind::Unsupported).
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.socket = self.socket.reuse_port(reuse);
        self
    }

    /// Whether accepted TCP connections send small messages at once (TCP_NODELAY, tcp(7)). On by
    /// default: without it the second small message of two waits for the peer's acknowledgement,
    /// some 40 ms.
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.socket = self.socket.nodelay(nodelay);
        self
    }

    /// How many connections of this listener may be open at a time. Unlimited by default. Those
    /// beyond wait in the backlog until one closes.
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = Some(connections);
        self
    }

    /// The permission bits of a Unix socket's file, as in chmod(2): 0o660 for owner and group. By
    /// default 0o777 less the process's umask.
    ///
    /// They hold before the first client can connect. Linux and today's BSDs let those connect who
    /// may write the file (unix(7)); older systems ignore its bits, so that the directory's are the
    /// ones to rely on there.
    pub fn file_mode(mut self, mode: u32) -> Self {
        self.file_mode = Some(mode);
        self
    }

    /// The options of the socket, where they say something; connections that it accepts have them, too.
    ///
    /// One that is refused makes listening fail, with an error that names it. Those of TCP and IP are
    /// for TCP's listeners: Unix sockets leave them out.
    pub fn socket(mut self, options: SocketOptions) -> Self {
        self.socket = options.or(&self.socket);
        self
    }

    /// What is set on the socket: what was chosen, and what is chosen by default.
    pub(super) fn for_kernel(&self) -> SocketOptions {
        let defaults = SocketOptions::default().ipv6(Ipv6::Only).reuse_address(true).nodelay(true);
        self.socket.clone().or(&defaults)
    }

    /// The backlog as listen(2) takes it. The system cuts what is too much for it.
    pub(super) fn backlog_for_kernel(&self) -> libc::c_int {
        self.backlog.and_then(|backlog| backlog.try_into().ok()).unwrap_or(libc::c_int::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backlog_is_never_negative() {
        for (backlog, kernels) in
            [(None, i32::MAX), (Some(0), 0), (Some(128), 128), (Some(u32::MAX), i32::MAX)]
        {
            let options = ListenOptions { backlog, ..ListenOptions::default() };
            assert_eq!(options.backlog_for_kernel(), kernels);
        }
    }
}
