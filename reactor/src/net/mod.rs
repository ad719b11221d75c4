//! Sockets: what can be said of one before it is a connection.
//!
//! This floor makes sockets, and tells the errors of one connection from those of the whole. It
//! knows nothing of the loop, decides no waits, and keeps no time.

mod address;
pub mod control;
mod failure;
mod interface;
mod listen_options;
mod listener;
pub mod options;
mod reserve;
mod udp;
mod unix;

pub use address::Address;
pub use failure::Failure;
pub use interface::Interface;
pub use listen_options::ListenOptions;
pub use options::{Ipv6, SocketOptions, Stage};
pub use udp::{Datagram, Source, UdpOptions};

pub(crate) use listener::{Accepted, Listener};
pub(crate) use reserve::Reserve;
pub(crate) use udp::{UdpSocket, is_icmp};
