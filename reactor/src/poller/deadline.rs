//! When a wait must end.

use std::io;
use std::time::{Duration, Instant};

/// Calls `ask` with what is left of `timeout` until it says `true`, fails, or the time is over.
///
/// `ask` takes whole milliseconds, −1 for ever, and may come back early. An interrupted call is
/// called again with what is left, so that signals neither end a wait nor put its end off.
#[inline]
pub(super) fn ask_until(
    timeout: Option<Duration>,
    mut ask: impl FnMut(i32) -> io::Result<bool>,
) -> io::Result<()> {
    let mut deadline = Deadline::after(timeout);
    loop {
        match ask(deadline.millis()) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if deadline.is_over() {
            return Ok(());
        }
    }
}

/// The end of a wait.
#[derive(Debug)]
enum Deadline {
    /// Ask, don't wait.
    Now,
    /// Wait until then; `left` was still to go when the clock was last read.
    At { end: Instant, left: Duration },
    /// Wait for ever.
    Never,
}

impl Deadline {
    /// The deadline of a wait that begins now. The clock is read only if it matters.
    fn after(timeout: Option<Duration>) -> Self {
        match timeout {
            None => Self::Never,
            Some(Duration::ZERO) => Self::Now,
            // An end that the clock can't express is not lived to see.
            Some(left) => {
                Instant::now().checked_add(left).map_or(Self::Never, |end| Self::At { end, left })
            }
        }
    }

    /// Whether the end is reached; reads the clock if that is a question.
    fn is_over(&mut self) -> bool {
        match self {
            Self::Now => true,
            Self::Never => false,
            Self::At { end, left } => {
                *left = end.saturating_duration_since(Instant::now());
                left.is_zero()
            }
        }
    }

    /// What is left, as poll(2) takes it: whole milliseconds, rounded up, −1 for ever.
    ///
    /// A wait of more than 24 days is cut there; [`is_over`](Self::is_over) tells that it goes on.
    fn millis(&self) -> i32 {
        match self {
            Self::Now => 0,
            Self::Never => -1,
            Self::At { left, .. } => {
                i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(timeout: Option<Duration>) -> i32 {
        Deadline::after(timeout).millis()
    }

    #[test]
    fn timeouts_are_rounded_up() {
        let cases =
            [(0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (3_000_000_000, 3000)];
        for (nanos, expected) in cases {
            assert_eq!(millis(Some(Duration::from_nanos(nanos))), expected, "{nanos} ns");
        }
    }

    #[test]
    fn an_interrupted_call_is_repeated_and_ends_in_time() {
        let mut calls = 0;
        let answer = ask_until(None, |_| {
            calls += 1;
            if calls < 3 { Err(io::ErrorKind::Interrupted.into()) } else { Ok(true) }
        });
        assert!(answer.is_ok());
        assert_eq!(calls, 3);
        let storm = ask_until(Some(Duration::from_millis(1)), |millis| {
            assert!((0..=1).contains(&millis));
            Err(io::ErrorKind::Interrupted.into())
        });
        assert!(storm.is_ok());
    }

    #[test]
    fn huge_timeouts_are_long_and_none_is_for_ever() {
        assert_eq!(millis(None), -1);
        assert_eq!(millis(Some(Duration::MAX)), -1);
        assert_eq!(millis(Some(Duration::from_secs(3_000_000))), i32::MAX);
        let mut long = Deadline::after(Some(Duration::from_secs(3_000_000)));
        assert!(!long.is_over());
    }
}
