//! What a report measures.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::micro::{Effort, PATIENCE, Sizes};
use crate::runs::{Case, ECHO};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// As little as there can be, to see whether all of it works.
    Once,
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
        let millis = Duration::from_millis;
        let effort = |samples, time| Effort { samples, time: millis(time), patience: PATIENCE };
        let rounds = |count| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN);
        match extent {
            Extent::Once => Self {
                sizes: Sizes::Quick,
                effort: effort(1, 1),
                cases: cases("1000"),
                rounds: rounds(1),
                measured: millis(20),
                warmup: millis(20),
            },
            Extent::Quick => Self {
                sizes: Sizes::Quick,
                effort: effort(3, 4),
                cases: cases("1000").into_iter().filter(|case| case.size.get() != 16_384).collect(),
                rounds: rounds(2),
                measured: millis(150),
                warmup: millis(50),
            },
            Extent::Full => Self {
                sizes: Sizes::Full,
                effort: effort(15, 20),
                cases: cases("8000"),
                rounds: rounds(9),
                measured: millis(500),
                warmup: millis(150),
            },
        }
    }
}

/// What the servers are asked, with a crowd of so many.
fn cases(idle: &str) -> Vec<Case> {
    vec![
        case(ECHO, 1, 64, &[]),
        case(ECHO, 50, 64, &[]),
        case(ECHO, 1000, 64, &[]),
        case(ECHO, 50, 16_384, &[]),
        case(ECHO, 50, 64, &["--rate", "20000"]),
        case("crowd", 50, 64, &["--idle", idle]),
        case("slow", 50, 64, &["--slow", "10"]),
        case("bulk", 4, 65_536, &[]),
        case("connect", 50, 64, &[]),
        case("udp", 50, 64, &[]),
    ]
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
