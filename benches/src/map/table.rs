//! The map as a table: a row for each place, a column for each server.

use super::Cell;
use crate::runs::{Comparison, Sample, limited_by_load};
use crate::spread::Spread;

/// Before a ratio of rates of which the load has limited one at least.
const LIMITED: char = '~';
/// A cell with the longest verdict, and a baseline's.
const WIDTH: usize = 22;

/// The columns, and how lines are made of them.
#[derive(Clone, Debug)]
pub struct Table {
    /// Names, and widths that the columns have at least.
    columns: Vec<(String, usize)>,
    baseline: String,
    is_markdown: bool,
}

impl Table {
    /// One of these servers, the baseline first; as Markdown has them, or for a terminal.
    pub fn new(baseline: &str, others: &[String], is_markdown: bool) -> Self {
        let place = [("registered", 10), ("busy", 12), ("set", 6)];
        let mut columns: Vec<_> =
            place.iter().map(|&(name, width)| (name.to_owned(), width)).collect();
        let servers = std::iter::once(baseline).chain(others.iter().map(String::as_str));
        columns.extend(servers.map(|server| (server.to_owned(), WIDTH)));
        Self { columns, baseline: baseline.to_owned(), is_markdown }
    }

    /// What stands above the rows: two lines in Markdown.
    pub fn header(&self) -> Vec<String> {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let mut lines = vec![self.line(&names)];
        if self.is_markdown {
            // With a colon on the right, the column is set flush right.
            let rule =
                |(name, width): &(String, usize)| format!("{:->1$}", ":", width.max(&name.len()));
            lines.push(self.line(&self.columns.iter().map(rule).collect::<Vec<_>>()));
        }
        lines
    }

    /// The row of a place.
    pub fn row(&self, cell: &Cell) -> String {
        let Cell { spot, comparison } = cell;
        let mut cells = vec![
            spot.registered.to_string(),
            format!("{} ({} %)", spot.busy(), spot.percent),
            if spot.moving { "moving" } else { "steady" }.to_owned(),
            of_baseline(comparison),
        ];
        cells.extend((0..comparison.others.len()).map(|other| of_other(comparison, other)));
        self.line(&cells)
    }

    /// What the rows don't say of themselves.
    pub fn footer(&self) -> String {
        let baseline = &self.baseline;
        format!(
            "{baseline}: CPU time per message, the noise (A/A), messages per second. The others: CPU time per message as a \
             multiple of that, the verdict, messages per second as a multiple; {LIMITED} stands before one that says \
             little, since the load limited one of the two rates."
        )
    }

    fn line(&self, cells: &[String]) -> String {
        let padded: Vec<_> = cells
            .iter()
            .zip(&self.columns)
            .map(|(cell, (name, least))| format!("{cell:>0$}", name.len().max(*least)))
            .collect();
        if self.is_markdown { format!("| {} |", padded.join(" | ")) } else { padded.join("  ") }
    }
}

fn of_baseline(comparison: &Comparison) -> String {
    let cost = Spread::of(comparison.baseline_samples().map(Sample::cost)).median;
    let rate = Spread::of(comparison.baseline_samples().map(Sample::rate)).median;
    format!("{cost:.0} ns ±{:.3} {rate:.0}/s", comparison.noise())
}

fn of_other(comparison: &Comparison, other: usize) -> String {
    let limited = |samples: Vec<&Sample>| limited_by_load(&samples);
    let is_limited = limited(comparison.samples(other).collect())
        || limited(comparison.baseline_samples().collect());
    let mark = if is_limited { LIMITED.to_string() } else { String::new() };
    let (cost, rate) = (comparison.ratio(other).median, comparison.rate_ratio(other).median);
    format!("{cost:.3} {} {mark}{rate:.2}", comparison.standing(other))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::map::Spot;
    use crate::runs::Round;

    fn table(is_markdown: bool) -> Table {
        Table::new("plain-epoll", &["mio".to_owned()], is_markdown)
    }

    /// Two rounds in which the baseline costs 1000 ns and sends 1000 messages a second, the other half of
    /// both.
    fn cell(is_limited: bool) -> Cell {
        let sample = |messages: u64, cost: u64| {
            let mut report = crate::load::Report {
                messages,
                elapsed_ns: 1_000_000_000,
                server_cpu_ns: Some(messages * cost),
                ..crate::load::Report::default()
            };
            report.load_cpu_ns = is_limited.then_some(report.elapsed_ns);
            Sample { report }
        };
        let round = Round {
            baseline: sample(1000, 1000),
            others: vec![sample(500, 500)],
            again: sample(1000, 1000),
        };
        let registered = NonZeroUsize::new(1000).unwrap();
        let spot = Spot { registered, percent: 10, moving: true };
        let comparison = Comparison {
            case: spot.case(),
            baseline: "plain-epoll".to_owned(),
            others: vec!["mio".to_owned()],
            rounds: vec![round.clone(), round],
        };
        Cell { spot, comparison }
    }

    #[test]
    fn a_row_says_where_and_who_costs_what() {
        let table = table(false);
        let header = table.header();
        let row = table.row(&cell(false));
        assert_eq!(header.len(), 1);
        assert_eq!(row.chars().count(), header[0].chars().count(), "{row}");
        let words: Vec<_> = row.split_whitespace().collect::<Vec<_>>();
        let expected = "1000 100 (10 %) moving 1000 ns ±0.000 1000/s 0.500 faster 0.50";
        assert_eq!(words.join(" "), expected);
        assert!(table.row(&cell(true)).ends_with(" ~0.50"), "{}", table.row(&cell(true)));
    }

    #[test]
    fn markdown_has_a_bar_around_each_cell() {
        let table = table(true);
        let mut lines = table.header();
        lines.push(table.row(&cell(false)));
        assert_eq!(lines.len(), 3);
        assert!(lines[1].chars().all(|character| "|-: ".contains(character)), "{}", lines[1]);
        for line in &lines {
            assert_eq!(line.matches('|').count(), 6, "{line}");
            assert_eq!(line.chars().count(), lines[0].chars().count(), "{line}");
        }
    }
}
