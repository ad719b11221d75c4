//! What a load is to do.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::ValueEnum;
use reactor::Backend;
use serde::{Deserialize, Serialize};

use super::datagrams;

/// Descriptors that are needed beside those of the connections: the loop's own, the clock's, those of
/// files in /proc, and what the process was born with.
const BESIDE: usize = 32;

/// What is asked of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Each connection sends a message, awaits the echo, and sends the next; or by a rate.
    #[default]
    Echo,
    /// The same, beside a crowd of connections that are idle.
    Crowd,
    /// The same, beside connections that send as much as goes, and read slowly.
    Slow,
    /// Each connection sends as much as goes, and reads what comes back at the same time.
    Bulk,
    /// Connects, sends one message, awaits the echo, closes; and again.
    Connect,
    /// Datagrams, of which some may be lost.
    Udp,
}

/// What to send, to whom, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is asked.
    pub mode: Mode,
    /// The echo server.
    pub server: SocketAddr,
    /// How many connections ask at the same time.
    pub connections: NonZeroUsize,
    /// How many more there are: idle ones, or slow readers, as the mode says.
    pub others: usize,
    /// After how long others of a crowd ask in place of those that did so far; without it, it is always the
    /// same ones.
    pub moving: Option<Duration>,
    /// Messages a second in an open loop, on all connections together; without it, the loop is closed.
    pub rate: Option<NonZeroU64>,
    /// How many messages of a connection may be under way.
    pub depth: NonZeroUsize,
    /// Bytes of a message.
    pub size: NonZeroUsize,
    /// How long to send before the measurement begins.
    pub warmup: Duration,
    /// How long to send while measuring.
    pub measured: Duration,
    /// How long to wait for the next connection, and for the last echoes, before giving up.
    pub patience: Duration,
    /// After how long a datagram is lost.
    pub timeout: Duration,
    /// The server's process, whose CPU time and memory are to be read.
    pub pid: Option<u32>,
    /// Whether to count the server's system calls, too, in a time of its own: that slows it down.
    pub system_calls: bool,
    /// The mechanism of the load's own loop.
    pub backend: Backend,
}

impl Mode {
    /// The name: that of the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
    }
}

impl Plan {
    /// How many bytes a message over UDP may have.
    pub const DATAGRAMS: RangeInclusive<usize> = datagrams::SHORTEST..=datagrams::LONGEST;

    /// How many connections there are in all.
    pub(super) fn all_connections(&self) -> usize {
        self.connections.get().saturating_add(self.others)
    }

    /// How many descriptors it takes.
    pub fn descriptors(&self) -> usize {
        self.all_connections().saturating_add(BESIDE)
    }
}
