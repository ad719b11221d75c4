//! Looking again for a while before sleeping.

use std::io;
use std::time::{Duration, Instant};

use crate::poller::{Events, Poller, Waker};

/// A core that sleeps takes tens of microseconds to wake up. A loop whose next event comes sooner has it
/// sooner, and cheaper, if it asks again and again; one that has long to wait would burn a core for
/// nothing. So it is done only as long as the last time paid.
#[derive(Debug)]
pub(super) struct Spin {
    /// For how long at most, before each sleep.
    most: Duration,
    /// Whether the last wait brought something within that time.
    pays: bool,
    waker: Waker,
}

impl Spin {
    pub(super) fn new(most: Duration, waker: Waker) -> Self {
        Self { most, pays: true, waker }
    }

    /// Waits as the poller does, and may spend the beginning of it awake.
    #[inline]
    pub(super) fn wait(
        &mut self,
        poller: &mut impl Poller,
        events: &mut Events,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        if self.most.is_zero() || timeout == Some(Duration::ZERO) {
            return poller.wait(events, timeout);
        }
        self.wait_awake(poller, events, timeout)
    }

    #[inline(never)]
    fn wait_awake(
        &mut self,
        poller: &mut impl Poller,
        events: &mut Events,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let (start, ended) = (Instant::now(), self.waker.ended_waits());
        let most = timeout.map_or(self.most, |timeout| timeout.min(self.most));
        let mut spent = Duration::ZERO;
        while self.pays && spent < most {
            poller.wait(events, Some(Duration::ZERO))?;
            if !events.is_empty() || self.waker.ended_waits() != ended {
                return Ok(());
            }
            spent = start.elapsed();
        }
        poller.wait(events, timeout.map(|timeout| timeout.saturating_sub(spent)))?;
        // A timer alone is no reason to be awake: that would be paid for all the time.
        let came = !events.is_empty() || self.waker.ended_waits() != ended;
        self.pays = came && start.elapsed() < self.most;
        Ok(())
    }
}
