//! What a load found out.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// The outcome of the measured time.
///
/// Written as one line of `key=value` pairs, which reads back:
///
/// ```
/// # use std::time::Duration;
/// # use benches::load::Report;
/// let report = Report {
///     messages: 500_000,
///     elapsed: Duration::from_secs(2),
///     server_time: Some(Duration::from_millis(1500)),
/// };
/// let line = report.to_string();
/// assert_eq!(line, "messages=500000 nanoseconds=2000000000 server_nanoseconds=1500000000");
/// assert_eq!(line.parse::<Report>().unwrap(), report);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Messages that came back whole and right.
    pub messages: u64,
    /// How long that took, up to the last of them.
    pub elapsed: Duration,
    /// The CPU time that the server used meanwhile, if it was asked for.
    pub server_time: Option<Duration>,
}

impl Report {
    /// Messages per second.
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.elapsed.as_secs_f64()
    }

    /// Nanoseconds of the server's CPU time for each message, if it was asked for.
    pub fn server_cost(&self) -> Option<f64> {
        self.server_time.map(|time| time.as_nanos() as f64 / self.messages as f64)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "messages={} nanoseconds={}", self.messages, self.elapsed.as_nanos())?;
        match self.server_time {
            Some(time) => write!(f, " server_nanoseconds={}", time.as_nanos()),
            None => Ok(()),
        }
    }
}

impl FromStr for Report {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let (mut messages, mut elapsed, mut server_time) = (None, None, None);
        for pair in line.split_whitespace() {
            let (key, value) = pair.split_once('=').with_context(|| format!("{pair}: no ="))?;
            let number: u64 = value.parse().with_context(|| format!("{pair}: not a number"))?;
            match key {
                "messages" => messages = Some(number),
                "nanoseconds" => elapsed = Some(Duration::from_nanos(number)),
                "server_nanoseconds" => server_time = Some(Duration::from_nanos(number)),
                _ => bail!("{pair}: unknown key"),
            }
        }
        Ok(Self {
            messages: messages.context("messages= is missing")?,
            elapsed: elapsed.context("nanoseconds= is missing")?,
            server_time,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_per_message_and_per_second() {
        let report = Report {
            messages: 1000,
            elapsed: Duration::from_millis(500),
            server_time: Some(Duration::from_millis(2)),
        };
        assert!((report.rate() - 2000.0).abs() < 1e-9);
        assert!((report.server_cost().unwrap() - 2000.0).abs() < 1e-9);
    }

    #[test]
    fn a_line_without_the_server_reads_back() {
        let report = Report { messages: 1, elapsed: Duration::from_nanos(7), server_time: None };
        assert_eq!(report.to_string().parse::<Report>().unwrap(), report);
    }

    #[test]
    fn what_is_not_a_report_is_refused() {
        for line in ["", "messages=1", "nanoseconds=1", "messages=x nanoseconds=1", "messages"] {
            assert!(line.parse::<Report>().is_err(), "{line:?} was taken for a report");
        }
    }
}
