//! What is printed: a line for each thing that happens, and the summary.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use super::account::{Answer, Tally};
use super::times::Times;

pub(super) struct Report {
    /// The server, as it was given.
    name: String,
    /// Bytes of a message.
    size: usize,
    /// Of the answers that came in time.
    times: Times,
    /// Errors of a UDP socket, mostly of ICMP: each says that some datagram gets no answer.
    errors: u64,
    /// What came back, and not as it was sent.
    changed: u64,
}

impl Report {
    pub(super) fn new(name: String, size: usize) -> Self {
        Self { name, size, times: Times::default(), errors: 0, changed: 0 }
    }

    pub(super) fn errors(&self) -> u64 {
        self.errors
    }

    pub(super) fn changed(&self) -> u64 {
        self.changed
    }

    pub(super) fn answer(&mut self, number: u64, answer: Answer) -> io::Result<()> {
        let what = match answer {
            Answer::InTime(time) => {
                self.times.add(time);
                format!("time={} ms", Millis(time))
            }
            Answer::Late(time) => format!("time={} ms, late", Millis(time)),
            Answer::Duplicate => "duplicate".to_owned(),
            Answer::Old => "too old to be told from a duplicate".to_owned(),
            Answer::Unasked => "never sent".to_owned(),
        };
        self.line(&format!("{} bytes from {}: seq={number} {what}", self.size, self.name))
    }

    pub(super) fn lost(&self, number: u64, timeout: Duration) -> io::Result<()> {
        self.line(&format!("no answer from {}: seq={number} within {timeout:?}", self.name))
    }

    pub(super) fn error(&mut self, error: &io::Error) -> io::Result<()> {
        self.errors += 1;
        self.line(&format!("{}: {error}", self.name))
    }

    pub(super) fn datagram_changed(&mut self, number: u64, place: usize) -> io::Result<()> {
        self.changed += 1;
        self.line(&format!(
            "{} bytes from {}: seq={number} changed, from byte {place} on",
            self.size, self.name
        ))
    }

    pub(super) fn no_message(&mut self, count: usize) -> io::Result<()> {
        self.changed += 1;
        self.line(&format!("{count} bytes from {}: no message that was sent", self.name))
    }

    /// What is to be said of a stream, of which nothing is worth reading after that.
    pub(super) fn stream_changed(&mut self, number: u64, place: usize) -> String {
        self.changed += 1;
        format!("{}: seq={number} came back changed, from byte {place} on", self.name)
    }

    /// The same of bytes that nobody asked for.
    pub(super) fn never_sent(&mut self, number: u64) -> String {
        self.changed += 1;
        format!("{}: more than was asked for came back: seq={number} was never sent", self.name)
    }

    pub(super) fn summary(&self, tally: Tally) -> io::Result<()> {
        self.line(&format!("--- {}: {}", self.name, self.counts(tally)))?;
        if self.times.is_empty() {
            return Ok(());
        }
        self.line(&format!(
            "min/median/p99/max = {}/{}/{}/{} ms",
            Millis(self.times.min()),
            Millis(self.times.percentile(50)),
            Millis(self.times.percentile(99)),
            Millis(self.times.max())
        ))
    }

    /// The kinds of which there is none are left out, but for the first three.
    fn counts(&self, tally: Tally) -> String {
        let Tally { sent, answered, lost, late, duplicates } = tally;
        let percent = if sent == 0 { 0.0 } else { lost as f64 * 100.0 / sent as f64 };
        let mut text = format!("{sent} sent, {answered} answered, {lost} lost ({percent:.1} %)");
        // A stop doesn't wait for them: they may have come, or not.
        let open = sent - answered - lost;
        for (count, what) in [
            (late, "late"),
            (duplicates, "duplicate"),
            (self.errors, "refused or failed"),
            (self.changed, "changed"),
            (open, "still out"),
        ] {
            if count > 0 {
                // Writing to a String can't fail.
                let _ = write!(text, ", {count} {what}");
            }
        }
        text
    }

    fn line(&self, line: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{line}")
    }
}

/// A time in milliseconds, to the microsecond.
struct Millis(Duration);

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.0.as_secs_f64() * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_say_what_there_was() {
        let mut report = Report::new("a:7".to_owned(), 64);
        let mut tally = Tally { sent: 3, answered: 3, ..Tally::default() };
        assert_eq!(report.counts(Tally::default()), "0 sent, 0 answered, 0 lost (0.0 %)");
        assert_eq!(report.counts(tally), "3 sent, 3 answered, 0 lost (0.0 %)");
        tally = Tally { sent: 9, answered: 5, lost: 3, late: 2, duplicates: 1 };
        report.errors = 4;
        report.changed = 6;
        assert_eq!(
            report.counts(tally),
            "9 sent, 5 answered, 3 lost (33.3 %), 2 late, 1 duplicate, 4 refused or failed, \
             6 changed, 1 still out"
        );
    }
}
