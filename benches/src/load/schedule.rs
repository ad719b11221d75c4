//! When each message of an open loop is due.

use std::num::NonZeroU64;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// The messages of one phase: evenly spread, the first at its beginning, each by a division of its own
/// so that no rounding adds up. They go to the connections in turns.
///
/// Times are nanoseconds of the load's clock.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    start: u64,
    rate: NonZeroU64,
    /// How many messages there are in all.
    total: u64,
    connections: u64,
}

impl Schedule {
    /// `rate` messages a second, on all connections together, from `start` up to before `end`.
    pub(super) fn new(rate: NonZeroU64, connections: usize, start: u64, end: u64) -> Self {
        let mut schedule =
            Self { start, rate, total: u64::MAX, connections: connections.max(1) as u64 };
        schedule.total = end.checked_sub(start + 1).map_or(0, |last| schedule.due(start + last));
        schedule
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// How many messages are due by `now`.
    pub(super) fn due(&self, now: u64) -> u64 {
        let Some(elapsed) = now.checked_sub(self.start) else { return 0 };
        let past = u128::from(elapsed) * u128::from(self.rate.get()) / NANOS_PER_SECOND;
        u64::try_from(past + 1).unwrap_or(u64::MAX).min(self.total)
    }

    /// When message `index` is due, the first one being 0.
    pub(super) fn time_of(&self, index: u64) -> u64 {
        // Rounded up, so that by its time it counts as due.
        let after = (u128::from(index) * NANOS_PER_SECOND).div_ceil(u128::from(self.rate.get()));
        self.start.saturating_add(u64::try_from(after).unwrap_or(u64::MAX))
    }

    /// Whose message `index` is.
    pub(super) fn connection_of(&self, index: u64) -> usize {
        (index % self.connections) as usize
    }

    /// How many of the first `count` messages are those of a connection.
    pub(super) fn share(&self, count: u64, connection: usize) -> u64 {
        (count + self.connections - 1).saturating_sub(connection as u64) / self.connections
    }

    /// Which of all messages is number `nth` of a connection, the first one being 0.
    pub(super) fn index(&self, nth: u64, connection: usize) -> u64 {
        nth * self.connections + connection as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_000_000_007;
    const SECOND: u64 = 1_000_000_000;

    fn schedule(rate: u64, connections: usize, nanos: u64) -> Schedule {
        Schedule::new(NonZeroU64::new(rate).unwrap(), connections, START, START + nanos)
    }

    #[test]
    fn there_are_as_many_as_the_rate_says() {
        for rate in [1, 3, 7, 1000, 999_983, 1_000_000_000] {
            assert_eq!(schedule(rate, 5, SECOND).total(), rate, "{rate}");
            assert_eq!(schedule(rate, 5, 10 * SECOND).total(), 10 * rate, "{rate}");
        }
        assert_eq!(schedule(10, 1, 0).total(), 0);
        assert_eq!(schedule(10, 1, 1).total(), 1);
        assert_eq!(schedule(10, 1, SECOND / 10).total(), 1);
        assert_eq!(schedule(10, 1, SECOND / 10 + 1).total(), 2);
    }

    #[test]
    fn each_message_is_due_at_its_time_and_not_before() {
        for rate in [1, 3, 7, 1000, 999_983] {
            let schedule = schedule(rate, 4, 20 * SECOND);
            for index in (0..20).chain(rate..rate + 20).filter(|&index| index < schedule.total()) {
                let time = schedule.time_of(index);
                assert_eq!(schedule.due(time), index + 1, "message {index} at {rate}/s");
                assert_eq!(schedule.due(time - 1), index, "message {index} at {rate}/s");
            }
        }
    }

    #[test]
    fn rounding_does_not_add_up() {
        let schedule = schedule(3, 1, 3600 * SECOND);
        assert_eq!(schedule.time_of(3 * 1800), START + 1800 * SECOND);
        assert_eq!(schedule.due(u64::MAX), 3 * 3600);
    }

    #[test]
    fn each_message_is_that_of_one_connection() {
        for connections in 1..6 {
            let schedule = schedule(1000, connections, SECOND);
            for count in 0..40 {
                let shares: Vec<_> =
                    (0..connections).map(|connection| schedule.share(count, connection)).collect();
                assert_eq!(shares.iter().sum::<u64>(), count, "{shares:?}");
                for (connection, &share) in shares.iter().enumerate() {
                    for nth in 0..share {
                        let index = schedule.index(nth, connection);
                        assert!(index < count);
                        assert_eq!(schedule.connection_of(index), connection);
                        assert_eq!(schedule.share(index + 1, connection), nth + 1);
                    }
                }
            }
        }
    }
}
