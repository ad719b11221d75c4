//! How far a long run is, for whoever looks on.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Runs that take no longer than that are over before one would look.
const SHORT: Duration = Duration::from_secs(2);
/// How often the bar is drawn.
const PERIOD: Duration = Duration::from_millis(200);

/// A bar on stderr, if that is a terminal and the run is long.
pub(crate) struct Progress {
    bar: ProgressBar,
    begun: Option<Instant>,
    drawn: Instant,
}

impl Progress {
    pub(crate) fn new(duration: Duration) -> Self {
        let bar = if duration > SHORT {
            ProgressBar::new(millis(duration)).with_style(style())
        } else {
            ProgressBar::hidden()
        };
        Self { bar, begun: None, drawn: Instant::now() }
    }

    /// The time that it shows begins.
    pub(crate) fn begin(&mut self) {
        self.begun = Some(Instant::now());
    }

    #[inline]
    pub(crate) fn show(&mut self, now: Instant) {
        if now.saturating_duration_since(self.drawn) >= PERIOD {
            self.draw(now);
        }
    }

    #[cold]
    fn draw(&mut self, now: Instant) {
        self.drawn = now;
        if let Some(begun) = self.begun {
            self.bar.set_position(millis(now.saturating_duration_since(begun)));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    let bar = ProgressStyle::with_template("{bar:30} {percent} %, {eta} to go");
    bar.unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
