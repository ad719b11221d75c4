//! How fast the library is, and against what.
//!
//! [`servers`] has the same echo in each library that one might take instead, and [`yardstick`] the
//! bar: plain `libc` loops, written as a good C programmer would write them for this one job, for
//! `epoll`, `poll` and `select`. [`load`] drives a server from a process of its own, checks every byte
//! that comes back, and reads from `/proc` what the server paid for each message. [`chat`] does the same to
//! servers that speak IRC. [`runs`] has them run
//! in turns, and tells differences from noise. [`map`] tells where each mechanism is the cheapest. [`micro`] asks what the single steps of a loop cost, and
//! what they cost elsewhere. [`report`] has all of it in one run, written down and drawn.
//!
//! The program `benches` has a command for each. To compare all servers of a build:
//!
//! ```text
//! cargo run --release -p benches -- servers
//! ```
//!
//! Everything here is for Linux, and sends nothing beyond the addresses that it is given.

pub mod chat;
pub mod command_line;
pub mod commands;
pub mod cpu;
mod drawing;
pub mod limits;
pub mod load;
pub mod map;
pub mod memory;
pub mod micro;
mod numbers;
pub mod report;
pub mod runs;
pub mod servers;
pub mod spread;
pub mod strace;
pub mod yardstick;
