//! Which mechanism to choose, as far as the figures tell.

use super::chart::short;
use super::figure::{Better, Figure, distinct, questions};
use super::page::Section;
use super::sections::ranked;

/// What the library's own servers and pollers are called before the mechanism's name.
const OURS: &str = "reactor-";

/// The answers that the figures give, a line each.
pub(super) fn section(figures: &[Figure]) -> Section {
    let mut lines = vec![
        "All of these are answers of one machine and one run. The handler is the same on each \
         mechanism: choose, measure your own, and change your mind by a feature."
            .to_owned(),
    ];
    let ours: Vec<_> =
        figures.iter().filter(|figure| figure.contender.starts_with(OURS)).cloned().collect();
    for question in questions(&ours) {
        lines.extend(answers(question, &ours));
    }
    Section {
        title: "Which backend should I choose?".to_owned(),
        reading: lines.join("\n"),
        chart: None,
        table: None,
    }
}

/// For each question: the numbers at which one mechanism is the best, from the least to the greatest.
fn answers(question: &str, ours: &[Figure]) -> Vec<String> {
    let figures: Vec<_> = ours.iter().filter(|figure| figure.question == question).collect();
    let mut numbers = distinct(figures.iter().map(|figure| figure.number));
    numbers.sort_unstable();
    let mut runs: Vec<(Vec<&str>, Vec<u64>, f64)> = Vec::new();
    for number in numbers {
        let those: Vec<_> = figures.iter().copied().filter(|one| one.number == number).collect();
        let Some((best, rest)) = ranked(&those) else { continue };
        let value = best.value();
        // Who is as good as the best, within the noise, is named beside it.
        let mut names = vec![mechanism(best)];
        let tied = rest.iter().take_while(|other| !other.value().is_apart_from(&value));
        names.extend(tied.map(|other| mechanism(other)));
        names.sort_unstable();
        let worst = rest.last().map_or(value.median, |worst| worst.value().median);
        let factor =
            if best.better == Better::Lower { worst / value.median } else { value.median / worst };
        match runs.last_mut() {
            Some((same, at, most)) if *same == names => {
                at.push(number);
                *most = most.max(factor);
            }
            _ => runs.push((names, vec![number], factor)),
        }
    }
    let Some(first) = figures.first() else { return Vec::new() };
    let (over, all) = (&first.over, distinct(figures.iter().map(|one| mechanism(one))).len());
    let parts = runs.into_iter().map(|(names, at, factor)| {
        let numbers = match (at.first(), at.last()) {
            (Some(least), Some(most)) if least != most => {
                format!("{} to {}", short(*least as f64), short(*most as f64))
            }
            _ => at.first().map_or_else(String::new, |number| short(*number as f64)),
        };
        if names.len() == all {
            format!("{numbers} {over}: all alike")
        } else {
            let names = names.join(" or ");
            format!("{numbers} {over}: {names} (the farthest is off by a factor of {factor:.1})")
        }
    });
    vec![format!("{question}: {}.", parts.collect::<Vec<_>>().join("; "))]
}

fn mechanism(figure: &Figure) -> &str {
    figure.contender.strip_prefix(OURS).unwrap_or(&figure.contender)
}

#[cfg(test)]
mod tests {
    use super::super::figure::tests::figure;
    use super::*;

    #[test]
    fn neighbouring_numbers_with_one_best_are_one_answer() {
        let mut figures = Vec::new();
        for (number, epoll, poll) in
            [(10, 100.0, 50.0), (100, 100.0, 100.0), (1000, 100.0, 900.0), (10_000, 100.0, 9000.0)]
        {
            figures.push(figure("wait, 1 ready", "reactor-epoll", number, &[epoll]));
            figures.push(figure("wait, 1 ready", "reactor-poll", number, &[poll]));
            figures.push(figure("wait, 1 ready", "mio", number, &[1.0]));
        }
        let section = section(&figures);
        assert_eq!(
            section.reading.lines().nth(1).unwrap(),
            "wait, 1 ready: 10 descriptors: poll (the farthest is off by a factor of 2.0); 100 descriptors: \
             all alike; 1 k to 10 k descriptors: epoll (the farthest is off by a factor of 90.0)."
        );
    }
}
