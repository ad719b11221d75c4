//! The table that a person reads.

use super::{Case, Verdict};

/// A column's name and width.
const COLUMNS: [(&str, usize); 13] = [
    ("backend", 8),
    ("against", 7),
    ("connections", 11),
    ("bytes", 7),
    ("yardstick ns", 12),
    ("subject ns", 10),
    ("yardstick/s", 11),
    ("subject/s", 9),
    ("ratio", 6),
    ("[min..max]", 16),
    ("A/A", 6),
    ("bar", 6),
    ("verdict", 7),
];

/// The names of the columns.
pub fn header() -> String {
    line(&COLUMNS.map(|(name, _)| name.to_owned()))
}

/// One case and its verdict. `ns` are nanoseconds of the server's CPU time for a message, `/s`
/// are messages per second.
pub fn row(case: &Case, verdict: &Verdict) -> String {
    let Verdict { yardstick, subject, ratio, least, most, a_by_b } = verdict;
    line(&[
        case.backend.clone(),
        case.yardstick().to_string(),
        case.connections.to_string(),
        case.size.to_string(),
        format!("{:.0}", yardstick.cost),
        format!("{:.0}", subject.cost),
        format!("{:.0}", yardstick.rate),
        format!("{:.0}", subject.rate),
        format!("{ratio:.3}"),
        format!("[{least:.3}..{most:.3}]"),
        format!("{a_by_b:.3}"),
        format!("{:.3}", verdict.bar()),
        if verdict.passes() { "pass" } else { "FAIL" }.to_owned(),
    ])
}

fn line(cells: &[String; COLUMNS.len()]) -> String {
    let mut columns = cells.iter().zip(COLUMNS);
    let first = columns.next().map(|(cell, (_, width))| format!("{cell:<width$}"));
    first.into_iter().chain(columns.map(|(cell, (_, width))| format!("  {cell:>width$}"))).collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::ratio::{Round, Sample};

    #[test]
    fn a_row_stands_below_its_header() {
        let sample = |cost| Sample { cost, rate: 123_456.7 };
        let round =
            |subject| Round { a: sample(1000.0), subject: sample(subject), b: sample(1000.0) };
        let case = Case {
            backend: "mio".to_owned(),
            connections: NonZeroUsize::new(1000).unwrap(),
            size: NonZeroUsize::new(64).unwrap(),
        };
        for (cost, verdict) in [(1010.0, "pass"), (1100.0, "FAIL")] {
            let row = row(&case, &Verdict::of(&[round(cost)]));
            assert_eq!(row.len(), header().len(), "{row}");
            assert!(row.starts_with("mio         epoll         1000       64"), "{row}");
            assert!(row.ends_with(verdict), "{row}");
        }
    }
}
