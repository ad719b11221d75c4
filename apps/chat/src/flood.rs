//! How fast a client may talk: some lines at once, then so many a second.

use std::time::{Duration, Instant};

/// Lines that a client may owe at most, for work that its last one was beyond what a line is.
pub const MOST_OWED: u32 = 20;

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

    /// Takes more of it for what was done already and turned out to be more work than a line's: it isn't
    /// refused, but has to come back before the next line. That lasts for no more than [`MOST_OWED`] periods.
    pub fn charge(&mut self, now: Instant, lines: u32, burst: u32, period: Duration) {
        let most = now + period * (burst + MOST_OWED);
        let full_at = self.full_at.max(now) + period * lines.min(MOST_OWED);
        self.full_at = full_at.min(most.max(self.full_at));
    }

    /// Whether nothing of it is missing.
    #[must_use]
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
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

    #[test]
    fn work_is_owed_and_never_for_ever() {
        let begin = Instant::now();
        let mut allowance = Allowance::new(begin);
        assert!(allowance.is_full(begin));
        assert_eq!(allowance.take(begin, 5, PERIOD), Ok(()));
        allowance.charge(begin, 6, 5, PERIOD);
        assert_eq!(allowance.take(begin, 5, PERIOD), Err(PERIOD * 3));
        for _ in 0..1000 {
            allowance.charge(begin, u32::MAX, 5, PERIOD);
        }
        let wait = allowance.take(begin, 5, PERIOD).expect_err("it owes");
        assert_eq!(wait, PERIOD * (MOST_OWED + 1));
        assert_eq!(allowance.take(begin + wait, 5, PERIOD), Ok(()));
        assert!(!allowance.is_full(begin + wait));
        assert!(allowance.is_full(begin + PERIOD * 100));
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
