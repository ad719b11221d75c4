//! Which mechanism to choose, as far as the figures tell.

use super::figure::{Figure, distinct};
use super::page::{Section, Table};
use super::sections::ranked;
use crate::numbers::precise;
use crate::spread::FEW;

/// What the library's own servers and pollers are called before the mechanism's name.
const OURS: &str = "reactor-";

/// How the questions begin in which an edge-triggered mechanism isn't charged with all that it asks for.
const WAIT: &str = "wait: ";
/// What is said there.
const UNCOUNTED: &str = "; mio without re-arming";

/// What it is called, how the questions that stand for it begin and end, and at which number.
type Situation = (&'static str, &'static str, &'static str, At);

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
const SITUATIONS: [Situation; 9] = [
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

/// How many of them, from the first on, stand for single steps of a loop.
const STEPS: usize = 5;

/// The answers that the figures give, if they give one.
pub(super) fn section(figures: &[Figure]) -> Option<Section> {
    let (steps, servers) = SITUATIONS.split_at(STEPS);
    let mut all = Vec::new();
    for (group, situations) in [("by single steps of a loop", steps), ("by whole servers", servers)]
    {
        let rows = rows(situations, figures);
        if !rows.is_empty() {
            all.push(vec![group.to_owned()]);
            all.extend(rows);
        }
    }
    if all.is_empty() {
        return None;
    }
    let headings =
        ["if you have", "choose", "the best figure", "the worst, likewise"].map(str::to_owned);
    Some(Section {
        title: TITLE.to_owned(),
        reading: "The best of this library's mechanisms, and whatever ties with it; where one is too noisy to \
                  tell, that is said. It is one machine's answer: the handler is the same on each mechanism, so \
                  measure your own server and change your mind by a feature."
            .to_owned(),
        table: Some(Table { headings: headings.to_vec(), rows: all }),
        ..Section::default()
    })
}

/// The question that all this answers.
pub(super) const TITLE: &str = "Which backend should I choose?";

fn rows(situations: &[Situation], figures: &[Figure]) -> Vec<Vec<String>> {
    let rows = situations.iter().filter_map(|(situation, begin, end, at)| {
        let question =
            |figure: &&Figure| figure.question.starts_with(begin) && figure.question.ends_with(end);
        let ours = |figure: &&Figure| figure.contender.starts_with(OURS);
        row(situation, &figures.iter().filter(question).filter(ours).collect::<Vec<_>>(), *at)
    });
    rows.collect()
}

fn row(situation: &str, figures: &[&Figure], at: At) -> Option<Vec<String>> {
    let numbers = figures.iter().map(|figure| figure.number);
    let number = match at {
        At::Least => numbers.min(),
        At::Most(least) => numbers.max().filter(|most| *most >= least),
    }?;
    let those: Vec<_> = figures.iter().copied().filter(|figure| figure.number == number).collect();
    let (best, rest) = ranked(&those)?;
    let worst = rest.last().unwrap_or(&best);
    let is_unfair =
        best.question.starts_with(WAIT) && those.iter().any(|one| mechanism(one) == "mio");
    let more = if is_unfair { UNCOUNTED } else { "" };
    let (best_one, worst_one) = (precise(best.value().median), precise(worst.value().median));
    Some(vec![
        format!("{situation} ({}{more})", best.place()),
        choice(best, &rest),
        format!("{best_one} {} ({})", best.unit, mechanism(best)),
        format!("{worst_one} ({})", mechanism(worst)),
    ])
}

/// What the samples allow to be said.
fn choice(best: &Figure, rest: &[&Figure]) -> String {
    let all = || [best].into_iter().chain(rest.iter().copied());
    let fewest = all().map(|one| one.samples.len()).min().unwrap_or(0);
    if fewest < 2 {
        return "one sample: says nothing".to_owned();
    }
    let names = |which: &dyn Fn(&Figure) -> bool| {
        distinct(rest.iter().copied().filter(|one| which(one)).map(mechanism))
    };
    let (tied, noisy) =
        (names(&|one| one.is_tied_with(best)), names(&|one| one.is_too_noisy_beside(best)));
    let mut text = if !rest.is_empty() && tied.len() == rest.len() {
        "any, no difference".to_owned()
    } else {
        [vec![mechanism(best)], tied].concat().join(" or ")
    };
    if !noisy.is_empty() {
        text.push_str(&format!("; too noisy to tell: {}", noisy.join(", ")));
    }
    if fewest < FEW {
        text.push_str(&format!(" (of {fewest} samples)"));
    }
    text
}

fn mechanism(figure: &Figure) -> &str {
    figure.contender.strip_prefix(OURS).unwrap_or(&figure.contender)
}

#[cfg(test)]
mod tests {
    use super::super::figure::tests::figure;
    use super::*;

    /// The figures of one question on two mechanisms and elsewhere.
    fn figures(question: &str, number: u64, epoll: [f64; 5], poll: f64) -> [Figure; 3] {
        [
            figure(question, "reactor-epoll", number, &epoll),
            figure(question, "reactor-poll", number, &[poll; 5]),
            figure(question, "mio", number, &[1.0; 5]),
        ]
    }

    fn rows(figures: &[Figure]) -> Vec<Vec<String>> {
        section(figures).unwrap().table.unwrap().rows
    }

    #[test]
    fn each_situation_names_the_best_and_who_is_as_good() {
        let question = "chain: 1 active";
        let mut all = figures(question, 100, [95.0, 95.0, 100.0, 105.0, 105.0], 102.0).to_vec();
        all.extend(figures(question, 1000, [91.0; 5], 900.0));
        all.extend(figures("chain: 1 active, stopped and started", 100, [1.0; 5], 1.0));
        assert_eq!(
            rows(&all),
            [
                &["by single steps of a loop"][..],
                &[
                    "a hundred descriptors, one active (100 descriptors)",
                    "any, no difference",
                    "100 ns (epoll)",
                    "102 (poll)"
                ],
                &[
                    "thousands of descriptors, one active (1,000 descriptors)",
                    "epoll",
                    "91.0 ns (epoll)",
                    "900 (poll)"
                ],
            ]
        );
        // A hundred are no thousands.
        all.retain(|figure| figure.number == 100);
        assert_eq!(rows(&all).len(), 2);
        assert!(section(&figures("wait: 1 ready", 1000, [1.0; 5], 9.0)).is_none());
    }

    #[test]
    fn no_more_is_said_than_the_samples_tell() {
        let choice = |samples: [&[f64]; 3]| {
            let [one, two, three] = samples;
            let all = [("reactor-epoll", one), ("reactor-poll", two), ("reactor-select", three)];
            let all = all.map(|(name, samples)| figure("chain: 1 active", name, 100, samples));
            rows(&all)[1][1].clone()
        };
        assert_eq!(choice([&[1.0], &[2.0], &[3.0]]), "one sample: says nothing");
        assert_eq!(choice([&[1.0; 3], &[2.0; 3], &[3.0; 5]]), "epoll (of 3 samples)");
        let noisy = [100.0, 100.0, 300.0, 400.0, 400.0];
        let told = choice([&[100.0; 5], &noisy, &[101.0; 5]]);
        assert_eq!(told, "epoll or select; too noisy to tell: poll");
    }

    #[test]
    fn what_a_bare_wait_does_not_count_of_mio_is_said_where_mio_is_compared() {
        let mut all = figures("wait: 100 % ready", 1000, [90.0; 5], 30.0).to_vec();
        let place = |all: &[Figure]| rows(all)[1][0].clone();
        assert_eq!(place(&all), "thousands of descriptors, all ready (1,000 descriptors)");
        all.push(figure("wait: 100 % ready", "reactor-mio", 1000, &[10.0; 5]));
        assert!(
            place(&all).contains("(1,000 descriptors; mio without re-arming)"),
            "{}",
            place(&all)
        );
        let mut chain = figures("chain: 100 active", 1000, [90.0; 5], 30.0).to_vec();
        chain.push(figure("chain: 100 active", "reactor-mio", 1000, &[10.0; 5]));
        assert!(!place(&chain).contains("mio"), "{}", place(&chain));
    }
}
