//! Figures as tables: a row a contender, a column a number.

use super::figure::{Figure, distinct};
use super::page::Table;
use crate::drawing::style;
use crate::numbers::precise;
use crate::spread::Spread;

/// The figures of one question.
pub(super) fn of(question: &str, figures: &[Figure]) -> Table {
    let figures: Vec<_> = figures.iter().filter(|figure| figure.question == question).collect();
    let places = distinct(figures.iter().map(|figure| (figure.number, figure.place())));
    let contenders = contenders(&figures);
    let unit = figures.first().map_or("", |figure| &figure.unit);
    let mut headings = vec![unit.to_owned()];
    headings.extend(places.iter().map(|(_, place)| place.clone()));
    let cell = |contender: &str, number: u64| {
        let found =
            figures.iter().find(|figure| figure.contender == contender && figure.number == number);
        found.map_or_else(String::new, |figure| match figure.samples.len() {
            1 => precise(figure.value().median),
            _ => with_spread(figure.value()),
        })
    };
    let rows = contenders.into_iter().map(|contender| {
        let cells = places.iter().map(|(number, _)| cell(contender, *number));
        [contender.to_owned()].into_iter().chain(cells).collect()
    });
    Table { headings, rows: rows.collect() }
}

/// Ours first, then the plain loops, then the others.
pub(super) fn contenders<'a>(figures: &[&'a Figure]) -> Vec<&'a str> {
    let mut all = distinct(figures.iter().map(|figure| figure.contender.as_str()));
    all.sort_by_key(|contender| style::of(contender).dashes);
    all
}

/// The median, and on a line of its own its spread.
fn with_spread(value: Spread) -> String {
    format!("{}\n{}", precise(value.median), spread(value))
}

/// How far the quartiles are from the median, or the extremes of few samples.
pub(super) fn spread(value: Spread) -> String {
    let percent = |part: f64| (part / value.median - 1.0) * 100.0;
    format!("({:+.0} {:+.0} %)", percent(value.lower), percent(value.upper))
}

/// For a terminal: columns of one width each.
pub(super) fn plain(title: &str, table: &Table) -> String {
    let rows = || [&table.headings].into_iter().chain(&table.rows);
    let columns = table.headings.len();
    // What names a group of rows may be longer than what stands in the first column.
    let cells = |row: &'_ &Vec<String>| columns == 1 || row.len() > 1;
    let width = |column: usize| {
        let cells = rows().filter(cells).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = format!("{title}\n");
    for row in rows() {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let (width, cell) = (*width, cell.replace('\n', " "));
            let cell =
                if column == 0 { format!("  {cell:<width$}") } else { format!("  {cell:>width$}") };
            line.push_str(&cell);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::figure::tests::figure;
    use super::*;

    #[test]
    fn contenders_stand_below_each_other() {
        let figures = [
            figure("wait", "plain-epoll", 10, &[90.0, 100.0, 120.0]),
            figure("wait", "mio", 10, &[2000.0]),
            figure("other", "mio", 10, &[1.0]),
            figure("wait", "mio", 1000, &[7.0]),
        ];
        let table = of("wait", &figures);
        assert_eq!(table.headings, ["ns", "10 descriptors", "1,000 descriptors"]);
        assert_eq!(
            plain("wait", &table),
            "wait\n  ns            10 descriptors  1,000 descriptors\n  \
             plain-epoll  100 (-10 +20 %)\n  mio                    2,000               7.00\n"
        );
    }
}
