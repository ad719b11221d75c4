//! When a connection may send its next message.

use super::connection::Connection;

/// When a connection may send its next message, and when each of its messages was sent.
///
/// Times are nanoseconds of the load's clock.
pub(super) enum Pace {
    /// When fewer than `depth` are under way, until the end.
    Closed {
        until: u64,
        depth: u64,
        /// When each message under way was sent: `depth` places for each connection.
        stamps: Vec<u64>,
    },
}

impl Pace {
    /// A closed loop, which has ended.
    pub(super) fn closed(connections: usize, depth: usize) -> Self {
        Self::Closed { until: 0, depth: depth as u64, stamps: vec![0; connections * depth] }
    }

    /// Begins a phase.
    pub(super) fn begin(&mut self, end: u64) {
        match self {
            Self::Closed { until, .. } => *until = end,
        }
    }

    /// Whether `connection` may send now.
    #[inline]
    pub(super) fn allows(&self, connection: &Connection, now: u64) -> bool {
        match self {
            Self::Closed { until, depth, .. } => now < *until && connection.under_way() < *depth,
        }
    }

    /// Takes down that the last message of `connection` was sent now.
    #[inline]
    pub(super) fn sent(&mut self, connection: &Connection, now: u64) {
        match self {
            Self::Closed { depth, stamps, .. } => {
                stamps[place(connection.number, connection.sent, *depth)] = now;
            }
        }
    }

    /// When a message of `connection` was sent.
    #[inline]
    pub(super) fn time_of(&self, connection: &Connection, message: u64) -> u64 {
        match self {
            Self::Closed { depth, stamps, .. } => stamps[place(connection.number, message, *depth)],
        }
    }
}

/// The place of a message's stamp, which it has after the one `depth` messages before.
#[inline]
fn place(connection: usize, message: u64, depth: u64) -> usize {
    // A remainder is the slowest thing in sight, and mostly there is but one.
    let within = if depth == 1 { 0 } else { message % depth };
    connection * depth as usize + within as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn messages_under_way_have_places_of_their_own() {
        for depth in 1..=5 {
            for first in 1..20 {
                let under_way = (0..3)
                    .flat_map(|connection| (first..first + depth).map(move |m| (connection, m)));
                let places: HashSet<_> =
                    under_way.map(|(connection, m)| place(connection, m, depth)).collect();
                assert_eq!(places.len() as u64, 3 * depth);
                assert!(places.iter().all(|&place| place < 3 * depth as usize));
            }
        }
    }

    #[test]
    fn a_closed_loop_keeps_its_depth_and_its_end() {
        let mut pace = Pace::closed(1, 2);
        let mut connection = Connection::new(0);
        assert!(!pace.allows(&connection, 0));
        pace.begin(100);
        for now in [10, 20] {
            assert!(pace.allows(&connection, now));
            connection.sent += 1;
            pace.sent(&connection, now);
        }
        assert!(!pace.allows(&connection, 30));
        assert_eq!([1, 2].map(|message| pace.time_of(&connection, message)), [10, 20]);
        connection.received += 1;
        assert!(pace.allows(&connection, 99));
        assert!(!pace.allows(&connection, 100));
    }
}
