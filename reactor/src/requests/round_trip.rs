//! How long the way to a peer and back takes: the estimator of RFC 6298.

use std::time::Duration;

use super::Retransmission;

/// The least variation that is reckoned with: a timer's tick (G in section 2).
const GRANULARITY: Duration = Duration::from_millis(1);

/// What is known of one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoundTrip {
    /// SRTT and RTTVAR, once a round trip was measured.
    measured: Option<(Duration, Duration)>,
    /// RTO.
    timeout: Duration,
}

impl RoundTrip {
    /// Nothing is known (section 2.1).
    pub(super) fn new(policy: &Retransmission) -> Self {
        Self { measured: None, timeout: bounded(policy, policy.initial) }
    }

    /// A round trip took `time` (sections 2.2 and 2.3). What a request without an answer had
    /// [kept](Self::keep) is over.
    pub(super) fn sample(&mut self, policy: &Retransmission, time: Duration) {
        // Longer than that is never waited for, and nothing overflows.
        let time = time.min(policy.most);
        let (smoothed, variation) = match self.measured {
            None => (time, time / 2),
            // With alpha 1/8 and beta 1/4; the variation is that from what was smoothed before.
            Some((smoothed, variation)) => (
                smoothed - smoothed / 8 + time / 8,
                variation - variation / 4 + smoothed.abs_diff(time) / 4,
            ),
        };
        self.measured = Some((smoothed, variation));
        let margin = GRANULARITY.max(variation.saturating_mul(4));
        self.timeout = bounded(policy, smoothed.saturating_add(margin));
    }

    /// A request was answered after it was sent again, with this timeout at last: the next one begins
    /// with it, as long as no round trip is measured (section 5.5 and 5.7, and Karn's rule).
    pub(super) fn keep(&mut self, timeout: Duration) {
        self.timeout = self.timeout.max(timeout);
    }

    /// How long to wait for an answer.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// Sections 2.4 and 2.5. A least time that is more than the most is the most.
pub(super) fn bounded(policy: &Retransmission, timeout: Duration) -> Duration {
    timeout.max(policy.least).min(policy.most)
}
