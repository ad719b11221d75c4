//! What has changed since an older report, beyond the noise.

use super::figure::{Better, Figure};
use super::tables::precise;

/// Lines for people: what got better or worse, the greatest change first, how many didn't, and how many can't
/// be compared.
pub(super) fn lines(old: &[Figure], new: &[Figure]) -> Vec<String> {
    let mut changes = Vec::new();
    let (mut same, mut without) = (0, 0);
    for figure in new {
        let Some(before) = old.iter().find(|before| before.is_of(figure)) else {
            without += 1;
            continue;
        };
        let (then, now) = (before.value(), figure.value());
        let ratio = now.median / then.median;
        if !before.is_apart_from(figure) {
            same += 1;
            continue;
        }
        let lower = ratio < 1.0;
        let verdict = if lower == (figure.better == Better::Lower) { "better" } else { "WORSE" };
        let Figure { question, contender, unit, .. } = figure;
        let line = format!(
            "{verdict:6} {:+6.1} %  {question}, {}, {contender}: {} -> {} {unit}",
            (ratio - 1.0) * 100.0,
            figure.place(),
            precise(then.median),
            precise(now.median),
        );
        changes.push((ratio.ln().abs(), line));
    }
    changes.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut lines: Vec<_> = changes.into_iter().map(|(_, line)| line).collect();
    lines.push(format!("{same} figures are the same within the noise"));
    if without > 0 {
        lines.push(format!("{without} figures aren't in the older report"));
    }
    let gone = old.iter().filter(|before| !new.iter().any(|figure| before.is_of(figure))).count();
    if gone > 0 {
        lines.push(format!("{gone} figures are in the older report alone"));
    }
    lines
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
                "better  -50.0 %  wait, 10 descriptors, two: 101 -> 50.5 ns",
                "WORSE    +9.9 %  wait, 10 descriptors, one: 101 -> 111 ns",
                "2 figures are the same within the noise",
                "1 figures aren't in the older report",
                "1 figures are in the older report alone",
            ]
        );
    }

    #[test]
    fn what_a_server_differs_from_itself_by_is_no_change() {
        let old = figure("echo", "one", 10, &[100.0, 101.0, 102.0]);
        let mut new = figure("echo", "one", 10, &[110.0, 111.0, 112.0]);
        assert!(
            lines(std::slice::from_ref(&old), std::slice::from_ref(&new))[0].starts_with("WORSE")
        );
        new.noise = Some(0.2);
        assert_eq!(lines(&[old], &[new]), ["1 figures are the same within the noise"]);
    }

    #[test]
    fn more_is_better_where_it_is() {
        let mut old = figure("rate", "one", 10, &[100.0]);
        old.better = Better::Higher;
        let mut new = old.clone();
        new.samples = vec![200.0];
        assert!(lines(&[old], &[new])[0].starts_with("better +100.0 %"));
    }
}
