//! The comparison of the echo server with the plain loops.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::command_line::seconds;
use crate::ratio::{self, Case, Programs, Setup};
use anyhow::{Context as _, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

/// Runs of one round: the yardstick, the subject, the yardstick again.
const RUNS_PER_ROUND: usize = 3;

/// What a message costs the echo server, as a multiple of what it costs a plain libc loop.
///
/// For each case, rounds of three runs: the yardstick (A), the echo server, the same yardstick
/// again (B), the order rotating. The ratio is the median over the rounds of the server's CPU time
/// per message, divided by the mean of A and B. It passes up to 1.03 plus what the median of A/B
/// is off from 1. The exit code is 1 when a case fails.
///
/// The program `echo` is the one beside this one. Figures of a debug build
/// mean nothing. On a busy machine, many short rounds tell more than few long ones in the same
/// time, such as `--runs 25 --seconds 0.2 --warmup 0.05`.
#[derive(Args)]
pub struct Arguments {
    /// Backends to compare; without it, all that the echo server lists.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    backends: Vec<String>,

    /// Numbers of connections.
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "50,1000")]
    connections: Vec<NonZeroUsize>,

    /// Sizes of a message.
    #[arg(long, value_name = "BYTES", value_delimiter = ',', default_value = "64")]
    sizes: Vec<NonZeroUsize>,

    /// Rounds of each case.
    #[arg(long, value_name = "COUNT", default_value = "5")]
    runs: NonZeroUsize,

    /// How long to measure in each run.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "2")]
    seconds: Duration,

    /// How long to send before measuring.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "0.5")]
    warmup: Duration,

    /// The core of the servers.
    #[arg(long, value_name = "CORE", default_value = "0")]
    server_core: usize,

    /// The core of the load.
    #[arg(long, value_name = "CORE", default_value = "1")]
    load_core: usize,

    /// The echo server to measure, in place of the one beside this program.
    #[arg(long, value_name = "PATH")]
    echo: Option<PathBuf>,
}

/// Carries out the command; the exit code says whether all cases pass.
///
/// # Errors
///
/// When a program is missing, a server or the load fails, or a signal interrupts it.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let programs = programs(arguments.echo)?;
    let backends = match arguments.backends {
        all if all.is_empty() => ratio::backends(&programs)?,
        chosen => chosen,
    };
    let cases = cases(&backends, &arguments.connections, &arguments.sizes);
    let setup = Setup {
        programs,
        server_core: arguments.server_core,
        load_core: arguments.load_core,
        measured: arguments.seconds,
        warmup: arguments.warmup,
    };
    if cfg!(debug_assertions) {
        eprintln!("ratio: this is a debug build, its figures mean nothing");
    }
    compare_all(&setup, &cases, arguments.runs)
}

/// The programs in the folder of this one.
fn programs(echo: Option<PathBuf>) -> anyhow::Result<Programs> {
    let this = std::env::current_exe().context("ask where this program is")?;
    let echo = echo.unwrap_or_else(|| this.with_file_name("echo"));
    let advice = "build the whole workspace, or name an echo server by --echo";
    ensure!(echo.exists(), "there is no {}: {advice}", echo.display());
    Ok(Programs { benches: this, echo })
}

fn cases(backends: &[String], connections: &[NonZeroUsize], sizes: &[NonZeroUsize]) -> Vec<Case> {
    let mut cases = Vec::new();
    for backend in backends {
        for &connections in connections {
            for &size in sizes {
                cases.push(Case { backend: backend.clone(), connections, size });
            }
        }
    }
    cases
}

/// Prints the table, each row as soon as it is known.
fn compare_all(setup: &Setup, cases: &[Case], rounds: NonZeroUsize) -> anyhow::Result<ExitCode> {
    let interrupted = catch_signals()?;
    let progress = ProgressBar::new((cases.len() * rounds.get() * RUNS_PER_ROUND) as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {eta} to go")?);
    let print = |line: String| {
        progress.suspend(|| writeln!(io::stdout(), "{line}")).context("write to stdout")
    };
    print(ratio::header())?;
    let mut all_pass = true;
    for case in cases {
        let verdict = ratio::compare(setup, case, rounds, |contestant| {
            ensure!(!interrupted.load(Ordering::Relaxed), "interrupted");
            progress.set_message(format!("{case}: {contestant}"));
            progress.inc(1);
            Ok(())
        })?;
        print(ratio::row(case, &verdict))?;
        all_pass &= verdict.passes();
    }
    progress.finish_and_clear();
    Ok(if all_pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Turns the signals that would end this program at once, and leave a server behind, into a flag.
fn catch_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("catch a signal")?;
    }
    Ok(flag)
}
