//! How much of a stream may wait in memory, and for how long.

use std::time::Duration;

/// The limits of one connection: bytes that may wait in either direction, and times.
///
/// New connections have those of their listener ([`Context::set_listener_limits`]) or else of the
/// reactor ([`Options::limits`]); [`Context::set_limits`] changes those of one.
///
/// [`Context::set_listener_limits`]: crate::Context::set_listener_limits
/// [`Options::limits`]: crate::Options::limits
/// [`Context::set_limits`]: crate::Context::set_limits
///
/// ```
/// use std::time::Duration;
/// use reactor::Limits;
///
/// let mut limits = Limits::default();
/// limits.idle_timeout = Some(Duration::from_secs(60));
/// limits.write_high = 1 << 20;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Read low-water, bytes: `data` comes once this many are unread, or at the end of the stream.
    /// Default 1. [`Context::set_read_low`](crate::Context::set_read_low) changes it alone.
    ///
    /// It is exact on every kind of stream. On TCP, Linux helps (SO_RCVLOWAT, socket(7)): where more than
    /// a segment is still to come, the loop isn't woken for each one, but once for as many bytes as are
    /// missing, or for 128 KiB. For that the receive buffer grows to twice as much, unless
    /// [`SO_RCVBUF`](crate::options::SO_RCVBUF) was set. With a mark of 1 the kernel's isn't touched.
    pub read_low: usize,
    /// Read high-water, bytes: with this many left unread by the handler, reading pauses until it
    /// takes some. Raised to `read_low` where it is lower. Default 1 MiB.
    ///
    /// So it is also the longest message that a handler can wait for: with one that is longer, nothing
    /// comes any more, neither `data` nor the peer's end. A handler that sees this many bytes and no
    /// whole message among them should take them, close the connection, or raise the mark.
    pub read_high: usize,
    /// Write low-water, bytes: once the queue is back at it, `drained` comes. Default 64 KiB.
    pub write_low: usize,
    /// Write high-water, bytes: with more queued than this, `send` says
    /// [`AboveHighWater`](crate::Sent::AboveHighWater). Default 256 KiB. The bytes of that `send` are
    /// queued, too, so that as much more may wait as the handler sends at once.
    pub write_high: usize,
    /// The most bytes that may be queued, of which each `send_shared` and each urgent byte counts
    /// for 64 more; who sends more loses the connection ([`CloseReason::Overflow`](crate::CloseReason::Overflow)). Default
    /// 16 MiB.
    pub write_cap: usize,
    /// Ends a connection on which nothing came and nothing went for so long. Default: never. With
    /// `read_low` above 1, on TCP, when the last bytes came isn't always known, and it may last up to
    /// twice as long.
    pub idle_timeout: Option<Duration>,
    /// How long [`close`](crate::Context::close) waits for the peer to take what is queued, and then to
    /// end its side, both together. Default 5 s. For its end it is also waited no longer than for 1 MiB
    /// of its bytes.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read_low: 1,
            read_high: 1024 * 1024,
            write_low: 64 * 1024,
            write_high: 256 * 1024,
            write_cap: 16 * 1024 * 1024,
            idle_timeout: None,
            drain_timeout: Duration::from_secs(5),
        }
    }
}
