//! What wakes an open loop when messages are due.

use std::num::NonZeroU64;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use reactor::{Context, Interest, RawId};

/// Ticks come no faster than that: what is due in between is sent at the next one.
const FASTEST: Duration = Duration::from_micros(20);

/// A timerfd(2) in the load's loop, since the loop's own timers go by the millisecond.
pub(super) struct Metronome {
    raw: RawId,
}

impl Metronome {
    /// Ticks as often as messages are due, or every 20 µs if that is more seldom. The first was due `since`
    /// ago, and the ticks are in step with it: or else each message would be late by what it took to begin.
    pub(super) fn begin(
        ctx: &mut Context<'_>,
        rate: NonZeroU64,
        since: Duration,
    ) -> anyhow::Result<Self> {
        let timer = TimerFd::new(
            ClockId::CLOCK_MONOTONIC,
            TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC,
        )
        .context("make a timerfd")?;
        let period = Duration::from_nanos(1_000_000_000 / rate).max(FASTEST);
        let ticks = Expiration::IntervalDelayed(first(since, period).into(), period.into());
        timer.set(ticks, TimerSetTimeFlags::empty()).context("set a timerfd")?;
        let raw =
            ctx.register(OwnedFd::from(timer), Interest::READABLE).context("watch a timerfd")?;
        Ok(Self { raw })
    }

    /// Takes the ticks that there were.
    pub(super) fn clear(&self, ctx: &Context<'_>) {
        if let Some(fd) = ctx.raw(self.raw) {
            // How many there were is nobody's business, and without any it is only early.
            let _ = nix::unistd::read(fd.as_fd(), &mut [0; 8]);
        }
    }

    pub(super) fn end(self, ctx: &mut Context<'_>) {
        ctx.unregister(self.raw);
    }
}

/// How long it is to the next of the ticks that began `since` ago: never nothing, which would mean no tick.
fn first(since: Duration, period: Duration) -> Duration {
    let into = since.as_nanos() % period.as_nanos();
    period.saturating_sub(Duration::from_nanos(u64::try_from(into).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tick_is_in_step() {
        let nanos = Duration::from_nanos;
        for (since, next) in [(0, 100), (1, 99), (99, 1), (100, 100), (730, 70)] {
            assert_eq!(first(nanos(since), nanos(100)), nanos(next), "{since}");
        }
    }
}
