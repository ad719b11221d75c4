//! One thing that was measured, with all its samples.

use crate::load::{Latency, Mode, Report};
use crate::micro::Measured;
use crate::numbers::grouped;
use crate::runs::{Comparison, Round, Sample, limited_by_load};
use crate::spread::{ALIKE, Spread, TOO_FAR};

/// What the memory of a connection is called; and in reports that counted pages of files, which aren't to be
/// compared with it.
pub(super) const MEMORY: &str = "crowd: anonymous memory";
pub(super) const MEMORY_WITH_FILES: &str = "crowd: resident memory";

/// Which figures are the good ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Better {
    Lower,
    Higher,
}

/// A point of a chart, a cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figure {
    /// Whether it is of a single step of a loop, and not of a whole server.
    pub(super) is_step: bool,
    /// What is asked: a chart and a table each.
    pub(super) question: String,
    pub(super) contender: String,
    /// What the number counts, such as descriptors; or a phrase with `#` in place of the number.
    pub(super) over: String,
    pub(super) number: u64,
    pub(super) unit: String,
    pub(super) better: Better,
    /// By how much of it one contender differs from itself, where it ran twice in each round: a smaller
    /// difference is a tie.
    pub(super) noise: Option<f64>,
    pub(super) samples: Vec<f64>,
    /// Whether it says more of the load than of the server.
    pub(super) limited_by_load: bool,
}

impl Figure {
    /// What a single step of a loop costs.
    pub(super) fn of_step(measured: &Measured) -> Self {
        let Measured { case, samples } = measured;
        Self {
            is_step: true,
            question: format!("{}: {}", case.group, case.question),
            contender: case.contender.clone(),
            over: case.over.clone(),
            number: case.number,
            unit: case.unit.clone(),
            better: Better::Lower,
            noise: None,
            samples: samples.clone(),
            limited_by_load: false,
        }
    }

    /// What servers cost, as far as the mode of the load tells it.
    pub(super) fn of_servers(comparison: &Comparison) -> Vec<Self> {
        let mut figures = Vec::new();
        let rounds = &comparison.rounds;
        let baseline: Vec<_> = comparison.baseline_samples().collect();
        add_server(&mut figures, rounds, &comparison.baseline, &baseline);
        for (place, server) in comparison.others.iter().enumerate() {
            let samples: Vec<_> = comparison.samples(place).collect();
            add_server(&mut figures, rounds, server, &samples);
        }
        figures
    }

    /// How the samples are spread; where there are few, all of them count.
    pub(super) fn value(&self) -> Spread {
        Spread::to_judge_by(self.samples.iter().copied())
    }

    /// Whether it is told apart from another one by more than the samples spread, by more than
    /// [any two figures](ALIKE) may differ, and by more than one contender differs from itself: in the
    /// noisier of the two runs if they aren't of the same one.
    pub(super) fn is_apart_from(&self, other: &Self) -> bool {
        let (one, another) = (self.value(), other.value());
        let noise = self.noise.unwrap_or(0.0).max(other.noise.unwrap_or(0.0)).max(ALIKE);
        one.is_apart_from(&another) && self.times(other) - 1.0 > noise
    }

    /// Whether it isn't told apart from another one for its samples' or the other's sake alone: the medians
    /// are so far from each other that it can't be called a tie.
    pub(super) fn is_too_noisy_beside(&self, other: &Self) -> bool {
        !self.is_apart_from(other) && self.times(other) - 1.0 > TOO_FAR
    }

    /// Whether the two are as good as each other.
    pub(super) fn is_tied_with(&self, other: &Self) -> bool {
        !self.is_apart_from(other) && !self.is_too_noisy_beside(other)
    }

    /// By what factor the medians differ: the same whichever of the two is asked.
    pub(super) fn times(&self, other: &Self) -> f64 {
        let (one, another) = (self.value().median, other.value().median);
        one.max(another) / one.min(another)
    }

    /// The number, and what it counts.
    pub(super) fn place(&self) -> String {
        let Self { over, number, .. } = self;
        if over.contains('#') {
            over.replace('#', &grouped(*number))
        } else {
            let one = over.strip_suffix('s').filter(|_| *number == 1);
            format!("{} {}", grouped(*number), one.unwrap_or(over))
        }
    }

    /// What the numbers of a chart count.
    pub(super) fn axis(&self) -> String {
        self.over.replace('#', "N")
    }

    /// Whether it is the same question of the same contender at the same number.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        (&self.question, &self.contender, &self.over, self.number)
            == (&other.question, &other.contender, &other.over, other.number)
    }
}

/// One figure of all latencies, in nanoseconds.
type Percentile = fn(&Latency) -> u64;

/// The latencies that a load tells: one message in so many takes longer.
const SLOWEST: [(u64, Percentile); 4] =
    [(2, |all| all.p50), (10, |all| all.p90), (100, |all| all.p99), (1000, |all| all.p999)];

fn add_server(figures: &mut Vec<Figure>, rounds: &[Round], server: &str, samples: &[&Sample]) {
    let Some(Sample { report }) = samples.first().copied() else { return };
    let limited = limited_by_load(samples);
    let mut add = |question: String,
                   (over, number): (&str, u64),
                   unit: &str,
                   better,
                   of: &dyn Fn(&Report) -> Option<f64>| {
        let samples: Option<Vec<_>> = samples.iter().map(|sample| of(&sample.report)).collect();
        let figure = |samples| Figure {
            is_step: false,
            question,
            contender: server.to_owned(),
            over: over.to_owned(),
            number,
            unit: unit.to_owned(),
            better,
            noise: noise(rounds, of),
            samples,
            // The CPU time of a message doesn't depend on how many there are.
            limited_by_load: limited && better == Better::Higher,
        };
        figures.extend(samples.map(figure));
    };
    let (size, connections) =
        (grouped(report.size as u64), ("connections", report.connections as u64));
    let (lower, higher) = (Better::Lower, Better::Higher);
    let cpu = |report: &Report| report.server_cost();
    let beside = if report.mode == Mode::Slow { " beside slow readers" } else { "" };
    match (report.mode, report.asked_rate) {
        (Mode::Echo | Mode::Slow, Some(rate)) => {
            let question =
                format!("latency{beside}: {} messages of {size} bytes a second", grouped(rate));
            for (number, of) in SLOWEST {
                let nanos = |report: &Report| Some(of(&report.latency_ns?) as f64 / 1e3);
                add(question.clone(), ("1 in # takes longer", number), "µs", lower, &nanos);
            }
        }
        (Mode::Echo, None) if report.connections == 1 => {
            let question = format!("one connection, {size} bytes");
            let place = ("connection", 1);
            let trip = |report: &Report| Some(1e6 / report.rate());
            add(format!("{question}: round trip"), place, "µs per round trip", lower, &trip);
            add(format!("{question}: CPU"), place, "ns of server CPU per message", lower, &cpu);
        }
        (Mode::Echo | Mode::Slow, None) => {
            let question = format!("echo of {size} bytes{beside}");
            add(
                format!("{question}: CPU"),
                connections,
                "ns of server CPU per message",
                lower,
                &cpu,
            );
            add(
                format!("{question}: rate"),
                connections,
                "messages per second",
                higher,
                &|report| Some(report.rate()),
            );
        }
        (Mode::Crowd, _) => {
            let idle = ("idle connections", report.others as u64);
            let question = format!(
                "echo of {size} bytes on {} connections beside a crowd: CPU",
                report.connections
            );
            add(question, idle, "ns of server CPU per message", lower, &cpu);
            add(
                MEMORY.to_owned(),
                idle,
                "bytes per connection",
                lower,
                &Report::memory_per_connection,
            );
        }
        (Mode::Bulk, _) => {
            let question = format!("bulk, blocks of {size} bytes");
            add(question, connections, "MB/s in each direction", higher, &|report| {
                Some(report.throughput())
            });
        }
        (Mode::Connect, _) => {
            let question = "connect, one echo, close";
            add(
                format!("{question}: rate"),
                connections,
                "connections per second",
                higher,
                &|report| Some(report.rate()),
            );
            add(
                format!("{question}: CPU"),
                connections,
                "ns of server CPU per connection",
                lower,
                &cpu,
            );
        }
        (Mode::Udp, _) => {
            let question = format!("UDP echo of {size} bytes: CPU");
            add(question, ("sockets", connections.1), "ns of server CPU per datagram", lower, &cpu);
        }
    }
}

/// How far a contender is from itself: the farther one of the quartiles, or of the extremes where there are
/// few rounds.
fn noise(rounds: &[Round], of: &dyn Fn(&Report) -> Option<f64>) -> Option<f64> {
    let ratio = |round: &Round| Some(of(&round.baseline.report)? / of(&round.again.report)?);
    let ratios: Vec<_> = rounds.iter().filter_map(ratio).collect();
    let Spread { lower, upper, .. } = Spread::to_judge_by(ratios.into_iter());
    let noise = (1.0 - lower).max(upper - 1.0);
    noise.is_finite().then_some(noise)
}

/// The questions of some figures, in the order in which they come.
pub(super) fn questions(figures: &[Figure]) -> Vec<&str> {
    distinct(figures.iter().map(|figure| figure.question.as_str()))
}

/// Each once, in the order in which they come.
pub(super) fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut all = Vec::new();
    for value in values {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A figure in nanoseconds.
    pub(in super::super) fn figure(
        question: &str,
        contender: &str,
        number: u64,
        samples: &[f64],
    ) -> Figure {
        Figure {
            is_step: true,
            question: question.to_owned(),
            contender: contender.to_owned(),
            over: "descriptors".to_owned(),
            number,
            unit: "ns".to_owned(),
            better: Better::Lower,
            noise: None,
            samples: samples.to_vec(),
            limited_by_load: false,
        }
    }

    #[test]
    fn a_small_difference_is_a_tie_however_little_the_samples_spread() {
        let one = figure("any", "one", 1, &[100.0; 15]);
        for (nanos, is_apart) in [(102.9, false), (97.2, false), (103.1, true), (97.0, true)] {
            let other = figure("any", "other", 1, &[nanos; 15]);
            assert_eq!(one.is_apart_from(&other), is_apart, "{nanos}");
            assert_eq!(other.is_apart_from(&one), is_apart, "{nanos}");
        }
    }

    #[test]
    fn of_three_samples_the_worst_counts() {
        let one = figure("any", "one", 1, &[100.0, 101.0, 140.0]);
        let other = figure("any", "other", 1, &[125.0, 126.0, 130.0]);
        assert!(!one.is_apart_from(&other));
        // Of fifteen, one that was disturbed says nothing.
        let mut many = figure("any", "one", 1, &[100.0; 14]);
        many.samples.push(140.0);
        assert!(many.is_apart_from(&other));
    }

    #[test]
    fn a_difference_within_the_noise_is_a_tie() {
        let mut one = figure("any", "one", 1, &[100.0]);
        let other = figure("any", "other", 1, &[104.0]);
        assert!(one.is_apart_from(&other));
        one.noise = Some(0.05);
        assert!(!one.is_apart_from(&other) && !other.is_apart_from(&one));
    }

    /// The figures of one sample of a server.
    fn of_load(mode: Mode) -> Vec<Figure> {
        let report = Report {
            mode,
            connections: 50,
            size: 64,
            messages: 3,
            elapsed_ns: 1_000_000_000,
            ..Report::default()
        };
        let mut figures = Vec::new();
        add_server(&mut figures, &[], "one", &[&Sample { report }]);
        figures
    }

    #[test]
    fn connections_a_second_are_told_without_the_server_s_time() {
        let figures = of_load(Mode::Connect);
        assert_eq!(questions(&figures), ["connect, one echo, close: rate"]);
        let Figure { unit, better, samples, .. } = &figures[0];
        assert_eq!((unit.as_str(), *better), ("connections per second", Better::Higher));
        assert_eq!(samples, &[3.0]);
    }

    #[test]
    fn slow_readers_are_another_question() {
        let (echo, slow) = (of_load(Mode::Echo), of_load(Mode::Slow));
        assert!(slow.iter().all(|figure| echo.iter().all(|other| !figure.is_of(other))));
        assert_eq!(questions(&slow), ["echo of 64 bytes beside slow readers: rate"]);
    }

    #[test]
    fn a_busy_load_limits_rates_and_no_costs() {
        let report = Report {
            messages: 1,
            elapsed_ns: 1000,
            load_cpu_ns: Some(990),
            server_cpu_ns: Some(500),
            ..Report::default()
        };
        let mut figures = Vec::new();
        add_server(&mut figures, &[], "one", &[&Sample { report }]);
        let limited: Vec<_> =
            figures.iter().map(|figure| (figure.unit.as_str(), figure.limited_by_load)).collect();
        let expected = [("ns of server CPU per message", false), ("messages per second", true)];
        assert_eq!(limited, expected);
    }

    #[test]
    fn questions_come_once() {
        let figures = ["a", "b", "a"].map(|question| figure(question, "one", 1, &[1.0]));
        assert_eq!(questions(&figures), ["a", "b"]);
    }
}
