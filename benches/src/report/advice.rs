//! Which mechanism to choose, as far as the figures tell.

use super::figure::{Figure, distinct};
use super::page::{Section, Table};
use super::sections::ranked;
use super::tables::precise;

/// What the library's own servers and pollers are called before the mechanism's name.
const OURS: &str = "reactor-";

/// Which of the numbers that a question is asked for.
#[derive(Clone, Copy)]
enum At {
    Least,
    /// The greatest, if it is so great at least: what doesn't fit a machine is left out there.
    Most(u64),
}

/// Situations that people know themselves in, and the questions that stand for them, by their beginnings and
/// ends.
const SITUATIONS: [(&str, &str, &str, At); 8] = [
    ("few descriptors, one ready", "wait: 1 ready", "", At::Least),
    ("few descriptors, all ready", "wait: 100 % ready", "", At::Least),
    ("thousands of descriptors, one ready", "wait: 1 ready", "", At::Most(1000)),
    ("thousands of descriptors, all ready", "wait: 100 % ready", "", At::Most(1000)),
    ("some dozens of busy connections", "echo of 64 bytes: CPU", "", At::Least),
    ("a thousand busy connections", "echo of 64 bytes: CPU", "", At::Most(1000)),
    (
        "some busy connections beside a crowd of idle ones",
        "echo of",
        "beside a crowd: CPU",
        At::Most(1000),
    ),
    ("bulk", "bulk", "", At::Most(1)),
];

/// The answers that the figures give.
pub(super) fn section(figures: &[Figure]) -> Section {
    let rows = SITUATIONS.iter().filter_map(|(situation, begin, end, at)| {
        let question =
            |figure: &&Figure| figure.question.starts_with(begin) && figure.question.ends_with(end);
        let ours = |figure: &&Figure| figure.contender.starts_with(OURS);
        row(situation, &figures.iter().filter(question).filter(ours).collect::<Vec<_>>(), *at)
    });
    let table = Table {
        headings: ["if you have", "choose", "best", "farthest"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    };
    Section {
        title: "Which backend should I choose?".to_owned(),
        reading: "The best of each, and whatever else is as good within the noise. It is one machine's answer: the \
                  handler is the same on each mechanism, so measure your own server and change your mind by a \
                  feature."
            .to_owned(),
        chart: None,
        table: Some(table),
    }
}

fn row(situation: &str, figures: &[&Figure], at: At) -> Option<Vec<String>> {
    let numbers = figures.iter().map(|figure| figure.number);
    let number = match at {
        At::Least => numbers.min(),
        At::Most(least) => numbers.max().filter(|most| *most >= least),
    }?;
    let those: Vec<_> = figures.iter().copied().filter(|figure| figure.number == number).collect();
    let (best, rest) = ranked(&those)?;
    let tied = rest.iter().take_while(|other| !other.is_apart_from(best));
    let names = distinct([best].into_iter().chain(tied.copied()).map(mechanism));
    let farthest = rest.last().map_or(best, |farthest| farthest);
    Some(vec![
        format!("{situation} ({})", best.place()),
        names.join(" or "),
        format!("{} {}", precise(best.value().median), best.unit),
        format!("{} ({})", precise(farthest.value().median), mechanism(farthest)),
    ])
}

fn mechanism(figure: &Figure) -> &str {
    figure.contender.strip_prefix(OURS).unwrap_or(&figure.contender)
}

#[cfg(test)]
mod tests {
    use super::super::figure::tests::figure;
    use super::*;

    #[test]
    fn each_situation_names_the_best_and_who_is_as_good() {
        let mut figures = Vec::new();
        for (number, epoll, poll) in
            [(10, [95.0, 100.0, 105.0], 102.0), (1000, [90.0, 91.0, 92.0], 900.0)]
        {
            figures.push(figure("wait: 1 ready", "reactor-epoll", number, &epoll));
            figures.push(figure("wait: 1 ready", "reactor-poll", number, &[poll]));
            figures.push(figure("wait: 1 ready", "mio", number, &[1.0]));
        }
        let rows = section(&figures).table.unwrap().rows;
        assert_eq!(
            rows,
            [
                [
                    "few descriptors, one ready (10 descriptors)",
                    "epoll or poll",
                    "100 ns",
                    "102 (poll)"
                ],
                [
                    "thousands of descriptors, one ready (1000 descriptors)",
                    "epoll",
                    "91.0 ns",
                    "900 (poll)"
                ],
            ]
        );
        // Ten are no thousands.
        figures.retain(|figure| figure.number == 10);
        assert_eq!(section(&figures).table.unwrap().rows.len(), 1);
    }
}
