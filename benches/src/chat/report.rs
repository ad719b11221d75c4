//! What a chat load found out.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::load::{Latency, Memory};

/// The outcome of talking on a channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FanoutReport {
    /// Members who read.
    pub members: usize,
    /// How many of them talked.
    pub senders: usize,
    /// Messages under way, of all senders together.
    pub outstanding: usize,
    /// Bytes of a message's text.
    pub size: usize,
    /// Messages that all other members have got.
    pub messages: u64,
    /// Lines of messages that members have got.
    pub deliveries: u64,
    /// How long that took, up to the last of them, in nanoseconds.
    pub elapsed_ns: u64,
    /// From when a message was sent to when the last member had it.
    pub latency_ns: Option<Latency>,
    /// The CPU time that the load itself used meanwhile, in nanoseconds.
    pub load_cpu_ns: Option<u64>,
    /// The CPU time that the server used meanwhile, in nanoseconds, if it was asked for.
    pub server_cpu_ns: Option<u64>,
    /// The server's memory before the first connection, and with all members on the channel.
    pub server_memory: Option<Memory>,
    /// What became of those who never read, if there were any.
    pub stuck: Option<StuckReport>,
    /// The number of the signal that ended it before its time.
    pub interrupted: Option<i32>,
}

/// What the server did with members who never read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StuckReport {
    /// How many there were.
    pub members: usize,
    /// How many of them the server has dropped.
    pub dropped: usize,
    /// When the first and the last of those was, in nanoseconds since the first message.
    pub dropped_ns: Option<(u64, u64)>,
    /// Bytes of the most memory that the server was seen to have, looked at ten times a second.
    pub server_peak: Option<u64>,
}

/// The outcome of registering.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegisterReport {
    /// Clients that were to register.
    pub clients: usize,
    /// Connects under way, at most.
    pub connects: usize,
    /// Clients that have been welcomed.
    pub registered: usize,
    /// How long that took, in nanoseconds.
    pub elapsed_ns: u64,
    /// The CPU time that the load itself used meanwhile, in nanoseconds.
    pub load_cpu_ns: Option<u64>,
    /// The CPU time that the server used meanwhile, in nanoseconds, if it was asked for.
    pub server_cpu_ns: Option<u64>,
    /// The server's memory before the first connection, and with all clients.
    pub server_memory: Option<Memory>,
    /// The number of the signal that ended it before its time.
    pub interrupted: Option<i32>,
}

/// So many of something in so much time, a second.
fn rate(count: u64, elapsed_ns: u64) -> f64 {
    count as f64 / Duration::from_nanos(elapsed_ns).as_secs_f64()
}

/// So much of something, for each of so many.
fn each(total: Option<u64>, count: u64) -> Option<f64> {
    total.filter(|_| count > 0).map(|total| total as f64 / count as f64)
}

impl FanoutReport {
    /// Messages per second.
    pub fn message_rate(&self) -> f64 {
        rate(self.messages, self.elapsed_ns)
    }

    /// Deliveries per second.
    pub fn delivery_rate(&self) -> f64 {
        rate(self.deliveries, self.elapsed_ns)
    }

    /// Nanoseconds of the server's CPU time for each delivery, if it was asked for, and if there was one.
    pub fn server_cost(&self) -> Option<f64> {
        each(self.server_cpu_ns, self.deliveries)
    }

    /// For which part of the time the load was on a core.
    pub fn load_share(&self) -> Option<f64> {
        each(self.load_cpu_ns, self.elapsed_ns)
    }
}

impl RegisterReport {
    /// Clients per second.
    pub fn rate(&self) -> f64 {
        rate(self.registered as u64, self.elapsed_ns)
    }

    /// By how many bytes the server's memory grew for each client, if it was asked for.
    pub fn memory_per_client(&self) -> Option<f64> {
        let Memory { before, after } = self.server_memory.filter(|_| self.registered > 0)?;
        Some((after as f64 - before as f64) / self.registered as f64)
    }

    /// Nanoseconds of the server's CPU time for each client, if it was asked for, and if there was one.
    pub fn server_cost(&self) -> Option<f64> {
        each(self.server_cpu_ns, self.registered as u64)
    }
}

fn write_busy(
    f: &mut fmt::Formatter<'_>,
    load: Option<u64>,
    server: Option<u64>,
    elapsed_ns: u64,
) -> fmt::Result {
    if let Some(load) = each(load, elapsed_ns) {
        write!(f, "busy: the load {:.0} %", 100.0 * load)?;
        if let Some(server) = each(server, elapsed_ns) {
            write!(f, ", the server {:.0} %", 100.0 * server)?;
        }
        writeln!(f)?;
    }
    Ok(())
}

/// For people: a figure a line.
impl fmt::Display for FanoutReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:.0} messages/s, {:.0} deliveries/s",
            self.message_rate(),
            self.delivery_rate()
        )?;
        if let Some(latency) = self.latency_ns {
            writeln!(f, "latency to the last delivery: {latency}")?;
        }
        write_busy(f, self.load_cpu_ns, self.server_cpu_ns, self.elapsed_ns)?;
        if let Some(cost) = self.server_cost() {
            writeln!(f, "{cost:.0} ns of server CPU time per delivery")?;
        }
        if let Some(Memory { before, after }) = self.server_memory {
            let (before, after) = (before / 1024, after / 1024);
            writeln!(f, "server memory: {before} KiB, and {after} KiB with all members")?;
        }
        if let Some(StuckReport { members, dropped, dropped_ns, server_peak }) = &self.stuck {
            write!(f, "{dropped} of {members} stuck members were dropped")?;
            if let Some((first, last)) = dropped_ns {
                let seconds = |nanos: &u64| *nanos as f64 / 1e9;
                write!(
                    f,
                    ", {:.2} to {:.2} s after the first message",
                    seconds(first),
                    seconds(last)
                )?;
            }
            if let Some(peak) = server_peak {
                write!(f, "; the server had {} KiB at most", peak / 1024)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// For people: a figure a line.
impl fmt::Display for RegisterReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = Duration::from_nanos(self.elapsed_ns).as_secs_f64();
        let Self { clients, registered, .. } = self;
        writeln!(
            f,
            "{registered} of {clients} clients in {seconds:.2} s, {:.0} clients/s",
            self.rate()
        )?;
        write_busy(f, self.load_cpu_ns, self.server_cpu_ns, self.elapsed_ns)?;
        if let Some(cost) = self.server_cost() {
            writeln!(f, "{:.1} µs of server CPU time per client", cost / 1e3)?;
        }
        if let (Some(Memory { before, after }), Some(each)) =
            (self.server_memory, self.memory_per_client())
        {
            let (before, after) = (before / 1024, after / 1024);
            writeln!(
                f,
                "{each:.0} bytes of server memory per client ({before} KiB grew to {after} KiB)"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_rates_and_costs() {
        let report = FanoutReport {
            members: 11,
            messages: 1000,
            deliveries: 10_000,
            elapsed_ns: 500_000_000,
            load_cpu_ns: Some(250_000_000),
            server_cpu_ns: Some(500_000_000),
            server_memory: Some(Memory { before: 2048, after: 4096 }),
            stuck: Some(StuckReport {
                members: 3,
                dropped: 2,
                dropped_ns: Some((10_000_000, 20_000_000)),
                server_peak: Some(1 << 20),
            }),
            ..FanoutReport::default()
        };
        let text = report.to_string();
        for words in [
            "2000 messages/s, 20000 deliveries/s\n",
            "busy: the load 50 %, the server 100 %\n",
            "50000 ns of server CPU time per delivery\n",
            "server memory: 2 KiB, and 4 KiB with all members\n",
            "2 of 3 stuck members were dropped, 0.01 to 0.02 s after the first message; the server had 1024 KiB at most\n",
        ] {
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn registering_is_told_by_client() {
        let report = RegisterReport {
            clients: 10,
            registered: 5,
            elapsed_ns: 500_000_000,
            server_cpu_ns: Some(50_000),
            server_memory: Some(Memory { before: 1024, after: 1024 + 10_240 }),
            ..RegisterReport::default()
        };
        let text = report.to_string();
        for words in [
            "5 of 10 clients in 0.50 s, 10 clients/s\n",
            "10.0 µs of server CPU time per client\n",
            "2048 bytes of server memory per client (1 KiB grew to 11 KiB)\n",
        ] {
            assert!(text.contains(words), "{text}");
        }
    }
}
