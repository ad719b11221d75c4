//! The table that a person reads.

use super::{Case, Comparison, Sample, limited_by_load};
use crate::spread::{ALIKE, Spread};

/// The columns' names, and the widths that they have at least.
fn columns(case: &Case, baseline: &str) -> [(String, usize); 10] {
    let (rate, each) = match case.mode.as_str() {
        "bulk" => ("MB/s", "message"),
        "connect" => ("connections/s", "connection"),
        "udp" => ("datagrams/s", "datagram"),
        _ => ("messages/s", "message"),
    };
    [
        ("server".to_owned(), 14),
        ("connections".to_owned(), 11),
        ("bytes".to_owned(), 7),
        (rate.to_owned(), 10),
        (format!("CPU ns/{each}"), 8),
        ("quartiles".to_owned(), 15),
        ("min..max".to_owned(), 15),
        (format!("×{baseline}"), 6),
        ("quartiles".to_owned(), 12),
        ("verdict".to_owned(), 12),
    ]
}

/// Before a rate that the load has limited: the server could have answered as many at least.
pub const LIMITED: char = '≥';

/// What a mark in the rows means.
pub fn legend() -> String {
    format!(
        "{LIMITED} limited by the load: it was busy for 95 % of the time, the server for less than 90 %"
    )
}

/// The names of the columns. The ratio has the baseline's name: it is the server's CPU time for a message, as
/// a multiple of the baseline's.
pub fn header(case: &Case, baseline: &str) -> String {
    let columns = columns(case, baseline);
    let names = columns.each_ref().map(|(name, _)| name.clone());
    line(&names, &columns)
}

/// What the rows don't say of themselves.
pub fn footer() -> String {
    format!(
        "A/A ± is the noise: what the baseline, which runs twice in each round, differs from itself by. A tie \
         differs by no more than that, by {:.0} % or less, or not in all the rounds that count.",
        ALIKE * 100.0
    )
}

/// A row for each server, the baseline first: its ratio is A/A, its verdict the noise. Those of the others
/// say whether they are within the `bar` if there is one, and else where they stand.
pub fn rows(comparison: &Comparison, bar: bool) -> Vec<String> {
    let noise = format!("A/A ±{:.3}", comparison.noise());
    let baseline = row(
        comparison,
        &comparison.baseline,
        &comparison.baseline_samples().collect::<Vec<_>>(),
        comparison.a_by_a(),
        noise,
    );
    let others = comparison.others.iter().enumerate().map(|(other, name)| {
        let verdict = if !bar {
            comparison.standing(other).to_string()
        } else if comparison.passes(other) {
            format!("pass ≤{:.3}", comparison.bar())
        } else {
            format!("FAIL >{:.3}", comparison.bar())
        };
        let samples: Vec<_> = comparison.samples(other).collect();
        row(comparison, name, &samples, comparison.ratio(other), verdict)
    });
    std::iter::once(baseline).chain(others).collect()
}

fn row(
    comparison: &Comparison,
    name: &str,
    samples: &[&Sample],
    ratio: Spread,
    verdict: String,
) -> String {
    let is_bulk = comparison.case.mode == "bulk";
    let rate = |sample: &&Sample| if is_bulk { sample.report.throughput() } else { sample.rate() };
    let rate = Spread::of(samples.iter().map(rate));
    let cost = Spread::of(samples.iter().map(|sample| sample.cost()));
    let mark = if limited_by_load(samples) { LIMITED.to_string() } else { String::new() };
    let cells = [
        name.to_owned(),
        comparison.case.connections.to_string(),
        comparison.case.size.to_string(),
        format!("{mark}{:.0}", rate.median),
        format!("{:.0}", cost.median),
        format!("{:.0}..{:.0}", cost.lower, cost.upper),
        format!("{:.0}..{:.0}", cost.min, cost.max),
        format!("{:.3}", ratio.median),
        format!("{:.3}..{:.3}", ratio.lower, ratio.upper),
        verdict,
    ];
    line(&cells, &columns(&comparison.case, &comparison.baseline))
}

fn line(cells: &[String; 10], columns: &[(String, usize); 10]) -> String {
    let mut text = String::new();
    for (place, (cell, (name, least))) in cells.iter().zip(columns).enumerate() {
        let width = name.chars().count().max(*least);
        text.push_str(&match place {
            0 => format!("{cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::statistics::tests::comparison;
    use super::*;

    fn width() -> usize {
        let Comparison { case, baseline, .. } = comparison(&[]);
        header(&case, &baseline).chars().count()
    }

    #[test]
    fn bulk_is_told_in_megabytes() {
        let mut comparison = comparison(&[[1000.0, 1000.0, 1000.0]]);
        comparison.case.mode = "bulk".to_owned();
        comparison.rounds[0].others[0].report.bytes = 123_000_000;
        let header = header(&comparison.case, &comparison.baseline);
        let words: Vec<_> = header.split_whitespace().collect();
        assert_eq!(words[3..6], ["MB/s", "CPU", "ns/message"]);
        assert!(words.contains(&"×plain-epoll"), "{header}");
        assert!(rows(&comparison, false)[1].contains(" 123 "), "{:?}", rows(&comparison, false));
    }

    #[test]
    fn rows_stand_below_their_header() {
        for (cost, bar, verdict) in [
            (1010.0, true, "  pass ≤1.030"),
            (1100.0, true, "  FAIL >1.030"),
            (1100.0, false, "        slower"),
            (1000.0, false, "           tie"),
            (900.0, false, "        faster"),
        ] {
            let rows = rows(&comparison(&[[1000.0, cost, 1000.0]; 2]), bar);
            for row in &rows {
                assert_eq!(row.chars().count(), width(), "{row}");
            }
            let [baseline, other] = rows.as_slice() else { panic!("{rows:?}") };
            assert!(baseline.starts_with("plain-epoll            1000       64"), "{baseline}");
            assert!(baseline.ends_with(" A/A ±0.000"), "{baseline}");
            assert!(other.starts_with("reactor-mio            1000       64"), "{other}");
            assert!(other.ends_with(verdict), "{other}");
        }
    }

    #[test]
    fn a_rate_that_the_load_limits_is_marked() {
        let mut comparison = comparison(&[[1000.0, 1000.0, 1000.0]]);
        let report = &mut comparison.rounds[0].others[0].report;
        report.load_cpu_ns = Some(report.elapsed_ns);
        let rows = rows(&comparison, false);
        assert!(!rows[0].contains(LIMITED), "{}", rows[0]);
        assert!(rows[1].contains(" ≥1000 "), "{}", rows[1]);
        assert_eq!(rows[1].chars().count(), width());
    }
}
