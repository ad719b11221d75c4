//! Latencies, as a histogram and as what is said of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest latency that is told apart, in nanoseconds: an hour. A longer one counts as that.
const MOST: u64 = 3_600_000_000_000;
/// Leading bits by which latencies are told apart: with eleven of them a figure is off by less than
/// one in 1024.
const BITS: u32 = 11;
/// Of that many leading bits, as the first of them is set.
const HALF: usize = 1 << (BITS - 1);

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

/// Counts latencies: how many there were with the same leading bits.
///
/// The places are those of an HDR histogram of three digits. The crate of that name leaves all bounds to
/// the run time, and takes five times as many instructions to count one.
pub(super) struct Latencies {
    counts: Box<[u64]>,
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; place(MOST) + 1].into() }
    }

    #[inline]
    pub(super) fn record(&mut self, nanos: u64) {
        self.counts[place(nanos.min(MOST))] += 1;
    }

    pub(super) fn clear(&mut self) {
        self.counts.fill(0);
    }

    /// What there is to say, if anything was recorded.
    pub(super) fn summary(&self) -> Option<Latency> {
        let all: u64 = self.counts.iter().sum();
        (all > 0).then(|| Latency {
            p50: self.least_of(share(all, 500)),
            p90: self.least_of(share(all, 900)),
            p99: self.least_of(share(all, 990)),
            p999: self.least_of(share(all, 999)),
            max: self.least_of(all),
        })
    }

    /// What so many latencies don't exceed.
    fn least_of(&self, many: u64) -> u64 {
        let mut count = 0;
        let reaches = self.counts.iter().position(|&here| {
            count += here;
            count >= many
        });
        reaches.map_or(0, most_at)
    }
}

/// So many thousandths of all, rounded up.
fn share(all: u64, thousandths: u64) -> u64 {
    all - all / 1000 * (1000 - thousandths) - all % 1000 * (1000 - thousandths) / 1000
}

/// Where latencies are counted that have the leading bits of this one. The first places hold one each, and
/// from there on each doubling of the latency takes as many.
#[inline]
fn place(nanos: u64) -> usize {
    let dropped = (nanos | (2 * HALF as u64 - 1)).ilog2() - (BITS - 1);
    dropped as usize * HALF + (nanos >> dropped) as usize
}

/// The longest latency that is counted at a place.
fn most_at(place: usize) -> u64 {
    let dropped = (place / HALF).saturating_sub(1);
    ((place - dropped * HALF + 1) as u64 * (1 << dropped)) - 1
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
    fn places_hold_neighbours_and_follow_each_other() {
        let mut last = None;
        let short = 0..5000_u64;
        let long = (13..42)
            .flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + (1 << (bits - 10))]);
        for nanos in short.chain(long) {
            let here = place(nanos);
            let most = most_at(here);
            assert!(nanos <= most && most - nanos <= nanos / HALF as u64, "{nanos} as {most}");
            assert_eq!((place(most), place(most + 1)), (here, here + 1), "{nanos}");
            assert!(Some(here) >= last, "{nanos}");
            last = Some(here);
        }
    }

    #[test]
    fn quantiles_of_few_are_those_that_so_many_do_not_exceed() {
        for (count, [p50, p90, p99, p999]) in [
            (1, [1, 1, 1, 1]),
            (2, [1, 2, 2, 2]),
            (10, [5, 9, 10, 10]),
            (1001, [501, 901, 991, 1000]),
        ] {
            let mut latencies = Latencies::new();
            (1..=count).for_each(|nanos| latencies.record(nanos));
            let expected = Latency { p50, p90, p99, p999, max: count };
            assert_eq!(latencies.summary(), Some(expected));
        }
    }

    #[test]
    fn what_is_too_long_counts_as_the_longest() {
        let mut latencies = Latencies::new();
        latencies.record(u64::MAX);
        assert!(latencies.summary().unwrap().max >= MOST);
    }
}
