//! An event loop for people who write their own network servers and want no async runtime: a thread,
//! a loop, a handler, and nothing hidden.
//!
//! A whole server, which runs unchanged on select, poll, epoll and mio:
//!
//! ```no_run
//! use reactor::{ConnId, Context, Handler, Input, Reactor};
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     type Message = ();
//!
//!     fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
//!         ctx.send(conn, input.take());
//!     }
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let mut reactor = Reactor::new(Echo)?;
//!     reactor.listen("127.0.0.1:7007")?;
//!     reactor.run()
//! }
//! ```
//!
//! # What is where
//!
//! - [`Handler`] is the trait that an application implements: its callbacks carry data, not readiness.
//!   [`Context`] is what a callback may ask of the reactor: send, close, pause, listen, set a timer.
//! - [`Reactor`] is the loop: [`run`](Reactor::run), or [`turn`](Reactor::turn) by turn, or embedded in
//!   another loop by [`prepare`](Reactor::prepare).
//! - [`Context::connect`] reaches out, to a [`Target`], with [`ConnectOptions`]: time limits, retries,
//!   several addresses at once; [`Context::keep_connected`] does so again and again.
//! - [`ConnMap`] holds what an application keeps for each connection; [`Limits`] bound what a
//!   connection may keep in memory; [`CloseReason`] says why one ended.
//! - The module [`codec`] finds messages in a stream: lines, and those that begin with their length.
//! - [`Requests`] asks over UDP, and asks again until the peer answers.
//! - [`Mailbox`] brings messages from other threads, [`Signal`] those of the system.
//! - [`Poller`] and the module [`poller`] are the ground floor: the mechanisms that wait, behind one
//!   contract, for those who write a loop of their own.
//!
//! The examples in the repository show one idea each: `echo`, `server`, `broadcast`, `timers`, `mailbox`,
//! `proxy`, `line_client`, `kept_client`, `half_close`, `key_value`, `udp`, `udp_request`, `discovery`,
//! `raw_fd`, `netlink`.
//!
//! # Features
//!
//! Each mechanism is a feature of its own; at least one is needed, and all of them are the default.
//!
//! | feature | poller | systems | a wait's cost grows with |
//! |---|---|---|---|
//! | `epoll` | [`EpollPoller`] | Linux, Android (elsewhere it adds nothing) | ready descriptors |
//! | `adaptive` (with `poll` and `epoll`) | [`AdaptivePoller`] | as `epoll` | ready and busy descriptors |
//! | `mio` | [`MioPoller`] | Linux, macOS, BSDs | ready descriptors |
//! | `poll` | [`PollPoller`] | every Unix | registered descriptors |
//! | `select` | [`SelectPoller`] | every Unix | highest descriptor number |
//!
//! [`DefaultPoller`] is the best of those compiled in, and [`AnyPoller`] chooses at run time.

#![cfg_attr(
    not(all(select, poll, epoll, mio, adaptive)),
    allow(rustdoc::broken_intra_doc_links, reason = "the table names what this build lacks")
)]

mod acceptor;
mod conn_map;
mod connecting;
mod connection;
mod context;
mod core;
mod handler;
mod ids;
mod mailbox;
mod net;
mod raw;
mod reactor;
mod requests;
mod signal;
mod sources;
mod sys;
mod timer;

pub mod codec;
pub mod poller;

/// Bytes that many can hold: what [`Context::send_shared`] takes.
pub use bytes::Bytes;
pub use conn_map::ConnMap;
pub use connection::{CloseReason, Input, Limits};
pub use context::{Context, Sent};
pub use handler::Handler;
pub use ids::{ConnId, ListenerId, PeerId, RawId, UdpId};
pub use mailbox::{Mailbox, PostError};
pub use net::{
    Address, ConnectCause, ConnectError, ConnectOptions, Datagram, DatagramError, FailedAttempt,
    Failure, Interface, Ipv6, ListenOptions, SocketOptions, Source, Stage, Target, UdpOptions,
    control, options,
};
pub use reactor::{Options, Reactor, Status};
pub use requests::{Requests, Retransmission};
pub use signal::Signal;
pub use timer::TimerId;

pub use poller::{
    AnyPoller, Backend, Blocked, Capabilities, Cost, DefaultPoller, Direction, Event, Events,
    Interest, Key, Poller, Readiness, Trigger, UnknownBackend, Waker,
};

#[cfg(adaptive)]
pub use poller::AdaptivePoller;
#[cfg(epoll)]
pub use poller::EpollPoller;
#[cfg(mio)]
pub use poller::MioPoller;
#[cfg(poll)]
pub use poller::PollPoller;
#[cfg(select)]
pub use poller::SelectPoller;

/// Compiles and runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
