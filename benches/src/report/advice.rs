//! Which mechanism to choose, as far as the figures tell.

use super::figure::{Figure, distinct};
use super::page::{Section, Table};
use super::sections::ranked;
use super::tables::precise;

/// What the library's own servers and pollers are called before the mechanism's name.
const OURS: &str = "reactor-";

/// How the questions begin in which an edge-triggered mechanism isn't charged with all that it asks for.
const WAIT: &str = "wait: ";
/// What is said there.
const UNCOUNTED: &str = "; mio without re-arming";

/// Which of the numbers that a question is asked for.
#[derive(Clone, Copy)]
enum At {
    Least,
    /// The greatest, if it is so great at least: what doesn't fit a machine is left out there.
    Most(u64),
}

/// Situations that people know themselves in, and the questions that stand for them, by their beginnings and
/// ends.
///
/// In a chain of socket pairs all is counted that a mechanism asks for, so that it stands for descriptors in
/// general. It has no more than a hundred ready at a time; more than that only a bare wait has.
const SITUATIONS: [(&str, &str, &str, At); 9] = [
    ("a hundred descriptors, one active", "chain: 1 active", " active", At::Least),
    ("a hundred descriptors, all active", "chain: 100 active", " active", At::Least),
    ("thousands of descriptors, one active", "chain: 1 active", " active", At::Most(1000)),
    ("thousands of descriptors, a hundred active", "chain: 100 active", " active", At::Most(1000)),
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

/// The answers that the figures give, if they give one.
pub(super) fn section(figures: &[Figure]) -> Option<Section> {
    let rows = SITUATIONS.iter().filter_map(|(situation, begin, end, at)| {
        let question =
            |figure: &&Figure| figure.question.starts_with(begin) && figure.question.ends_with(end);
        let ours = |figure: &&Figure| figure.contender.starts_with(OURS);
        row(situation, &figures.iter().filter(question).filter(ours).collect::<Vec<_>>(), *at)
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return None;
    }
    let headings = ["if you have", "choose", "best", "farthest"].map(str::to_owned).to_vec();
    Some(Section {
        title: "Which backend should I choose?".to_owned(),
        reading: "The best of each, and whatever else is as good within the noise. It is one machine's answer: the \
                  handler is the same on each mechanism, so measure your own server and change your mind by a \
                  feature."
            .to_owned(),
        chart: None,
        table: Some(Table { headings, rows }),
    })
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
    let is_unfair =
        best.question.starts_with(WAIT) && those.iter().any(|one| mechanism(one) == "mio");
    let more = if is_unfair { UNCOUNTED } else { "" };
    Some(vec![
        format!("{situation} ({}{more})", best.place()),
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

    /// The figures of one question on two mechanisms and elsewhere.
    fn figures(question: &str, number: u64, epoll: [f64; 3], poll: f64) -> [Figure; 3] {
        [
            figure(question, "reactor-epoll", number, &epoll),
            figure(question, "reactor-poll", number, &[poll]),
            figure(question, "mio", number, &[1.0]),
        ]
    }

    fn rows(figures: &[Figure]) -> Vec<Vec<String>> {
        section(figures).unwrap().table.unwrap().rows
    }

    #[test]
    fn each_situation_names_the_best_and_who_is_as_good() {
        let question = "chain: 1 active";
        let mut all = figures(question, 100, [95.0, 100.0, 105.0], 102.0).to_vec();
        all.extend(figures(question, 1000, [90.0, 91.0, 92.0], 900.0));
        all.extend(figures("chain: 1 active, stopped and started", 100, [1.0; 3], 1.0));
        assert_eq!(
            rows(&all),
            [
                [
                    "a hundred descriptors, one active (100 descriptors)",
                    "epoll or poll",
                    "100 ns",
                    "102 (poll)"
                ],
                [
                    "thousands of descriptors, one active (1000 descriptors)",
                    "epoll",
                    "91.0 ns",
                    "900 (poll)"
                ],
            ]
        );
        // A hundred are no thousands.
        all.retain(|figure| figure.number == 100);
        assert_eq!(rows(&all).len(), 1);
        assert!(section(&figures("wait: 1 ready", 1000, [1.0; 3], 9.0)).is_none());
    }

    #[test]
    fn what_a_bare_wait_does_not_count_of_mio_is_said_where_mio_is_compared() {
        let mut all = figures("wait: 100 % ready", 1000, [90.0; 3], 30.0).to_vec();
        let place = |all: &[Figure]| rows(all)[0][0].clone();
        assert_eq!(place(&all), "thousands of descriptors, all ready (1000 descriptors)");
        all.push(figure("wait: 100 % ready", "reactor-mio", 1000, &[10.0]));
        assert!(
            place(&all).contains("(1000 descriptors; mio without re-arming)"),
            "{}",
            place(&all)
        );
        let mut chain = figures("chain: 100 active", 1000, [90.0; 3], 30.0).to_vec();
        chain.push(figure("chain: 100 active", "reactor-mio", 1000, &[10.0]));
        assert!(!place(&chain).contains("mio"), "{}", place(&chain));
    }
}
