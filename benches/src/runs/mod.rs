//! Servers side by side, each run after run as a process of its own.
//!
//! Machines differ, and one machine differs from minute to minute; so a figure means something only
//! next to another one taken right before or after it, in the same way. A round runs the baseline, each
//! other server, and the baseline again, in an order that rotates from round to round, each as a process
//! of its own on one core, with the load on another. What the two runs of the baseline differ by (A/A) is
//! what the machine adds to any comparison: a difference within it is a tie.

mod cores;
mod process;
mod statistics;
mod table;

pub use cores::Cores;
pub use process::Process;
pub(crate) use process::output;
pub use statistics::{Standing, limited_by_load};
pub use table::{LIMITED, footer, header, legend, rows};

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{self as this, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::command_line::plural;
use crate::load::Report;
use crate::servers::{Server, Transport};

/// The load's mode that is the default there.
pub const ECHO: &str = "echo";

/// How each run is made.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program that serves and loads: this one.
    pub program: PathBuf,
    /// Where server and load run; without it, where the system puts them.
    pub cores: Option<Cores>,
    /// How long the load measures.
    pub measured: Duration,
    /// How long the load sends before it measures.
    pub warmup: Duration,
}

/// What is asked of the servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The load's mode, by its name there.
    pub mode: String,
    /// How many connections the load has.
    pub connections: NonZeroUsize,
    /// Bytes of a message.
    pub size: NonZeroUsize,
    /// Further arguments of the load.
    pub more: Vec<String>,
}

/// Descriptors that a server or the load has besides its connections, at most.
const OTHER_FILES: usize = 50;

impl Case {
    /// How many descriptors a server or the load needs for it.
    pub fn open_files(&self) -> usize {
        self.all_connections().saturating_add(OTHER_FILES)
    }

    /// How many connections there are at a time, with the idle ones and the slow readers that the further
    /// arguments ask for.
    fn all_connections(&self) -> usize {
        let names = ["--idle", "--slow"];
        let others = self.more.iter().enumerate().filter_map(|(place, argument)| {
            match argument.split_once('=') {
                Some((name, count)) if names.contains(&name) => count.parse().ok(),
                None if names.contains(&argument.as_str()) => {
                    self.more.get(place + 1)?.parse().ok()
                }
                _ => None,
            }
        });
        others.fold(self.connections.get(), usize::saturating_add)
    }

    /// The command line of a load that measures for so long, without what differs from run to run.
    pub fn load_arguments(&self, measured: Duration, warmup: Duration) -> Vec<String> {
        let Self { mode, connections, size, more } = self;
        let seconds = |time: Duration| time.as_secs_f64().to_string();
        let flags = [
            ("--connections", connections.to_string()),
            ("--size", size.to_string()),
            ("--seconds", seconds(measured)),
            ("--warmup", seconds(warmup)),
        ];
        let mut line = vec!["load".to_owned(), mode.clone(), "--machine".to_owned()];
        line.extend(flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]));
        line.extend_from_slice(more);
        line
    }

    /// What a server must echo over for it.
    pub fn transport(&self) -> Transport {
        if self.mode == "udp" { Transport::Datagrams } else { Transport::Streams }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mode, connections, size, more } = self;
        let connections = plural(connections.get(), "connection");
        write!(f, "{mode}, {connections}, {}", plural(size.get(), "byte"))?;
        more.iter().try_for_each(|argument| write!(f, " {argument}"))
    }
}

/// Who is compared with whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// Runs twice in each round, and is what the others are multiples of.
    pub baseline: Server,
    /// The others.
    pub others: Vec<Server>,
}

impl Contest {
    /// Runs in a round.
    pub fn runs(&self) -> usize {
        self.others.len() + 2
    }

    /// Who runs in a round, in this order: over as many rounds as there are runs in one, each has been
    /// everywhere.
    fn order(&self, round: usize) -> Vec<(Place, Server)> {
        let others = self.others.iter().enumerate();
        let mut order = vec![(Place::Baseline, self.baseline)];
        order.extend(others.map(|(number, &server)| (Place::Other(number), server)));
        order.push((Place::Again, self.baseline));
        order.rotate_left(round % self.runs());
        order
    }
}

/// Whose sample a run gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Baseline,
    Other(usize),
    Again,
}

/// What one run has measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// All that the load has found out.
    pub report: Report,
}

/// One run of each, close to one another in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// The baseline.
    pub baseline: Sample,
    /// The others, in the order of the contest.
    pub others: Vec<Sample>,
    /// The baseline again.
    pub again: Sample,
}

/// What the rounds of a contest have measured in one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What was asked.
    pub case: Case,
    /// The baseline's name.
    pub baseline: String,
    /// The names of the others.
    pub others: Vec<String>,
    /// The complete rounds.
    pub rounds: Vec<Round>,
}

/// Whose run of which case has failed: the context of what [`compare`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The server.
    pub server: Server,
    /// What it was asked.
    pub case: Case,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.server, self.case)
    }
}

/// Runs as many rounds of a case as asked, or until `interrupted`: then a round that isn't complete is
/// left out, and there may be none. `before` is called ahead of each run.
///
/// # Errors
///
/// When a server or the load fails: [`Failed`] is the context.
pub fn compare(
    setup: &Setup,
    contest: &Contest,
    case: &Case,
    rounds: NonZeroUsize,
    interrupted: &AtomicBool,
    mut before: impl FnMut(Server),
) -> anyhow::Result<Comparison> {
    let mut comparison = Comparison {
        case: case.clone(),
        baseline: contest.baseline.to_string(),
        others: contest.others.iter().map(Server::to_string).collect(),
        rounds: Vec::with_capacity(rounds.get()),
    };
    for number in 0..rounds.get() {
        let mut samples = Vec::with_capacity(contest.runs());
        for (place, server) in contest.order(number) {
            before(server);
            match measure(setup, case, server, interrupted) {
                // A signal from a terminal ends the server and the load, too.
                _ if interrupted.load(Ordering::Relaxed) => return Ok(comparison),
                measured => {
                    let sample = measured.with_context(|| Failed { server, case: case.clone() })?;
                    samples.push((place, sample));
                }
            }
        }
        comparison.rounds.extend(Round::of(samples));
    }
    Ok(comparison)
}

impl Round {
    /// Puts each sample in its place; nothing if the baseline's are missing.
    fn of(samples: Vec<(Place, Sample)>) -> Option<Self> {
        let (mut baseline, mut again, mut others) = (None, None, Vec::new());
        for (place, sample) in samples {
            match place {
                Place::Baseline => baseline = Some(sample),
                Place::Again => again = Some(sample),
                Place::Other(number) => others.push((number, sample)),
            }
        }
        others.sort_by_key(|(number, _)| *number);
        let others = others.into_iter().map(|(_, sample)| sample).collect();
        Some(Self { baseline: baseline?, others, again: again? })
    }
}

/// Starts a server, has the load ask it, and ends it.
fn measure(
    setup: &Setup,
    case: &Case,
    server: Server,
    interrupted: &AtomicBool,
) -> anyhow::Result<Sample> {
    let Setup { program, cores, measured, warmup } = setup;
    let mut serve = Command::new(program);
    serve.args(["serve", &server.to_string(), "--parent", &this::id().to_string()]);
    if case.transport() == Transport::Datagrams {
        serve.arg("--udp");
    }
    let mut load = Command::new(program);
    load.args(case.load_arguments(*measured, *warmup));
    if let Some(Cores { server, load: core }) = cores {
        serve.args(["--core", &server.to_string()]);
        load.args(["--core", &core.to_string()]);
    }
    let process = Process::start(&mut serve)?;
    load.args(["--connect", &process.address().to_string()])
        .args(["--pid", &process.pid().to_string()]);
    let line = process::output(&mut load, interrupted)?;
    let report: Report = line.parse().context("the load's report")?;
    report.server_cost().context("the load's report lacks the server's time")?;
    Ok(Sample { report })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yardstick::Mechanism;

    fn contest() -> Contest {
        Contest {
            baseline: Server::Plain(Mechanism::Epoll),
            others: vec![Server::Tokio, Server::Mio, Server::Polling],
        }
    }

    #[test]
    fn over_the_rounds_each_runs_once_in_each_place() {
        let contest = contest();
        for at in 0..contest.runs() {
            for (place, _) in contest.order(0) {
                let times = (0..contest.runs())
                    .filter(|&round| contest.order(round)[at].0 == place)
                    .count();
                assert_eq!(times, 1, "{place:?} at {at}");
            }
        }
        assert_eq!(contest.order(0), contest.order(contest.runs()));
        assert_eq!(contest.order(1)[0], (Place::Other(0), Server::Tokio));
    }

    #[test]
    fn a_case_counts_those_that_are_idle_or_slow() {
        for (more, all) in [
            (&[][..], 5),
            (&["--rate", "100"], 5),
            (&["--idle", "8000"], 8005),
            (&["--rate=7", "--slow=10"], 15),
            (&["--idle"], 5),
            (&["--idle", "18446744073709551615"], usize::MAX),
        ] {
            let case = Case {
                mode: ECHO.to_owned(),
                connections: NonZeroUsize::new(5).unwrap(),
                size: NonZeroUsize::MIN,
                more: more.iter().map(ToString::to_string).collect(),
            };
            assert_eq!(case.all_connections(), all, "{more:?}");
        }
    }

    #[test]
    fn samples_get_to_their_places_in_any_order() {
        let sample = |messages| Sample { report: Report { messages, ..statistics::report(1.0) } };
        let round = Round::of(vec![
            (Place::Other(1), sample(3)),
            (Place::Again, sample(4)),
            (Place::Baseline, sample(1)),
            (Place::Other(0), sample(2)),
        ])
        .unwrap();
        assert_eq!(round.baseline, sample(1));
        assert_eq!(round.others, [sample(2), sample(3)]);
        assert_eq!(round.again, sample(4));
        assert_eq!(Round::of(vec![(Place::Baseline, sample(1))]), None);
    }

    #[test]
    fn raw_samples_read_back_from_json() {
        let sample = || Sample { report: statistics::report(1234.0) };
        let case = Case {
            mode: ECHO.to_owned(),
            connections: NonZeroUsize::MIN,
            size: NonZeroUsize::MIN,
            more: vec!["--depth".to_owned(), "4".to_owned()],
        };
        let comparison = Comparison {
            case,
            baseline: "mio".to_owned(),
            others: vec!["tokio".to_owned()],
            rounds: vec![Round { baseline: sample(), others: vec![sample()], again: sample() }],
        };
        let json = serde_json::to_string(&comparison).unwrap();
        assert_eq!(serde_json::from_str::<Comparison>(&json).unwrap(), comparison);
    }
}
