//! The map as a picture: a panel for each number of connections, a line for each server.
//!
//! Within a panel each percentage has a column, in it those that stay busy stand on the left and those that
//! change on the right, and the servers beside one another, so that no spread hides another one.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use anyhow::Context as _;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::scale::Scale;
use super::{Cell, Map, SIZE, Spot};
use crate::command_line::plural;
use crate::drawing::axis::Labelled;
use crate::drawing::style::{self, Dashes};
use crate::drawing::{self, AXIS_TEXT, Area, Fill, INK, TEXT, colour, draw, mark, mesh};
use crate::numbers::grouped;
use crate::spread::{ALIKE, FEW, Spread};

/// Of the whole at least, and what each point and its neighbours need.
const WIDTH: u32 = 720;
const POINT: u32 = 9;
/// Beside the panels: the second axis, and margins.
const BESIDE: u32 = 112;
/// Of a panel.
const HEIGHT: u32 = 270;
/// Of a line of the legend, and the width of its parts.
const LINE: u32 = 22;
const ENTRY: u32 = 172;
/// The part of a column that has points.
const FULL: f64 = 0.86;

const SHADE: f64 = 0.13;
/// What a line has of its colour where the busy ones change, which its marks tell, too.
const PALE: f64 = 0.5;

/// What is on all panels.
struct Plan<'a> {
    map: &'a Map,
    others: &'a [String],
    percents: Vec<u8>,
    /// Where the busy ones change, or don't.
    sets: Vec<bool>,
    scale: Scale,
    y: String,
}

/// A point, and how far its samples spread.
struct Point {
    x: f64,
    value: Spread,
}

/// Draws a map, as a file of its own.
///
/// # Errors
///
/// When the map has no place.
pub(super) fn picture(map: &Map) -> anyhow::Result<String> {
    let (baseline, others) = map.servers().context("a map without a place has no picture")?;
    let spots = || map.cells.iter().map(|cell| cell.spot);
    let distinct = spots().map(|spot| spot.registered).collect::<BTreeSet<NonZeroUsize>>();
    let (least, most) = ends(map);
    let plan = Plan {
        map,
        others,
        percents: spots().map(|spot| spot.percent).collect::<BTreeSet<_>>().into_iter().collect(),
        sets: spots().map(|spot| spot.moving).collect::<BTreeSet<_>>().into_iter().collect(),
        scale: Scale::of(least, most),
        y: format!("CPU time, × {baseline}"),
    };
    let points = plan.percents.len() * plan.sets.len() * others.len().max(1);
    let width = WIDTH.max(BESIDE + POINT * u32::try_from(points)?);
    let words = words(map, baseline);
    let legend = plan.legend();
    let lines = legend.len().div_ceil((width / ENTRY) as usize);
    let head = 16 + LINE * u32::try_from(words.len() + lines)?;
    let height = HEIGHT.checked_mul(u32::try_from(distinct.len())?);
    let height = height.and_then(|height| height.checked_add(head));
    let height = height.filter(|height| i32::try_from(*height).is_ok());
    let height = height.context("a picture of so many places has no end")?;
    let svg = draw((width, height), |area| {
        let (above, below) = area.split_vertically(head);
        for (number, text) in words.iter().enumerate() {
            let size = if number == 0 { TEXT + 2 } else { AXIS_TEXT };
            write(&above, text, (12, 12 + to_i32(LINE) * number as i32), size)?;
        }
        for (number, entry) in legend.iter().enumerate() {
            let row = (width / ENTRY) as usize;
            let x = 12 + (number % row) as u32 * ENTRY;
            let y = 12 + LINE * (words.len() + number / row) as u32;
            entry.draw(&above, (to_i32(x), to_i32(y)))?;
        }
        let panels = below.split_evenly((distinct.len(), 1));
        distinct.iter().zip(&panels).try_for_each(|(&count, area)| plan.panel(area, count))
    })?;
    drawing::standalone(&svg)
}

/// What another server costs at a place, if that can be drawn.
fn value(cell: &Cell, other: usize) -> Option<Spread> {
    let value = cell.comparison.judged(other);
    let Spread { lower, median, upper, .. } = value;
    [lower, median, upper].iter().all(|part| *part > 0.0 && part.is_finite()).then_some(value)
}

/// By how much two runs of one server differ: less is a tie.
fn noise(cell: &Cell) -> f64 {
    // Of no number, the greater one is the other.
    cell.comparison.noise().max(ALIKE)
}

/// The least and the greatest value to be seen. What is more noise than anything else is cut off.
fn ends(map: &Map) -> (f64, f64) {
    let (mut least, mut most) = (1.0 - ALIKE, 1.0 + ALIKE);
    for cell in &map.cells {
        let noise = noise(cell).min(0.5);
        (least, most) = (least.min(1.0 - noise), most.max(1.0 + noise));
        let others = 0..cell.comparison.others.len();
        for Spread { lower, upper, .. } in others.filter_map(|other| value(cell, other)) {
            (least, most) = (least.min(lower), most.max(upper));
        }
    }
    (least, most)
}

/// What stands above the panels.
fn words(map: &Map, baseline: &str) -> Vec<String> {
    let mark = if map.is_incomplete { " (incomplete)" } else { "" };
    let title =
        format!("CPU time of a message of {SIZE} bytes, as a multiple of {baseline}'s{mark}");
    let rounds = || map.cells.iter().map(|cell| cell.comparison.rounds.len());
    let (fewest, most) = (rounds().min().unwrap_or(0), rounds().max().unwrap_or(0));
    let rounds = if fewest == most {
        plural(most, "round")
    } else {
        format!("{fewest} to {}", plural(most, "round"))
    };
    let spread = match (fewest < FEW, most < FEW) {
        (true, true) => "the least and the greatest",
        (false, _) => "the quartiles",
        (true, false) => "the quartiles, of fewer than five the extremes",
    };
    let mut words = vec![title, format!("Medians of {rounds}, with {spread}; {}", map.date)];
    let missing = map.cells.iter().map(|cell| {
        let others = 0..cell.comparison.others.len();
        others.filter(|other| value(cell, *other).is_none()).count()
    });
    let missing: usize = missing.sum();
    if missing > 0 {
        words.push(format!("Not shown: {}, no number above zero", plural(missing, "figure")));
    }
    words
}

/// What something on the panels means.
struct Entry {
    name: String,
    sign: Sign,
}

enum Sign {
    Server(style::Style),
    Set(Fill),
    Noise,
}

impl Entry {
    fn draw(&self, area: &Area<'_>, (x, y): (i32, i32)) -> anyhow::Result<()> {
        let middle = (x + 14, y + 6);
        match self.sign {
            Sign::Server(style) => {
                let line = colour(style).stroke_width(drawing::width(style.dashes));
                area.draw(&PathElement::new([(x, y + 6), (x + 28, y + 6)], line))?;
                for part in mark(middle, colour(style), style.dashes, Fill::Full) {
                    area.draw(&part)?;
                }
            }
            Sign::Set(fill) => {
                for part in mark(middle, INK, Dashes::Solid, fill) {
                    area.draw(&part)?;
                }
            }
            Sign::Noise => {
                let shade = INK.mix(SHADE).filled();
                area.draw(&Rectangle::new([(x, y - 1), (x + 28, y + 13)], shade))?;
                area.draw(&PathElement::new([(x, y + 6), (x + 28, y + 6)], INK))?;
            }
        }
        write(area, &self.name, (x + 36, y), AXIS_TEXT)
    }
}

fn write(area: &Area<'_>, text: &str, at: (i32, i32), size: i32) -> anyhow::Result<()> {
    let style = ("sans-serif", size).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Top));
    Ok(area.draw(&Text::new(text, at, style))?)
}

/// What a set's marks look like.
fn fill(is_moving: bool) -> Fill {
    if is_moving { Fill::Hollow } else { Fill::Full }
}

impl Plan<'_> {
    fn legend(&self) -> Vec<Entry> {
        let servers = self
            .others
            .iter()
            .map(|name| Entry { name: name.clone(), sign: Sign::Server(style::of(name)) });
        let sets = self.sets.iter().map(|&is_moving| Entry {
            name: if is_moving { "moving every 100 ms" } else { "steady" }.to_owned(),
            sign: Sign::Set(fill(is_moving)),
        });
        let noise = Entry { name: "noise (A/A): a tie".to_owned(), sign: Sign::Noise };
        servers.chain(sets).chain([noise]).collect()
    }

    /// Where a set begins in the column of a percentage, and how wide it is.
    fn column(&self, spot: Spot) -> Option<(f64, f64)> {
        let column = self.percents.iter().position(|&percent| percent == spot.percent)?;
        let set = self.sets.iter().position(|&is_moving| is_moving == spot.moving)?;
        let width = FULL / self.sets.len() as f64;
        Some((column as f64 + (1.0 - FULL) / 2.0 + set as f64 * width, width))
    }

    /// What a server costs where so many are registered, from left to right.
    fn points(&self, registered: NonZeroUsize, is_moving: bool, other: usize) -> Vec<Point> {
        let here =
            |cell: &&Cell| (cell.spot.registered, cell.spot.moving) == (registered, is_moving);
        let point = |cell: &Cell| {
            let (start, width) = self.column(cell.spot)?;
            let share = (other as f64 + 0.5) / self.others.len() as f64;
            Some(Point { x: start + width * share, value: value(cell, other)? })
        };
        let mut points: Vec<_> = self.map.cells.iter().filter(here).filter_map(point).collect();
        points.sort_by(|one, another| one.x.total_cmp(&another.x));
        points
    }

    fn panel(&self, area: &Area<'_>, registered: NonZeroUsize) -> anyhow::Result<()> {
        let Self { scale, percents, .. } = self;
        let count = grouped(registered.get() as u64);
        let noun = if registered.get() == 1 { "connection" } else { "connections" };
        let columns = percents.len() as f64;
        let middles: Vec<_> = (0..percents.len()).map(|column| column as f64 + 0.5).collect();
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .caption(format!("{count} {noun}"), ("sans-serif", TEXT).into_font().color(&INK))
            .build_cartesian_2d(
                Labelled::new(0.0..columns, middles),
                Labelled::new(scale.range(), scale.labelled()),
            )?;
        let busy = |x: &f64| {
            let percent = percents.get(*x as usize).copied().unwrap_or(0);
            let busy = Spot { registered, percent, moving: false }.busy().get();
            format!("{} ({percent} %)", grouped(busy as u64))
        };
        mesh(
            &mut chart,
            ("busy connections", &busy),
            Some((&self.y, &|place| scale.label(*place))),
        )?;
        for cell in self.map.cells.iter().filter(|cell| cell.spot.registered == registered) {
            let (start, width) = self.column(cell.spot).context("a place has no column")?;
            let noise = noise(cell);
            let corners =
                [(start, scale.place(1.0 - noise)), (start + width, scale.place(1.0 + noise))];
            chart.draw_series([Rectangle::new(corners, INK.mix(SHADE).filled())])?;
        }
        let one = scale.place(1.0);
        chart.draw_series([PathElement::new([(0.0, one), (columns, one)], INK)])?;
        for &is_moving in &self.sets {
            for (other, name) in self.others.iter().enumerate() {
                let style = style::of(name);
                let (colour, points) = (colour(style), self.points(registered, is_moving, other));
                let part = if is_moving { PALE } else { 1.0 };
                let medians = || points.iter().map(|at| (at.x, scale.place(at.value.median)));
                let line = colour.mix(part).stroke_width(drawing::width(style.dashes));
                chart.draw_series(LineSeries::new(medians(), line))?;
                let spread = points.iter().map(|Point { x, value }| {
                    let ends = [(*x, scale.place(value.lower)), (*x, scale.place(value.upper))];
                    PathElement::new(ends, colour.stroke_width(1))
                });
                chart.draw_series(spread)?;
                let marks =
                    medians().flat_map(|at| mark(at, colour, style.dashes, fill(is_moving)));
                chart.draw_series(marks)?;
            }
        }
        Ok(())
    }
}

fn to_i32(length: u32) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::tests::map;
    use super::*;

    fn spots(moving: &[bool]) -> Vec<Spot> {
        let registered = [50, 10_000].map(|count| NonZeroUsize::new(count).unwrap());
        Spot::all(&registered, &[1, 10, 100], moving)
    }

    /// The numbers of all attributes with this name, also of lists.
    fn numbers(svg: &str, attribute: &str) -> Vec<f64> {
        let name = format!(" {attribute}=\"");
        let parts = svg.split(&name).skip(1);
        let values = parts.map(|part| part.split('"').next().unwrap());
        let words =
            values.flat_map(|value| value.split([' ', ',']).filter(|word| !word.is_empty()));
        words.map(|word| word.parse().unwrap()).collect()
    }

    /// Everything is on the paper.
    #[track_caller]
    fn assert_drawn(svg: &str) {
        let [_, _, width, height] = numbers(svg, "viewBox")[..] else { panic!("{svg}") };
        for (attributes, most) in
            [(["cx", "x", "x1", "x2"], width), (["cy", "y", "y1", "y2"], height)]
        {
            for attribute in attributes {
                let numbers = numbers(svg, attribute);
                assert!(numbers.iter().all(|at| (0.0..=most).contains(at)), "{numbers:?}");
            }
        }
        let most = width.max(height);
        assert!(numbers(svg, "points").iter().all(|at| (0.0..=most).contains(at)));
        for wrong in ["NaN", "inf", "#010203", "#040506", "#070809"] {
            assert!(!svg.contains(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_picture_has_a_panel_for_each_number_and_a_line_for_each_server() {
        let svg = picture(&map(&spots(&[false, true]))).unwrap();
        assert_drawn(&svg);
        for words in [
            "reactor-adaptive",
            "mio",
            "50 connections",
            "10,000 connections",
            "5 (10 %)",
            "1,000 (10 %)",
            "multiple of plain-epoll",
            "Medians of 2 rounds, with the least and the greatest",
            "steady",
            "moving",
            "noise",
            "prefers-color-scheme",
            // Of ours, full and hollow: 2 panels of 3 and 2 of 2 places; and in the legend.
            "r=\"3\"",
            "r=\"4\"",
        ] {
            assert!(svg.contains(words), "{words} is missing from {svg}");
        }
        assert_eq!((svg.matches("r=\"3\"").count(), svg.matches("r=\"4\"").count()), (8, 5));
        assert!(!svg.contains("incomplete") && !svg.contains("Not shown"));
        let steady = picture(&map(&spots(&[false]))).unwrap();
        assert!(!steady.contains("moving") && !steady.contains("r=\"4\""));
    }

    #[test]
    fn an_incomplete_map_says_so() {
        let mut map = map(&spots(&[false])[..2]);
        map.is_incomplete = true;
        map.cells[0].comparison.rounds = vec![map.cells[0].comparison.rounds[0].clone(); 9];
        let svg = picture(&map).unwrap();
        assert_drawn(&svg);
        assert!(svg.contains("(incomplete)"), "{svg}");
        assert!(svg.contains("2 to 9 rounds, with the quartiles, of fewer than five"), "{svg}");
        map.cells.clear();
        assert!(picture(&map).is_err());
    }

    #[test]
    fn what_costs_nothing_is_told_and_not_drawn() {
        let mut map = map(&spots(&[true]));
        for round in &mut map.cells[0].comparison.rounds {
            round.others[0].report.server_cpu_ns = Some(0);
            round.others[1].report.server_cpu_ns = None;
        }
        // Its noise has no end.
        map.cells[1].comparison.rounds[0].again.report.server_cpu_ns = Some(0);
        let svg = picture(&map).unwrap();
        assert_drawn(&svg);
        assert!(svg.contains("Not shown: 2 figures"), "{svg}");
    }

    #[test]
    fn the_baseline_alone_is_a_picture_of_noise() {
        let mut map = map(&spots(&[false]));
        for Cell { comparison, .. } in &mut map.cells {
            comparison.others.clear();
            comparison.rounds.iter_mut().for_each(|round| round.others.clear());
        }
        assert_drawn(&picture(&map).unwrap());
    }
}
