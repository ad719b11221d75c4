//! Sockets: what can be said of one before it is a connection.
//!
//! This floor makes sockets, and tells the errors of one connection from those of the whole. It
//! knows nothing of the loop, decides no waits, and keeps no time.

mod address;
mod failure;
mod listen_options;
mod listener;
mod reserve;
mod udp;
mod unix;

pub use address::Address;
pub use failure::Failure;
pub use listen_options::{Ipv6, ListenOptions};
pub use udp::{Datagram, Source, UdpOptions};

pub(crate) use listener::{Accepted, Listener};
pub(crate) use reserve::Reserve;
pub(crate) use udp::{UdpSocket, is_icmp};
