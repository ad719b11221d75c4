//! The times that answers took, as a distribution of bounded size.

use std::time::Duration;

/// Steps for each doubling of the time: each is at most 1/128 of it.
const BITS: u32 = 7;

/// Shortest and longest are exact; what is between is rounded up by less than 1 %.
#[derive(Default)]
pub(super) struct Times {
    count: u64,
    /// Of nanoseconds: how many there are of each [step](step_of), as far as there are any. That is
    /// 58 KiB at most.
    steps: Vec<u64>,
    least: u64,
    most: u64,
}

impl Times {
    pub(super) fn add(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let step = step_of(nanos);
        if step >= self.steps.len() {
            self.steps.resize(step + 1, 0);
        }
        self.steps[step] += 1;
        self.least = if self.count == 0 { nanos } else { self.least.min(nanos) };
        self.most = self.most.max(nanos);
        self.count += 1;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn min(&self) -> Duration {
        Duration::from_nanos(self.least)
    }

    pub(super) fn max(&self) -> Duration {
        Duration::from_nanos(self.most)
    }

    /// The time within which so many percent of the answers came.
    pub(super) fn percentile(&self, percent: u8) -> Duration {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        let step = self.steps.iter().position(|count| {
            seen += u128::from(*count);
            seen >= rank
        });
        let nanos = step.map_or(0, last_of).clamp(self.least, self.most);
        Duration::from_nanos(nanos)
    }
}

/// In which step a number is: exact up to 2^(BITS + 1), then by its first BITS + 1 bits.
fn step_of(number: u64) -> usize {
    let shift = number.checked_ilog2().unwrap_or(0).saturating_sub(BITS);
    ((u64::from(shift) << BITS) + (number >> shift)) as usize
}

/// The largest number of a step.
fn last_of(step: usize) -> u64 {
    let shift = (step >> BITS).saturating_sub(1);
    let first = (step - (shift << BITS)) as u64;
    (first << shift) | ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_one_another_without_a_gap() {
        let mut before = None;
        for step in 0..=step_of(u64::MAX) {
            let last = last_of(step);
            assert_eq!(step_of(last), step);
            if let Some(before) = before {
                assert_eq!(step_of(before + 1), step);
                assert!(last - before <= 1 + before / 128, "{before} to {last}");
            }
            before = Some(last);
        }
        assert_eq!(before, Some(u64::MAX));
        assert!(step_of(u64::MAX) * 8 < 58 * 1024);
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let mut times = Times::default();
        assert!(times.is_empty());
        for micros in (1..=1000).rev() {
            times.add(Duration::from_micros(micros));
        }
        assert_eq!(
            (times.min(), times.max()),
            (Duration::from_micros(1), Duration::from_millis(1))
        );
        for (percent, micros) in [(1, 10), (50, 500), (99, 990), (100, 1000)] {
            let (time, exact) = (times.percentile(percent), Duration::from_micros(micros));
            assert!(time >= exact && time <= exact + exact / 128, "{percent}: {time:?}");
        }
    }

    #[test]
    fn of_one_time_all_are_that() {
        let mut times = Times::default();
        let time = Duration::from_nanos(123_456_789);
        times.add(time);
        assert_eq!(
            [times.min(), times.percentile(50), times.percentile(99), times.max()],
            [time; 4]
        );
        times.add(Duration::MAX);
        assert_eq!(times.percentile(100), Duration::from_nanos(u64::MAX));
    }
}
