//! When things happen: the wall clock, as others are told it.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// A moment by the wall clock, to the millisecond.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Moment {
    unix_ms: i64,
}

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { unix_ms: i64::try_from(since.as_millis()).unwrap_or(i64::MAX) }
    }

    /// A moment by its milliseconds since 1970.
    #[must_use]
    pub fn from_unix_ms(unix_ms: i64) -> Self {
        Self { unix_ms }
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.unix_ms / 1000
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn unix_ms(self) -> i64 {
        self.unix_ms
    }

    /// As *server-time* wants it: `2026-01-31T12:00:00.000Z`.
    #[must_use]
    pub fn iso8601(self) -> String {
        format!("{:.3}", self.timestamp())
    }

    /// As people read it: `2026-01-31 12:00:00 UTC`.
    #[must_use]
    pub fn readable(self) -> String {
        self.timestamp().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    fn timestamp(self) -> Timestamp {
        // What no calendar has is told as the end of it.
        Timestamp::from_millisecond(self.unix_ms).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_each_form() {
        let moment = Moment::from_unix_ms(1_700_000_000_007);
        assert_eq!(moment.iso8601(), "2023-11-14T22:13:20.007Z");
        assert_eq!(moment.readable(), "2023-11-14 22:13:20 UTC");
        assert_eq!(moment.unix(), 1_700_000_000);
    }
}
