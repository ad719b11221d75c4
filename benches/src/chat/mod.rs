//! A load for servers that speak IRC (RFC 1459), which checks every line that it caused.
//!
//! A crowd registers, and joins one channel. A few of it talk there, in a closed loop: a message is complete
//! when every other member has it, and only then is the next one said in its place. Each is in a slot, whose
//! number is in the message's text, so that a line that comes is held against what was sent by one
//! comparison, and whoever already has it is known.
//!
//! The latency of a message counts from when it was handed to its sender's connection to when its last member
//! was called with it. Every message is awaited before the server's CPU time is read.

mod course;
mod crowd;
mod line;
mod messages;
mod names;
mod plan;
mod report;
pub mod servers;
mod stuck;

pub use course::{fanout, register};
pub use messages::SIZES;
pub use plan::{Fanout, Target};
pub use report::{FanoutReport, RegisterReport, StuckReport};
