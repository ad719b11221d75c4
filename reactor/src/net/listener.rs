//! A socket that listens, and what accept(2) says.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use super::options::{SocketOptions, Stage};
use super::unix::{self, SocketFile};
use super::{Address, Failure, ListenOptions};

/// A listening stream socket: nonblocking, close-on-exec. A Unix socket's file is removed on drop.
#[derive(Debug)]
pub(crate) struct Listener {
    // Dropped before the socket: while that listens, nobody takes the file for a stale one.
    _file: Option<SocketFile>,
    socket: Socket,
    local: Address,
    /// The options that connections must be given, because accept(2) doesn't.
    left: Option<Box<SocketOptions>>,
}

/// What one accept(2) brought.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// A connection, nonblocking and close-on-exec, and who is at its other end.
    Connection(Socket, Address),
    /// Nobody is waiting.
    Empty,
    /// The connection at the head of the queue had failed before it was accepted, and has left the
    /// queue: try the next one.
    Gone(io::Error),
    /// The process or the system lacks descriptors or memory. The connection stays in the queue, so
    /// that the listener stays readable: see [`Reserve`](super::Reserve).
    Starved(io::Error),
    /// The listener itself is at fault, and trying again at once would fail in the same way.
    Failed(io::Error),
}

impl Listener {
    /// Listens on a TCP address. Port 0 lets the system choose one that is free.
    ///
    /// # Errors
    ///
    /// What socket(2), bind(2), listen(2) and setsockopt(2) say, with the address: `AddrInUse` if
    /// another socket listens there, `AddrNotAvailable` if no interface has the address,
    /// `PermissionDenied` for a privileged port.
    pub(crate) fn tcp(address: SocketAddr, options: &ListenOptions) -> io::Result<Self> {
        let listen = || {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            let chosen = options.for_kernel();
            chosen.apply(&socket, Stage::Created)?;
            socket.bind(&address.into())?;
            socket.listen(options.backlog_for_kernel())?;
            let local = socket.local_addr()?.as_socket().unwrap_or(address);
            let left = chosen.left_by_accept(&socket)?;
            Ok(Self { _file: None, socket, local: local.into(), left })
        };
        listen().map_err(|error| Failure::at("listen on", &address.into(), error))
    }

    /// Listens on a Unix socket with a file of its own. A file that a former server left behind is
    /// replaced, one where a socket is bound never is; nor is anything but a socket.
    ///
    /// # Errors
    ///
    /// What the system calls say, with the path; `AddrInUse` if the path is another socket's or it
    /// can't be found out whether it is; `AlreadyExists` if there is something else, a symbolic link
    /// included; `InvalidInput` if the path is empty, too long or has a zero byte inside.
    pub(crate) fn unix(path: &Path, options: &ListenOptions) -> io::Result<Self> {
        let local = Address::Path(path.to_owned());
        let listen = || {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            let chosen = options.for_kernel();
            chosen.apply(&socket, Stage::Created)?;
            let file = SocketFile::bind(&socket, path, options.file_mode)?;
            socket.listen(options.backlog_for_kernel())?;
            Ok((file, chosen.left_by_accept(&socket)?, socket))
        };
        match listen() {
            Ok((file, left, socket)) => Ok(Self { _file: Some(file), socket, local, left }),
            Err(error) => Err(Failure::at("listen on", &local, error)),
        }
    }

    /// Listens on a Unix socket with an abstract name (without its leading zero byte), which
    /// leaves nothing behind. Everyone in the network namespace may connect.
    ///
    /// # Errors
    ///
    /// What the system calls say, with the name; `AddrInUse` if another socket has it;
    /// `InvalidInput` if it is empty or too long; `Unsupported` except on Linux and Android.
    pub(crate) fn unix_abstract(name: &[u8], options: &ListenOptions) -> io::Result<Self> {
        let local = Address::Abstract(name.to_owned());
        let listen = || {
            let address = unix::abstract_address(name)?;
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            let chosen = options.for_kernel();
            chosen.apply(&socket, Stage::Created)?;
            socket.bind(&address)?;
            socket.listen(options.backlog_for_kernel())?;
            Ok((chosen.left_by_accept(&socket)?, socket))
        };
        match listen() {
            Ok((left, socket)) => Ok(Self { _file: None, socket, local, left }),
            Err(error) => Err(Failure::at("listen on", &local, error)),
        }
    }

    /// Where it listens, with the port that the system chose.
    pub(crate) fn local_addr(&self) -> &Address {
        &self.local
    }

    /// Takes the next connection. Never blocks, and never says EINTR.
    pub(crate) fn accept(&self) -> Accepted {
        loop {
            match accept_nonblocking(&self.socket) {
                Ok((socket, address)) => return self.welcome(socket, &address),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return classify(error),
            }
        }
    }

    fn welcome(&self, socket: Socket, address: &SockAddr) -> Accepted {
        if let Some(left) = &self.left {
            // A connection that was reset meanwhile may refuse, and its first read tells.
            let _ = left.set_all(&socket);
        }
        match Address::read(address) {
            Some(address) => Accepted::Connection(socket, address),
            // macOS: a peer that has left already has no address.
            None => Accepted::Gone(io::Error::from_raw_os_error(libc::ECONNABORTED)),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(any(
    target_os = "android",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "illumos",
    target_os = "linux",
    target_os = "netbsd",
    target_os = "openbsd",
))]
fn accept_nonblocking(listener: &Socket) -> io::Result<(Socket, SockAddr)> {
    listener.accept4(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC)
}

#[cfg(not(any(
    target_os = "android",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "illumos",
    target_os = "linux",
    target_os = "netbsd",
    target_os = "openbsd",
)))]
fn accept_nonblocking(listener: &Socket) -> io::Result<(Socket, SockAddr)> {
    let (socket, address) = listener.accept()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

/// What an errno of accept(2) means, by the section "Error handling" of its Linux manual page: there
/// accept passes on the network errors of the new connection.
///
/// EPERM is not among those of one connection: a security module says it before it looks at the
/// queue, and so would say it again for ever.
fn classify(error: io::Error) -> Accepted {
    match error.raw_os_error() {
        _ if error.kind() == io::ErrorKind::WouldBlock => Accepted::Empty,
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Some(libc::ENONET) => Accepted::Gone(error),
        Some(
            libc::ECONNABORTED
            | libc::ECONNRESET
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::ENOPROTOOPT
            | libc::EOPNOTSUPP
            | libc::EPROTO
            | libc::ETIMEDOUT,
        ) => Accepted::Gone(error),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
            Accepted::Starved(error)
        }
        _ => Accepted::Failed(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};
    use std::net::{Ipv4Addr, Ipv6Addr, TcpStream};

    use super::*;
    use crate::net::Ipv6;

    const LOCALHOST: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

    fn listen(address: impl Into<SocketAddr>, options: &ListenOptions) -> Listener {
        Listener::tcp(address.into(), options).unwrap()
    }

    /// An accept on loopback never has to wait: the handshake is over when connect returns.
    fn connect(listener: &Listener) -> (TcpStream, Socket, Address) {
        let client = TcpStream::connect(listener.local_addr().as_ip().unwrap()).unwrap();
        match listener.accept() {
            Accepted::Connection(socket, peer) => (client, socket, peer),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn accepts_nonblocking_connections_until_nobody_waits() {
        let listener = listen(LOCALHOST, &ListenOptions::default());
        assert_ne!(listener.local_addr().as_ip().unwrap().port(), 0);
        assert!(matches!(listener.accept(), Accepted::Empty));
        let (client, socket, peer) = connect(&listener);
        assert_eq!(peer, Address::Ip(client.local_addr().unwrap()));
        assert!(socket.nonblocking().unwrap());
        assert!(matches!(listener.accept(), Accepted::Empty));
    }

    #[test]
    fn nodelay_reaches_connections() {
        for nodelay in [true, false] {
            let listener = listen(LOCALHOST, &ListenOptions::default().nodelay(nodelay));
            let (_client, socket, _) = connect(&listener);
            assert_eq!(socket.tcp_nodelay().unwrap(), nodelay);
        }
    }

    #[test]
    fn a_taken_port_says_so() {
        let first = listen(LOCALHOST, &ListenOptions::default());
        let address = first.local_addr().as_ip().unwrap();
        let error = Listener::tcp(address, &ListenOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().starts_with(&format!("listen on {address}: ")), "{error}");
        let cause = Failure::of(&error).unwrap().cause();
        assert_eq!(cause.raw_os_error(), Some(libc::EADDRINUSE));
    }

    #[test]
    fn a_port_of_lingering_connections_can_be_taken_at_once() {
        let first = listen(LOCALHOST, &ListenOptions::default());
        let address = first.local_addr().as_ip().unwrap();
        let (client, socket, _) = connect(&first);
        // Whoever closes first is left with TIME_WAIT.
        drop(socket);
        drop(client);
        drop(first);
        listen(address, &ListenOptions::default());
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    fn a_port_is_shared_if_both_ask() {
        let options = ListenOptions::default().reuse_port(true);
        let first = listen(LOCALHOST, &options);
        let address = first.local_addr().as_ip().unwrap();
        assert!(Listener::tcp(address, &ListenOptions::default()).is_err());
        let _second = listen(address, &options);
    }

    #[test]
    fn ipv6_serves_ipv4_only_if_told() {
        let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        let Ok(only) = Listener::tcp(any, &ListenOptions::default()) else {
            // A machine without IPv6.
            return;
        };
        assert!(only.socket.only_v6().unwrap());

        let both = ListenOptions::default().ipv6(Ipv6::DualStack);
        let listener = listen(any, &both);
        let port = listener.local_addr().as_ip().unwrap().port();
        let _client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let Accepted::Connection(_, Address::Ip(peer)) = listener.accept() else {
            panic!("an IPv4 client wasn't accepted");
        };
        assert_eq!(peer.ip().to_canonical(), Ipv4Addr::LOCALHOST);
    }

    #[test]
    fn a_connection_that_was_reset_in_the_queue_spoils_nothing() {
        let listener = listen(LOCALHOST, &ListenOptions::default());
        let address = listener.local_addr().as_ip().unwrap();
        let client = Socket::from(TcpStream::connect(address).unwrap());
        client.set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(client);
        assert!(matches!(listener.accept(), Accepted::Connection(..) | Accepted::Gone(_)));
        let (mut client, ..) = connect(&listener);
        client.write_all(b"still here").unwrap();
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn a_listener_that_is_shut_down_has_failed() {
        let listener = listen(LOCALHOST, &ListenOptions::default());
        listener.socket.shutdown(std::net::Shutdown::Both).unwrap();
        assert!(matches!(listener.accept(), Accepted::Failed(_)));
    }

    #[test]
    fn each_error_has_its_meaning() {
        let meaning = |errno| match classify(io::Error::from_raw_os_error(errno)) {
            Accepted::Connection(..) => "connection",
            Accepted::Empty => "empty",
            Accepted::Gone(_) => "gone",
            Accepted::Starved(_) => "starved",
            Accepted::Failed(_) => "failed",
        };
        for errno in [libc::EAGAIN, libc::EWOULDBLOCK] {
            assert_eq!(meaning(errno), "empty");
        }
        for errno in [libc::ECONNABORTED, libc::EPROTO, libc::ENETDOWN, libc::EHOSTUNREACH] {
            assert_eq!(meaning(errno), "gone");
        }
        for errno in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
            assert_eq!(meaning(errno), "starved");
        }
        for errno in [libc::EINVAL, libc::EBADF, libc::ENOTSOCK, libc::EPERM, libc::EFAULT] {
            assert_eq!(meaning(errno), "failed");
        }
    }
}
