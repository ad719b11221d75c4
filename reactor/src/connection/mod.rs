//! What a connection is: a socket, what waits in either direction, and how far its end has come.

mod buffer;
mod input;
mod kernel_mark;
mod left;
mod state;
mod watermarks;

use std::io::{self, Read};
use std::sync::Arc;

use socket2::Socket;

pub(crate) use buffer::{Flushed, Outgoing, PIECE, Pool, send, send_urgent};
pub use input::Input;
use kernel_mark::KernelMark;
pub(crate) use kernel_mark::Rise;
pub(crate) use left::Left;
pub use state::CloseReason;
pub(crate) use state::{Phase, State};
pub use watermarks::Limits;

use crate::ids::{ListenerId, PeerId};
use crate::net::control;
use crate::poller::Interest;
use crate::timer::TimerId;

/// Bytes that are gathered during one callback before they go to the socket.
pub(crate) const GATHER: usize = 64 * 1024;

/// How often input is read to be dropped, when a connection ends at once.
const DROPPED_READS: usize = 512;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A listener accepted it.
    Listener(ListenerId),
    /// The handler connected it.
    Handler,
    /// It is that of a peer that is kept connected.
    Peer(PeerId),
}

/// A stream socket and all that the loop knows of it. An idle one owns no buffer.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: Socket,
    /// What the poller was asked for.
    interest: Interest,
    pub(crate) state: State,
    /// What the handler left behind.
    unread: Option<Box<Left>>,
    /// What the peer hasn't taken.
    outgoing: Option<Box<Outgoing>>,
    /// Why it ends: the first reason, which no later one replaces.
    pub(crate) reason: Option<Box<CloseReason>>,
    pub(crate) limits: Arc<Limits>,
    /// How many unread bytes a delivery needs, at least one: that of the limits, unless it was set apart.
    pub(crate) read_low: usize,
    /// How many it needed at the last delivery, if [`State::NEW_MARK`] says that it is another number now.
    /// Beyond a `u32` they are all one.
    low_before: u32,
    /// What the kernel knows of that.
    kernel_mark: KernelMark,
    /// Of the limits, how much may be gathered.
    pub(crate) gather_most: usize,
    /// Bytes that came while it was lingering.
    pub(crate) lingered: u32,
    pub(crate) origin: Origin,
    /// The idle timeout while it is open, the deadline while it drains.
    pub(crate) timer: Option<TimerId>,
    /// The turn's time, in milliseconds, when bytes last came or went.
    pub(crate) active: u64,
}

impl Connection {
    pub(crate) fn new(socket: Socket, limits: Arc<Limits>, origin: Origin) -> Self {
        let read_low = limits.read_low.max(1);
        let mut connection = Self {
            socket,
            interest: Interest::READABLE,
            state: State::default(),
            unread: None,
            outgoing: None,
            reason: None,
            read_low,
            low_before: 0,
            kernel_mark: KernelMark::default(),
            gather_most: 0,
            lingered: 0,
            limits,
            origin,
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

    /// Whether `more` bytes can be queued below the cap.
    pub(crate) fn has_room_for(&self, more: usize) -> bool {
        let cost = self.outgoing.as_ref().map_or(0, |queue| queue.cost());
        more <= self.limits.write_cap.saturating_sub(cost)
    }

    /// Whether more is queued than the high-water mark.
    pub(crate) fn is_above_high(&self) -> bool {
        self.queued() > self.limits.write_high
    }

    /// The queue, which an idle connection doesn't own.
    pub(crate) fn queue(&mut self, pool: &mut Pool) -> &mut Outgoing {
        self.state.set(State::QUEUED);
        self.outgoing.get_or_insert_with(|| pool.queue())
    }

    /// Whether there is a queue to wait behind.
    pub(crate) fn has_queue(&self) -> bool {
        self.outgoing.is_some()
    }

    /// Sends what the socket takes of the queue.
    pub(crate) fn flush(&mut self, pool: &mut Pool) -> io::Result<Flushed> {
        let Some(queue) = &mut self.outgoing else { return Ok(Flushed::All) };
        let flushed = queue.flush(&self.socket, pool)?;
        if flushed == Flushed::All {
            self.state.clear(State::QUEUED);
            if let Some(queue) = self.outgoing.take() {
                pool.give_queue(queue);
            }
        }
        Ok(flushed)
    }

    /// Sends what the socket takes of the queue before the turn ends: how many bytes. In one turn that
    /// is bounded by the cap, so that a peer that reads as fast as it is sent to can't keep a callback
    /// from ever reaching a mark.
    pub(crate) fn flush_early(&mut self, pool: &mut Pool) -> io::Result<usize> {
        match &mut self.outgoing {
            Some(queue) => queue.flush_early(&self.socket, pool, self.limits.write_cap),
            None => Ok(0),
        }
    }

    /// Gives the queue back, with what is in it.
    pub(crate) fn discard_queue(&mut self, pool: &mut Pool) {
        self.state.clear(State::QUEUED);
        if let Some(queue) = self.outgoing.take() {
            queue.discard(pool);
        }
    }

    /// Bytes that the handler left behind.
    pub(crate) fn unread(&self) -> usize {
        self.unread.as_ref().map_or(0, |left| left.len())
    }

    /// Reads from the socket: how many bytes, zero at the end of the stream.
    #[inline]
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.socket).read(buffer)
    }

    /// Takes what the handler left behind.
    pub(crate) fn take_unread(&mut self) -> Option<Box<Left>> {
        self.state.clear(State::UNREAD);
        self.unread.take()
    }

    /// Keeps what the handler left behind.
    pub(crate) fn keep_unread(&mut self, left: Box<Left>) {
        self.state.set(State::UNREAD);
        self.unread = Some(left);
    }

    /// Fewer bytes than this may be gathered during one callback: none if there is a queue to wait
    /// behind, or if nothing may be sent; and never more than the high-water mark, so that `send` can
    /// tell of it.
    #[inline]
    pub(crate) fn gather_room(&self) -> usize {
        let gathers = !self.has_queue() && self.state.accepts_sends();
        if gathers { self.gather_most } else { 0 }
    }

    /// Keeps what each message asks of the limits at hand. Says whether the read low-water mark is another
    /// one now.
    pub(crate) fn remember(&mut self) -> bool {
        self.gather_most = self.limits.write_high.min(GATHER);
        self.set_read_low(self.limits.read_low)
    }

    /// Sets the read low-water mark, and says whether it is another one now.
    pub(crate) fn set_read_low(&mut self, bytes: usize) -> bool {
        let bytes = bytes.max(1);
        if bytes == self.read_low {
            return false;
        }
        let short = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
        if !self.state.has(State::NEW_MARK) {
            self.low_before = short(self.read_low);
        }
        self.read_low = bytes;
        // Who sets it to and fro has changed nothing.
        if short(bytes) == self.low_before {
            self.state.clear(State::NEW_MARK);
        } else {
            self.state.set(State::NEW_MARK);
        }
        true
    }

    /// Has the kernel keep silent below the low-water mark, as far as it can, and not where each byte
    /// counts: those before an urgent one, and those that are dropped before the end.
    #[inline]
    pub(crate) fn tell_mark(&mut self, rise: Rise) {
        if self.read_low > 1 || self.kernel_mark.is_raised() {
            self.tell_what_is_missing(rise);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_what_is_missing(&mut self, rise: Rise) {
        if self.reads() {
            let waits = self.state.phase() == Phase::Open && !self.state.has(State::URGENT);
            let missing = if waits { self.read_low.saturating_sub(self.unread()) } else { 1 };
            self.kernel_mark.follow(&self.socket, missing, rise);
        }
    }

    /// Whether bytes have come that the kernel keeps silent about, or may have: at the place of an urgent
    /// byte none are counted that stand behind it. They are told from now on.
    pub(crate) fn finds_silent_bytes(&mut self) -> bool {
        let waits = self.kernel_mark.is_raised()
            && self.reads()
            && (control::readable_bytes(&self.socket).is_ok_and(|count| count > 0)
                || control::at_mark(&self.socket).unwrap_or(false));
        if waits {
            self.kernel_mark.follow(&self.socket, 1, Rise::Exact);
        }
        waits
    }

    /// What the poller was asked for.
    pub(crate) fn interest(&self) -> Interest {
        self.interest
    }

    /// What the poller is to be asked for in this state, if that is something else than before.
    pub(crate) fn new_interest(&mut self) -> Option<Interest> {
        let mut wanted = Interest::NONE;
        if self.reads() {
            wanted |= Interest::READABLE;
        }
        if self.queued() > 0 && self.state.can_write() {
            wanted |= Interest::WRITABLE;
        }
        if self.hears_urgent() {
            wanted |= Interest::PRIORITY;
        }
        if wanted == self.interest {
            return None;
        }
        self.interest = wanted;
        self.state.clear(State::ASKED_OTHERWISE);
        if wanted != Interest::READABLE {
            self.state.set(State::ASKED_OTHERWISE);
        }
        Some(wanted)
    }

    /// Whether there is a point in reading from the socket.
    pub(crate) fn reads(&self) -> bool {
        match self.state.phase() {
            Phase::Open => {
                !self.state.has(State::READ_ENDED)
                    && !self.state.has(State::PAUSED)
                    && self.unread() < self.limits.read_high.max(self.read_low)
            }
            // Read and dropped: a peer that waits for us to read may never read itself.
            Phase::Draining | Phase::Lingering => !self.state.has(State::READ_ENDED),
            Phase::Closed => false,
        }
    }

    /// Whether urgent data is asked for: also while reading pauses, since it doesn't wait its turn.
    pub(crate) fn hears_urgent(&self) -> bool {
        self.state.has(State::URGENT)
            && self.state.phase() == Phase::Open
            && !self.state.has(State::READ_ENDED)
    }

    /// Keeps the first reason.
    pub(crate) fn latch(&mut self, reason: CloseReason) {
        self.reason.get_or_insert_with(|| Box::new(reason));
    }

    /// Reads what has come and drops it, so that to close the socket doesn't reset what the system still
    /// has to deliver. Bounded: a peer that goes on sending is reset nevertheless.
    pub(crate) fn drop_input(&self) {
        let mut buffer = [0; 16 * 1024];
        for _ in 0..DROPPED_READS {
            if !matches!(self.read(&mut buffer), Ok(count) if count > 0) {
                return;
            }
        }
    }

    /// Ends the connection with an RST when the socket is closed (socket(7), SO_LINGER).
    pub(crate) fn reset_on_close(&self) -> io::Result<()> {
        self.socket.set_linger(Some(std::time::Duration::ZERO))
    }
}
