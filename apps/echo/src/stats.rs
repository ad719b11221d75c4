//! Figures of the running server, a line at a time.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use reactor::{Context, TimerId};

/// What has been echoed since the start.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counters {
    /// Deliveries of a stream, and datagrams.
    messages: u64,
    bytes: u64,
}

impl Counters {
    #[inline]
    pub(crate) fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}

/// The periodic line on stderr.
pub(crate) struct Reports {
    period: Duration,
    /// When the timer is due.
    due: Instant,
    /// When the last line was printed, and what it was made of.
    last: Instant,
    counters: Counters,
}

impl Reports {
    /// Sets the timer.
    pub(crate) fn begin(ctx: &mut Context<'_>, period: Duration) -> Self {
        ctx.after(period, 0);
        let now = ctx.now();
        Self { period, due: now + period, last: now, counters: Counters::default() }
    }

    /// Prints a line, in the callback of the timer. `drops` are the datagrams that came and found no room.
    pub(crate) fn report(
        &mut self,
        ctx: &mut Context<'_>,
        timer: TimerId,
        counters: &Counters,
        drops: u64,
    ) {
        // Not the turn's time, which leaves out what this turn has done before its timers.
        let now = Instant::now();
        let elapsed = now - self.last;
        say_line(&format!(
            "stats: connections={} messages={} messages/s={} bytes={} bytes/s={} udp_drops={drops} turns={} lag_ms={:.3}",
            ctx.connections(),
            counters.messages,
            per_second(counters.messages - self.counters.messages, elapsed),
            counters.bytes,
            per_second(counters.bytes - self.counters.bytes, elapsed),
            ctx.turns(),
            now.saturating_duration_since(self.due).as_secs_f64() * 1000.0,
        ));
        self.last = now;
        self.counters = *counters;
        ctx.repeat(timer, self.period);
        // As `repeat` does: periods that are over are left out.
        while self.due <= ctx.now() {
            self.due += self.period;
        }
    }
}

fn per_second(count: u64, elapsed: Duration) -> u128 {
    u128::from(count) * 1_000_000_000 / elapsed.as_nanos().max(1)
}

/// Tells the user something.
pub(crate) fn say(text: &str) {
    say_line(&format!("echo: {text}"));
}

/// Prints a line to stderr. That nobody reads it is no reason to end.
fn say_line(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_per_second_whatever_the_period() {
        for (count, millis, rate) in [(0, 1000, 0), (10, 1000, 10), (10, 500, 20), (30, 60_000, 0)]
        {
            assert_eq!(per_second(count, Duration::from_millis(millis)), rate);
        }
        assert_eq!(per_second(u64::MAX, Duration::from_secs(1)), u128::from(u64::MAX));
        assert_eq!(per_second(1, Duration::ZERO), 1_000_000_000);
    }
}
