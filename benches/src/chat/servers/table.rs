//! The table of chat servers.

use super::{Case, Sample};
use crate::spread::Spread;

/// A column's name and width.
const COLUMNS: [(&str, usize); 9] = [
    ("case", 18),
    ("server", 12),
    ("rate/s", 9),
    ("min..max", 19),
    ("p50 µs", 9),
    ("p99 µs", 9),
    ("CPU ns", 8),
    ("min..max", 15),
    ("KiB", 8),
];

/// The names of the columns. The rate is of deliveries, or of clients who register; latencies are up to a
/// message's last delivery; `CPU ns` is the server's CPU time for a delivery, or for a client; `KiB` the
/// server's memory with all clients. Each figure is the median of the rounds.
pub fn header() -> String {
    line(&COLUMNS.map(|(name, _)| name.to_owned()))
}

/// One server's row in a case; nothing if it has no samples.
pub fn row(case: Case, server: &str, samples: &[Sample]) -> String {
    let of =
        |figure: &dyn Fn(&Sample) -> Option<f64>| Spread::of(samples.iter().filter_map(figure));
    let rate = of(&|sample| {
        Some(match sample {
            Sample::Fanout(report) => report.delivery_rate(),
            Sample::Register(report) => report.rate(),
        })
    });
    let cost = of(&|sample| match sample {
        Sample::Fanout(report) => report.server_cost(),
        Sample::Register(report) => report.server_cost(),
    });
    let latency = |sample: &Sample| match sample {
        Sample::Fanout(report) => report.latency_ns,
        Sample::Register(_) => None,
    };
    let p50 = of(&|sample| Some(latency(sample)?.p50 as f64 / 1e3));
    let p99 = of(&|sample| Some(latency(sample)?.p99 as f64 / 1e3));
    let memory = of(&|sample| {
        let memory = match sample {
            Sample::Fanout(report) => report.server_memory,
            Sample::Register(report) => report.server_memory,
        };
        Some(memory?.after as f64 / 1024.0)
    });
    let median = |spread: Spread| {
        if spread.median.is_nan() { "-".to_owned() } else { format!("{:.0}", spread.median) }
    };
    let range = |spread: Spread| format!("{:.0}..{:.0}", spread.min, spread.max);
    line(&[
        case.to_string(),
        server.to_owned(),
        median(rate),
        range(rate),
        median(p50),
        median(p99),
        median(cost),
        range(cost),
        median(memory),
    ])
}

fn line(cells: &[String; COLUMNS.len()]) -> String {
    let columns = cells.iter().zip(COLUMNS).enumerate();
    let cell = |(place, (cell, (_, width))): (usize, (&String, (&str, usize)))| match place {
        0 => format!("{cell:<width$}"),
        1 => format!("  {cell:<width$}"),
        _ => format!("  {cell:>width$}"),
    };
    columns.map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::{FanoutReport, RegisterReport};
    use super::*;

    #[test]
    fn rows_stand_below_their_header() {
        let report = |deliveries| {
            Sample::Fanout(FanoutReport {
                deliveries,
                elapsed_ns: 1_000_000_000,
                server_cpu_ns: Some(1_000_000),
                ..FanoutReport::default()
            })
        };
        let samples = [report(1000), report(4000), report(2000)];
        let row_of = row(Case::Fanout(1000, 32, 32), "chat-epoll", &samples);
        assert_eq!(row_of.chars().count(), header().chars().count(), "{row_of}");
        assert!(row_of.starts_with("N=1000 S=32 W=32    chat-epoll         2000"), "{row_of}");
        assert!(row_of.contains("1000..4000") && row_of.contains("250..1000"), "{row_of}");
        let registered =
            RegisterReport { registered: 10, elapsed_ns: 500_000_000, ..Default::default() };
        let row_of = row(Case::Register(10), "ngircd", &[Sample::Register(registered)]);
        assert!(row_of.starts_with("register 10         ngircd               20"), "{row_of}");
    }
}
