//! What all kinds of load count, and how they end before their time.

use reactor::{Context, Signal};

use super::latency::Latencies;

/// What was found out since it was last cleared, and what went wrong.
pub(crate) struct Tally {
    /// Messages that came back whole and right.
    pub(crate) messages: u64,
    pub(crate) latency: Latencies,
    /// How much later than it was due each message was sent, in an open loop.
    pub(crate) delay: Latencies,
    /// Datagrams that weren't answered in time.
    pub(crate) lost: u64,
    /// Those that were answered later than that, or twice.
    pub(crate) late: u64,
    /// The first thing that went wrong.
    failure: Option<anyhow::Error>,
    /// The signal that was to end it all.
    signal: Option<Signal>,
}

impl Tally {
    pub(crate) fn new() -> Self {
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
    pub(crate) fn clear(&mut self) {
        (self.messages, self.lost, self.late) = (0, 0, 0);
        self.latency.clear();
        self.delay.clear();
    }

    /// Ends the load with an error: the first one counts.
    #[cold]
    pub(crate) fn fail(&mut self, ctx: &mut Context<'_>, failure: anyhow::Error) {
        self.failure.get_or_insert(failure);
        ctx.stop();
    }

    /// Ends the load because of a signal.
    #[cold]
    pub(crate) fn interrupt(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        self.signal.get_or_insert(signal);
        ctx.stop();
    }

    pub(crate) fn take_failure(&mut self) -> Option<anyhow::Error> {
        self.failure.take()
    }

    pub(crate) fn signal(&self) -> Option<Signal> {
        self.signal
    }
}
