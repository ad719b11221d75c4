//! An event loop for people who write their own network servers and want no async runtime: a thread,
//! a loop, a handler, and nothing hidden.
//!
//! This is its ground floor: the mechanisms that wait (select, poll, epoll, mio) behind one trait,
//! [`Poller`], with one contract that a conformance suite proves on each of them.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use std::os::fd::AsRawFd;
//!
//! use reactor::{DefaultPoller, Events, Interest, Key, Poller};
//!
//! # fn main() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let mut client = TcpStream::connect(listener.local_addr()?)?;
//! let (mut server, _) = listener.accept()?;
//!
//! let mut poller = DefaultPoller::new()?;
//! let key = Key::new(0, 0);
//! poller.add(server.as_raw_fd(), key, Interest::READABLE)?;
//!
//! client.write_all(b"hello")?;
//! let mut events = Events::default();
//! poller.wait(&mut events, None)?;
//! for event in &events {
//!     assert_eq!(event.key(), key);
//!     assert!(event.readiness().is_readable());
//! }
//! let mut buffer = [0; 16];
//! assert_eq!(server.read(&mut buffer)?, 5);
//!
//! // Before the descriptor is closed.
//! poller.remove(key)
//! # }
//! ```
//!
//! # Features
//!
//! Each mechanism is a feature of its own; at least one is needed, and all four are the default.
//!
//! | feature | poller | systems | a wait's cost grows with |
//! |---|---|---|---|
//! | `epoll` | [`EpollPoller`] | Linux, Android (elsewhere it adds nothing) | ready descriptors |
//! | `mio` | [`MioPoller`] | Linux, macOS, BSDs | ready descriptors |
//! | `poll` | [`PollPoller`] | every Unix | registered descriptors |
//! | `select` | [`SelectPoller`] | every Unix | highest descriptor number |
//!
//! [`DefaultPoller`] is the best of those compiled in, and [`AnyPoller`] chooses at run time.

#![cfg_attr(
    not(all(select, poll, epoll, mio)),
    allow(rustdoc::broken_intra_doc_links, reason = "the table names what this build lacks")
)]

mod sys;

pub mod poller;

pub use poller::{
    AnyPoller, Backend, Blocked, Capabilities, Cost, DefaultPoller, Direction, Event, Events,
    Interest, Key, Poller, Readiness, Trigger, UnknownBackend, Waker,
};

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
