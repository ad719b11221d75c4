//! Charts as SVG, for a page that may be light or dark.
//!
//! Text and axes take the page's own colour. The lines' colours are those of Okabe and Ito, which stay
//! apart for colour-blind eyes too, and what they mean is told by the dashes and the markers as well.

use std::ops::Range;

use anyhow::{Context as _, ensure};
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::style::{Dashes, Style};
use super::tables::precise;
use crate::spread::Spread;

/// Stand for the page's colours until the SVG is written.
const INK: RGBColor = RGBColor(1, 2, 3);
const GRID: RGBColor = RGBColor(4, 5, 6);

/// Widths that stand for dashes until then, of which the crate would make a path each.
const DASHED: [(Dashes, u32, &str); 2] = [(Dashes::Long, 8, "9 5"), (Dashes::Short, 9, "2 4")];

const SIZE: (u32, u32) = (720, 400);
const TEXT: i32 = 15;
const AXIS_TEXT: i32 = 14;

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

/// The page's colours, for a chart that stands alone.
const STANDALONE: &str = "<style>svg { color: #1f2328; --grid: #dfe3e8; background: #ffffff; } \
     @media (prefers-color-scheme: dark) { svg { color: #e2e6ea; --grid: #363c44; background: #14171a; } }</style>";

/// The same as [`lines`], as a file of its own: with the lines' names in the chart.
pub(super) fn standalone(x: &str, y: &str, lines: &[Line]) -> anyhow::Result<String> {
    let svg = draw_lines(x, y, lines, true)?;
    let end = svg.find('>').context("the SVG has no first tag")? + 1;
    Ok(format!("{}\n{STANDALONE}{}", &svg[..end], &svg[end..]))
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
        mesh(&mut chart, x, y, true)?;
        for line in lines {
            let (colour, dashes) = (colour(line.style), line.style.dashes);
            let path = line.points.iter().map(|(x, value)| (*x, value.median));
            let width =
                DASHED.iter().find(|dashed| dashed.0 == dashes).map_or(2, |dashed| dashed.1);
            chart.draw_series(LineSeries::new(path, colour.stroke_width(width)))?;
            let spread = line.points.iter().map(|(x, value)| {
                PathElement::new(vec![(*x, value.lower), (*x, value.upper)], colour.stroke_width(1))
            });
            chart.draw_series(spread)?;
            let marks = line.points.iter().map(|(x, value)| (*x, value.median));
            match dashes {
                Dashes::Solid => {
                    chart
                        .draw_series(marks.map(|at| Circle::new(at, 3, colour.filled())))
                        .map(drop)?;
                }
                Dashes::Long => {
                    chart
                        .draw_series(marks.map(|at| TriangleMarker::new(at, 5, colour.filled())))
                        .map(drop)?;
                }
                Dashes::Short => {
                    chart
                        .draw_series(marks.map(|at| Cross::new(at, 4, colour.filled())))
                        .map(drop)?;
                }
            }
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
        mesh(&mut chart, x, "", false)?;
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

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Chart<'a, 'b, X, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, Y>>;

/// The axes, and the lines behind the data; the second axis only where it counts something.
fn mesh<X, Y>(
    chart: &mut Chart<'_, '_, X, Y>,
    x: &str,
    y: &str,
    has_y_labels: bool,
) -> anyhow::Result<()>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let text = ("sans-serif", AXIS_TEXT).into_font().color(&INK);
    let mut mesh = chart.configure_mesh();
    mesh.axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style(text.clone())
        .axis_desc_style(text)
        .x_desc(x)
        .y_desc(y)
        .y_labels(8)
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| short(*value));
    if !has_y_labels {
        mesh.disable_y_mesh().disable_y_axis();
    }
    mesh.draw().context("draw the axes")
}

/// Draws on paper of this size: the SVG, which fits itself to the page.
fn draw(
    size: (u32, u32),
    paint: impl FnOnce(&Area<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        paint(&area).context("draw a chart")?;
        area.present().context("finish a chart")?;
    }
    let (width, height) = size;
    let fixed = format!("<svg width=\"{width}\" height=\"{height}\" ");
    for (_, width, dashes) in DASHED {
        let dashed = format!("stroke-width=\"2\" stroke-dasharray=\"{dashes}\"");
        svg = svg.replace(&format!("stroke-width=\"{width}\""), &dashed);
    }
    Ok(svg
        .replacen(&fixed, "<svg role=\"img\" ", 1)
        .replace(&hex(INK), "currentColor")
        .replace(&hex(GRID), "var(--grid)"))
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn colour(style: Style) -> RGBColor {
    let (red, green, blue) = style.colour;
    RGBColor(red, green, blue)
}

/// The least and the greatest of the values, all of which a logarithm must have.
fn range(values: impl Iterator<Item = f64>) -> anyhow::Result<Range<f64>> {
    let mut range: Option<Range<f64>> = None;
    for value in values {
        ensure!(value > 0.0 && value.is_finite(), "{value} has no place on a logarithmic axis");
        let so_far = range.get_or_insert(value..value);
        *so_far = so_far.start.min(value)..so_far.end.max(value);
    }
    range.context("a chart needs a point at least")
}

/// The next number below that is 1, 2 or 5 times a power of ten.
fn round_down(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [5.0, 2.0].map(|step| step * power);
    steps.into_iter().find(|step| *step <= value).unwrap_or(power)
}

/// The next number above that is 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    1.0 / round_down(1.0 / value)
}

/// The same, or more, so that two powers of ten are in it: those have labels.
fn with_labels(range: Range<f64>) -> Range<f64> {
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

/// A number in as few characters as people need: 950, 1.2 k, 35 k, 4 M.
pub(super) fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 999_500.0 => (value / 1e6, " M"),
        size if size >= 999.5 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        size if size >= 9.95 => 0,
        size if size >= 0.995 => 1,
        _ => 2,
    };
    let number = format!("{scaled:.digits$}");
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        &number
    };
    format!("{number}{unit}")
}

#[cfg(test)]
mod tests {
    use super::super::style;
    use super::*;

    fn value(median: f64) -> Spread {
        Spread::of([0.9, 1.0, 1.1].map(|part| part * median).into_iter())
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (1.0, "1"),
            (1.234, "1.2"),
            (12.34, "12"),
            (950.0, "950"),
            (999.9, "1 k"),
            (1234.0, "1.2 k"),
            (35_000.0, "35 k"),
            (999_900.0, "1 M"),
            (4e6, "4 M"),
        ] {
            assert_eq!(short(value), text, "{value}");
        }
    }

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
        for colour in [hex(INK), hex(GRID)] {
            assert!(!svg.contains(&colour));
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
