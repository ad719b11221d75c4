//! What a load found out.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{Latency, Mode};

/// For this part of the time at least a load is busy that can't ask for more.
const BUSY: f64 = 0.95;
/// For less than this part of the time a server is busy that could answer more.
const NOT_BUSY: f64 = 0.9;

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
    /// How many more there were: idle ones, or slow readers.
    pub others: usize,
    /// After how long others of a crowd asked in place of those that did so far, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moving_ns: Option<u64>,
    /// Messages a second that an open loop was to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_rate: Option<u64>,
    /// How many messages each of them had under way at most.
    pub depth: usize,
    /// Bytes of a message.
    pub size: usize,
    /// Messages that came back whole and right.
    pub messages: u64,
    /// Bytes of those messages, which went in each direction.
    pub bytes: u64,
    /// How long that took, up to the last of them, in nanoseconds; or the measured time, if that is longer and
    /// some were never answered.
    pub elapsed_ns: u64,
    /// Messages of an open loop that were never answered: the server has fallen behind, or hangs.
    /// No latency tells of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<u64>,
    /// Datagrams that weren't answered in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// Datagrams that were answered later, or twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<u64>,
    /// From when a message was sent, or was to be sent in an open loop, to when its whole echo was there.
    /// Of visits: from when the connect began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ns: Option<Latency>,
    /// How late the load itself was: from when a message of an open loop was to be sent to when it was
    /// its turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ns: Option<Latency>,
    /// The CPU time that the load itself used meanwhile, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_cpu_ns: Option<u64>,
    /// The CPU time that the server used meanwhile, in nanoseconds, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_ns: Option<u64>,
    /// The server's memory, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_memory: Option<Memory>,
    /// The server's system calls, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_calls: Option<SystemCallCount>,
    /// The number of the signal that ended it before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<i32>,
}

/// Bytes of the server that were in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Before the first connection.
    pub before: u64,
    /// With all connections, each of which had been answered.
    pub after: u64,
}

/// System calls, counted in a time of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemCallCount {
    /// How many the server made.
    pub calls: u64,
    /// Messages that came back meanwhile.
    pub messages: u64,
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

    /// Nanoseconds of the server's CPU time for each message, if it was asked for, and if there was one.
    pub fn server_cost(&self) -> Option<f64> {
        let time = self.server_cpu_ns.filter(|_| self.messages > 0)?;
        Some(time as f64 / self.messages as f64)
    }

    /// For which part of the time the load was on a core: at 1 it can't ask for more.
    pub fn load_share(&self) -> Option<f64> {
        Some(self.load_cpu_ns? as f64 / self.elapsed_ns as f64)
    }

    /// For which part of the time the server was on a core, if it was asked for: more than 1 with
    /// several threads.
    pub fn server_share(&self) -> Option<f64> {
        Some(self.server_cpu_ns? as f64 / self.elapsed_ns as f64)
    }

    /// Whether the rate says more of the load than of the server: the load was busy for 95 % of the time,
    /// and the server for less than 90 %.
    pub fn is_limited_by_load(&self) -> bool {
        self.load_share().is_some_and(|load| load >= BUSY)
            && self.server_share().is_some_and(|server| server < NOT_BUSY)
    }

    /// Payload in MB (10⁶ bytes) per second, in each direction.
    pub fn throughput(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.elapsed().as_secs_f64()
    }

    /// By how many bytes the server's memory grew for each connection, if it was asked for. It means
    /// little with few of them.
    pub fn memory_per_connection(&self) -> Option<f64> {
        let Memory { before, after } = self.server_memory?;
        let all = self.connections + self.others;
        Some((after as f64 - before as f64) / all as f64)
    }

    /// The server's system calls for each message, if they were asked for, and if there was one.
    pub fn calls_per_message(&self) -> Option<f64> {
        let SystemCallCount { calls, messages } =
            self.server_calls.filter(|all| all.messages > 0)?;
        Some(calls as f64 / messages as f64)
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
        let (rate, throughput) = (self.rate(), self.throughput());
        match self.mode {
            Mode::Bulk => writeln!(f, "{throughput:.1} MB/s in each direction")?,
            Mode::Connect => writeln!(f, "{rate:.0} connections/s")?,
            _ => writeln!(f, "{rate:.0} messages/s")?,
        }
        if let Some(latency) = self.latency_ns {
            writeln!(f, "latency: {latency}")?;
        }
        if let Some(delay) = self.delay_ns {
            writeln!(f, "the load's own delay: {delay}")?;
        }
        if let (Some(lost), Some(late)) = (self.lost, self.late) {
            let sent = lost + self.messages;
            let share = 100.0 * lost as f64 / sent.max(1) as f64;
            writeln!(f, "{lost} of {sent} lost ({share:.2} %), {late} late or double")?;
        }
        if let Some(count) = self.unanswered {
            writeln!(f, "{count} of {} never answered", count + self.messages)?;
        }
        if let Some(load) = self.load_share() {
            write!(f, "busy: the load {:.0} %", 100.0 * load)?;
            if let Some(server) = self.server_share() {
                write!(f, ", the server {:.0} %", 100.0 * server)?;
            }
            let limited = if self.is_limited_by_load() { " (limited by the load)" } else { "" };
            writeln!(f, "{limited}")?;
        }
        if let Some(cost) = self.server_cost() {
            writeln!(f, "{cost:.0} ns of server CPU time per message")?;
        }
        if let Some(calls) = self.calls_per_message() {
            writeln!(f, "{calls:.2} system calls per message")?;
        }
        if let (Some(Memory { before, after }), Some(each)) =
            (self.server_memory, self.memory_per_connection())
        {
            let all = self.connections + self.others;
            let (before, after) = (before / 1024, after / 1024);
            writeln!(
                f,
                "{each:.0} bytes of server memory per connection ({before} KiB grew to {after} KiB \
                 with {all})"
            )?;
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
    fn without_a_message_there_is_nothing_to_tell_of_one() {
        let report = Report {
            elapsed_ns: 1,
            server_cpu_ns: Some(2_000_000),
            server_calls: Some(SystemCallCount { calls: 21, messages: 0 }),
            ..Report::default()
        };
        assert_eq!((report.server_cost(), report.calls_per_message()), (None, None));
        assert_eq!(report.to_string(), "0 messages/s\n");
    }

    #[test]
    fn people_are_told_what_the_mode_is_about() {
        let report = Report {
            connections: 10,
            others: 90,
            messages: 1000,
            bytes: 64_000_000,
            elapsed_ns: 500_000_000,
            lost: Some(1000),
            late: Some(3),
            server_memory: Some(Memory { before: 1024, after: 1024 + 20_000 }),
            server_calls: Some(SystemCallCount { calls: 21, messages: 10 }),
            ..Report::default()
        };
        let text = report.to_string();
        for words in [
            "2000 messages/s\n",
            "1000 of 2000 lost (50.00 %), 3 late or double\n",
            "2.10 system calls per message\n",
            "200 bytes of server memory per connection (1 KiB grew to 20 KiB with 100)\n",
        ] {
            assert!(text.contains(words), "{text}");
        }
        let of_mode = |mode| Report { mode, ..report.clone() }.to_string();
        assert!(of_mode(Mode::Bulk).starts_with("128.0 MB/s in each direction\n"));
        assert!(of_mode(Mode::Connect).starts_with("2000 connections/s\n"));
    }

    #[test]
    fn a_busy_load_limits_a_server_that_is_not() {
        for (load, server, limited) in [
            (Some(950), Some(899), true),
            (Some(949), Some(899), false),
            (Some(950), Some(900), false),
            (Some(1000), None, false),
            (None, Some(10), false),
        ] {
            let report = Report {
                messages: 1,
                elapsed_ns: 1000,
                load_cpu_ns: load,
                server_cpu_ns: server,
                ..Report::default()
            };
            assert_eq!(report.is_limited_by_load(), limited, "{load:?} {server:?}");
            assert_eq!(report.to_string().contains(" (limited by the load)\n"), limited);
        }
        let report = Report {
            messages: 7,
            elapsed_ns: 1000,
            unanswered: Some(3),
            load_cpu_ns: Some(960),
            ..Report::default()
        };
        let text = report.to_string();
        assert!(text.contains("\n3 of 10 never answered\nbusy: the load 96 %\n"), "{text}");
    }

    #[test]
    fn a_line_reads_back() {
        let latency = Latency { p50: 1, p90: 2, p99: 3, p999: 4, max: 5 };
        let bare = Report { messages: 1, elapsed_ns: 7, ..Report::default() };
        let full = Report {
            connections: 50,
            latency_ns: Some(latency),
            server_cpu_ns: Some(9),
            server_memory: Some(Memory { before: 1, after: 2 }),
            server_calls: Some(SystemCallCount { calls: 2, messages: 1 }),
            lost: Some(1),
            late: Some(0),
            unanswered: Some(4),
            load_cpu_ns: Some(5),
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
