//! What all charts are drawn with: SVG for a page that may be light or dark.
//!
//! Text and axes take the page's own colour. The lines' colours stay apart for colour-blind eyes too, and what
//! they mean is told by the dashes and the markers as well.

pub(crate) mod axis;
pub(crate) mod style;

use anyhow::Context as _;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;

use style::{Dashes, Style};

/// Stand for the page's colours until the SVG is written.
pub(crate) const INK: RGBColor = RGBColor(1, 2, 3);
const GRID: RGBColor = RGBColor(4, 5, 6);
const PAPER: RGBColor = RGBColor(7, 8, 9);

/// Widths that stand for dashes until then, of which the crate would make a path each.
const DASHED: [(Dashes, u32, &str); 2] = [(Dashes::Long, 8, "9 5"), (Dashes::Short, 9, "2 4")];

/// Heights of letters.
pub(crate) const TEXT: i32 = 15;
pub(crate) const AXIS_TEXT: i32 = 14;

/// The page's colours, for a chart that stands alone.
const STANDALONE: &str = "<style>svg { color: #1f2328; --grid: #dfe3e8; --page: #ffffff; background: var(--page); } \
     @media (prefers-color-scheme: dark) { svg { color: #e2e6ea; --grid: #363c44; --page: #14171a; } }</style>";

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Chart<'a, 'b, X, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, Y>>;

/// What an axis is called, and how its numbers are written.
pub(crate) type Axis<'a> = (&'a str, &'a dyn Fn(&f64) -> String);

/// The axes, and the lines behind the data; the second axis only where it counts something.
pub(crate) fn mesh<X, Y>(
    chart: &mut Chart<'_, '_, X, Y>,
    x: Axis<'_>,
    y: Option<Axis<'_>>,
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
        .x_desc(x.0)
        .x_label_formatter(x.1)
        .y_labels(8);
    match y {
        Some((name, format)) => mesh.y_desc(name).y_label_formatter(format),
        None => mesh.disable_y_mesh().disable_y_axis(),
    };
    mesh.draw().context("draw the axes")
}

/// Draws on paper of this size: the SVG, which fits itself to the page.
pub(crate) fn draw(
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
        .replace(&hex(GRID), "var(--grid)")
        .replace(&hex(PAPER), "var(--page)"))
}

/// The same as a file of its own, which has a page's colours in it.
pub(crate) fn standalone(svg: &str) -> anyhow::Result<String> {
    let end = svg.find('>').context("the SVG has no first tag")? + 1;
    Ok(format!("{}\n{STANDALONE}{}", &svg[..end], &svg[end..]))
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

pub(crate) fn colour(style: Style) -> RGBColor {
    let (red, green, blue) = style.colour;
    RGBColor(red, green, blue)
}

/// The width to draw a line with: it stands for dashes, too.
pub(crate) fn width(dashes: Dashes) -> u32 {
    DASHED.iter().find(|dashed| dashed.0 == dashes).map_or(2, |dashed| dashed.1)
}

/// Whether a mark is full, or shows the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    Full,
    Hollow,
}

/// A mark, on a chart or on plain paper.
pub(crate) type Mark<'a, At> = DynElement<'static, SVGBackend<'a>, At>;

/// A point's mark, which tells the kind as the dashes do: the parts of it, the lower one first.
pub(crate) fn mark<'a, At: Clone + 'static>(
    at: At,
    colour: RGBColor,
    dashes: Dashes,
    fill: Fill,
) -> Vec<Mark<'a, At>> {
    let again = at.clone();
    match (dashes, fill) {
        (Dashes::Solid, Fill::Full) => vec![Circle::new(at, 3, colour.filled()).into_dyn()],
        (Dashes::Long, Fill::Full) => vec![TriangleMarker::new(at, 5, colour.filled()).into_dyn()],
        (Dashes::Short, Fill::Full) => vec![Cross::new(at, 4, colour.filled()).into_dyn()],
        (Dashes::Solid, Fill::Hollow) => vec![
            Circle::new(at, 4, colour.filled()).into_dyn(),
            Circle::new(again, 2, PAPER.filled()).into_dyn(),
        ],
        (Dashes::Long, Fill::Hollow) => vec![
            TriangleMarker::new(at, 7, colour.filled()).into_dyn(),
            TriangleMarker::new(again, 3, PAPER.filled()).into_dyn(),
        ],
        (Dashes::Short, Fill::Hollow) => vec![
            Cross::new(at, 5, colour.stroke_width(5)).into_dyn(),
            Cross::new(again, 4, PAPER.stroke_width(2)).into_dyn(),
        ],
    }
}
