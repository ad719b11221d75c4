//! The page's sections: for each question a chart, a table, and what to read from them.

use super::chart::{self, Bar, Line};
use super::figure::{Better, Figure, MEMORY, MEMORY_WITH_FILES, distinct, questions};
use super::page::Section;
use super::tables;
use crate::drawing::style;
use crate::numbers::precise;

/// One section a question.
///
/// # Errors
///
/// When a figure has no place on a chart.
pub(super) fn all(figures: &[Figure]) -> anyhow::Result<Vec<Section>> {
    questions(figures).into_iter().map(|question| one(question, figures)).collect()
}

fn one(question: &str, all: &[Figure]) -> anyhow::Result<Section> {
    let figures: Vec<_> = all.iter().filter(|figure| figure.question == question).collect();
    let numbers = distinct(figures.iter().map(|figure| figure.number));
    let contenders = tables::contenders(&figures);
    let (axis, unit) =
        figures.first().map_or_else(Default::default, |one| (one.axis(), one.unit.as_str()));
    let of = |contender: &str| {
        let those = figures.iter().filter(|figure| figure.contender == contender);
        those.map(|figure| (figure.number as f64, figure.value())).collect()
    };
    // A line takes two places; and over a number of connections, few of which are measured, it would
    // tell of places where nothing was.
    let chart = if numbers.len() > 2 {
        let lines: Vec<_> = contenders
            .iter()
            .map(|contender| Line {
                name: contender.to_string(),
                style: style::of(contender),
                points: of(contender),
            })
            .collect();
        let names = contenders.iter().map(ToString::to_string).collect();
        (chart::lines(&axis, unit, &lines)?, names)
    } else {
        let bars: Vec<_> = numbers
            .iter()
            .flat_map(|number| contenders.iter().map(move |contender| (*number, *contender)))
            .filter_map(|(number, contender)| {
                let is_it =
                    |figure: &&&Figure| figure.number == number && figure.contender == contender;
                figures.iter().find(is_it)
            })
            .map(|figure| Bar {
                name: match numbers.len() {
                    1 => figure.contender.clone(),
                    _ => format!("{} × {}", figure.number, figure.contender),
                },
                style: style::of(&figure.contender),
                value: figure.value(),
            })
            .collect();
        (chart::bars(unit, &bars)?, Vec::new())
    };
    Ok(Section {
        title: capitalised(question),
        reading: format!("{}{}{}", reading(&figures), limited(&figures), note(question)),
        chart: Some(chart),
        table: Some(tables::of(question, all)),
        terms: Vec::new(),
    })
}

/// A chart by itself: what a wait costs on each mechanism of the library, if that was measured.
pub(super) fn waits(all: &[Figure]) -> anyhow::Result<Option<String>> {
    let figures: Vec<_> = all
        .iter()
        .filter(|figure| {
            figure.question == "wait: 1 ready" && figure.contender.starts_with("reactor-")
        })
        .collect();
    let Some(first) = figures.first() else { return Ok(None) };
    let lines = tables::contenders(&figures).into_iter().map(|contender| {
        let those = figures.iter().filter(|figure| figure.contender == contender);
        Line {
            name: contender.trim_start_matches("reactor-").to_owned(),
            style: style::of(contender),
            points: those.map(|figure| (figure.number as f64, figure.value())).collect(),
        }
    });
    let lines: Vec<_> = lines.collect();
    chart::standalone("registered descriptors, one of them ready", &first.unit, &lines).map(Some)
}

/// In one line: who is best where it counts most, and how far the others are from it.
fn reading(figures: &[&Figure]) -> String {
    let Some(most) = figures.iter().map(|figure| figure.number).max() else { return String::new() };
    let at_most: Vec<_> = figures.iter().copied().filter(|figure| figure.number == most).collect();
    let Some((best, rest)) = ranked(&at_most) else { return String::new() };
    let Figure { unit, better, .. } = best;
    let sense = match better {
        Better::Lower => "Lower is better",
        Better::Higher => "Higher is better",
    };
    if at_most.iter().any(|figure| figure.samples.len() < 2) {
        return format!("{sense}. {ONE_SAMPLE}.");
    }
    let names = |which: &dyn Fn(&Figure) -> bool| {
        let those = rest.iter().filter(|figure| which(figure));
        those.map(|figure| figure.contender.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (tied, noisy) =
        (names(&|one| one.is_tied_with(best)), names(&|one| one.is_too_noisy_beside(best)));
    let place = capitalised(&best.place());
    let value = best.value();
    let figure = format!("{} {unit} {}", precise(value.median), tables::spread(value));
    let mut text = match best.contender.as_str() {
        _ if !rest.is_empty() && rest.iter().all(|one| one.is_tied_with(best)) => {
            return format!(
                "{sense}. {place}: no difference, all tie; the best is {figure}.{}",
                noise(best)
            );
        }
        name if place.ends_with("longer") => format!("{sense}. {place} than {figure} on {name}"),
        name => format!("{sense}. {place}: {name} has the best figure, {figure}"),
    };
    if !tied.is_empty() {
        text.push_str(&format!(", a tie with {tied}"));
    }
    if !noisy.is_empty() {
        text.push_str(&format!("; too noisy to tell: {noisy}"));
    }
    if let Some(worst) = rest.last().filter(|worst| worst.is_apart_from(best)) {
        let times = precise(worst.times(best));
        text.push_str(&format!(
            "; farthest from it is {}, by a factor of {times}",
            worst.contender
        ));
    }
    format!("{text}.{}", noise(best))
}

/// What is said in place of an answer.
pub(super) const ONE_SAMPLE: &str = "One sample of each says nothing of who is better";

/// The figure's noise, where there is one.
fn noise(figure: &Figure) -> String {
    let sentence =
        |noise| format!(" A/A, one server beside itself: {:.1} % of noise.", noise * 100.0);
    figure.noise.map_or_else(String::new, sentence)
}

/// Which figures say more of the load than of the server, as a line of its own.
fn limited(figures: &[&Figure]) -> String {
    let names: Vec<_> = figures
        .iter()
        .filter(|figure| figure.limited_by_load)
        .map(|figure| format!("{} ({})", figure.contender, figure.place()))
        .collect();
    if names.is_empty() {
        return String::new();
    }
    format!("\nLimited by the load, and not by the server: {}.", names.join(", "))
}

/// What one must know beside the figures, as a line of its own.
fn note(question: &str) -> &'static str {
    let notes = [
        (
            "wait: ",
            "\nEdge-triggered ones (mio) need each ready descriptor to become ready anew before the wait, which \
             isn't counted; nor are the reads until one would block, which their users pay besides.",
        ),
        (
            "echo of ",
            "\nmio's documentation asks for reading until one read would block, and polling is used by its default, \
             one-shot: a call more for each message than the plain loops and this library make.\nWhere the \
             load is what limits the rate, the server isn't always busy: its CPU time says more.",
        ),
        (
            "latency",
            "\nCounted from when a message was to be sent: with how late the load itself was (delay_ns in \
             report.json), which differs from run to run.",
        ),
        (
            "bulk",
            "\nmessage-io waits in a busy loop for a peer that doesn't read, and serves nobody else meanwhile.",
        ),
        (
            "one connection",
            "\nThe one that is awake looks again and again for up to 50 µs before it sleeps (`Options::spin`): a \
             core that sleeps takes longer to wake up.",
        ),
        (
            MEMORY_WITH_FILES,
            "\nThe growth of resident memory, in which pages of code that are read in count as well, divided by all \
             connections. The server on tokio has a task and a buffer for each connection, of which those pages \
             count that were read into.",
        ),
        (
            MEMORY,
            "\nThe growth of the server's anonymous memory (heap and stacks; neither code nor what the kernel has \
             for its sockets), divided by all connections. The server on tokio has a task and a buffer for each \
             connection, of which those pages count that were read into.",
        ),
    ];
    notes.into_iter().find(|(begin, _)| question.starts_with(begin)).map_or("", |(_, note)| note)
}

/// The best, and the others in order.
pub(super) fn ranked<'a>(figures: &[&'a Figure]) -> Option<(&'a Figure, Vec<&'a Figure>)> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(|one, other| {
        let order = one.value().median.total_cmp(&other.value().median);
        if one.better == Better::Lower { order } else { order.reverse() }
    });
    let (best, rest) = sorted.split_first()?;
    Some((best, rest.to_vec()))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::super::figure::tests::figure;
    use super::*;

    #[test]
    fn the_reading_names_the_best_the_ties_and_the_farthest() {
        let figures = [
            figure("wait", "one", 10, &[1.0]),
            figure("wait", "one", 1000, &[90.0, 100.0, 110.0]),
            figure("wait", "two", 1000, &[95.0, 105.0, 115.0]),
            figure("wait", "three", 1000, &[300.0; 3]),
            figure("wait", "four", 1000, &[95.0, 200.0, 210.0]),
        ];
        let all: Vec<_> = figures.iter().collect();
        assert_eq!(
            reading(&all),
            "Lower is better. 1,000 descriptors: one has the best figure, 100 ns (-10 +10 %), a tie with two; \
             too noisy to tell: four; farthest from it is three, by a factor of 3.00."
        );
        assert_eq!(
            reading(&all[1..3]),
            "Lower is better. 1,000 descriptors: no difference, all tie; the best is 100 ns (-10 +10 %)."
        );
        assert_eq!(reading(&all[..1]), format!("Lower is better. {ONE_SAMPLE}."));
    }

    #[test]
    fn what_the_load_limits_is_named() {
        let mut figures = [figure("rate", "one", 50, &[1.0]), figure("rate", "two", 50, &[1.0])];
        assert_eq!(limited(&figures.iter().collect::<Vec<_>>()), "");
        figures[1].limited_by_load = true;
        assert_eq!(
            limited(&figures.iter().collect::<Vec<_>>()),
            "\nLimited by the load, and not by the server: two (50 descriptors)."
        );
    }

    #[test]
    fn many_numbers_make_lines_and_few_make_bars() {
        let over = |numbers: &[u64]| -> Vec<_> {
            numbers.iter().map(|number| figure("wait", "mio", *number, &[5.0])).collect()
        };
        let section = &all(&over(&[10, 100, 1000])).unwrap()[0];
        assert_eq!(section.title, "Wait");
        assert_eq!(section.chart.as_ref().unwrap().1, ["mio"]);
        let section = &all(&over(&[10, 100])).unwrap()[0];
        let (svg, names) = section.chart.as_ref().unwrap();
        assert!(svg.contains("100 × mio") && names.is_empty());
    }
}
