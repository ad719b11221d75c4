//! One attempt to connect: a socket, and what connect(2) and the socket say of it.
//!
//! socket → (bind) → connect → in progress → writable → SO_ERROR → a peer → not oneself.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockAddr, Socket, Type};

use super::{Address, ConnectOptions, Failure, Stage, unix};

/// How an attempt stands after a system call.
#[derive(Debug)]
pub(crate) enum Stand<T> {
    /// It is connected.
    Connected(T),
    /// The socket becomes writable when it is over.
    Pending(T),
    /// A Unix socket's backlog is full: nothing will tell when there is room.
    Crowded(io::Error),
    /// It has failed.
    Failed(io::Error),
}

impl Stand<()> {
    /// The same of `socket`, which is closed if it is of no more use.
    fn with(self, socket: Socket) -> Stand<Socket> {
        match self {
            Self::Connected(()) => Stand::Connected(socket),
            Self::Pending(()) => Stand::Pending(socket),
            Self::Crowded(error) => Stand::Crowded(error),
            Self::Failed(error) => Stand::Failed(error),
        }
    }
}

/// Begins an attempt with a new socket, nonblocking and close-on-exec. Never blocks.
pub(crate) fn begin(address: &Address, options: &ConnectOptions) -> Stand<Socket> {
    let (socket, to) = match prepare(address, options) {
        Ok(prepared) => prepared,
        Err(error) => return Stand::Failed(error),
    };
    match stand_after_connect(socket.connect(&to), to.is_unix()) {
        Stand::Connected(()) => look(&socket).with(socket),
        other => other.with(socket),
    }
}

/// What can only be set on a connection. One that was reset already refuses, and its first read tells.
pub(crate) fn finish(socket: &Socket, options: &ConnectOptions) {
    let _ = options.for_kernel().apply(socket, Stage::Connected);
}

/// The socket of a pending attempt is reported as writable: what came of it. A report that wasn't true
/// leaves it pending.
pub(crate) fn look(socket: &Socket) -> Stand<()> {
    let local = || socket.local_addr().ok().and_then(|local| local.as_socket());
    let peer = socket.peer_addr().map(|peer| peer.as_socket());
    let stand = stand_of_writable(socket.take_error(), peer, local);
    if matches!(stand, Stand::Failed(_)) {
        // A socket that is connected to itself would keep the port that it should have left alone, for
        // as long as TIME_WAIT lasts. To all others it makes no difference.
        let _ = socket.set_linger(Some(Duration::ZERO));
    }
    stand
}

fn prepare(address: &Address, options: &ConnectOptions) -> io::Result<(Socket, SockAddr)> {
    let to = match address {
        Address::Ip(address) => SockAddr::from(*address),
        Address::Path(path) => unix::path_address(path)?,
        Address::Abstract(name) => unix::abstract_address(name)?,
        Address::Unnamed => {
            let complaint = "a socket without a name can't be connected to";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, complaint));
        }
    };
    let socket = Socket::new(to.domain(), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    options.for_kernel().apply(&socket, Stage::Created)?;
    if let (Some(source), false) = (options.source, to.is_unix()) {
        bind(&socket, source, &to)?;
    }
    Ok((socket, to))
}

fn bind(socket: &Socket, source: SocketAddr, to: &SockAddr) -> io::Result<()> {
    let failed = |error| Failure::at("bind to", &source.into(), error);
    let from = SockAddr::from(source);
    if from.family() != to.family() {
        let complaint = "it is of another family than the address to connect to";
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, complaint)));
    }
    if source.port() == 0 {
        // Or else each connection from this address would need a port that no other one has, whoever
        // they lead to. Where there is no such option, they do.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            use std::os::fd::AsRawFd;
            let _ = crate::sys::socket::choose_port_late(socket.as_raw_fd());
        }
    }
    socket.bind(&from).map_err(failed)
}

/// What connect(2) means, by its Linux manual page and POSIX.
fn stand_after_connect(answer: io::Result<()>, is_unix: bool) -> Stand<()> {
    let Err(error) = answer else { return Stand::Connected(()) };
    match error.raw_os_error() {
        Some(libc::EISCONN) => Stand::Connected(()),
        // An interrupted call goes on by itself, and would answer EALREADY if it were repeated.
        Some(libc::EINPROGRESS | libc::EALREADY | libc::EINTR) => Stand::Pending(()),
        // Of an internet address it says that there is no port for it, on some systems.
        Some(libc::EAGAIN) if is_unix => Stand::Crowded(error),
        _ => Stand::Failed(error),
    }
}

/// What a writable socket means: SO_ERROR, the peer's address, and its own one, if both are of the
/// internet.
fn stand_of_writable(
    pending: io::Result<Option<io::Error>>,
    peer: io::Result<Option<SocketAddr>>,
    local: impl FnOnce() -> Option<SocketAddr>,
) -> Stand<()> {
    match (pending, peer) {
        (Ok(None), Ok(peer)) => {
            if peer.is_some() && peer == local() {
                return Stand::Failed(itself());
            }
            Stand::Connected(())
        }
        (Ok(Some(error)) | Err(error), _) => match error.raw_os_error() {
            Some(libc::EINPROGRESS | libc::EALREADY) => Stand::Pending(()),
            _ => Stand::Failed(error),
        },
        (Ok(None), Err(error)) => Stand::Failed(error),
    }
}

/// Where nobody listens at a port of the range that the system chooses from, it sometimes chooses that
/// very port, and the two ends of TCP's simultaneous open meet in one socket (RFC 9293, section 3.5).
fn itself() -> io::Error {
    let text = "nobody listens there: the socket was connected to itself";
    io::Error::new(io::ErrorKind::ConnectionRefused, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(errno: i32) -> io::Error {
        io::Error::from_raw_os_error(errno)
    }

    fn name<T>(stand: &Stand<T>) -> &'static str {
        match stand {
            Stand::Connected(_) => "connected",
            Stand::Pending(_) => "pending",
            Stand::Crowded(_) => "crowded",
            Stand::Failed(_) => "failed",
        }
    }

    #[test]
    fn each_answer_of_connect_has_its_meaning() {
        assert_eq!(name(&stand_after_connect(Ok(()), false)), "connected");
        for (errno, tcp, unix) in [
            (libc::EISCONN, "connected", "connected"),
            (libc::EINPROGRESS, "pending", "pending"),
            (libc::EALREADY, "pending", "pending"),
            (libc::EINTR, "pending", "pending"),
            (libc::EAGAIN, "failed", "crowded"),
            (libc::ECONNREFUSED, "failed", "failed"),
            (libc::ENETUNREACH, "failed", "failed"),
            (libc::ENETDOWN, "failed", "failed"),
            (libc::EADDRNOTAVAIL, "failed", "failed"),
            (libc::EINVAL, "failed", "failed"),
            (libc::EACCES, "failed", "failed"),
            (libc::ENOENT, "failed", "failed"),
        ] {
            assert_eq!(name(&stand_after_connect(Err(error(errno)), false)), tcp, "{errno}");
            assert_eq!(name(&stand_after_connect(Err(error(errno)), true)), unix, "{errno}");
        }
    }

    #[test]
    fn a_writable_socket_is_asked_for_its_error_and_its_peer() {
        let (here, there): (SocketAddr, SocketAddr) =
            ("10.0.0.1:1".parse().unwrap(), "10.0.0.2:1".parse().unwrap());
        let stand = |pending, peer| name(&stand_of_writable(pending, peer, || Some(here)));
        assert_eq!(stand(Ok(None), Ok(Some(there))), "connected");
        assert_eq!(stand(Ok(None), Ok(Some(here))), "failed");
        assert_eq!(stand(Ok(None), Ok(None)), "connected", "a Unix socket");
        assert_eq!(stand(Ok(None), Err(error(libc::ENOTCONN))), "failed");
        assert_eq!(stand(Ok(Some(error(libc::ECONNREFUSED))), Ok(Some(there))), "failed");
        assert_eq!(
            stand(Ok(Some(error(libc::EHOSTUNREACH))), Err(error(libc::ENOTCONN))),
            "failed"
        );
        assert_eq!(
            stand(Ok(Some(error(libc::EINPROGRESS))), Err(error(libc::ENOTCONN))),
            "pending"
        );
        assert_eq!(stand(Err(error(libc::EBADF)), Err(error(libc::EBADF))), "failed");
    }

    /// The port may linger from the last time: whoever would rather know says so.
    #[test]
    fn a_source_port_is_shared_unless_told_otherwise() {
        use crate::net::SocketOptions;
        use crate::net::options::SO_REUSEADDR;

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let to = Address::Ip(listener.local_addr().unwrap());
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let chosen = ConnectOptions::default().source(free);
        let refuses = SocketOptions::default().reuse_address(false);
        for (options, shared) in [
            (chosen.clone(), true),
            (chosen.socket(refuses), false),
            (ConnectOptions::default(), false),
        ] {
            let (socket, _) = prepare(&to, &options).unwrap();
            assert_eq!(SO_REUSEADDR.get(&socket).unwrap(), shared);
        }
    }

    #[test]
    fn what_can_t_be_an_address_says_so() {
        let options = ConnectOptions::default();
        for address in
            [Address::Unnamed, Address::Path("".into()), Address::Path("x".repeat(200).into())]
        {
            let Stand::Failed(error) = begin(&address, &options) else { panic!("{address}") };
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{address}");
        }
    }
}
