//! What has changed since an older report, beyond the noise.

use super::figure::{Better, Figure};
use crate::command_line::plural;
use crate::drawing::style::{self, Dashes};
use crate::numbers::precise;
use crate::spread::Spread;

/// Lines for people: how far the plain loops moved, what got better or worse, of this library first and the
/// greatest change ahead, how much didn't, and how much can't be compared.
pub(super) fn lines(old: &[Figure], new: &[Figure]) -> Vec<String> {
    let mut changes = Vec::new();
    let mut plain = Vec::new();
    let (mut same, mut noisy, mut without) = (0, 0, 0);
    for figure in new {
        let Some(before) = old.iter().find(|before| before.is_of(figure)) else {
            without += 1;
            continue;
        };
        let (then, now) = (before.value(), figure.value());
        let ratio = now.median / then.median;
        let cost = if figure.better == Better::Lower { ratio } else { 1.0 / ratio };
        let kind = style::of(&figure.contender).dashes;
        let is_changed = before.is_apart_from(figure);
        if kind == Dashes::Long {
            plain.push((cost, is_changed));
        }
        if !is_changed {
            *(if before.is_too_noisy_beside(figure) { &mut noisy } else { &mut same }) += 1;
            continue;
        }
        let verdict = if cost < 1.0 { "better" } else { "WORSE" };
        let Figure { question, contender, unit, .. } = figure;
        let line = format!(
            "{verdict:6} {:+6.1} %  {question}, {}, {contender}: {} -> {} {unit}",
            (ratio - 1.0) * 100.0,
            figure.place(),
            precise(then.median),
            precise(now.median),
        );
        changes.push((kind, ratio.ln().abs(), line));
    }
    changes.sort_by(|one, other| one.0.cmp(&other.0).then(other.1.total_cmp(&one.1)));
    let mut lines = Vec::new();
    lines.extend(drift(&plain));
    for (kind, title) in KINDS {
        let those: Vec<_> = changes.iter().filter(|change| change.0 == kind).collect();
        if !those.is_empty() {
            lines.push(title.to_owned());
        }
        lines.extend(those.into_iter().map(|(_, _, line)| line.clone()));
    }
    lines.push(format!("{} the same within the noise", are(same)));
    if noisy > 0 {
        lines.push(format!("{} too noisy to tell", are(noisy)));
    }
    if without > 0 {
        lines.push(format!("{} in the newer report alone", are(without)));
    }
    let gone = old.iter().filter(|before| !new.iter().any(|figure| before.is_of(figure))).count();
    if gone > 0 {
        lines.push(format!("{} in the older report alone", are(gone)));
    }
    lines
}

/// Whose figures they are, in the order in which they are told.
const KINDS: [(Dashes, &str); 3] = [
    (Dashes::Solid, "this library:"),
    (Dashes::Long, "plain loops:"),
    (Dashes::Short, "other libraries:"),
];

/// The plain loops are the same code in both: where they moved, something else has changed. Each is what a
/// figure's cost was multiplied by, and whether that is more than noise.
fn drift(plain: &[(f64, bool)]) -> Option<String> {
    let moved = plain.iter().filter(|(_, is_changed)| *is_changed).count();
    let all = Spread::of(plain.iter().map(|(cost, _)| *cost));
    (moved > 0).then(|| {
        format!(
            "the machine changed, or the build: of the plain loops {} moved, of {}; their cost by {:+.1} % in the \
             median",
            plural(moved, "figure"),
            plain.len(),
            (all.median - 1.0) * 100.0
        )
    })
}

/// In what two reports differ as to how much was measured, if they do: quick ones beside full ones.
pub(super) fn depth(old: &[Figure], new: &[Figure]) -> Option<String> {
    let samples = |of: &[Figure], others: &[Figure]| {
        let those = of.iter().filter(|one| others.iter().any(|other| other.is_of(one)));
        Spread::of(those.map(|figure| figure.samples.len() as f64)).median
    };
    let (then, now) = (samples(old, new), samples(new, old));
    let differ = then.max(now) / then.min(now) > 1.5;
    differ.then(|| {
        format!(
            "one was measured more thoroughly than the other: {then:.0} samples of a figure in the older report, \
             {now:.0} in this one"
        )
    })
}

fn are(count: usize) -> String {
    format!("{} {}", plural(count, "figure"), if count == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use super::super::figure::tests::figure;
    use super::*;

    #[test]
    fn changes_beyond_the_noise_come_first_the_greatest_ahead() {
        let old = [
            figure("wait", "one", 10, &[100.0, 101.0, 102.0]),
            figure("wait", "two", 10, &[100.0, 101.0, 102.0]),
            figure("wait", "three", 10, &[100.0, 101.0, 102.0]),
            figure("wait", "four", 10, &[90.0, 100.0, 120.0]),
            figure("wait", "six", 10, &[1.0]),
        ];
        let new = [
            figure("wait", "one", 10, &[110.0, 111.0, 112.0]),
            figure("wait", "two", 10, &[50.0, 50.5, 51.0]),
            figure("wait", "three", 10, &[102.0, 103.0, 104.0]),
            figure("wait", "four", 10, &[100.0, 115.0, 130.0]),
            figure("wait", "five", 10, &[1.0]),
        ];
        assert_eq!(
            lines(&old, &new),
            [
                "other libraries:",
                "better  -50.0 %  wait, 10 descriptors, two: 101 -> 50.5 ns",
                "WORSE    +9.9 %  wait, 10 descriptors, one: 101 -> 111 ns",
                "2 figures are the same within the noise",
                "1 figure is in the newer report alone",
                "1 figure is in the older report alone",
            ]
        );
    }

    #[test]
    fn what_a_server_differs_from_itself_by_is_no_change() {
        let old = figure("echo", "one", 10, &[100.0, 101.0, 102.0]);
        let mut new = figure("echo", "one", 10, &[110.0, 111.0, 112.0]);
        assert!(
            lines(std::slice::from_ref(&old), std::slice::from_ref(&new))[1].starts_with("WORSE")
        );
        new.noise = Some(0.2);
        assert_eq!(lines(&[old], &[new]), ["1 figure is the same within the noise"]);
    }

    #[test]
    fn more_is_better_where_it_is() {
        let mut old = figure("rate", "one", 10, &[100.0]);
        old.better = Better::Higher;
        let mut new = old.clone();
        new.samples = vec![200.0];
        assert!(lines(&[old], &[new])[1].starts_with("better +100.0 %"));
    }

    #[test]
    fn ours_come_first_and_the_yardsticks_tell_of_the_machine() {
        let of = |factor: f64| {
            let samples = |value: f64| [value * factor, value * factor * 1.001];
            [
                figure("echo", "mio", 1, &samples(400.0)),
                figure("echo", "plain-epoll", 1, &samples(100.0)),
                figure("echo", "reactor-epoll", 1, &samples(200.0)),
            ]
        };
        let lines = lines(&of(1.0), &of(1.1));
        assert_eq!(
            lines[0],
            "the machine changed, or the build: of the plain loops 1 figure moved, of 1; their cost by +10.0 % in \
             the median"
        );
        let titles: Vec<_> = lines.iter().filter(|line| line.ends_with(':')).collect();
        assert_eq!(titles, ["this library:", "plain loops:", "other libraries:"]);
    }

    #[test]
    fn noise_is_no_sameness() {
        let old = figure("echo", "one", 1, &[100.0, 101.0, 500.0]);
        let new = figure("echo", "one", 1, &[300.0, 301.0, 302.0]);
        let lines = lines(&[old], &[new]);
        assert_eq!(lines[1], "1 figure is too noisy to tell");
    }

    #[test]
    fn reports_of_different_depth_are_told() {
        let of = |count| [figure("echo", "one", 1, &vec![1.0; count])];
        assert_eq!(depth(&of(15), &of(15)), None);
        assert!(
            depth(&of(3), &of(15))
                .unwrap()
                .ends_with("3 samples of a figure in the older report, 15 in this one")
        );
        assert_eq!(depth(&[], &of(15)), None);
    }
}
