//! One request, from when it is sent until it is answered or given up.

use std::time::{Duration, Instant};

use super::Retransmission;
use super::round_trip::bounded;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exchange {
    /// When it was sent first.
    sent: Instant,
    /// How often.
    attempts: u32,
    /// How long it waits this time.
    timeout: Duration,
}

/// What is to be done with a request that had no answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is sent again, and waits for so long.
    Again(Duration),
    GiveUp,
}

impl Exchange {
    /// It is sent `now`, and waits for as long as its peer takes.
    pub(super) fn new(now: Instant, timeout: Duration) -> Self {
        Self { sent: now, attempts: 1, timeout }
    }

    /// Its time is over: the next one is twice as long (RFC 6298, section 5.5).
    pub(super) fn expired(&mut self, policy: &Retransmission) -> Next {
        if self.attempts >= policy.attempts {
            return Next::GiveUp;
        }
        self.attempts += 1;
        self.timeout = bounded(policy, self.timeout.saturating_mul(2));
        Next::Again(self.timeout)
    }

    /// It is answered `now`. How long the round trip took, unless nobody can say (Karn's rule, section
    /// 3): which of several was answered?
    pub(super) fn answered(&self, now: Instant) -> Option<Duration> {
        (self.attempts == 1).then(|| now.saturating_duration_since(self.sent))
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }
}
