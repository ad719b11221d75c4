//! Latencies, as a histogram and as what is said of it.

use std::fmt;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The longest latency that is told apart, in nanoseconds: an hour. A longer one counts as that.
const MOST: u64 = 3_600_000_000_000;
/// Significant decimal digits of each figure.
const DIGITS: u8 = 3;

/// How latencies are spread, in nanoseconds, each figure exact to three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of all were at most that.
    pub p50: u64,
    /// Nine in ten were.
    pub p90: u64,
    /// All but one in a hundred.
    pub p99: u64,
    /// All but one in a thousand.
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

/// In microseconds.
impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |nanos: u64| nanos as f64 / 1e3;
        let Self { p50, p90, p99, p999, max } = self;
        write!(
            f,
            "p50 {:.1}, p90 {:.1}, p99 {:.1}, p99.9 {:.1}, max {:.1} µs",
            micros(*p50),
            micros(*p90),
            micros(*p99),
            micros(*p999),
            micros(*max)
        )
    }
}

/// Counts latencies.
pub(crate) struct Latencies {
    histogram: Histogram<u64>,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, MOST, DIGITS);
        Self { histogram: histogram.expect("bounds that a histogram can have") }
    }

    #[inline]
    pub(crate) fn record(&mut self, nanos: u64) {
        self.histogram.saturating_record(nanos);
    }

    pub(crate) fn clear(&mut self) {
        self.histogram.reset();
    }

    /// What there is to say, if anything was recorded.
    pub(crate) fn summary(&self) -> Option<Latency> {
        let at = |quantile| self.histogram.value_at_quantile(quantile);
        (!self.histogram.is_empty()).then(|| Latency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: self.histogram.max(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_recorded_says_nothing() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.summary(), None);
        latencies.record(1000);
        latencies.clear();
        assert_eq!(latencies.summary(), None);
    }

    #[test]
    fn figures_are_exact_to_three_digits() {
        let mut latencies = Latencies::new();
        for micros in 1..=10_000 {
            latencies.record(micros * 1000);
        }
        let found = latencies.summary().unwrap();
        let table = [
            (found.p50, 5_000_000),
            (found.p90, 9_000_000),
            (found.p99, 9_900_000),
            (found.p999, 9_990_000),
            (found.max, 10_000_000),
        ];
        for (found, expected) in table {
            assert!(found.abs_diff(expected) <= expected / 1000, "{found} for {expected}");
        }
    }

    #[test]
    fn what_is_too_long_counts_as_the_longest() {
        let mut latencies = Latencies::new();
        latencies.record(u64::MAX);
        assert!(latencies.summary().unwrap().max >= MOST);
    }
}
