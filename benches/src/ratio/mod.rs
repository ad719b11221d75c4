//! What the library costs, as a multiple of a plain `libc` loop.
//!
//! Machines differ, and one machine differs from minute to minute; so a figure means something
//! only next to another one taken right before or after it, in the same way. A round runs the
//! yardstick, the subject and the same yardstick again, in an order that rotates from round to
//! round, each as a process of its own on one core, with the load on another. What the two runs
//! of the same yardstick differ by (A/A) is what the machine adds to any comparison, and the bar
//! is raised by it.

mod server;
mod statistics;
mod table;

pub use server::Server;
pub use statistics::{Round, Sample, Verdict};
pub use table::{header, row};

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::cpu;
use crate::load::Report;
use crate::yardstick::Mechanism;

/// The programs that take part.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The one with the plain loops and the load.
    pub benches: PathBuf,
    /// The library's echo server.
    pub echo: PathBuf,
}

/// How each run is made.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The programs to run.
    pub programs: Programs,
    /// The core of the server.
    pub server_core: usize,
    /// The core of the load.
    pub load_core: usize,
    /// How long the load measures.
    pub measured: Duration,
    /// How long the load sends before it measures.
    pub warmup: Duration,
}

/// What is compared: one row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The backend of the echo server, by the name that it has there.
    pub backend: String,
    /// How many connections the load has.
    pub connections: NonZeroUsize,
    /// Bytes of a message.
    pub size: NonZeroUsize,
}

impl Case {
    /// The plain loop that this backend is held against: the one on the same mechanism, and
    /// epoll's for all that are built to beat select and poll.
    pub fn yardstick(&self) -> Mechanism {
        match self.backend.as_str() {
            "select" => Mechanism::Select,
            "poll" => Mechanism::Poll,
            _ => Mechanism::Epoll,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, connections, size } = self;
        write!(f, "{backend}, {connections} connections, {size} bytes")
    }
}

/// Who runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// The yardstick, as A.
    A,
    /// The library's echo server.
    Subject,
    /// The same yardstick again, as B.
    B,
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "yardstick A",
            Self::Subject => "subject",
            Self::B => "yardstick B",
        })
    }
}

/// Asks the echo server which backends it has.
///
/// # Errors
///
/// When it can't be run, fails, or has none.
pub fn backends(programs: &Programs) -> anyhow::Result<Vec<String>> {
    let list = output(Command::new(&programs.echo).args(["--backend", "list"]))?;
    let names: Vec<_> = list.split_whitespace().map(str::to_owned).collect();
    ensure!(!names.is_empty(), "{} lists no backend", programs.echo.display());
    Ok(names)
}

/// Runs as many rounds of a case as asked, and calls `before` ahead of each run.
///
/// # Errors
///
/// When a server or the load fails, or `before` does.
pub fn compare(
    setup: &Setup,
    case: &Case,
    rounds: NonZeroUsize,
    mut before: impl FnMut(Contestant) -> anyhow::Result<()>,
) -> anyhow::Result<Verdict> {
    let mut done = Vec::with_capacity(rounds.get());
    for number in 0..rounds.get() {
        let mut round = Round::default();
        for contestant in order(number) {
            before(contestant)?;
            *round.of(contestant) = measure(setup, case, contestant)
                .with_context(|| format!("{case}, {contestant}"))?;
        }
        done.push(round);
    }
    Ok(Verdict::of(&done))
}

/// Who runs first, second and third in a round: over three rounds, each has been everywhere.
fn order(round: usize) -> [Contestant; 3] {
    let mut order = [Contestant::A, Contestant::Subject, Contestant::B];
    order.rotate_left(round % 3);
    order
}

/// Starts a contestant, has the load ask it, and ends it.
fn measure(setup: &Setup, case: &Case, contestant: Contestant) -> anyhow::Result<Sample> {
    let Setup { programs, server_core, load_core, measured, warmup } = setup;
    let mut command;
    match contestant {
        Contestant::A | Contestant::B => {
            command = Command::new(&programs.benches);
            command.args(["serve", &format!("plain-{}", case.yardstick())]);
        }
        Contestant::Subject => {
            command = Command::new(&programs.echo);
            command.args(["--backend", &case.backend]);
        }
    }
    command.args(["--listen", "127.0.0.1:0"]);
    let server = cpu::pinned(*server_core, || Server::start(&mut command))?;
    let line = output(
        Command::new(&programs.benches)
            .args(["load", "--machine"])
            .args(["--connect", &server.address().to_string()])
            .args(["--connections", &case.connections.to_string()])
            .args(["--size", &case.size.to_string()])
            .args(["--seconds", &measured.as_secs_f64().to_string()])
            .args(["--warmup", &warmup.as_secs_f64().to_string()])
            .args(["--pid", &server.pid().to_string()])
            .args(["--core", &load_core.to_string()]),
    )?;
    let report: Report = line.parse().context("the load's report")?;
    let cost = report.server_cost().context("the load's report lacks the server's time")?;
    Ok(Sample { cost, rate: report.rate() })
}

/// Runs a program to its end: what it wrote to stdout. Its stderr becomes the error.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("run {program}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program}: {}: {}", output.status, complaint.trim_end());
    String::from_utf8(output.stdout).with_context(|| format!("the output of {program}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(backend: &str) -> Case {
        let one = NonZeroUsize::MIN;
        Case { backend: backend.to_owned(), connections: one, size: one }
    }

    #[test]
    fn each_backend_meets_the_loop_on_its_mechanism() {
        let table = [
            ("select", Mechanism::Select),
            ("poll", Mechanism::Poll),
            ("epoll", Mechanism::Epoll),
            ("mio", Mechanism::Epoll),
        ];
        for (backend, mechanism) in table {
            assert_eq!(case(backend).yardstick(), mechanism, "{backend}");
        }
    }

    #[test]
    fn in_three_rounds_each_contestant_runs_once_in_each_place() {
        for place in 0..3 {
            for contestant in [Contestant::A, Contestant::Subject, Contestant::B] {
                let times = (0..3).filter(|&round| order(round)[place] == contestant).count();
                assert_eq!(times, 1, "{contestant} at {place}");
            }
        }
        assert_eq!(order(0), order(3));
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let error =
            output(Command::new("sh").args(["-c", "echo trouble >&2; exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "sh: exit status: 3: trouble");
    }
}
