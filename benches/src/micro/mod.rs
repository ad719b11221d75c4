//! What the single steps of a loop cost: a chart a question, a line a contender.
//!
//! A [`Bench`] can be asked for the time that any number of operations take. Criterion asks for the
//! numbers that it likes (`cargo bench -p benches`); [`measure()`] takes samples of all contenders of a
//! question in turns, for the report.
//!
//! Contenders are the library's mechanisms (`reactor-epoll`, …), the plain loops of
//! [`yardstick::waiting`](crate::yardstick::waiting) (`plain-epoll`, …), and mio, polling, calloop and
//! tokio where they have the operation. What is measured is compiled once for each of them.

mod burst;
mod chain;
mod churn;
mod contenders;
mod crowd;
mod mailbox;
mod measure;
mod mechanisms;
mod stopwatch;
mod timers;
mod turn;
mod wait;
mod waiters;
mod watch;

use std::fmt;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::{self, Shortage};

pub use measure::{Effort, Failed, Findings, Measured, measure};
pub use watch::Watch;

/// How long a bench may take for what takes some milliseconds, or a few seconds with what prepares it: one
/// that takes longer waits for something that doesn't come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A family of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// What a wait costs with so many descriptors, and so many of them ready.
    Wait,
    /// The classic benchmark of event libraries: bytes passed on along a row of socket pairs.
    Chain,
    /// What it costs to change who is watched, and for what.
    Churn,
    /// What a timer costs with so many alive.
    Timers,
    /// What a message from another thread costs.
    Mailbox,
    /// What one turn of a loop costs.
    Turn,
    /// What an echo costs where many connections have a message at once.
    Burst,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Wait,
        Self::Chain,
        Self::Churn,
        Self::Timers,
        Self::Mailbox,
        Self::Turn,
        Self::Burst,
    ];

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Chain => "chain",
            Self::Churn => "churn",
            Self::Timers => "timers",
            Self::Mailbox => "mailbox",
            Self::Turn => "turn",
            Self::Burst => "burst",
        }
    }

    /// The benches of this group, ordered by question and number, so that those that belong side by
    /// side follow each other.
    ///
    /// # Errors
    ///
    /// When the limit of open files can't be told or raised.
    pub fn benches(self, sizes: Sizes) -> anyhow::Result<Listing> {
        let mut listing = Listing::new(limits::raise_open_files()?);
        match self {
            Self::Wait => wait::list(&mut listing, sizes),
            Self::Chain => chain::list(&mut listing, sizes),
            Self::Churn => churn::list(&mut listing, sizes),
            Self::Timers => timers::list(&mut listing, sizes),
            Self::Mailbox => mailbox::list(&mut listing),
            Self::Turn => turn::list(&mut listing, sizes),
            Self::Burst => burst::list(&mut listing, sizes),
        }
        Ok(listing)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many numbers a question is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// A few, for a first look.
    Quick,
    /// All.
    Full,
}

impl Sizes {
    /// `full`, or those of it that a quick look has.
    fn of(self, full: &[usize], quick: &[usize]) -> Vec<usize> {
        match self {
            Self::Quick => quick.to_vec(),
            Self::Full => full.to_vec(),
        }
    }
}

/// A point of a chart: what is measured, for whom, at which number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Case {
    /// The family of questions.
    pub group: Group,
    /// What is asked: a chart each.
    pub question: String,
    /// Who is measured: a line each.
    pub contender: String,
    /// What the horizontal axis counts.
    pub over: String,
    /// The place on that axis.
    pub number: u64,
    /// What the figures are.
    pub unit: String,
}

/// One line: `wait, 10 % ready, 1000 descriptors: plain-epoll`.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, question, contender, over, number, .. } = self;
        write!(f, "{group}, {question}, {number} {over}: {contender}")
    }
}

/// A case that can be measured.
pub struct Bench {
    /// What it measures.
    pub case: Case,
    lot: Lot,
    run: Box<Run>,
}

/// The time that so many operations take.
type Run = dyn FnMut(u64) -> io::Result<Duration>;

/// How many operations are measured at a time.
#[derive(Clone, Copy, Debug)]
enum Lot {
    /// As many as one likes.
    Any,
    /// So many, since they need a preparation that takes much longer than they.
    Of(u64),
}

impl Bench {
    /// The time that `operations` take, without what prepares them. Where they come in lots of a
    /// certain size, one lot is measured, and its time stretched.
    ///
    /// # Errors
    ///
    /// What the system says; that a contender doesn't do what it should.
    pub fn run(&mut self, operations: u64) -> io::Result<Duration> {
        match self.lot {
            Lot::Any => (self.run)(operations),
            Lot::Of(lot) => Ok((self.run)(lot)?.mul_f64(operations as f64 / lot as f64)),
        }
    }
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").field("case", &self.case).finish_non_exhaustive()
    }
}

/// The benches of a group.
#[derive(Debug)]
pub struct Listing {
    /// Those that can be measured here.
    pub benches: Vec<Bench>,
    /// What can't, and why, but for want of descriptors: a line each.
    pub left_out: Vec<String>,
    /// What takes more descriptors than there are.
    pub shortage: Shortage,
    /// How many there are.
    pub open_files: u64,
}

/// What all cases of one chart have in common.
#[derive(Clone, Copy)]
struct Chart {
    group: Group,
    question: &'static str,
    over: &'static str,
    unit: &'static str,
}

/// Descriptors that a process has besides those that a bench makes in great numbers.
const OTHER_FILES: u64 = 100;

impl Listing {
    fn new(open_files: u64) -> Self {
        Self {
            benches: Vec::new(),
            left_out: Vec::new(),
            shortage: Shortage::default(),
            open_files,
        }
    }

    /// Whether so many descriptors can be open at a time; else notes what is left out.
    fn has_room(&mut self, chart: &Chart, number: usize, descriptors: usize) -> bool {
        let needed = descriptors as u64 + OTHER_FILES;
        let has_room = needed <= self.open_files;
        if !has_room {
            self.shortage.add(format!("{} with {number} {}", chart.group, chart.over), needed);
        }
        has_room
    }

    fn leave_out(&mut self, line: String) {
        if !self.left_out.contains(&line) {
            self.left_out.push(line);
        }
    }

    fn add(
        &mut self,
        chart: &Chart,
        number: usize,
        contender: &str,
        run: impl FnMut(u64) -> io::Result<Duration> + 'static,
    ) {
        self.add_lots(chart, number, contender, Lot::Any, run);
    }

    fn add_lots(
        &mut self,
        chart: &Chart,
        number: usize,
        contender: &str,
        lot: Lot,
        run: impl FnMut(u64) -> io::Result<Duration> + 'static,
    ) {
        let case = Case {
            group: chart.group,
            question: chart.question.to_owned(),
            contender: contender.to_owned(),
            over: chart.over.to_owned(),
            number: number as u64,
            unit: chart.unit.to_owned(),
        };
        self.benches.push(Bench { case, lot, run: Box::new(run) });
    }
}

/// The time of `operations` if whole rounds of `size` operations each are measured.
fn in_rounds(
    operations: u64,
    size: usize,
    mut round: impl FnMut() -> io::Result<Duration>,
) -> io::Result<Duration> {
    let rounds = operations.div_ceil(size as u64).max(1);
    let mut took = Duration::ZERO;
    for _ in 0..rounds {
        took += round()?;
    }
    Ok(took.mul_f64(operations as f64 / (rounds * size as u64) as f64))
}
