//! What the crowd is to do.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use reactor::Backend;

/// Descriptors beside those of the connections.
const BESIDE: usize = 32;

/// Which server, and how it is approached.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The server.
    pub server: SocketAddr,
    /// Connects that are begun and not yet registered, at most.
    pub connects: NonZeroUsize,
    /// How long a message may be under way, or nobody join; four times as long, nobody be welcome.
    pub patience: Duration,
    /// The server's process, whose CPU time and memory are to be read.
    pub pid: Option<u32>,
    /// The mechanism of the load's own loop.
    pub backend: Backend,
}

/// Who says how much on the channel, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Fanout {
    /// Members who read, of whom there are two at least.
    pub members: NonZeroUsize,
    /// How many of them talk, too.
    pub senders: NonZeroUsize,
    /// Messages under way, of all senders together.
    pub outstanding: NonZeroUsize,
    /// Bytes of a message's text, of [`SIZES`](super::SIZES).
    pub size: usize,
    /// More members, who never read.
    pub stuck: usize,
    /// How long to talk before the measurement begins.
    pub warmup: Duration,
    /// How long to talk while measuring.
    pub measured: Duration,
}

impl Fanout {
    /// All who join.
    pub fn all(&self) -> usize {
        self.members.get().saturating_add(self.stuck)
    }
}

impl Target {
    /// How many descriptors it takes for so many clients.
    pub fn descriptors(clients: usize) -> usize {
        clients.saturating_add(BESIDE)
    }
}
