//! Where axes begin and end, and where their labels stand.

use std::ops::Range;

use anyhow::{Context as _, ensure};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;

use crate::numbers::short;

/// An axis with labels at these places, and nowhere else.
#[derive(Clone)]
pub(crate) struct Labelled {
    whole: RangedCoordf64,
    places: Vec<f64>,
}

impl Labelled {
    pub(crate) fn new(whole: Range<f64>, places: Vec<f64>) -> Self {
        Self { whole: whole.into(), places }
    }
}

impl Ranged for Labelled {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.whole.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.places.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.whole.range()
    }
}

impl ValueFormatter<f64> for Labelled {
    fn format(value: &f64) -> String {
        short(*value)
    }
}

/// The least and the greatest of the values, all of which a logarithm must have.
pub(crate) fn range(values: impl Iterator<Item = f64>) -> anyhow::Result<Range<f64>> {
    let mut range: Option<Range<f64>> = None;
    for value in values {
        ensure!(value > 0.0 && value.is_finite(), "{value} has no place on a logarithmic axis");
        let so_far = range.get_or_insert(value..value);
        *so_far = so_far.start.min(value)..so_far.end.max(value);
    }
    range.context("a chart needs a point at least")
}

/// The next number below that is 1, 2 or 5 times a power of ten.
pub(crate) fn round_down(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [5.0, 2.0].map(|step| step * power);
    steps.into_iter().find(|step| *step <= value).unwrap_or(power)
}

/// The next number above that is 1, 2 or 5 times a power of ten.
pub(crate) fn round_up(value: f64) -> f64 {
    1.0 / round_down(1.0 / value)
}

/// The same, or more, so that two powers of ten are in it: those have labels.
pub(crate) fn with_labels(range: Range<f64>) -> Range<f64> {
    let Range { mut start, mut end } = range;
    // Powers of ten may be a little off.
    let mut powers = ((start.log10() - 1e-9).ceil(), (end.log10() + 1e-9).floor());
    while powers.1 - powers.0 < 1.0 {
        let (below, above) = (10_f64.powf(powers.0 - 1.0), 10_f64.powf(powers.1 + 1.0));
        if start / below <= above / end {
            (start, powers.0) = (below, powers.0 - 1.0);
        } else {
            (end, powers.1) = (above, powers.1 + 1.0);
        }
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, down, up) in [(1.5, 1.0, 2.0), (300.0, 200.0, 500.0), (0.07, 0.05, 0.1)] {
            assert!((round_down(value) - down).abs() < 1e-9 * down, "{}", round_down(value));
            assert!((round_up(value) - up).abs() < 1e-9 * up, "{}", round_up(value));
        }
    }

    #[test]
    fn an_axis_has_two_powers_of_ten() {
        for (start, end, low, high) in [
            (2.0, 500.0, 2.0, 500.0),
            (2000.0, 5000.0, 1000.0, 10_000.0),
            (200.0, 2000.0, 100.0, 2000.0),
            (500.0, 5000.0, 500.0, 10_000.0),
        ] {
            let Range { start: least, end: most } = with_labels(start..end);
            assert!((least - low).abs() < 1e-6 && (most - high).abs() < 1e-6, "{least} {most}");
        }
    }
}
