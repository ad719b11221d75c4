//! How samples are spread.

/// How some values are spread; NaN where there are none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// A quarter of the values is below.
    pub lower: f64,
    /// The one in the middle.
    pub median: f64,
    /// A quarter of the values is above.
    pub upper: f64,
    /// The greatest.
    pub max: f64,
}

/// Medians that differ by less are taken for alike, however little the samples spread: another day, or the code
/// at another place in memory, does as much.
pub const ALIKE: f64 = 0.03;

/// Medians that differ by more are no tie, though their samples overlap: these tell too little.
pub const TOO_FAR: f64 = 0.25;

/// With fewer values, one of them decides what a quartile is.
pub const FEW: usize = 5;

impl Spread {
    /// That of `values`. What lies between two of them is taken in proportion.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| match sorted.len().checked_sub(1) {
            None => f64::NAN,
            Some(last) => {
                let place = share * last as f64;
                let below = sorted[place.floor() as usize];
                let above = sorted[place.ceil() as usize];
                below + (above - below) * place.fract()
            }
        };
        Self { min: at(0.0), lower: at(0.25), median: at(0.5), upper: at(0.75), max: at(1.0) }
    }

    /// That of `values`, which decides what is a tie: of fewer than five all count, so that `lower` is the
    /// least and `upper` the greatest.
    pub fn to_judge_by(values: impl ExactSizeIterator<Item = f64>) -> Self {
        let count = values.len();
        let all = Self::of(values);
        if count < FEW { Self { lower: all.min, upper: all.max, ..all } } else { all }
    }

    /// Whether the two are told apart: what lies from `lower` to `upper` doesn't overlap.
    pub fn is_apart_from(&self, other: &Self) -> bool {
        self.lower > other.upper || other.lower > self.upper
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[f64]) -> Spread {
        Spread::of(values.iter().copied())
    }

    #[test]
    fn the_median_is_in_the_middle_and_the_quartiles_between() {
        let table: [(&[f64], [f64; 5]); 5] = [
            (&[5.0], [5.0, 5.0, 5.0, 5.0, 5.0]),
            (&[2.0, 1.0], [1.0, 1.25, 1.5, 1.75, 2.0]),
            (&[9.0, 1.0, 2.0], [1.0, 1.5, 2.0, 5.5, 9.0]),
            (&[4.0, 1.0, 100.0, 2.0], [1.0, 1.75, 3.0, 28.0, 100.0]),
            (&[5.0, 4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0]),
        ];
        for (values, [min, lower, median, upper, max]) in table {
            assert_eq!(spread(values), Spread { min, lower, median, upper, max }, "{values:?}");
        }
        assert!(spread(&[]).median.is_nan());
    }

    #[test]
    fn of_few_values_all_count() {
        let judged = |values: &[f64]| {
            let Spread { lower, median, upper, .. } = Spread::to_judge_by(values.iter().copied());
            [lower, median, upper]
        };
        assert_eq!(judged(&[9.0, 1.0, 2.0]), [1.0, 2.0, 9.0]);
        assert_eq!(judged(&[1.0, 2.0, 3.0, 9.0]), [1.0, 2.5, 9.0]);
        assert_eq!(judged(&[1.0, 2.0, 3.0, 4.0, 9.0]), [2.0, 3.0, 4.0]);
        // By their quartiles, 1.5 to 2.75 and 3.5 to 4.5, these would be apart.
        let (one, other) = ([1.0, 2.0, 3.5], [3.0, 4.0, 5.0]);
        assert!(spread(&one).is_apart_from(&spread(&other)));
        let judged = |values: [f64; 3]| Spread::to_judge_by(values.into_iter());
        assert!(!judged(one).is_apart_from(&judged(other)));
    }

    #[test]
    fn values_are_apart_when_their_middle_halves_are() {
        let (low, high) = (spread(&[1.0, 2.0, 3.0, 9.0]), spread(&[5.0, 6.0, 7.0]));
        assert!(low.is_apart_from(&high) && high.is_apart_from(&low));
        assert!(!low.is_apart_from(&spread(&[3.0, 5.0])));
    }
}
