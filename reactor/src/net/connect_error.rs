//! Why nothing was connected.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use super::{Address, Failure, Target};
use crate::ids::PeerId;

/// Attempts that an error remembers: the last ones.
const REMEMBERED: usize = 32;

/// Why a connect has failed: whom it was to reach, what became of each attempt, and how long it took.
///
/// Printing it says all that: `connect 10.0.0.1:80: timed out after 3 s, attempt 2 of 5`. Of several
/// rounds it prints the last; [`attempts`](Self::attempts) has those before, too.
#[derive(Debug)]
pub struct ConnectError {
    pub(super) target: Target,
    pub(super) cause: ConnectCause,
    pub(super) attempts: Attempts,
    pub(super) elapsed: Duration,
    pub(super) round: u32,
    pub(super) rounds: Option<u32>,
    pub(super) peer: Option<PeerId>,
}

/// What ended a connect that failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectCause {
    /// Every attempt failed: [`ConnectError::attempts`] says how.
    Failed,
    /// The time for [all of it](crate::ConnectOptions::timeout) was over.
    TimedOut,
    /// The target names nothing that could be tried: `InvalidInput` if it isn't `host:port`, or no
    /// address at all; else what the resolver says of the name.
    Unresolved(io::Error),
    /// The handler has [closed](crate::Context::close) or [aborted](crate::Context::abort) it, or
    /// [let its peer go](crate::Context::let_go).
    Cancelled,
    /// The loop stops.
    Stopped,
}

/// An attempt that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// Where it was to lead.
    pub address: Address,
    /// In which round it was, from 1 on.
    pub round: u32,
    /// How long it took.
    pub elapsed: Duration,
    /// What the system said, with its [number](io::Error::raw_os_error); of an option or a source address
    /// that it refused, a [`Failure`] with the number inside. Without a number: `TimedOut` if it took too long, alone or
    /// with all the others; `ConnectionRefused` if it reached itself; `ConnectionAborted` if it was under
    /// way when the connect ended for another reason.
    pub error: io::Error,
    /// It was under way when all was over, and had said nothing by then.
    pub(super) cut: bool,
}

impl ConnectError {
    /// Whom it was to reach.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What ended it.
    #[must_use]
    pub fn cause(&self) -> &ConnectCause {
        &self.cause
    }

    /// The attempts that failed, in the order of their ends: the last 32 of them.
    #[must_use]
    pub fn attempts(&self) -> &[FailedAttempt] {
        &self.attempts.last
    }

    /// How many attempts failed in all.
    #[must_use]
    pub fn attempt_count(&self) -> usize {
        self.attempts.count
    }

    /// How long it took.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The peer that is kept connected, if it was for one.
    #[must_use]
    pub fn peer(&self) -> Option<PeerId> {
        self.peer
    }

    /// The kind of error that it is: of several attempts, that of the last one that failed by itself.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match &self.cause {
            ConnectCause::Failed => {
                self.last().map_or(io::ErrorKind::NotConnected, |attempt| attempt.error.kind())
            }
            ConnectCause::TimedOut => io::ErrorKind::TimedOut,
            ConnectCause::Unresolved(error) => error.kind(),
            ConnectCause::Cancelled | ConnectCause::Stopped => io::ErrorKind::ConnectionAborted,
        }
    }

    /// The number that the system gave the error of the last attempt that failed by itself.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        let error = &self.last()?.error;
        Failure::of(error).map_or(error, Failure::cause).raw_os_error()
    }

    fn last(&self) -> Option<&FailedAttempt> {
        self.attempts.last.iter().rfind(|attempt| !attempt.cut)
    }

    /// What is to be said of the attempts of the last round.
    fn details(&self) -> impl Iterator<Item = String> {
        let target = self.target.to_string();
        // What is over because all of it is over, needn't be said again.
        let whole = matches!(self.cause, ConnectCause::Failed);
        let said = move |attempt: &&FailedAttempt| whole || !attempt.cut;
        let last = self.attempts.last.iter().filter(|attempt| attempt.round == self.round);
        last.filter(said).map(move |attempt| {
            let address = attempt.address.to_string();
            let place = if address == target { String::new() } else { format!("{address}: ") };
            let advice = advice(attempt).map_or(String::new(), |advice| format!("; {advice}"));
            format!("{place}{}{advice}", attempt.error)
        })
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connect {}: ", self.target)?;
        let after = Span(self.elapsed);
        let details = self.details().collect::<Vec<_>>().join("; ");
        match &self.cause {
            ConnectCause::Failed => f.write_str(&details)?,
            ConnectCause::TimedOut => write!(f, "timed out after {after}")?,
            ConnectCause::Unresolved(error) => write!(f, "{error}")?,
            ConnectCause::Cancelled => write!(f, "cancelled after {after}")?,
            ConnectCause::Stopped => write!(f, "the loop stopped after {after}")?,
        }
        match self.rounds {
            Some(1) => {}
            Some(rounds) => write!(f, ", attempt {} of {rounds}", self.round)?,
            None => write!(f, ", attempt {}", self.round)?,
        }
        if !details.is_empty() && !matches!(self.cause, ConnectCause::Failed) {
            write!(f, " ({details})")?;
        }
        Ok(())
    }
}

// No `source`: the text holds the causes already, and reports of a whole chain would repeat them.
impl Error for ConnectError {}

/// Of the same kind, and with the error itself inside.
impl From<ConnectError> for io::Error {
    fn from(error: ConnectError) -> Self {
        Self::new(error.kind(), error)
    }
}

/// What to do about an error, where that is known.
fn advice(attempt: &FailedAttempt) -> Option<&'static str> {
    match attempt.error.raw_os_error()? {
        libc::EADDRNOTAVAIL => Some("no local port is left for that address"),
        libc::EMFILE => Some("this process may open no more descriptors (ulimit -n)"),
        libc::ENFILE => Some("the system has no descriptor left"),
        // Of an internet address some systems say so when they have no port for it.
        libc::EAGAIN if attempt.address.as_ip().is_none() => Some("its backlog stayed full"),
        _ => None,
    }
}

/// The failed attempts of one connect, as far as they are remembered.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    last: Vec<FailedAttempt>,
    count: usize,
}

impl Attempts {
    pub(super) fn push(&mut self, attempt: FailedAttempt) {
        if self.last.len() == REMEMBERED {
            self.last.remove(0);
        }
        self.last.push(attempt);
        self.count += 1;
    }
}

/// A time for people: `250 ms`, `3 s`, `3.2 s`.
pub(super) struct Span(pub(super) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.as_millis() / 100;
        match (tenths / 10, tenths % 10) {
            (0, _) => write!(f, "{} ms", self.0.as_millis()),
            (seconds, 0) => write!(f, "{seconds} s"),
            (seconds, tenth) => write!(f, "{seconds}.{tenth} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(cause: ConnectCause, target: &str, rounds: u32, failed: &[(&str, i32)]) -> String {
        let mut attempts = Attempts::default();
        for (address, errno) in failed {
            attempts.push(FailedAttempt {
                address: Address::Ip(address.parse().unwrap()),
                round: 2,
                elapsed: Duration::ZERO,
                error: io::Error::from_raw_os_error(*errno),
                cut: false,
            });
        }
        let elapsed = Duration::from_millis(3012);
        let (target, rounds) = (target.into(), Some(rounds));
        let error = ConnectError { target, cause, attempts, elapsed, round: 2, rounds, peer: None };
        io::Error::from(error).to_string()
    }

    #[test]
    fn says_all_that_is_known() {
        let (one, two) = ("10.0.0.1:80", "[::1]:80");
        let refused = io::Error::from_raw_os_error(libc::ECONNREFUSED).to_string();
        let failed = |rounds, errno| error(ConnectCause::Failed, one, rounds, &[(one, errno)]);
        assert_eq!(failed(1, libc::ECONNREFUSED), format!("connect {one}: {refused}"));
        assert_eq!(
            failed(5, libc::ECONNREFUSED),
            format!("connect {one}: {refused}, attempt 2 of 5")
        );
        assert!(failed(1, libc::EMFILE).ends_with("(ulimit -n)"));
        assert!(!failed(1, libc::EAGAIN).contains("backlog"), "that is of Unix sockets");
        let both = [(two, libc::ECONNREFUSED), (one, libc::ECONNREFUSED)];
        assert_eq!(
            error(ConnectCause::Failed, "a:80", 1, &both),
            format!("connect a:80: {two}: {refused}; {one}: {refused}")
        );
        assert_eq!(
            error(ConnectCause::TimedOut, one, 5, &[]),
            "connect 10.0.0.1:80: timed out after 3 s, attempt 2 of 5"
        );
        assert_eq!(
            error(ConnectCause::Cancelled, "a:80", 1, &both[1..]),
            format!("connect a:80: cancelled after 3 s ({one}: {refused})")
        );
        assert_eq!(
            error(ConnectCause::Stopped, one, 1, &[]),
            "connect 10.0.0.1:80: the loop stopped after 3 s"
        );
    }

    #[test]
    fn remembers_the_last_attempts_alone() {
        let mut attempts = Attempts::default();
        for round in 0..100 {
            let error = io::ErrorKind::TimedOut.into();
            let elapsed = Duration::ZERO;
            let (address, cut) = (Address::Unnamed, false);
            attempts.push(FailedAttempt { address, round, elapsed, error, cut });
        }
        assert_eq!((attempts.last.len(), attempts.count), (REMEMBERED, 100));
        assert_eq!(attempts.last[0].round, 68);
    }

    #[test]
    fn times_are_short() {
        for (millis, text) in [(0, "0 ms"), (250, "250 ms"), (3000, "3 s"), (3299, "3.2 s")] {
            assert_eq!(Span(Duration::from_millis(millis)).to_string(), text);
        }
    }
}
