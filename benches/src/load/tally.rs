//! What all kinds of load count, and how they end before their time.

use reactor::{Context, Signal};

use super::latency::Latencies;

/// What was found out since it was last cleared, and what went wrong.
pub(super) struct Tally {
    /// Messages that came back whole and right.
    pub(super) messages: u64,
    pub(super) latency: Latencies,
    /// How much later than it was due each message was sent, in an open loop.
    pub(super) delay: Latencies,
    /// Datagrams that weren't answered in time.
    pub(super) lost: u64,
    /// Those that were answered later than that, or twice.
    pub(super) late: u64,
    /// The first thing that went wrong.
    failure: Option<anyhow::Error>,
    /// The signal that was to end it all.
    signal: Option<Signal>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            messages: 0,
            latency: Latencies::new(),
            delay: Latencies::new(),
            lost: 0,
            late: 0,
            failure: None,
            signal: None,
        }
    }

    /// Begins to count anew.
    pub(super) fn clear(&mut self) {
        (self.messages, self.lost, self.late) = (0, 0, 0);
        self.latency.clear();
        self.delay.clear();
    }

    /// Ends the load with an error: the first one counts.
    #[cold]
    pub(super) fn fail(&mut self, ctx: &mut Context<'_>, failure: anyhow::Error) {
        self.failure.get_or_insert(failure);
        ctx.stop();
    }

    /// Ends the load because of a signal.
    #[cold]
    pub(super) fn interrupt(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        self.signal.get_or_insert(signal);
        ctx.stop();
    }

    pub(super) fn take_failure(&mut self) -> Option<anyhow::Error> {
        self.failure.take()
    }

    pub(super) fn signal(&self) -> Option<Signal> {
        self.signal
    }
}
