//! What a report measures.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::micro::{Effort, Sizes};
use crate::runs::{Case, ECHO};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// For a first look: less than two minutes.
    Quick,
    /// All.
    Full,
}

/// What is measured, how often and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many numbers each question of a single step is asked for.
    pub sizes: Sizes,
    /// How it is sampled.
    pub effort: Effort,
    /// What the servers are asked.
    pub cases: Vec<Case>,
    /// How many rounds of each case.
    pub rounds: NonZeroUsize,
    /// How long the load measures in each run.
    pub measured: Duration,
    /// How long it sends before.
    pub warmup: Duration,
}

impl Plan {
    /// The usual one of this extent.
    #[must_use]
    pub fn of(extent: Extent) -> Self {
        let quick = extent == Extent::Quick;
        let idle = pick(quick, "1000", "8000");
        let mut cases = vec![
            case(ECHO, 50, 64, &[]),
            case(ECHO, 1000, 64, &[]),
            case(ECHO, 50, 64, &["--rate", "20000"]),
            case("crowd", 50, 64, &["--idle", idle]),
            case("bulk", 4, 65_536, &[]),
        ];
        if !quick {
            cases.insert(2, case(ECHO, 50, 16_384, &[]));
            cases.push(case("connect", 50, 64, &[]));
            cases.push(case("udp", 50, 64, &[]));
        }
        Self {
            sizes: pick(quick, Sizes::Quick, Sizes::Full),
            effort: Effort {
                samples: pick(quick, 5, 15),
                time: Duration::from_millis(pick(quick, 5, 20)),
            },
            cases,
            rounds: NonZeroUsize::MIN.saturating_add(pick(quick, 1, 8)),
            measured: Duration::from_millis(pick(quick, 150, 500)),
            warmup: Duration::from_millis(pick(quick, 50, 150)),
        }
    }
}

fn pick<T>(quick: bool, little: T, much: T) -> T {
    if quick { little } else { much }
}

fn case(mode: &str, connections: usize, size: usize, more: &[&str]) -> Case {
    let count = |number: usize| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
    Case {
        mode: mode.to_owned(),
        connections: count(connections),
        size: count(size),
        more: more.iter().map(ToString::to_string).collect(),
    }
}
