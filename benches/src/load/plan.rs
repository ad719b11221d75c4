//! What a load is to do.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::ValueEnum;
use reactor::Backend;
use serde::{Deserialize, Serialize};

/// Descriptors that are needed beside those of the connections: the loop's own, the clock's, those of
/// files in /proc, and what the process was born with.
const BESIDE: usize = 32;

/// What is asked of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Each connection sends a message, awaits the echo, and sends the next.
    #[default]
    Echo,
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
    /// The server's process, whose CPU time and memory are to be read.
    pub pid: Option<u32>,
    /// The mechanism of the load's own loop.
    pub backend: Backend,
}

impl Plan {
    /// How many connections there are in all.
    pub(super) fn all_connections(&self) -> usize {
        self.connections.get()
    }

    /// How many descriptors it takes.
    pub fn descriptors(&self) -> usize {
        self.all_connections() + BESIDE
    }
}
