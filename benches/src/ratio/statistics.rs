//! From samples to a verdict.

use super::Contestant;

/// What the library may cost more than the yardstick, on a machine without noise.
const ALLOWANCE: f64 = 0.03;

/// What one run has measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Nanoseconds of the server's CPU time for one message.
    pub cost: f64,
    /// Messages per second.
    pub rate: f64,
}

/// One run of each contestant, close to one another in time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Round {
    /// The yardstick.
    pub a: Sample,
    /// The library's server.
    pub subject: Sample,
    /// The yardstick again.
    pub b: Sample,
}

impl Round {
    /// Where the sample of a contestant goes.
    pub fn of(&mut self, contestant: Contestant) -> &mut Sample {
        match contestant {
            Contestant::A => &mut self.a,
            Contestant::Subject => &mut self.subject,
            Contestant::B => &mut self.b,
        }
    }

    /// The subject's cost as a multiple of the yardstick's.
    fn ratio(&self) -> f64 {
        self.subject.cost / f64::midpoint(self.a.cost, self.b.cost)
    }

    /// The yardstick's cost as a multiple of its own.
    fn a_by_b(&self) -> f64 {
        self.a.cost / self.b.cost
    }
}

/// What some rounds come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The yardstick's median sample, of all its runs, figure by figure.
    pub yardstick: Sample,
    /// The subject's median sample, figure by figure.
    pub subject: Sample,
    /// The subject's cost as a multiple of the yardstick's, in the median round.
    pub ratio: f64,
    /// The same in the best round.
    pub least: f64,
    /// The same in the worst round.
    pub most: f64,
    /// The yardstick's cost as a multiple of its own, in the median round: 1 without noise.
    pub a_by_b: f64,
}

impl Verdict {
    /// Sums up the rounds, of which there must be one at least.
    ///
    /// The ratios are taken within each round and only then compared: a machine that gets slower
    /// from round to round slows both sides of each ratio.
    pub fn of(rounds: &[Round]) -> Self {
        let ratios = || rounds.iter().map(Round::ratio);
        let yardstick = || rounds.iter().flat_map(|round| [round.a, round.b]);
        let subject = || rounds.iter().map(|round| round.subject);
        Self {
            yardstick: median_sample(yardstick()),
            subject: median_sample(subject()),
            ratio: median(ratios()),
            least: ratios().fold(f64::INFINITY, f64::min),
            most: ratios().fold(f64::NEG_INFINITY, f64::max),
            a_by_b: median(rounds.iter().map(Round::a_by_b)),
        }
    }

    /// The highest ratio that passes.
    pub fn bar(&self) -> f64 {
        1.0 + ALLOWANCE + (self.a_by_b - 1.0).abs()
    }

    /// Whether the subject stays within the bar.
    pub fn passes(&self) -> bool {
        self.ratio <= self.bar()
    }
}

fn median_sample(samples: impl Iterator<Item = Sample> + Clone) -> Sample {
    Sample {
        cost: median(samples.clone().map(|sample| sample.cost)),
        rate: median(samples.map(|sample| sample.rate)),
    }
}

/// The middle value, or the mean of the two in the middle; NaN for none at all.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(cost: f64) -> Sample {
        Sample { cost, rate: 1e9 / cost }
    }

    fn round(a: f64, subject: f64, b: f64) -> Round {
        Round { a: sample(a), subject: sample(subject), b: sample(b) }
    }

    #[track_caller]
    fn assert_near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value} instead of {expected}");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let table: [(&[f64], f64); 4] = [
            (&[5.0], 5.0),
            (&[2.0, 1.0], 1.5),
            (&[9.0, 1.0, 2.0], 2.0),
            (&[4.0, 1.0, 100.0, 2.0], 3.0),
        ];
        for (values, expected) in table {
            assert_near(median(values.iter().copied()), expected);
        }
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn a_round_compares_with_the_mean_of_its_yardsticks() {
        assert_near(round(900.0, 1100.0, 1100.0).ratio(), 1.1);
        assert_near(round(900.0, 1100.0, 1100.0).a_by_b(), 9.0 / 11.0);
    }

    #[test]
    fn a_machine_that_slows_down_changes_no_ratio() {
        let verdict = Verdict::of(&[
            round(1000.0, 1020.0, 1000.0),
            round(2000.0, 2040.0, 2000.0),
            round(5000.0, 5100.0, 5000.0),
        ]);
        for value in [verdict.ratio, verdict.least, verdict.most] {
            assert_near(value, 1.02);
        }
        assert_near(verdict.a_by_b, 1.0);
        assert_near(verdict.yardstick.cost, 2000.0);
        assert_near(verdict.subject.cost, 2040.0);
        assert_near(verdict.subject.rate, 1e9 / 2040.0);
    }

    #[test]
    fn one_bad_round_shows_in_the_range_alone() {
        let verdict = Verdict::of(&[
            round(1000.0, 1010.0, 1000.0),
            round(1000.0, 9000.0, 1000.0),
            round(1000.0, 990.0, 1000.0),
        ]);
        assert_near(verdict.ratio, 1.01);
        assert_near(verdict.least, 0.99);
        assert_near(verdict.most, 9.0);
    }

    #[test]
    fn the_bar_rises_with_the_noise_in_either_direction() {
        for (a, b, bar) in [(1000.0, 1000.0, 1.03), (1050.0, 1000.0, 1.08), (950.0, 1000.0, 1.08)] {
            assert_near(Verdict::of(&[round(a, 1.0, b)]).bar(), bar);
        }
    }

    #[test]
    fn the_bar_itself_passes_and_what_is_over_it_fails() {
        assert!(Verdict::of(&[round(100.0, 103.0, 100.0)]).passes());
        assert!(!Verdict::of(&[round(100.0, 103.1, 100.0)]).passes());
        assert!(!Verdict::of(&[]).passes());
    }
}
