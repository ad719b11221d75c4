//! The map: which mechanism is the cheapest with how many connections, of which how many are busy.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use reactor::Backend;

use super::rounds::Rounds;
use crate::command_line::{catch_signals, progress, usage_error, wrong_backend};
use crate::limits;
use crate::map::{Cell, INCOMPLETE, Map, Spot, Table};
use crate::runs::{self, Contest};
use crate::servers::Server;
use crate::yardstick::Mechanism;

/// Which mechanism costs the least where: a row for so many connections, of which so many are busy.
///
/// Messages of 64 bytes, one under way on each busy connection, fewer than one of which there never are. The
/// busy ones are always the same, or as many others every 100 ms (moving), which where all are busy is
/// the same and left out. Everything is held against plain-epoll, as `benches servers` does it: its help says what a
/// round, the noise and a tie are. By default it takes some twenty minutes, and with `--moving` some 35.
/// Ctrl-C ends it with the rounds that are complete, and with the exit code 130.
///
/// Figures of a debug build mean nothing. On a busy machine, many short rounds tell more than few long ones.
#[derive(Args)]
pub struct Arguments {
    /// Numbers of connections.
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "50,1000,10000")]
    registered: Vec<NonZeroUsize>,

    /// How many of a hundred are busy.
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_value = "1,10,50,100",
        value_parser = clap::value_parser!(u8).range(1..=100))]
    busy: Vec<u8>,

    /// Servers to hold against plain-epoll; without it, as far as this build has them, ours on
    /// adaptive, epoll and poll, and the plain loop on poll.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    servers: Vec<Server>,

    /// Also measure where the busy ones change, beside where they don't.
    #[arg(long, conflicts_with = "only")]
    moving: bool,

    /// Only the one or the other.
    #[arg(long, value_name = "SET")]
    only: Option<Set>,

    #[command(flatten)]
    rounds: Rounds,

    /// Also write all samples to this file, place by place.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Also draw the map: the costs at all places that are known, with their spread and the noise.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Print the table as Markdown has them.
    #[arg(long)]
    markdown: bool,

    /// Measure nothing: print, and with `--svg` draw, what was written by `--json` before, complete or not.
    #[arg(long, value_name = "MAP.json", conflicts_with_all = MEASURING)]
    from: Option<PathBuf>,
}

/// What says how to measure, and what becomes of the samples.
const MEASURING: [&str; 11] = [
    "registered",
    "busy",
    "servers",
    "moving",
    "only",
    "runs",
    "seconds",
    "warmup",
    "server_core",
    "load_core",
    "json",
];

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Set {
    /// Always the same are busy.
    Steady,
    /// Every 100 ms others are.
    Moving,
}

const BASELINE: Server = Server::Plain(Mechanism::Epoll);
const USUAL: [Server; 4] = [
    Server::Reactor(Backend::Adaptive),
    Server::Reactor(Backend::Epoll),
    Server::Reactor(Backend::Poll),
    Server::Plain(Mechanism::Poll),
];

/// Carries out the command. The exit code is that of the signal that ended it, if one did.
///
/// # Errors
///
/// When a server or the load fails, when a core or a number of descriptors isn't there, when the map that was
/// measured before can't be read or is none, and when the file or stdout can't be written to.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { json, svg, from, .. } = arguments;
    if svg.is_some() && [json, from].contains(&svg) {
        return Ok(usage_error("the picture is another file than the samples"));
    }
    if let Some(path) = from {
        let map = Map::read(path)?;
        draw(svg.as_deref(), &map)?;
        show(arguments, &map)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(complaint) = arguments.rounds.complaint() {
        return Ok(usage_error(complaint));
    }
    if let Some(complaint) = wrong_backend() {
        return Ok(usage_error(&complaint));
    }
    let spots = spots(arguments);
    if spots.is_empty() {
        return Ok(usage_error("nothing moves where all are busy: ask for less --busy"));
    }
    // Before anything runs, as in the comparison of servers.
    let most = spots.iter().map(|spot| spot.case().open_files()).max().unwrap_or(0);
    limits::allow_open_files(most)?;
    for path in [json, svg].into_iter().flatten() {
        // What can't be written is better known before than after half an hour.
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .with_context(|| format!("write {}", path.display()))?;
    }
    let mut map = Map::begun();
    let measured = measure(arguments, &contest(arguments), &spots, &mut map);
    // Also of a map that is incomplete; what made it so is the first thing to tell.
    let drawn = if map.cells.is_empty() { Ok(()) } else { draw(svg.as_deref(), &map) };
    let code = measured?;
    if svg.is_some() && map.cells.is_empty() {
        eprintln!("map: without a place that is known there is no picture");
    }
    drawn.map(|()| code)
}

fn spots(arguments: &Arguments) -> Vec<Spot> {
    let moving: &[bool] = match (arguments.only, arguments.moving) {
        (Some(Set::Moving), _) => &[true],
        (None, true) => &[false, true],
        _ => &[false],
    };
    Spot::all(&arguments.registered, &arguments.busy, moving)
}

fn contest(arguments: &Arguments) -> Contest {
    let mut others = arguments.servers.clone();
    if others.is_empty() {
        let compiled = Server::all();
        others.extend(USUAL.iter().filter(|server| compiled.contains(server)));
    }
    others.retain(|&server| server != BASELINE);
    Contest { baseline: BASELINE, others }
}

/// Prints the whole table of a map that was measured before.
fn show(arguments: &Arguments, map: &Map) -> anyhow::Result<()> {
    let (baseline, others) = map.servers().context("the map has no places")?;
    let table = Table::new(baseline, others, arguments.markdown);
    let mut lines = table.header();
    lines.extend(map.cells.iter().map(|cell| table.row(cell)));
    lines.extend([String::new(), table.footer(), runs::footer()]);
    lines.push(format!("Measured {}, by {}, on {}", map.date, map.command, map.machine));
    if map.is_incomplete {
        lines.push(INCOMPLETE.to_owned());
    }
    writeln!(io::stdout(), "{}", lines.join("\n")).context("write to stdout")
}

/// Prints the table, each row as soon as it is known, and notes it on the map.
fn measure(
    arguments: &Arguments,
    contest: &Contest,
    spots: &[Spot],
    map: &mut Map,
) -> anyhow::Result<ExitCode> {
    let rounds = arguments.rounds.runs;
    let setup = arguments.rounds.setup("map")?;
    let caught = catch_signals()?;
    let progress = progress(contest.runs() * spots.len() * rounds.get())?;
    let print = |line: String| {
        progress.suspend(|| writeln!(io::stdout(), "{line}")).context("write to stdout")
    };
    let others: Vec<_> = contest.others.iter().map(Server::to_string).collect();
    let table = Table::new(&contest.baseline.to_string(), &others, arguments.markdown);
    table.header().into_iter().try_for_each(print)?;
    for &spot in spots {
        let case = spot.case();
        let comparison = runs::compare(&setup, contest, &case, rounds, caught.flag(), |server| {
            progress.set_message(format!("{server}: {case}"));
            progress.inc(1);
        })?;
        let complete = comparison.rounds.len();
        if complete > 0 {
            let cell = Cell { spot, comparison };
            print(table.row(&cell))?;
            map.cells.push(cell);
            map.is_incomplete = caught.any() || map.cells.len() < spots.len();
            if let Some(path) = &arguments.json {
                write(path, &map.json()?)?;
            }
        }
        if caught.any() {
            progress.finish_and_clear();
            eprintln!("map: interrupted after {complete} of {rounds} rounds of {case}");
            return Ok(caught.exit_code());
        }
    }
    print(format!("\n{}\n{}", table.footer(), runs::footer()))?;
    progress.finish_and_clear();
    Ok(ExitCode::SUCCESS)
}

/// Writes the picture, if one is wanted.
fn draw(path: Option<&Path>, map: &Map) -> anyhow::Result<()> {
    path.map_or(Ok(()), |path| write(path, &map.picture()?))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}
