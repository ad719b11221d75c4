//! What a load found out.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{Latency, Mode};

/// The outcome of the measured time.
///
/// [`line`](Self::line) writes it as one line of JSON, which [`parse`](str::parse) reads back; to
/// display it is to say it to people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Report {
    /// What was asked of the server.
    pub mode: Mode,
    /// How many connections asked at the same time.
    pub connections: usize,
    /// How many messages each of them had under way.
    pub depth: usize,
    /// Bytes of a message.
    pub size: usize,
    /// Messages that came back whole and right.
    pub messages: u64,
    /// Bytes of those messages, which went in each direction.
    pub bytes: u64,
    /// How long that took, up to the last of them, in nanoseconds.
    pub elapsed_ns: u64,
    /// From when a message was sent to when its whole echo was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ns: Option<Latency>,
    /// The CPU time that the server used meanwhile, in nanoseconds, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_ns: Option<u64>,
    /// The number of the signal that ended it before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<i32>,
}

impl Report {
    /// How long it took, up to the last message.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_ns)
    }

    /// Messages per second.
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.elapsed().as_secs_f64()
    }

    /// Nanoseconds of the server's CPU time for each message, if it was asked for.
    pub fn server_cost(&self) -> Option<f64> {
        self.server_cpu_ns.map(|time| time as f64 / self.messages as f64)
    }

    /// One line of JSON, without its end.
    ///
    /// # Errors
    ///
    /// None that is known of: all that it holds can be said in JSON.
    pub fn line(&self) -> anyhow::Result<String> {
        serde_json::to_string(self).context("write a report as JSON")
    }
}

/// For people: a figure a line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:.0} messages/s", self.rate())?;
        if let Some(latency) = self.latency_ns {
            writeln!(f, "{latency}")?;
        }
        if let Some(cost) = self.server_cost() {
            writeln!(f, "{cost:.0} ns of server CPU time per message")?;
        }
        Ok(())
    }
}

/// Reads what [`line`](Report::line) has written.
impl FromStr for Report {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let report: Self = serde_json::from_str(line)
            .with_context(|| format!("{line:?} is no report of a load"))?;
        anyhow::ensure!(report.elapsed_ns > 0, "{line:?} is a report of no time");
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_per_message_and_per_second() {
        let report = Report {
            messages: 1000,
            elapsed_ns: 500_000_000,
            server_cpu_ns: Some(2_000_000),
            ..Report::default()
        };
        assert!((report.rate() - 2000.0).abs() < 1e-9);
        assert!((report.server_cost().unwrap() - 2000.0).abs() < 1e-9);
    }

    #[test]
    fn a_line_reads_back() {
        let latency = Latency { p50: 1, p90: 2, p99: 3, p999: 4, max: 5 };
        let bare = Report { messages: 1, elapsed_ns: 7, ..Report::default() };
        let full = Report {
            connections: 50,
            latency_ns: Some(latency),
            server_cpu_ns: Some(9),
            interrupted: Some(2),
            ..bare.clone()
        };
        for report in [bare, full] {
            let line = report.line().unwrap();
            assert_eq!(line.lines().count(), 1);
            assert_eq!(line.parse::<Report>().unwrap(), report);
        }
    }

    #[test]
    fn what_is_not_a_report_is_refused() {
        for line in ["", "{}", "messages=1", r#"{"elapsed_ns":"x"}"#, r#"{"elapsed_ns":1,"x":1}"#] {
            assert!(line.parse::<Report>().is_err(), "{line:?} was taken for a report");
        }
    }
}
