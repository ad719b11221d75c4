//! When a connection may send its next message.

use std::num::NonZeroU64;
use std::ops::Range;

use super::connection::Connection;
use super::rota::Rota;
use super::schedule::Schedule;

/// Messages that are sent because of one tick at most, before what has come meanwhile is read.
const AT_ONCE: u64 = 4096;

/// When a connection may send its next message, and when each of its messages was sent.
///
/// Times are nanoseconds of the load's clock.
pub(super) enum Pace {
    Closed(Closed),
    Open(Open),
    /// Whenever the connection takes more.
    Full {
        until: u64,
    },
}

/// When fewer than `depth` messages are under way.
pub(super) struct Closed {
    until: u64,
    depth: u64,
    /// Whose turn it is, where not all take part at a time.
    rota: Option<Rota>,
    /// When each message under way was sent: `depth` places for each connection.
    stamps: Vec<u64>,
}

/// When it is time, whether those before have come back or not.
pub(super) struct Open {
    rate: NonZeroU64,
    schedule: Schedule,
    /// How many messages of the schedule were due by the last tick.
    due: u64,
    /// How many messages each connection had sent before.
    before: Vec<u64>,
}

impl Pace {
    /// A closed loop, which has ended.
    pub(super) fn closed(connections: usize, depth: usize) -> Self {
        let stamps = vec![0; connections * depth];
        Self::Closed(Closed { until: 0, depth: depth as u64, rota: None, stamps })
    }

    /// A closed loop, which has ended, and in which only those take part whose turn it is by `rota`.
    pub(super) fn moving(connections: usize, depth: usize, rota: Rota) -> Self {
        let stamps = vec![0; connections * depth];
        Self::Closed(Closed { until: 0, depth: depth as u64, rota: Some(rota), stamps })
    }

    /// An open loop, of which nothing is due.
    pub(super) fn open(connections: usize, rate: NonZeroU64) -> Self {
        let schedule = Schedule::new(rate, connections, 0, 0);
        Self::Open(Open { rate, schedule, due: 0, before: vec![0; connections] })
    }

    /// As much as goes, which has ended.
    pub(super) fn full() -> Self {
        Self::Full { until: 0 }
    }

    /// Begins a phase, in which nothing is under way yet.
    pub(super) fn begin<'a>(
        &mut self,
        start: u64,
        end: u64,
        connections: impl Iterator<Item = &'a Connection>,
    ) {
        match self {
            Self::Closed(Closed { until, .. }) | Self::Full { until } => *until = end,
            Self::Open(Open { rate, schedule, due, before }) => {
                *schedule = Schedule::new(*rate, before.len(), start, end);
                *due = 0;
                for connection in connections {
                    if let Some(before) = before.get_mut(connection.number) {
                        *before = connection.sent;
                    }
                }
            }
        }
    }

    /// The rate of an open loop.
    pub(super) fn rate(&self) -> Option<NonZeroU64> {
        match self {
            Self::Open(open) => Some(open.rate),
            _ => None,
        }
    }

    /// How many messages of an open loop are due in this phase, from its beginning to its end.
    pub(super) fn total(&self) -> Option<u64> {
        match self {
            Self::Open(open) => Some(open.schedule.total()),
            _ => None,
        }
    }

    /// Whether no message will become due any more.
    pub(super) fn is_over(&self, now: u64) -> bool {
        match self {
            Self::Closed(Closed { until, .. }) | Self::Full { until } => now >= *until,
            Self::Open(Open { schedule, due, .. }) => *due == schedule.total(),
        }
    }

    /// The messages of an open loop that have become due since the last tick.
    pub(super) fn tick(&mut self, now: u64) -> Range<u64> {
        match self {
            Self::Open(open) => {
                let before = open.due;
                open.due = open.schedule.due(now).min(before + AT_ONCE);
                before..open.due
            }
            _ => 0..0,
        }
    }

    /// Whose turn a message of an open loop is, and when it was due.
    pub(super) fn turn(&self, index: u64) -> Option<(usize, u64)> {
        match self {
            Self::Open(Open { schedule, .. }) => {
                Some((schedule.connection_of(index), schedule.time_of(index)))
            }
            _ => None,
        }
    }

    /// It is the turn of others, of these, unless it is always that of all.
    pub(super) fn move_on(&mut self) -> Option<impl Iterator<Item = usize> + use<>> {
        match self {
            Self::Closed(Closed { rota: Some(rota), .. }) => {
                rota.advance();
                Some(rota.numbers())
            }
            _ => None,
        }
    }

    /// How many messages `connection` may send now.
    #[inline]
    pub(super) fn allows(&self, connection: &Connection, now: u64) -> u64 {
        match self {
            Self::Closed(Closed { until, depth, rota, .. }) if now < *until => {
                if rota.as_ref().is_some_and(|rota| !rota.has(connection.number)) {
                    return 0;
                }
                depth.saturating_sub(connection.under_way())
            }
            Self::Full { until } if now < *until => u64::MAX,
            Self::Closed(_) | Self::Full { .. } => 0,
            Self::Open(Open { schedule, due, before, .. }) => {
                let share = schedule.share(*due, connection.number);
                (before[connection.number] + share).saturating_sub(connection.sent)
            }
        }
    }

    /// Takes down that the last message of `connection` was sent now.
    #[inline]
    pub(super) fn sent(&mut self, connection: &Connection, now: u64) {
        if let Self::Closed(Closed { depth, stamps, .. }) = self {
            stamps[place(connection.number, connection.sent, *depth)] = now;
        }
    }

    /// Tells from when on the latency counts of each message that has come back after the one numbered
    /// `before`.
    #[inline(always)]
    pub(super) fn each_answered(
        &self,
        connection: &Connection,
        before: u64,
        mut tell: impl FnMut(u64),
    ) {
        if let Self::Closed(Closed { depth: 1, stamps, .. }) = self {
            return tell(stamps[connection.number]);
        }
        for before in before..connection.received {
            if let Some(time) = self.time_of(connection, before + 1) {
                tell(time);
            }
        }
    }

    /// From when on the latency of a message counts: when it was sent, or was to be. Where as much is
    /// sent as goes, there is nothing to be told from that.
    fn time_of(&self, connection: &Connection, message: u64) -> Option<u64> {
        let number = connection.number;
        match self {
            Self::Closed(Closed { depth, stamps, .. }) => {
                Some(stamps[place(number, message, *depth)])
            }
            Self::Open(Open { schedule, before, .. }) => {
                let nth = message - before[number] - 1;
                Some(schedule.time_of(schedule.index(nth, number)))
            }
            Self::Full { .. } => None,
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
    use crate::load::connection::Part;

    fn connection(number: usize) -> Connection {
        Connection::new(number, Part::Active)
    }

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
        let mut connection = connection(0);
        assert_eq!(pace.allows(&connection, 0), 0);
        pace.begin(0, 100, [].iter());
        for (now, allowed) in [(10, 2), (20, 1)] {
            assert_eq!(pace.allows(&connection, now), allowed);
            connection.sent += 1;
            pace.sent(&connection, now);
        }
        assert_eq!(pace.allows(&connection, 30), 0);
        assert_eq!([1, 2].map(|message| pace.time_of(&connection, message)), [Some(10), Some(20)]);
        connection.received += 1;
        assert_eq!(pace.allows(&connection, 99), 1);
        assert_eq!(pace.allows(&connection, 100), 0);
    }

    #[test]
    fn in_a_moving_loop_who_left_sends_no_more() {
        let mut pace = Pace::moving(3, 1, Rota::new(1, 3));
        let mut connections = [connection(0), connection(1), connection(2)];
        pace.begin(0, 100, [].iter());
        let allowed = |pace: &Pace, connections: &[Connection; 3]| {
            connections.each_ref().map(|connection| pace.allows(connection, 50))
        };
        assert_eq!(allowed(&pace, &connections), [1, 0, 0]);
        connections[0].sent += 1;
        pace.sent(&connections[0], 20);
        assert_eq!(pace.move_on().map(Iterator::collect), Some(vec![1]));
        assert_eq!(allowed(&pace, &connections), [0, 1, 0]);
        connections[0].received += 1;
        // What it had under way has come back, and counts.
        let mut stamps = Vec::new();
        pace.each_answered(&connections[0], 0, |stamp| stamps.push(stamp));
        assert_eq!(stamps, [20]);
        assert_eq!(allowed(&pace, &connections), [0, 1, 0]);
        for numbers in [vec![2], vec![0]] {
            assert_eq!(pace.move_on().map(Iterator::collect), Some(numbers));
        }
        assert_eq!(allowed(&pace, &connections), [1, 0, 0]);
        assert_eq!(pace.allows(&connections[0], 100), 0);
        assert!(Pace::closed(3, 1).move_on().is_none());
    }

    #[test]
    fn an_open_loop_counts_from_when_messages_are_due() {
        // One each 10 ns, in turns to two connections, of which the second has sent three before.
        let mut pace = Pace::open(2, NonZeroU64::new(100_000_000).unwrap());
        let mut connections = [connection(0), connection(1)];
        connections[1].sent = 3;
        connections[1].received = 3;
        pace.begin(1000, 1040, connections.iter());
        assert_eq!(pace.tick(999), 0..0);
        assert_eq!(pace.tick(1000), 0..1);
        assert_eq!((pace.turn(0), pace.turn(3)), (Some((0, 1000)), Some((1, 1030))));
        assert_eq!([0, 1].map(|number| pace.allows(&connections[number], 1000)), [1, 0]);
        // Nothing was sent for a while: all that was to be is due, and dates from then.
        assert_eq!(pace.tick(5000), 1..4);
        assert!(pace.is_over(5000));
        for (connection, times) in connections.iter_mut().zip([[1000, 1020], [1010, 1030]]) {
            for (time, allowed) in times.into_iter().zip([2, 1]) {
                assert_eq!(pace.allows(connection, 5000), allowed);
                connection.sent += 1;
                pace.sent(connection, 5000);
                assert_eq!(pace.time_of(connection, connection.sent), Some(time));
            }
            assert_eq!(pace.allows(connection, 5000), 0);
        }
    }
}
