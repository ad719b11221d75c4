//! How long to wait before it is tried again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// A tick of the timers, which no wait is shorter than: twice zero is zero, and a loop that tries again
/// at once does nothing else.
const LEAST: Duration = Duration::from_millis(1);

/// Waits that double from the first to the longest one, each cut at random by up to a half: so that
/// many who failed at the same time don't all come back at the same time.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
    random: u64,
}

impl Backoff {
    /// The waits of one that is tried for the first time, with its own chance.
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        // The keys of the hash maps are the randomness that the standard library has.
        Self::seeded(first, most, RandomState::new().build_hasher().finish())
    }

    pub(super) fn seeded(first: Duration, most: Duration, seed: u64) -> Self {
        let most = most.max(LEAST);
        let first = first.clamp(LEAST, most);
        Self { first, most, next: first, random: seed }
    }

    /// The next wait.
    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.most);
        wait - wait.mul_f64(self.chance() / 2.0)
    }

    /// It went well: the next wait is the first again.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// A number from 0 up to 1, by SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom
    /// Number Generators", OOPSLA 2014).
    fn chance(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // As many bits as a f64 holds exactly.
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_double_and_are_cut_by_half_at_most(
            first in 0_u64..10_000, most in 0_u64..100_000, seed: u64, count in 1_usize..70,
        ) {
            let (first, most) = (Duration::from_millis(first), Duration::from_millis(most));
            let mut backoff = Backoff::seeded(first, most, seed);
            let most = most.max(LEAST);
            let first = first.clamp(LEAST, most);
            let mut whole = first;
            for _ in 0..count {
                let wait = backoff.next();
                prop_assert!(wait <= whole && wait >= whole / 2, "{:?} of {:?}", wait, whole);
                prop_assert!(!wait.is_zero());
                whole = (whole * 2).min(most);
            }
            backoff.reset();
            prop_assert!(backoff.next() <= first);
        }
    }

    #[test]
    fn nobody_waits_as_long_as_the_others() {
        let waits: std::collections::HashSet<_> =
            (0..100).map(|_| Backoff::new(Duration::from_secs(1), Duration::MAX).next()).collect();
        assert!(waits.len() > 90);
    }

    #[test]
    fn the_longest_wait_has_no_end_to_overflow() {
        let mut backoff = Backoff::seeded(Duration::from_secs(1), Duration::MAX, 7);
        for _ in 0..200 {
            backoff.next();
        }
    }
}
