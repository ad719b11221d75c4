//! A plain listener for what connects to it, and one that has no room left.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use reactor::Target;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::peer::Peer;
use crate::rig::PATIENCE;
use crate::sockets::shows;

/// Connections that are tried to fill a backlog: the kernel may round up what it was asked for.
const MANY: usize = 64;

/// A plain blocking listener.
#[derive(Debug)]
pub struct Listening {
    socket: Socket,
    address: SockAddr,
}

impl Listening {
    /// At a free TCP port.
    #[must_use]
    pub fn tcp() -> Self {
        Self::at(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into(), 128)
    }

    /// At a path.
    #[must_use]
    pub fn unix(path: &Path) -> Self {
        Self::at(&SockAddr::unix(path).expect("a short path"), 128)
    }

    /// At an address of which nobody else has the port, with room for so many who wait.
    #[must_use]
    pub fn at(address: &SockAddr, backlog: i32) -> Self {
        let bound = Self::bound(address);
        bound.socket.listen(backlog).expect("a bound socket can listen");
        bound
    }

    /// Bound and not listening: whoever connects is refused.
    ///
    /// # Panics
    ///
    /// If the address is taken.
    #[must_use]
    pub fn bound(address: &SockAddr) -> Self {
        let socket = Socket::new(address.domain(), Type::STREAM, None).expect("a socket");
        socket.bind(address).expect("a free address");
        let address = socket.local_addr().expect("a bound socket has an address");
        Self { socket, address }
    }

    /// A TCP port that is taken, and at which nobody listens.
    #[must_use]
    pub fn nobody() -> Self {
        Self::bound(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
    }

    /// A listener whose backlog is full, with those who fill it: what connects to it now gets no
    /// answer, or, if it is a Unix socket, EAGAIN.
    ///
    /// # Panics
    ///
    /// If there is always room for one more.
    #[must_use]
    pub fn full(address: &SockAddr) -> (Self, Vec<Socket>) {
        let listening = Self::at(address, 0);
        let mut waiting = Vec::new();
        for _ in 0..MANY {
            let socket = Socket::new(address.domain(), Type::STREAM, None).expect("a socket");
            socket.set_nonblocking(true).expect("a socket can be nonblocking");
            let answer = socket.connect(&listening.address);
            let pending = answer.err().and_then(|error| error.raw_os_error());
            if pending.is_some() && !connected(&socket) {
                return (listening, waiting);
            }
            waiting.push(socket);
        }
        panic!("a backlog of 0 has room for {MANY}");
    }

    /// A full TCP listener.
    #[must_use]
    pub fn full_tcp() -> (Self, Vec<Socket>) {
        Self::full(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
    }

    /// Who connects next, as a peer.
    ///
    /// # Panics
    ///
    /// If nobody does in time.
    #[must_use]
    pub fn accept(&self) -> Peer {
        self.socket.set_read_timeout(Some(PATIENCE)).expect("the option exists");
        let (socket, _) = self.socket.accept().expect("somebody connects");
        Peer::of(socket)
    }

    /// Its internet address.
    ///
    /// # Panics
    ///
    /// If it has none.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.as_socket().expect("an internet address")
    }

    /// How a connect is told to reach it.
    ///
    /// # Panics
    ///
    /// If it has no name.
    #[must_use]
    pub fn target(&self) -> Target {
        match self.address.as_socket() {
            Some(address) => address.into(),
            None => {
                let path: PathBuf = self.address.as_pathname().expect("it has a path").into();
                path.into()
            }
        }
    }
}

/// Whether a connect that was begun a moment ago, on this machine, is over.
fn connected(socket: &Socket) -> bool {
    shows(socket, rustix::event::PollFlags::OUT)
        && socket.domain().ok() != Some(Domain::UNIX)
        && socket.peer_addr().is_ok()
}
