//! The same echo in each library that one might take, to be measured side by side.
//!
//! Each is what the library's own documentation leads to, in the hands of somebody who knows it: no
//! logging, no Nagle's delay, a buffer of 64 KiB and the longest backlog, as far as the library lets one
//! choose; nothing allocated for a message. Where a library doesn't let one choose, its file says so.
//!
//! All echo everything before they close, also to a peer that reads late, and serve thousands of
//! connections. What a library adds to a message is what they differ by.

mod connection;
mod message_io;
mod mio;
mod polling;
mod reactor;
mod tokio;

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::str::FromStr;
use std::time::Duration;

use ::reactor::Backend;
use anyhow::{Context as _, bail};

use crate::yardstick::{self, Mechanism};

/// Bytes of a receive buffer, where one can be chosen.
const BUFFER: usize = 64 * 1024;

/// An echo, by the library that it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// The library of this repository, on one of its mechanisms.
    Reactor(Backend),
    /// The same, which stays awake for a while before each sleep (`Options::spin`).
    Awake(Backend),
    /// A plain libc loop: the yardstick.
    Plain(Mechanism),
    /// `tokio`, on one thread.
    Tokio,
    /// The `mio` crate by itself.
    Mio,
    /// The `polling` crate, of smol.
    Polling,
    /// The `message-io` crate.
    MessageIo,
}

/// What is echoed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Streams,
    /// UDP.
    Datagrams,
}

impl Server {
    /// Those of this build: ours, the yardsticks, the others.
    pub fn all() -> Vec<Self> {
        let ours = Backend::COMPILED.iter().copied().map(Self::Reactor);
        let plain = Mechanism::ALL.into_iter().map(Self::Plain);
        let awake = Backend::COMPILED.iter().copied().take(1).map(Self::Awake);
        ours.chain(awake)
            .chain(plain)
            .chain([Self::Tokio, Self::Mio, Self::Polling, Self::MessageIo])
            .collect()
    }

    /// Those of this build that echo over `transport`.
    pub fn all_over(transport: Transport) -> Vec<Self> {
        Self::all().into_iter().filter(|server| server.echoes(transport)).collect()
    }

    /// The plain loop on the mechanism of one of ours: epoll's for all that are built to beat select and
    /// poll. The others have none.
    pub fn yardstick(self) -> Option<Self> {
        match self {
            Self::Reactor(Backend::Select) => Some(Self::Plain(Mechanism::Select)),
            Self::Reactor(Backend::Poll) => Some(Self::Plain(Mechanism::Poll)),
            Self::Reactor(_) => Some(Self::Plain(Mechanism::Epoll)),
            _ => None,
        }
    }

    /// Whether it echoes over `transport`. All do over TCP.
    pub fn echoes(self, transport: Transport) -> bool {
        match transport {
            Transport::Streams => true,
            Transport::Datagrams => {
                matches!(
                    self,
                    Self::Reactor(_) | Self::Awake(_) | Self::Plain(Mechanism::Epoll) | Self::Tokio
                )
            }
        }
    }

    /// Echoes until something fails that isn't one connection's own trouble. `announce` is told where it
    /// listens, before anything is accepted.
    ///
    /// # Errors
    ///
    /// When it doesn't echo over `transport`, when the address is in use or isn't this machine's, when
    /// `announce` fails, when the wait does, or when there is no descriptor for another connection:
    /// only `reactor` and `message-io` outlast that.
    pub fn run(
        self,
        transport: Transport,
        address: SocketAddr,
        announce: &dyn Fn(SocketAddr) -> anyhow::Result<()>,
    ) -> anyhow::Result<Infallible> {
        let listen = || -> anyhow::Result<TcpListener> {
            let listener =
                yardstick::listen(address).map_err(|error| refused("listen on", address, error))?;
            listener.set_nonblocking(true).context("make the listener nonblocking")?;
            announce(listener.local_addr().context("ask for the listener's address")?)?;
            Ok(listener)
        };
        let bind = || -> anyhow::Result<UdpSocket> {
            let socket =
                UdpSocket::bind(address).map_err(|error| refused("bind UDP to", address, error))?;
            socket.set_nonblocking(true).context("make the socket nonblocking")?;
            announce(socket.local_addr().context("ask for the socket's address")?)?;
            Ok(socket)
        };
        match (self, transport) {
            (Self::Reactor(backend), _) => {
                reactor::run(backend, Duration::ZERO, transport, address, announce)
            }
            (Self::Awake(backend), _) => reactor::run(backend, AWAKE, transport, address, announce),
            (Self::Plain(mechanism), Transport::Streams) => {
                Ok(yardstick::run(mechanism, &listen()?)?)
            }
            (Self::Plain(Mechanism::Epoll), Transport::Datagrams) => {
                Ok(yardstick::run_datagrams(&bind()?)?)
            }
            (Self::Tokio, Transport::Streams) => Ok(tokio::streams(listen()?)?),
            (Self::Tokio, Transport::Datagrams) => Ok(tokio::datagrams(bind()?)?),
            (Self::Mio, Transport::Streams) => Ok(mio::streams(listen()?)?),
            (Self::Polling, Transport::Streams) => Ok(polling::streams(&listen()?)?),
            (Self::MessageIo, Transport::Streams) => message_io::streams(address, announce),
            (_, Transport::Datagrams) => {
                let those = names(&Self::all_over(Transport::Datagrams));
                bail!("{self} has no echo over UDP; those that have: {those}")
            }
        }
    }
}

/// How long one that stays awake does so.
const AWAKE: Duration = Duration::from_micros(50);

/// What was to be done with an address that can't be taken, and what to do about one that another has.
fn refused(what: &str, address: SocketAddr, error: io::Error) -> anyhow::Error {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => " (port 0 takes a free one)",
        _ => "",
    };
    anyhow::Error::new(error).context(format!("{what} {address}{advice}"))
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reactor(backend) => f.pad(&format!("reactor-{backend}")),
            Self::Awake(backend) => f.pad(&format!("awake-{backend}")),
            Self::Plain(mechanism) => f.pad(&format!("plain-{mechanism}")),
            Self::Tokio => f.pad("tokio"),
            Self::Mio => f.pad("mio"),
            Self::Polling => f.pad("polling"),
            Self::MessageIo => f.pad("message-io"),
        }
    }
}

/// Reads a name as it is written; fails if this build has no such server.
impl FromStr for Server {
    type Err = UnknownServer;

    fn from_str(name: &str) -> Result<Self, UnknownServer> {
        Self::all()
            .into_iter()
            .find(|server| server.to_string() == name)
            .ok_or_else(|| UnknownServer { name: name.to_owned() })
    }
}

/// A server that doesn't exist, or not in this build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownServer {
    name: String,
}

impl fmt::Display for UnknownServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no server {:?} in this build, which has: {}", self.name, names(&Server::all()))
    }
}

impl Error for UnknownServer {}

/// In the order given, as people list things.
fn names(servers: &[Server]) -> String {
    servers.iter().map(Server::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for server in Server::all() {
            assert_eq!(server.to_string().parse(), Ok(server));
        }
    }

    #[test]
    fn an_unknown_name_lists_what_there_is() {
        let error = "plain-kqueue".parse::<Server>().unwrap_err().to_string();
        assert!(error.contains("\"plain-kqueue\""), "{error}");
        for server in Server::all() {
            assert!(error.contains(&server.to_string()), "{error}");
        }
    }

    #[test]
    fn each_of_ours_meets_the_loop_on_its_mechanism() {
        for (backend, mechanism) in [
            (Backend::Select, Mechanism::Select),
            (Backend::Poll, Mechanism::Poll),
            (Backend::Epoll, Mechanism::Epoll),
            (Backend::Mio, Mechanism::Epoll),
            (Backend::Adaptive, Mechanism::Epoll),
        ] {
            let yardstick = Server::Reactor(backend).yardstick();
            assert_eq!(yardstick, Some(Server::Plain(mechanism)));
        }
        assert_eq!(Server::Tokio.yardstick(), None);
    }

    #[test]
    fn each_of_our_mechanisms_is_there_and_echoes_over_both() {
        for &backend in Backend::COMPILED {
            let server = Server::Reactor(backend);
            assert_eq!(server.to_string(), format!("reactor-{backend}"));
            assert!(Server::all().contains(&server));
            assert!(Server::all_over(Transport::Datagrams).contains(&server));
        }
    }
}
