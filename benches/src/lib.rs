//! How fast the library is, and against what.
//!
//! The bar is a plain `libc` loop, written as a good C programmer would write it for this one
//! job: [`yardstick`] has one for `epoll`, one for `poll` and one for `select`. [`load`] drives
//! a server from a process of its own, checks every byte that comes back, and reads from `/proc`
//! what the server paid for each message. [`ratio`] runs the two servers in turn and tells
//! whether the library stays within its bar.
//!
//! The program `benches` has a command for each. To compare every backend of the echo server:
//!
//! ```text
//! cargo build --release && target/release/benches ratio
//! ```
//!
//! Everything here is for Linux, and sends nothing beyond the addresses that it is given.

pub mod command_line;
pub mod commands;
pub mod cpu;
pub mod limits;
pub mod load;
pub mod ratio;
pub mod servers;
pub mod yardstick;
