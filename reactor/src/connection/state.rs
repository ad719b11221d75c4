//! How far the end of a connection has come.

use std::fmt;
use std::io;

/// What the loop still does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Reads and writes.
    Open,
    /// Writes what is queued; drops what it reads.
    Draining,
    /// Has sent all and said so (SHUT_WR); reads and drops what still comes, so that the kernel needn't
    /// answer it with an RST, which could overtake our last bytes.
    Lingering,
    /// Waits for the end of the turn.
    Closed,
}

/// The phase and the flags of a connection, in one word: the default is an open one that reads, and for
/// which nothing waits in either direction. So it is with almost every message, and then there is
/// nothing else to ask: to see that costs one comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State(u32);

impl State {
    /// The handler asked for a pause.
    pub(crate) const PAUSED: Self = Self(1 << 2);
    /// The peer's end of the stream was read.
    pub(crate) const READ_ENDED: Self = Self(1 << 3);
    /// The handler will send no more.
    pub(crate) const FINISHING: Self = Self(1 << 4);
    /// The peer was told that no more comes.
    pub(crate) const WRITE_ENDED: Self = Self(1 << 5);
    /// A write failed: nothing can be sent any more.
    pub(crate) const WRITE_FAILED: Self = Self(1 << 6);
    /// The queue went above the high-water mark and isn't back at the low one.
    pub(crate) const ABOVE_HIGH: Self = Self(1 << 7);
    /// It stands in the list of those to flush.
    pub(crate) const FLUSH_DUE: Self = Self(1 << 8);
    /// It stands in the list of those whose left-over bytes are to be delivered.
    pub(crate) const DELIVER_DUE: Self = Self(1 << 9);
    /// The deadline of its end runs.
    pub(crate) const DRAIN_TIMED: Self = Self(1 << 10);
    /// The peer's end was read, and isn't told yet.
    pub(crate) const END_DUE: Self = Self(1 << 11);
    /// The handler has left bytes behind.
    pub(super) const UNREAD: Self = Self(1 << 12);
    /// There is a queue.
    pub(super) const QUEUED: Self = Self(1 << 13);
    /// The poller was asked for something else than reading alone.
    pub(super) const ASKED_OTHERWISE: Self = Self(1 << 14);
    /// The read low-water mark is another one than at the last delivery.
    pub(crate) const NEW_MARK: Self = Self(1 << 15);
    /// Only what was left behind is to be delivered, without a read.
    pub(crate) const NO_READ: Self = Self(1 << 16);
    /// It is to be delivered also if it is less than the low-water mark: no more will come.
    pub(crate) const LAST: Self = Self(1 << 17);
    /// The handler wants urgent data.
    pub(crate) const URGENT: Self = Self(1 << 18);
    /// Where the phase stands.
    const PHASE: u32 = 0b11;

    /// Whether it is the default.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub(crate) fn phase(self) -> Phase {
        match self.0 & Self::PHASE {
            0 => Phase::Open,
            1 => Phase::Draining,
            2 => Phase::Lingering,
            _ => Phase::Closed,
        }
    }

    pub(crate) fn set_phase(&mut self, phase: Phase) {
        self.0 = self.0 & !Self::PHASE | phase as u32;
    }

    #[inline]
    pub(crate) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    #[inline]
    pub(crate) fn set(&mut self, flag: Self) {
        self.0 |= flag.0;
    }

    #[inline]
    pub(crate) fn clear(&mut self, flag: Self) {
        self.0 &= !flag.0;
    }

    /// Whether the handler may send.
    pub(crate) fn accepts_sends(self) -> bool {
        let ended = Self(Self::PHASE | Self::FINISHING.0 | Self::WRITE_FAILED.0);
        !self.has(ended)
    }

    /// Whether queued bytes can still go.
    pub(crate) fn can_write(self) -> bool {
        let ended = Self(Self::WRITE_ENDED.0 | Self::WRITE_FAILED.0);
        matches!(self.phase(), Phase::Open | Phase::Draining) && !self.has(ended)
    }
}

/// Why a connection ended: the first reason there was.
#[derive(Debug)]
#[non_exhaustive]
pub enum CloseReason {
    /// All that was queued was sent, and the peer was told that no more comes. Mostly it has finished,
    /// too; but after a [`close`](crate::Context::close), one that doesn't is waited for no longer than
    /// [`Limits::drain_timeout`](crate::Limits::drain_timeout), nor than for 1 MiB of its bytes.
    Finished,
    /// The handler aborted it.
    Aborted,
    /// Reading or writing failed: the first error, with its errno.
    Error(io::Error),
    /// More was queued than [`Limits::write_cap`](crate::Limits::write_cap) allows.
    Overflow,
    /// Nothing came and nothing went for [`Limits::idle_timeout`](crate::Limits::idle_timeout).
    Idle,
    /// The peer didn't take all that was queued within
    /// [`Limits::drain_timeout`](crate::Limits::drain_timeout).
    Undelivered {
        /// Bytes that were dropped.
        unsent: usize,
    },
    /// The loop stopped.
    Stopped {
        /// Bytes that were dropped.
        unsent: usize,
    },
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => write!(f, "finished"),
            Self::Aborted => write!(f, "aborted"),
            Self::Error(error) => write!(f, "{error}"),
            Self::Overflow => write!(f, "the peer was too slow: the queue outgrew its cap"),
            Self::Idle => write!(f, "idle for too long"),
            Self::Undelivered { unsent } => {
                write!(f, "the peer didn't take the last {unsent} bytes in time")
            }
            Self::Stopped { unsent } => write!(f, "the loop stopped, {unsent} bytes unsent"),
        }
    }
}
