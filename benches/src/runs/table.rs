//! The table that a person reads.

use super::{Comparison, Sample, limited_by_load};
use crate::spread::Spread;

/// A column's name and width.
const COLUMNS: [(&str, usize); 10] = [
    ("server", 14),
    ("connections", 11),
    ("bytes", 7),
    ("messages/s", 10),
    ("CPU ns", 8),
    ("quartiles", 15),
    ("min..max", 15),
    ("ratio", 6),
    ("quartiles", 12),
    ("verdict", 12),
];

/// Before a rate that the load has limited: the server could have answered as many at least.
pub const LIMITED: char = '≥';

/// What a mark in the rows means.
pub fn legend() -> String {
    format!(
        "{LIMITED} limited by the load: it was busy for 95 % of the time, the server for less than 90 %"
    )
}

/// The names of the columns. `CPU ns` are nanoseconds of the server's CPU time for a message, and `ratio`
/// is that as a multiple of the baseline's.
pub fn header() -> String {
    line(&COLUMNS.map(|(name, _)| name.to_owned()))
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
    let rate = Spread::of(samples.iter().map(|sample| sample.rate()));
    let cost = Spread::of(samples.iter().map(|sample| sample.cost()));
    let mark = if limited_by_load(samples) { LIMITED.to_string() } else { String::new() };
    line(&[
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
    ])
}

fn line(cells: &[String; COLUMNS.len()]) -> String {
    let mut columns = cells.iter().zip(COLUMNS);
    let first = columns.next().map(|(cell, (_, width))| format!("{cell:<width$}"));
    first.into_iter().chain(columns.map(|(cell, (_, width))| format!("  {cell:>width$}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::statistics::tests::comparison;
    use super::*;

    #[test]
    fn rows_stand_below_their_header() {
        for (cost, bar, verdict) in [
            (1010.0, true, "  pass ≤1.030"),
            (1100.0, true, "  FAIL >1.030"),
            (1100.0, false, "        slower"),
            (1000.0, false, "           tie"),
            (900.0, false, "        faster"),
        ] {
            let rows = rows(&comparison(&[[1000.0, cost, 1000.0]]), bar);
            for row in &rows {
                assert_eq!(row.chars().count(), header().len(), "{row}");
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
        assert_eq!(rows[1].chars().count(), header().len());
    }
}
