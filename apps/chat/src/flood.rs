//! How fast a client may talk: some lines at once, then so many a second.

use std::time::{Duration, Instant};

/// What a client has left of its allowance, as the one time at which it would have all of it again.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    full_at: Instant,
}

impl Allowance {
    /// All of it.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one line of it: of `burst` lines, of which one comes back each `period`.
    ///
    /// # Errors
    ///
    /// If there is none left: how long until there is.
    pub fn take(&mut self, now: Instant, burst: u32, period: Duration) -> Result<(), Duration> {
        let full_at = self.full_at.max(now);
        let missing = full_at - now;
        let most = period * burst.saturating_sub(1);
        if missing > most {
            return Err(missing - most);
        }
        self.full_at = full_at + period;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PERIOD: Duration = Duration::from_millis(500);

    #[test]
    fn a_burst_and_then_one_a_period() {
        let begin = Instant::now();
        let mut allowance = Allowance::new(begin);
        for _ in 0..5 {
            assert_eq!(allowance.take(begin, 5, PERIOD), Ok(()));
        }
        assert_eq!(allowance.take(begin, 5, PERIOD), Err(PERIOD));
        assert_eq!(allowance.take(begin + PERIOD / 2, 5, PERIOD), Err(PERIOD / 2));
        assert_eq!(allowance.take(begin + PERIOD, 5, PERIOD), Ok(()));
        assert_eq!(allowance.take(begin + PERIOD, 5, PERIOD), Err(PERIOD));
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_what_came_back(
            burst in 1..10_u32,
            steps in proptest::collection::vec(0..2000_u64, 1..100),
        ) {
            let begin = Instant::now();
            let mut now = begin;
            let mut allowance = Allowance::new(begin);
            let mut taken = 0;
            for step in steps {
                now += Duration::from_millis(step);
                match allowance.take(now, burst, PERIOD) {
                    Ok(()) => taken += 1,
                    Err(wait) => prop_assert_eq!(allowance.clone().take(now + wait, burst, PERIOD), Ok(())),
                }
                let back = u32::try_from((now - begin).as_millis() / PERIOD.as_millis()).expect("few");
                prop_assert!(taken <= burst + back);
            }
        }
    }
}
