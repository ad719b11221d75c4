//! What a connection is: a socket, what waits in either direction, and how far its end has come.

mod buffer;
mod input;
mod state;
mod watermarks;

use std::io;
use std::sync::Arc;

use socket2::Socket;

pub(crate) use buffer::{Flushed, Outgoing, Pool, send};
pub use input::Input;
pub use state::CloseReason;
pub(crate) use state::{Phase, State};
pub use watermarks::Limits;

use crate::ids::ListenerId;
use crate::poller::Interest;
use crate::timer::TimerId;

/// Bytes that are gathered during one callback before they go to the socket.
pub(crate) const GATHER: usize = 64 * 1024;

/// A stream socket and all that the loop knows of it. An idle one owns no buffer.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: Socket,
    /// What the poller was asked for.
    pub(crate) interest: Interest,
    pub(crate) state: State,
    /// What the handler left behind.
    #[expect(clippy::box_collection, reason = "most connections have none: their size counts")]
    pub(crate) unread: Option<Box<Vec<u8>>>,
    /// What the peer hasn't taken.
    pub(crate) outgoing: Option<Box<Outgoing>>,
    /// Why it ends: the first reason, which no later one replaces.
    pub(crate) reason: Option<Box<CloseReason>>,
    pub(crate) limits: Arc<Limits>,
    /// Of the limits, what each delivery asks for.
    pub(crate) read_low: usize,
    /// Of the limits, how much may be gathered.
    gather_most: usize,
    /// Bytes that came while it was lingering.
    pub(crate) lingered: u32,
    /// Where it was accepted.
    pub(crate) listener: Option<ListenerId>,
    /// The idle timeout while it is open, the deadline while it drains.
    pub(crate) timer: Option<TimerId>,
    /// The turn's time, in milliseconds, when bytes last came or went.
    pub(crate) active: u64,
}

impl Connection {
    pub(crate) fn new(socket: Socket, limits: Arc<Limits>, listener: Option<ListenerId>) -> Self {
        let mut connection = Self {
            socket,
            interest: Interest::READABLE,
            state: State::default(),
            unread: None,
            outgoing: None,
            reason: None,
            read_low: 0,
            gather_most: 0,
            lingered: 0,
            limits,
            listener,
            timer: None,
            active: 0,
        };
        connection.remember();
        connection
    }

    /// Bytes queued for the peer.
    pub(crate) fn queued(&self) -> usize {
        self.outgoing.as_ref().map_or(0, |queue| queue.len())
    }

    /// Bytes that the handler left behind.
    pub(crate) fn unread(&self) -> usize {
        self.unread.as_ref().map_or(0, |bytes| bytes.len())
    }

    /// Whether it reads, nothing waits in either direction, and nothing has begun to end: so it is
    /// with almost every message, and then there is nothing else to ask.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.state == State::default() && self.unread.is_none() && self.outgoing.is_none()
    }

    /// How many bytes of one callback may be gathered, unless there is a queue to wait behind, or
    /// nothing may be sent: never more than the high-water mark, so that `send` can tell of it.
    #[inline]
    pub(crate) fn gather_room(&self) -> Option<usize> {
        let gathers = self.is_plain() || self.outgoing.is_none() && self.state.accepts_sends();
        gathers.then_some(self.gather_most)
    }

    /// Keeps what each message asks of the limits at hand.
    pub(crate) fn remember(&mut self) {
        self.read_low = self.limits.read_low;
        self.gather_most = self.limits.write_high.min(GATHER);
    }

    /// What the poller should be asked for in this state.
    pub(crate) fn wanted(&self) -> Interest {
        let mut wanted = Interest::NONE;
        if self.reads() {
            wanted |= Interest::READABLE;
        }
        if self.queued() > 0 && self.state.can_write() {
            wanted |= Interest::WRITABLE;
        }
        wanted
    }

    /// Whether there is a point in reading from the socket.
    pub(crate) fn reads(&self) -> bool {
        match self.state.phase() {
            Phase::Open => {
                !self.state.has(State::READ_ENDED)
                    && !self.state.has(State::PAUSED)
                    && self.unread() < self.limits.pause_at()
            }
            // Read and dropped: a peer that waits for us to read may never read itself.
            Phase::Draining | Phase::Lingering => !self.state.has(State::READ_ENDED),
            Phase::Closed => false,
        }
    }

    /// Keeps the first reason.
    pub(crate) fn latch(&mut self, reason: CloseReason) {
        self.reason.get_or_insert_with(|| Box::new(reason));
    }

    /// The queue, which an idle connection doesn't own.
    pub(crate) fn queue(&mut self) -> &mut Outgoing {
        self.outgoing.get_or_insert_default()
    }

    /// Ends the connection with an RST when the socket is closed (socket(7), SO_LINGER).
    pub(crate) fn reset_on_close(&self) -> io::Result<()> {
        self.socket.set_linger(Some(std::time::Duration::ZERO))
    }
}
