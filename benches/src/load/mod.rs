//! A load for echo servers, which checks every byte.
//!
//! It is built on the library itself, as a user would build it. There is a handler for streams, which is
//! told by its pace when a connection may send its next message, one for visits, which
//! connect again and again, and one for datagrams; and around them a course of phases:
//! connect, warm up, measure.
//!
//! Between two phases nothing is under way: at the end of each one every echo is awaited. The server's
//! CPU time is read in between: the kernel's figure is exact then, and each message is in it from
//! beginning to end.
//!
//! # Latencies
//!
//! A closed loop measures from when a message was sent to when the last byte of its echo was read. The
//! clock is read once in each callback that completes messages, and that one reading ends them and
//! begins those that are sent because of them. The turn's own time ([`Context::now`]) would save the
//! 20 to 30 ns of that, and be off by up to a turn, which with a thousand busy connections is
//! milliseconds.
//!
//! A closed loop asks nobody while it waits, so a server that stalls for a second spoils the latency
//! of one message a connection, not of the thousands that would have come in that second ("coordinated
//! omission"). With a rate the loop is open: message *i* is due *i* / rate after the beginning, is sent
//! then or as soon as possible, and its latency counts from when it was due in either case. A server that
//! falls behind may catch up after the end as long as its echoes still come, within six times the
//! patience; what is missing then is counted, since no latency tells of it.
//!
//! [`Context::now`]: reactor::Context::now

mod check;
pub(crate) mod clock;
mod connection;
mod course;
mod datagrams;
pub(crate) mod latency;
mod metronome;
mod pace;
mod pattern;
mod plan;
pub(crate) mod progress;
pub(crate) mod ramp;
mod report;
mod rota;
mod schedule;
mod streams;
mod system_calls;
pub(crate) mod tally;
mod visits;

pub(crate) use course::nanos;
pub use course::{Interrupted, run};
pub use latency::Latency;
pub use plan::{Mode, Plan};
pub use report::{Memory, Report, SystemCallCount};
