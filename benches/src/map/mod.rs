//! Which mechanism is the cheapest where: so many connections are registered, so many of them busy.
//!
//! A figure at one place says nothing of another one: what a mechanism costs by the registered descriptor
//! counts where few are busy, what it costs by the busy one where most are. And a mechanism that learns who
//! is busy shows what that is worth where the busy ones change.

mod chart;
mod scale;
mod table;

pub use table::Table;

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::report::Machine;
use crate::runs::{Case, Comparison};

/// Bytes of a message.
const SIZE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);
/// After how many seconds others are busy where that changes.
const MOVING: &str = "0.1";

/// What is said of a map of which places are missing.
pub const INCOMPLETE: &str =
    "Incomplete: it was interrupted, or something failed, before all places were measured.";

/// A place on the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// How many connections there are.
    pub registered: NonZeroUsize,
    /// How many of a hundred are busy.
    pub percent: u8,
    /// Whether others are busy every 100 ms.
    pub moving: bool,
}

impl Spot {
    /// How many connections are busy: at least one.
    pub fn busy(&self) -> NonZeroUsize {
        let all = self.registered.get() as u128;
        let busy = all * u128::from(self.percent.min(100)) / 100;
        let busy = usize::try_from(busy).ok().and_then(NonZeroUsize::new);
        busy.unwrap_or(NonZeroUsize::MIN)
    }

    /// What the load is asked.
    pub fn case(&self) -> Case {
        let idle = self.registered.get() - self.busy().get();
        let mut more = vec!["--idle".to_owned(), idle.to_string()];
        if self.moving {
            more.extend(["--moving", MOVING].map(str::to_owned));
        }
        Case { mode: "crowd".to_owned(), connections: self.busy(), size: SIZE, more }
    }

    /// All places at these numbers, in steady state or moving, or both in turns. Where all are busy,
    /// nobody is there to move on to: that is measured in steady state alone.
    pub fn all(registered: &[NonZeroUsize], percents: &[u8], moving: &[bool]) -> Vec<Self> {
        let mut spots = Vec::new();
        for &registered in registered {
            for &percent in percents {
                let of = |&moving: &bool| Self { registered, percent, moving };
                spots.extend(moving.iter().map(of).filter(Self::is_one));
            }
        }
        spots
    }

    fn is_one(&self) -> bool {
        !self.moving || self.busy() < self.registered
    }
}

/// What was measured at a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Where.
    pub spot: Spot,
    /// Who costs what there.
    pub comparison: Comparison,
}

/// All that was measured in one run, and on what machine: what is written as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// When it was begun, as HTTP writes dates.
    pub date: String,
    /// The command line that made it.
    pub command: String,
    /// Where.
    pub machine: Machine,
    /// Whether places are missing: it was interrupted, or something failed.
    pub is_incomplete: bool,
    /// The places, in the order of the table.
    pub cells: Vec<Cell>,
}

impl Map {
    /// An empty one, of this machine and this moment.
    pub fn begun() -> Self {
        let command: Vec<_> = std::env::args().skip(1).collect();
        Self {
            date: httpdate::fmt_http_date(SystemTime::now()),
            command: format!("benches {}", command.join(" ")),
            machine: Machine::this(),
            is_incomplete: true,
            cells: Vec::new(),
        }
    }

    /// Reads one back, of which at least one place is known.
    ///
    /// # Errors
    ///
    /// When the file can't be read, or holds something else.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let map = serde_json::from_str(&text).map_err(anyhow::Error::from);
        let map = map.and_then(|map: Self| map.check().map(|()| map));
        map.with_context(|| format!("{} is no map", path.display()))
    }

    /// Whether it is one that can have been measured: tables and pictures rely on it.
    fn check(&self) -> anyhow::Result<()> {
        let first = self.cells.first().context("it has no places")?;
        let Comparison { baseline, others, .. } = &first.comparison;
        for Cell { spot, comparison } in &self.cells {
            ensure!((1..=100).contains(&spot.percent), "{} % are busy in it", spot.percent);
            let is_same = (baseline, others) == (&comparison.baseline, &comparison.others);
            ensure!(is_same, "its places have different servers");
            ensure!(!comparison.rounds.is_empty(), "a place has no rounds");
            let mut rounds = comparison.rounds.iter();
            let is_full = rounds.all(|round| round.others.len() == others.len());
            ensure!(is_full, "a round lacks servers, or has too many");
        }
        Ok(())
    }

    /// The names of the baseline and of the others.
    pub fn servers(&self) -> Option<(&str, &[String])> {
        let Comparison { baseline, others, .. } = &self.cells.first()?.comparison;
        Some((baseline, others))
    }

    /// As a picture, in SVG.
    ///
    /// # Errors
    ///
    /// When no place is known.
    pub fn picture(&self) -> anyhow::Result<String> {
        chart::picture(self)
    }

    /// The whole, with all samples.
    ///
    /// # Errors
    ///
    /// None that is known of: all that it holds can be said in JSON.
    pub fn json(&self) -> anyhow::Result<String> {
        let mut text = serde_json::to_string_pretty(self).context("write a map as JSON")?;
        text.push('\n');
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{Round, Sample};

    fn count(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).unwrap()
    }

    #[test]
    fn at_least_one_is_busy_and_the_others_are_idle() {
        for (registered, percent, busy) in [
            (50, 1, 1),
            (50, 10, 5),
            (1000, 1, 10),
            (10_000, 50, 5000),
            (10_000, 100, 10_000),
            (1, 50, 1),
            (usize::MAX, 100, usize::MAX),
        ] {
            let spot = Spot { registered: count(registered), percent, moving: false };
            assert_eq!(spot.busy().get(), busy, "{registered}, {percent} %");
            let case = spot.case();
            assert_eq!(case.connections.get(), busy);
            assert_eq!(case.more, ["--idle".to_owned(), (registered - busy).to_string()]);
        }
    }

    #[test]
    fn a_moving_place_stands_beside_the_steady_one() {
        let spots = Spot::all(&[count(1), count(50)], &[10, 100], &[false, true]);
        let list: Vec<_> =
            spots.iter().map(|spot| (spot.registered.get(), spot.percent, spot.moving)).collect();
        assert_eq!(
            list,
            [(1, 10, false), (1, 100, false), (50, 10, false), (50, 10, true), (50, 100, false)]
        );
        assert_eq!(spots[3].case().more, ["--idle", "45", "--moving", "0.1"]);
    }

    /// One with these places, at each of which the baseline costs 1000 ns, and one of two others 900 ns, the other
    /// 2000 ns, in two rounds.
    pub(super) fn map(spots: &[Spot]) -> Map {
        let sample = |cost: u64| Sample {
            report: crate::load::Report {
                messages: 1000,
                elapsed_ns: 1_000_000_000,
                server_cpu_ns: Some(1000 * cost),
                ..crate::load::Report::default()
            },
        };
        let round = Round {
            baseline: sample(1000),
            others: vec![sample(900), sample(2000)],
            again: sample(1000),
        };
        let cell = |&spot: &Spot| Cell {
            spot,
            comparison: Comparison {
                case: spot.case(),
                baseline: "plain-epoll".to_owned(),
                others: ["reactor-adaptive", "mio"].map(str::to_owned).to_vec(),
                rounds: vec![round.clone(); 2],
            },
        };
        Map { is_incomplete: false, cells: spots.iter().map(cell).collect(), ..Map::begun() }
    }

    /// Makes a map one that can't have been measured.
    type Spoil = fn(&mut Map);

    #[test]
    fn what_can_t_have_been_measured_is_no_map() {
        let spots = Spot::all(&[count(50), count(1000)], &[1, 100], &[false, true]);
        let good = map(&spots);
        good.check().unwrap();
        let wrong: [(Spoil, &str); 6] = [
            (|map| map.cells.clear(), "no places"),
            (|map| map.cells[1].spot.percent = 0, "0 % are busy"),
            (|map| map.cells[1].spot.percent = 101, "101 % are busy"),
            (|map| map.cells[1].comparison.others.reverse(), "different servers"),
            (|map| map.cells[1].comparison.rounds.clear(), "no rounds"),
            (|map| map.cells[1].comparison.rounds[1].others.truncate(1), "lacks servers"),
        ];
        for (spoil, words) in wrong {
            let mut map = good.clone();
            spoil(&mut map);
            let error = map.check().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
