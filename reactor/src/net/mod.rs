//! Sockets: what can be said of one before it is a connection.
//!
//! This floor makes sockets, and tells the errors of one connection from those of the whole. It
//! knows nothing of the loop, and keeps no time: where time matters it is told.

mod address;
mod backoff;
mod connect_error;
mod connect_options;
pub mod control;
mod failure;
mod interface;
mod listen_options;
mod listener;
pub mod options;
mod race;
mod reserve;
mod resolver;
mod target;
mod udp;
mod unix;

pub(crate) mod connector;

pub use address::Address;
pub use connect_error::{ConnectCause, ConnectError, FailedAttempt};
pub use connect_options::ConnectOptions;
pub use failure::Failure;
pub use interface::Interface;
pub use listen_options::ListenOptions;
pub use options::{Ipv6, SocketOptions, Stage};
pub use target::Target;
pub use udp::{Datagram, DatagramError, Source, UdpOptions};

pub(crate) use backoff::Backoff;
pub(crate) use listener::{Accepted, Listener};
pub(crate) use race::{AttemptId, Race, Step};
pub(crate) use reserve::Reserve;
pub(crate) use resolver::{Resolved, Resolver, Ticket};
pub(crate) use udp::{Segments, UdpSocket, canonical, is_icmp, room};
