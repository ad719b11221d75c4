//! A connect as a whole: which attempt begins when, and when it is enough.
//!
//! Plain state without sockets, threads or clocks. Whoever drives it says what happened and what time
//! it is, and asks by [`Race::poll`] what to do, until that is to wait. Times are those of the driver.
//!
//! ```text
//! round: look up -> attempt, another one after a delay or a failure, … -> all failed -> wait, next round
//! ```
//!
//! The addresses are raced as in RFC 8305, section 5. An attempt at a Unix socket with a full backlog
//! is repeated by time: the kernel refuses it at once (connect(2), EAGAIN), and never says when there is
//! room.

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::connect_error::{Attempts, ConnectCause, ConnectError, FailedAttempt, Span};
use super::{Address, ConnectOptions, Target};
use crate::ids::PeerId;

/// How long to wait before a full backlog is tried again, at first and at most.
const CROWDED: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(100)];

/// What the driver is to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Look the target's name up, and answer by [`Race::resolved`].
    LookUp,
    /// Begin this attempt, and answer by [`Race::failed`] or [`Race::crowded`], unless it succeeds.
    Attempt(AttemptId, Address),
    /// Close this attempt's socket, if it has one.
    Abandon(AttemptId),
    /// Nothing before this time, or before something happens.
    Wait(Option<Instant>),
    /// It is over, and has failed.
    GiveUp(ConnectCause),
}

/// Names one attempt of a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttemptId(u64);

#[derive(Debug)]
pub(crate) struct Race {
    target: Target,
    /// Those of this round.
    addresses: Arc<[Address]>,
    source: Option<SocketAddr>,
    phase: Phase,
    running: Vec<Running>,
    failed: Attempts,
    begun: Instant,
    deadline: Option<Instant>,
    attempt_timeout: Option<Duration>,
    attempt_delay: Duration,
    /// From 1 on.
    round: u32,
    rounds: Option<u32>,
    backoff: Backoff,
    next_id: u64,
}

#[derive(Debug)]
enum Phase {
    /// A round is to begin.
    Begin,
    LookingUp,
    /// The attempt at the `next` address begins `at` this time, or when none is running.
    Racing {
        next: usize,
        at: Option<Instant>,
    },
    /// All addresses were tried: the next round begins `until` then.
    Resting {
        until: Option<Instant>,
    },
    /// The round has failed before there was an address.
    Unresolved(io::Error),
    Over,
}

#[derive(Debug)]
struct Running {
    id: AttemptId,
    address: Address,
    begun: Instant,
    deadline: Option<Instant>,
    /// The backlog was full, and is tried again: what the system said, and when.
    crowded: Option<Crowded>,
}

#[derive(Debug)]
struct Crowded {
    error: io::Error,
    again: Option<Instant>,
    backoff: Backoff,
}

impl Race {
    pub(crate) fn new(target: Target, options: &ConnectOptions, now: Instant) -> Self {
        let [first, most] = options.backoff;
        Self {
            target,
            addresses: Arc::new([]),
            source: options.source,
            phase: Phase::Begin,
            running: Vec::new(),
            failed: Attempts::default(),
            begun: now,
            deadline: options.timeout.and_then(|timeout| now.checked_add(timeout)),
            attempt_timeout: options.attempt_timeout,
            attempt_delay: options.attempt_delay,
            round: 1,
            rounds: options.rounds,
            backoff: Backoff::new(first, most),
            next_id: 0,
        }
    }

    /// What is to be done at this time. Asked again and again until it says `Wait`, or that it is over.
    pub(crate) fn poll(&mut self, now: Instant) -> Step {
        if matches!(self.phase, Phase::Over) {
            return Step::Wait(None);
        }
        if is_due(self.deadline, now) {
            return self.give_up(ConnectCause::TimedOut, now);
        }
        if let Some(place) = self.running.iter().position(|attempt| is_due(attempt.deadline, now)) {
            let id = self.running[place].id;
            self.end(place, None, now);
            return Step::Abandon(id);
        }
        for attempt in &mut self.running {
            if let Some(crowded) = &mut attempt.crowded {
                if is_due(crowded.again, now) {
                    crowded.again = None;
                    return Step::Attempt(attempt.id, attempt.address.clone());
                }
            }
        }
        self.go_on(now)
    }

    fn go_on(&mut self, now: Instant) -> Step {
        loop {
            match std::mem::replace(&mut self.phase, Phase::Over) {
                Phase::Begin => match self.target.addresses() {
                    Ok(Some(addresses)) => {
                        self.addresses = self.within_reach(addresses);
                        self.phase = Phase::Racing { next: 0, at: Some(now) };
                    }
                    Ok(None) => {
                        self.phase = Phase::LookingUp;
                        return Step::LookUp;
                    }
                    Err(error) => return self.give_up(ConnectCause::Unresolved(error), now),
                },
                Phase::Racing { next, at } if next < self.addresses.len() => {
                    if self.running.is_empty() || is_due(at, now) {
                        let at = now.checked_add(self.attempt_delay);
                        self.phase = Phase::Racing { next: next + 1, at };
                        return self.begin(next, now);
                    }
                    self.phase = Phase::Racing { next, at };
                    return Step::Wait(self.next_time(at));
                }
                Phase::Racing { next, at } if !self.running.is_empty() => {
                    self.phase = Phase::Racing { next, at };
                    return Step::Wait(self.next_time(None));
                }
                Phase::Racing { .. } => {
                    if self.is_last_round() {
                        return self.give_up(ConnectCause::Failed, now);
                    }
                    self.rest(now);
                }
                Phase::Unresolved(error) => {
                    if self.is_last_round() {
                        return self.give_up(ConnectCause::Unresolved(error), now);
                    }
                    self.rest(now);
                }
                Phase::Resting { until } if is_due(until, now) => {
                    self.round = self.round.saturating_add(1);
                    self.phase = Phase::Begin;
                }
                Phase::Resting { until } => {
                    self.phase = Phase::Resting { until };
                    return Step::Wait(self.next_time(until));
                }
                Phase::LookingUp => {
                    self.phase = Phase::LookingUp;
                    return Step::Wait(self.next_time(None));
                }
                Phase::Over => return Step::Wait(None),
            }
        }
    }

    /// The lookup has ended.
    pub(crate) fn resolved(&mut self, answer: io::Result<Arc<[Address]>>, now: Instant) {
        if !matches!(self.phase, Phase::LookingUp) {
            return;
        }
        self.phase = match answer {
            Ok(addresses) if addresses.is_empty() => {
                let complaint = "the name has no address";
                Phase::Unresolved(io::Error::new(io::ErrorKind::NotFound, complaint))
            }
            Ok(addresses) => {
                self.addresses = self.within_reach(addresses);
                Phase::Racing { next: 0, at: Some(now) }
            }
            Err(error) => Phase::Unresolved(error),
        };
    }

    /// Those of them that are of the source address's family. If there are none, all: each will say why
    /// it can't be reached.
    fn within_reach(&self, addresses: Arc<[Address]>) -> Arc<[Address]> {
        let Some(source) = self.source else { return addresses };
        let other = |address: &Address| {
            address.as_ip().is_some_and(|address| address.is_ipv4() != source.is_ipv4())
        };
        let others = addresses.iter().filter(|address| other(address)).count();
        if others == 0 || others == addresses.len() {
            return addresses;
        }
        addresses.iter().filter(|address| !other(address)).cloned().collect()
    }

    /// An attempt has failed: the next one begins at once.
    pub(crate) fn failed(&mut self, id: AttemptId, error: io::Error, now: Instant) {
        if let Some(place) = self.running.iter().position(|attempt| attempt.id == id) {
            self.end(place, Some(error), now);
        }
    }

    /// An attempt has found a full backlog: it goes on, and tries again later.
    pub(crate) fn crowded(&mut self, id: AttemptId, error: io::Error, now: Instant) {
        let Some(attempt) = self.running.iter_mut().find(|attempt| attempt.id == id) else {
            return;
        };
        let mut backoff = match attempt.crowded.take() {
            Some(crowded) => crowded.backoff,
            None => Backoff::new(CROWDED[0], CROWDED[1]),
        };
        let again = now.checked_add(backoff.next());
        attempt.crowded = Some(Crowded { error, again, backoff });
    }

    /// It ends now, if it hasn't yet: why, and what became of its attempts.
    pub(crate) fn error(
        &mut self,
        cause: ConnectCause,
        now: Instant,
        peer: Option<PeerId>,
    ) -> ConnectError {
        self.cut_off(&cause, now);
        ConnectError {
            target: self.target.clone(),
            cause,
            attempts: std::mem::take(&mut self.failed),
            elapsed: now.saturating_duration_since(self.begun),
            round: self.round,
            rounds: self.rounds,
            peer,
        }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    fn begin(&mut self, place: usize, now: Instant) -> Step {
        let (id, address) = (AttemptId(self.next_id), self.addresses[place].clone());
        self.next_id += 1;
        let deadline = self.attempt_timeout.and_then(|timeout| now.checked_add(timeout));
        let attempt = Running { id, address: address.clone(), begun: now, deadline, crowded: None };
        self.running.push(attempt);
        Step::Attempt(id, address)
    }

    /// An attempt is over: by `error`, or since its time is.
    fn end(&mut self, place: usize, error: Option<io::Error>, now: Instant) {
        let Running { address, begun, crowded, .. } = self.running.remove(place);
        let elapsed = now.saturating_duration_since(begun);
        let error = error.or(crowded.map(|crowded| crowded.error)).unwrap_or_else(|| {
            let text = format!("timed out after {}", Span(elapsed));
            io::Error::new(io::ErrorKind::TimedOut, text)
        });
        let round = self.round;
        self.failed.push(FailedAttempt { address, round, elapsed, error, cut: false });
        if let Phase::Racing { at, .. } = &mut self.phase {
            *at = Some(now);
        }
    }

    fn give_up(&mut self, cause: ConnectCause, now: Instant) -> Step {
        self.cut_off(&cause, now);
        Step::GiveUp(cause)
    }

    /// It is over, and with it the attempts that are under way.
    fn cut_off(&mut self, cause: &ConnectCause, now: Instant) {
        self.phase = Phase::Over;
        let (kind, what) = match cause {
            ConnectCause::TimedOut => (io::ErrorKind::TimedOut, "timed out"),
            _ => (io::ErrorKind::ConnectionAborted, "given up"),
        };
        let round = self.round;
        for Running { address, begun, crowded, .. } in self.running.drain(..) {
            let elapsed = now.saturating_duration_since(begun);
            let cut = crowded.is_none();
            let error = crowded.map_or_else(
                || io::Error::new(kind, format!("{what} after {}", Span(elapsed))),
                |crowded| crowded.error,
            );
            self.failed.push(FailedAttempt { address, round, elapsed, error, cut });
        }
    }

    fn rest(&mut self, now: Instant) {
        self.phase = Phase::Resting { until: now.checked_add(self.backoff.next()) };
    }

    fn is_last_round(&self) -> bool {
        self.rounds.is_some_and(|rounds| self.round >= rounds)
    }

    /// When the driver is to ask again at the latest.
    fn next_time(&self, other: Option<Instant>) -> Option<Instant> {
        let attempts = self.running.iter().flat_map(|attempt| {
            [attempt.deadline, attempt.crowded.as_ref().and_then(|crowded| crowded.again)]
        });
        attempts.chain([self.deadline, other]).flatten().min()
    }
}

fn is_due(time: Option<Instant>, now: Instant) -> bool {
    time.is_some_and(|time| time <= now)
}
