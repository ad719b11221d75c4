//! The charts of a report: lines and bars.

use anyhow::ensure;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::drawing::axis::{range, round_down, round_up, with_labels};
use crate::drawing::style::{Dashes, Style};
use crate::drawing::{self, Fill, INK, TEXT, colour, draw, mark, mesh};
use crate::numbers::{precise, short};
use crate::spread::Spread;

const SIZE: (u32, u32) = (720, 400);

/// One line of a chart.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) style: Style,
    pub(super) points: Vec<(f64, Spread)>,
}

/// One bar of a chart.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) style: Style,
    pub(super) value: Spread,
}

/// The same as [`lines`], as a file of its own: with the lines' names in the chart.
pub(super) fn standalone(x: &str, y: &str, lines: &[Line]) -> anyhow::Result<String> {
    drawing::standalone(&draw_lines(x, y, lines, true)?)
}

/// Lines over a number, with both axes logarithmic: `x` and `y` are what the axes are called.
pub(super) fn lines(x: &str, y: &str, lines: &[Line]) -> anyhow::Result<String> {
    draw_lines(x, y, lines, false)
}

fn draw_lines(x: &str, y: &str, lines: &[Line], has_names: bool) -> anyhow::Result<String> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let xs = range(points().map(|(x, _)| *x))?;
    let ys = range(points().flat_map(|(_, value)| [value.lower, value.upper]))?;
    // Room for the marks at the edges, and a label at either end of the second axis.
    let xs = xs.start / 1.15..xs.end * 1.15;
    let ys = with_labels(round_down(ys.start / 1.05)..round_up(ys.end * 1.05));
    draw(SIZE, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(76)
            .build_cartesian_2d(xs.log_scale(), ys.log_scale())?;
        mesh(&mut chart, (x, &write), Some((y, &write)))?;
        for line in lines {
            let (colour, dashes) = (colour(line.style), line.style.dashes);
            let path = line.points.iter().map(|(x, value)| (*x, value.median));
            chart
                .draw_series(LineSeries::new(path, colour.stroke_width(drawing::width(dashes))))?;
            let spread = line.points.iter().map(|(x, value)| {
                PathElement::new(vec![(*x, value.lower), (*x, value.upper)], colour.stroke_width(1))
            });
            chart.draw_series(spread)?;
            let marks = line.points.iter().map(|(x, value)| (*x, value.median));
            chart.draw_series(marks.flat_map(|at| mark(at, colour, dashes, Fill::Full)))?;
        }
        if has_names {
            for line in lines {
                let colour = colour(line.style);
                let sample =
                    move |(x, y)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(2));
                let nothing = std::iter::empty::<PathElement<(f64, f64)>>();
                chart.draw_series(nothing)?.label(&line.name).legend(sample);
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperLeft)
                .margin(12)
                .legend_area_size(30)
                .label_font(("sans-serif", TEXT).into_font().color(&INK))
                .draw()?;
        }
        Ok(())
    })
}

/// Bars from left to right, one below the other, each with its spread and its value behind it.
pub(super) fn bars(x: &str, bars: &[Bar]) -> anyhow::Result<String> {
    ensure!(!bars.is_empty(), "a chart needs a bar at least");
    let longest = bars.iter().map(|bar| bar.value.upper).fold(0.0, f64::max);
    ensure!(longest > 0.0 && longest.is_finite(), "a chart needs values above zero");
    let count = bars.len();
    let size = (SIZE.0, 76 + 30 * u32::try_from(count)?);
    draw(size, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(130)
            .build_cartesian_2d(0.0..longest * 1.18, 0.0..count as f64)?;
        mesh(&mut chart, (x, &write), None)?;
        for (place, bar) in bars.iter().enumerate() {
            let middle = (count - place) as f64 - 0.5;
            let colour = colour(bar.style);
            let Spread { median, lower, upper, .. } = bar.value;
            let corners = [(0.0, middle - 0.33), (median, middle + 0.33)];
            let fill = colour.mix(match bar.style.dashes {
                Dashes::Solid => 0.9,
                Dashes::Long => 0.1,
                Dashes::Short => 0.45,
            });
            chart.draw_series([Rectangle::new(corners, fill.filled())])?;
            if bar.style.dashes == Dashes::Long {
                chart.draw_series([Rectangle::new(corners, colour.stroke_width(2))])?;
            }
            chart.draw_series([PathElement::new(
                vec![(lower, middle), (upper, middle)],
                INK.stroke_width(2),
            )])?;
            let text = ("sans-serif", TEXT).into_font().color(&INK);
            let name = text.pos(Pos::new(HPos::Right, VPos::Center));
            chart.draw_series([Text::new(bar.name.clone(), (-longest * 0.015, middle), name)])?;
            let value = ("sans-serif", TEXT)
                .into_font()
                .color(&INK)
                .pos(Pos::new(HPos::Left, VPos::Center));
            let beside = upper.max(median) + longest * 0.01;
            chart.draw_series([Text::new(precise(median), (beside, middle), value)])?;
        }
        Ok(())
    })
}

fn write(value: &f64) -> String {
    short(*value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::style;

    fn value(median: f64) -> Spread {
        Spread::of([0.9, 1.0, 1.1].map(|part| part * median).into_iter())
    }

    #[test]
    fn a_chart_takes_the_page_s_colours_and_width() {
        let line = |name: &str| Line {
            name: name.to_owned(),
            style: style::of(name),
            points: [10.0, 100.0, 1000.0].map(|x| (x, value(x * 3.0))).to_vec(),
        };
        let names = ["reactor-epoll", "plain-epoll", "mio"];
        let svg = lines("descriptors", "ns", &names.map(line)).unwrap();
        assert!(svg.starts_with("<svg role=\"img\" viewBox=\"0 0 720 400\""), "{svg}");
        for part in [
            "currentColor",
            "var(--grid)",
            "stroke-dasharray",
            "#0072B2",
            "#CC79A7",
            "descriptors",
            "<circle",
        ] {
            assert!(svg.contains(part), "{part} is missing");
        }
        for stand_in in ["#010203", "#040506", "#070809"] {
            assert!(!svg.contains(stand_in));
        }
        assert!(!svg.contains("plain-epoll"));
        let svg = standalone("descriptors", "ns", &names.map(line)).unwrap();
        assert!(svg.contains("plain-epoll") && svg.contains("prefers-color-scheme"));
    }

    #[test]
    fn bars_have_names_and_values() {
        let bar = |name: &str| Bar {
            name: name.to_owned(),
            style: style::of(name),
            value: value(4321.0),
        };
        let svg = bars("ns", &["reactor-epoll", "tokio"].map(bar)).unwrap();
        for part in ["reactor-epoll", "tokio", "4,321"] {
            assert!(svg.contains(part), "{part} is missing");
        }
    }

    #[test]
    fn what_can_t_be_drawn_is_an_error() {
        assert!(lines("x", "y", &[]).is_err());
        let nothing = Line {
            name: "mio".to_owned(),
            style: style::of("mio"),
            points: vec![(1.0, value(0.0))],
        };
        assert!(lines("x", "y", &[nothing]).is_err());
        assert!(bars("x", &[]).is_err());
    }
}
