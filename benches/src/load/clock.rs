//! The time as one number.

use std::time::Instant;

/// Tells the time in nanoseconds since it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now() }
    }

    /// Nanoseconds, good for 584 years.
    #[inline]
    pub(super) fn now(self) -> u64 {
        self.of(Instant::now())
    }

    #[inline]
    pub(super) fn of(self, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.origin);
        since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos())
    }
}
