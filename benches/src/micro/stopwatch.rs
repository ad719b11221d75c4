//! Times of things that are hardly longer than two looks at the clock.

use std::time::{Duration, Instant};

/// Adds up short times, each without what the clock itself takes.
pub(super) struct Stopwatch {
    total: Duration,
    laps: u32,
    clock: Duration,
}

impl Stopwatch {
    pub(super) fn new() -> Self {
        // The quickest of some tries: what disturbs the clock makes it slower.
        let tries = (0..100).map(|_| {
            let start = Instant::now();
            start.elapsed()
        });
        let clock = tries.min().unwrap_or_default();
        Self { total: Duration::ZERO, laps: 0, clock }
    }

    #[inline]
    pub(super) fn time<T>(&mut self, what: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = what();
        self.total += start.elapsed();
        self.laps += 1;
        done
    }

    pub(super) fn total(&self) -> Duration {
        self.total.saturating_sub(self.clock * self.laps)
    }
}
