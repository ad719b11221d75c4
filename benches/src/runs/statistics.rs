//! From samples to a verdict.

use std::fmt;

use super::{Comparison, Round, Sample};
use crate::spread::{ALIKE, Spread, TOO_FAR};

/// What the library may cost more than the yardstick, on a machine without noise.
const ALLOWANCE: f64 = 0.03;

/// Where a server stands beside the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It uses less CPU time for a message.
    Faster,
    /// The difference is within the noise.
    Tie,
    /// It uses more CPU time for a message.
    Slower,
    /// The difference is too great for a tie, and the rounds differ too much to tell.
    TooNoisy,
    /// One round tells nothing.
    OneRound,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faster => "faster",
            Self::Tie => "tie",
            Self::Slower => "slower",
            Self::TooNoisy => "too noisy",
            Self::OneRound => "one round",
        })
    }
}

impl Sample {
    /// Messages per second.
    pub fn rate(&self) -> f64 {
        self.report.rate()
    }

    /// Nanoseconds of the server's CPU time for one message.
    pub fn cost(&self) -> f64 {
        self.report.server_cost().unwrap_or(f64::NAN)
    }
}

/// Whether the load, and not the server, limited the rate in at least half of some runs.
pub fn limited_by_load(samples: &[&Sample]) -> bool {
    let limited = samples.iter().filter(|sample| sample.report.is_limited_by_load()).count();
    limited > 0 && 2 * limited >= samples.len()
}

impl Round {
    /// What another server costs, as a multiple of the baseline's mean.
    fn ratio(&self, other: usize) -> f64 {
        let baseline = f64::midpoint(self.baseline.cost(), self.again.cost());
        self.others.get(other).map_or(f64::NAN, |sample| sample.cost() / baseline)
    }

    /// How many messages a second another server answers, as a multiple of the baseline's mean.
    fn rate_ratio(&self, other: usize) -> f64 {
        let baseline = f64::midpoint(self.baseline.rate(), self.again.rate());
        self.others.get(other).map_or(f64::NAN, |sample| sample.rate() / baseline)
    }

    /// The baseline's cost as a multiple of its own.
    fn a_by_a(&self) -> f64 {
        self.baseline.cost() / self.again.cost()
    }
}

/// The others are named by their place in [`Comparison::others`].
impl Comparison {
    /// All runs of the baseline.
    pub fn baseline_samples(&self) -> impl Iterator<Item = &Sample> {
        self.rounds.iter().flat_map(|round| [&round.baseline, &round.again])
    }

    /// All runs of another.
    pub fn samples(&self, other: usize) -> impl Iterator<Item = &Sample> {
        self.rounds.iter().filter_map(move |round| round.others.get(other))
    }

    /// What another costs, as a multiple of what the baseline does.
    ///
    /// The ratios are taken within each round and only then compared: a machine that gets slower from
    /// round to round slows both sides of each.
    pub fn ratio(&self, other: usize) -> Spread {
        Spread::of(self.rounds.iter().map(|round| round.ratio(other)))
    }

    /// The same, with the spread by which it is [judged](Self::standing): of few rounds, the extremes.
    pub fn judged(&self, other: usize) -> Spread {
        Spread::to_judge_by(self.rounds.iter().map(|round| round.ratio(other)))
    }

    /// What [`ratio`](Self::ratio) is of costs, of the messages per second.
    pub fn rate_ratio(&self, other: usize) -> Spread {
        Spread::of(self.rounds.iter().map(|round| round.rate_ratio(other)))
    }

    /// What the baseline costs, as a multiple of what it costs itself: all 1 without noise.
    pub fn a_by_a(&self) -> Spread {
        Spread::of(self.rounds.iter().map(Round::a_by_a))
    }

    /// By how much the baseline differs from itself in all but the worst rounds: what the quartiles are
    /// off from 1, the one that is farther; of few rounds, the extremes.
    pub fn noise(&self) -> f64 {
        let Spread { lower, upper, .. } =
            Spread::to_judge_by(self.rounds.iter().map(Round::a_by_a));
        (1.0 - lower).abs().max((upper - 1.0).abs())
    }

    /// Where another stands: a difference is one if it is more than [any two figures](ALIKE) may differ by and
    /// more than the [noise](Self::noise), and if most rounds agree about its direction, or all where they are
    /// few.
    pub fn standing(&self, other: usize) -> Standing {
        if self.rounds.len() < 2 {
            return Standing::OneRound;
        }
        let Spread { lower, median, upper, .. } = self.judged(other);
        let (difference, noise) = (median - 1.0, self.noise().max(ALIKE));
        // So that no figure, which is no number either, is a tie.
        if difference > noise && lower > 1.0 {
            Standing::Slower
        } else if difference < -noise && upper < 1.0 {
            Standing::Faster
        } else if difference.abs() > TOO_FAR {
            Standing::TooNoisy
        } else {
            Standing::Tie
        }
    }

    /// The highest ratio that passes: 3 % more than the baseline, and what the median of A/A is off
    /// from 1.
    pub fn bar(&self) -> f64 {
        1.0 + ALLOWANCE + (self.a_by_a().median - 1.0).abs()
    }

    /// Whether another stays within the [bar](Self::bar).
    pub fn passes(&self, other: usize) -> bool {
        self.ratio(other).median <= self.bar()
    }
}

/// A report of `cost` nanoseconds for a message.
#[cfg(test)]
pub(super) fn report(cost: f64) -> crate::load::Report {
    let messages = 1000;
    crate::load::Report {
        messages,
        elapsed_ns: 1_000_000_000,
        server_cpu_ns: Some((cost * messages as f64) as u64),
        ..crate::load::Report::default()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::runs::{Case, ECHO};

    fn sample(cost: f64) -> Sample {
        Sample { report: report(cost) }
    }

    /// Of rounds with the costs of the baseline, one other, and the baseline again.
    pub(in crate::runs) fn comparison(rounds: &[[f64; 3]]) -> Comparison {
        Comparison {
            case: Case {
                mode: ECHO.to_owned(),
                connections: NonZeroUsize::new(1000).unwrap(),
                size: NonZeroUsize::new(64).unwrap(),
                more: Vec::new(),
            },
            baseline: "plain-epoll".to_owned(),
            others: vec!["reactor-mio".to_owned()],
            rounds: rounds
                .iter()
                .map(|&[baseline, other, again]| Round {
                    baseline: sample(baseline),
                    others: vec![sample(other)],
                    again: sample(again),
                })
                .collect(),
        }
    }

    #[track_caller]
    fn assert_near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value} instead of {expected}");
    }

    #[test]
    fn a_round_compares_with_the_mean_of_its_baseline() {
        let comparison = comparison(&[[900.0, 1100.0, 1100.0]]);
        assert_near(comparison.ratio(0).median, 1.1);
        assert_near(comparison.a_by_a().median, 9.0 / 11.0);
    }

    #[test]
    fn a_machine_that_slows_down_changes_no_ratio() {
        let comparison = comparison(&[
            [1000.0, 1020.0, 1000.0],
            [2000.0, 2040.0, 2000.0],
            [5000.0, 5100.0, 5000.0],
        ]);
        let Spread { min, median, max, .. } = comparison.ratio(0);
        for value in [min, median, max] {
            assert_near(value, 1.02);
        }
        assert_near(comparison.noise(), 0.0);
        let baseline = Spread::of(comparison.baseline_samples().map(Sample::cost));
        assert_near(baseline.median, 2000.0);
        assert_near(Spread::of(comparison.samples(0).map(Sample::cost)).median, 2040.0);
        assert_near(Spread::of(comparison.samples(0).map(Sample::rate)).median, 1000.0);
    }

    #[test]
    fn half_of_the_runs_decide_what_limits_the_rate() {
        let free = sample(1.0);
        let mut limited = free.clone();
        limited.report.load_cpu_ns = Some(limited.report.elapsed_ns);
        assert!(limited_by_load(&[&limited, &free, &limited]));
        assert!(limited_by_load(&[&limited, &free]));
        assert!(!limited_by_load(&[&limited, &free, &free]));
        assert!(!limited_by_load(&[]));
    }

    #[test]
    fn one_bad_round_shows_in_the_range_alone() {
        let comparison = comparison(&[
            [1000.0, 1010.0, 1000.0],
            [1000.0, 9000.0, 1000.0],
            [1000.0, 990.0, 1000.0],
        ]);
        let Spread { min, median, max, .. } = comparison.ratio(0);
        assert_near(median, 1.01);
        assert_near(min, 0.99);
        assert_near(max, 9.0);
    }

    #[test]
    fn a_difference_within_the_noise_is_a_tie() {
        // The baseline is up to 10 % off from itself, in either direction.
        for (a, again) in [(1100.0, 1000.0), (1000.0, 1100.0)] {
            let baseline = f64::midpoint(a, again);
            for (ratio, standing) in [
                (1.05, Standing::Tie),
                (0.95, Standing::Tie),
                (1.12, Standing::Slower),
                (0.88, Standing::Faster),
            ] {
                let comparison = comparison(&[[a, ratio * baseline, again]; 3]);
                assert_eq!(comparison.standing(0), standing, "{ratio}");
            }
        }
        for rounds in [&[][..], &[[1000.0, 9000.0, 1000.0]]] {
            assert_eq!(comparison(rounds).standing(0), Standing::OneRound);
        }
    }

    #[test]
    fn rounds_that_disagree_tell_no_difference() {
        for (costs, standing) in [
            ([1020.0, 1020.0, 1020.0], Standing::Tie),
            ([990.0, 1100.0, 1200.0], Standing::Tie),
            ([990.0, 2000.0, 2000.0], Standing::TooNoisy),
            ([1900.0, 2000.0, 2100.0], Standing::Slower),
        ] {
            let rounds = costs.map(|cost| [1000.0, cost, 1000.0]);
            assert_eq!(comparison(&rounds).standing(0), standing, "{costs:?}");
        }
    }

    #[test]
    fn the_bar_rises_with_the_noise_in_either_direction() {
        for (a, again, bar) in
            [(1000.0, 1000.0, 1.03), (1050.0, 1000.0, 1.08), (950.0, 1000.0, 1.08)]
        {
            assert_near(comparison(&[[a, 1.0, again]]).bar(), bar);
        }
    }

    #[test]
    fn the_bar_itself_passes_and_what_is_over_it_fails() {
        assert!(comparison(&[[100.0, 103.0, 100.0]]).passes(0));
        assert!(!comparison(&[[100.0, 103.1, 100.0]]).passes(0));
        assert!(!comparison(&[]).passes(0));
    }
}
