//! The second axis of the map's picture: multiples of the baseline's cost.

use std::ops::Range;

use crate::numbers::short;

/// From so great a factor between the least and the greatest value on, the axis is logarithmic.
const FAR: f64 = 3.0;
/// What is left free at either end, as a part of the axis or of the value.
const MARGIN: f64 = 0.05;
/// Labels that an axis which isn't logarithmic has at most.
const LABELS: f64 = 8.0;

/// Where values stand, and which are labelled.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    is_logarithmic: bool,
    ends: Range<f64>,
    labelled: Vec<f64>,
}

impl Scale {
    /// One that has these two values, both above zero, and not the same, on it.
    pub(super) fn of(least: f64, most: f64) -> Self {
        let is_logarithmic = most / least > FAR;
        let ends = if is_logarithmic {
            least / (1.0 + MARGIN)..most * (1.0 + MARGIN)
        } else {
            let margin = (most - least) * MARGIN;
            least - margin..most + margin
        };
        let labelled = if is_logarithmic { decades(&ends) } else { steps(&ends) };
        Self { is_logarithmic, ends, labelled }
    }

    /// Where a value stands, which is at the end if it has no place.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = value.clamp(self.ends.start, self.ends.end);
        if self.is_logarithmic { value.ln() } else { value }
    }

    /// The places of the ends.
    pub(super) fn range(&self) -> Range<f64> {
        self.place(self.ends.start)..self.place(self.ends.end)
    }

    /// The places that have labels.
    pub(super) fn labelled(&self) -> Vec<f64> {
        self.labelled.iter().map(|value| self.place(*value)).collect()
    }

    /// What stands at a place.
    pub(super) fn label(&self, place: f64) -> String {
        let value = if self.is_logarithmic { place.exp() } else { place };
        if value >= 99.5 {
            return short(value);
        }
        // Two digits, or as many as are behind a step's point.
        let digits = if self.is_logarithmic { 1.0 - value.log10().floor() } else { 2.0 };
        let text = format!("{value:.0$}", digits.clamp(0.0, 9.0) as usize);
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    }
}

/// Round numbers on a logarithmic axis, the fewer the longer it is.
fn decades(ends: &Range<f64>) -> Vec<f64> {
    let digits: &[f64] = match ends.end / ends.start {
        far if far > 1000.0 => &[1.0],
        far if far > 15.0 => &[1.0, 2.0, 5.0],
        _ => &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    };
    let powers = ends.start.log10().floor() as i32..=ends.end.log10().ceil() as i32;
    let all = powers.flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)));
    all.filter(|value| (ends.start..=ends.end).contains(value)).collect()
}

/// Multiples of a round number: hundredths, or more.
fn steps(ends: &Range<f64>) -> Vec<f64> {
    let steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];
    let fits = |step: &f64| (ends.end - ends.start) / step <= LABELS;
    let step = steps.into_iter().find(fits).unwrap_or((ends.end - ends.start) / LABELS);
    let (first, last) = ((ends.start / step).ceil() as i64, (ends.end / step).floor() as i64);
    (first..=last).map(|number| number as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(least: f64, most: f64) -> String {
        let scale = Scale::of(least, most);
        let labels = scale.labelled().into_iter().map(|place| scale.label(place));
        labels.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn labels_are_round_and_not_too_many() {
        for (least, most, expected) in [
            (0.97, 1.03, "0.97 0.98 0.99 1 1.01 1.02 1.03"),
            (0.8, 1.2, "0.8 0.9 1 1.1 1.2"),
            (0.5, 1.4, "0.6 0.8 1 1.2 1.4"),
            (0.9, 2.6, "1 1.5 2 2.5"),
            (0.8, 6.0, "1 1.5 2 3 5"),
            (0.8, 70.0, "1 2 5 10 20 50"),
            (0.05, 2.0, "0.05 0.1 0.2 0.5 1 2"),
            (0.5, 3000.0, "1 10 100 1 k"),
        ] {
            assert_eq!(labels(least, most), expected, "{least} to {most}");
        }
    }

    #[test]
    fn what_is_outside_stands_at_the_end() {
        for (least, most) in [(0.9, 1.1), (0.5, 50.0), (1e-300, 1e300)] {
            let scale = Scale::of(least, most);
            let Range { start, end } = scale.range();
            assert!(start.is_finite() && end.is_finite() && start < end);
            assert!(start < scale.place(least) && scale.place(most) < end);
            for (value, place) in [(-1.0, start), (f64::INFINITY, end)] {
                assert!((scale.place(value) - place).abs() < 1e-12, "{value}");
            }
        }
    }
}
