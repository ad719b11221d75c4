//! The comparison of chat servers.

use std::fs;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use reactor::Backend;

use crate::chat::Target;
use crate::chat::servers::{self, Case, Contender, Sample, Setup};
use crate::command_line::{Caught, catch_signals, progress, seconds};
use crate::limits;
use crate::runs::Cores;

/// Chat servers side by side: ours on each mechanism, and ngircd and inspircd if they are installed.
///
/// Each round runs every server, as a process of its own on one core with the load on another, in an order
/// that rotates. The table has medians. A server that fails a case is told of, and the exit code is 1. Ctrl-C
/// prints what there is by then.
#[derive(Args)]
pub struct Arguments {
    /// The program of our own server, such as target/release/chat.
    #[arg(long, value_name = "FILE")]
    ours: PathBuf,

    /// The mechanisms that ours runs on; without it all of this build.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    backend: Vec<Backend>,

    /// How many members the channel has.
    #[arg(long, value_name = "COUNT", default_value = "1000")]
    members: NonZeroUsize,

    /// How many clients register.
    #[arg(long, value_name = "COUNT", default_value = "5000")]
    clients: NonZeroUsize,

    /// Rounds of each case.
    #[arg(long, value_name = "COUNT", default_value = "5")]
    runs: NonZeroUsize,

    /// How long to measure in each run.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "3")]
    seconds: Duration,

    /// How long to talk before measuring.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "0.5")]
    warmup: Duration,

    /// The core of the servers; without it the first that isn't the load's.
    #[arg(long, value_name = "CORE")]
    server_core: Option<usize>,

    /// The core of the load; without it the first that isn't the servers'.
    #[arg(long, value_name = "CORE")]
    load_core: Option<usize>,
}

/// Carries out the command.
///
/// # Errors
///
/// When our server, a core or a number of descriptors isn't there, and when stdout can't be written to.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { ours, members, clients, .. } = arguments;
    ensure!(ours.is_file(), "--ours {}: there is no such program", ours.display());
    limits::allow_open_files(Target::descriptors(members.max(clients).get()))?;
    let cores = Cores::choose(arguments.server_core, arguments.load_core)?;
    if cores.is_none() {
        eprintln!("benches: only one core can be used, so that server and load disturb each other");
    }
    let setup = Setup {
        program: std::env::current_exe().context("ask where this program is")?,
        cores,
        seconds: arguments.seconds.as_secs_f64(),
        warmup: arguments.warmup.as_secs_f64(),
    };
    let backends =
        if arguments.backend.is_empty() { Backend::COMPILED } else { &arguments.backend };
    let mut contenders: Vec<_> =
        backends.iter().map(|&backend| Contender::Ours(ours.clone(), backend)).collect();
    contenders.extend(Contender::installed());
    let members = members.get();
    let talkers = members.min(32);
    let cases = [
        Case::Fanout(members, 1, 1),
        Case::Fanout(members, 1, 4),
        Case::Fanout(members, talkers, talkers),
        Case::Register(clients.get()),
    ];
    let folder = Folder::new()?;
    compare(&setup, &contenders, &cases, arguments.runs.get(), &folder.0)
}

/// A folder for settings, which is gone when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("benches-chat-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is a few small files among others.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Prints the table, the rows of each case as soon as they are known.
fn compare(
    setup: &Setup,
    contenders: &[Contender],
    cases: &[Case],
    rounds: usize,
    folder: &Path,
) -> anyhow::Result<ExitCode> {
    let caught: Caught = catch_signals()?;
    let progress = progress(contenders.len() * cases.len() * rounds)?;
    let print = |line: &str| {
        progress.suspend(|| writeln!(io::stdout(), "{line}")).context("write to stdout")
    };
    print(&servers::header())?;
    let mut any_failed = false;
    for &case in cases {
        let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); contenders.len()];
        let mut failed = vec![false; contenders.len()];
        'rounds: for round in 0..rounds {
            for turn in 0..contenders.len() {
                let place = (round + turn) % contenders.len();
                progress.set_message(format!("{}: {case}", contenders[place]));
                progress.inc(1);
                if failed[place] {
                    continue;
                }
                let measured =
                    servers::measure(setup, &contenders[place], case, folder, caught.flag());
                if caught.any() {
                    break 'rounds;
                }
                match measured {
                    Ok(sample) => samples[place].push(sample),
                    Err(error) => {
                        let server = &contenders[place];
                        progress.suspend(|| eprintln!("benches: {server}: {case}: {error:#}"));
                        failed[place] = true;
                    }
                }
            }
        }
        for (server, samples) in contenders.iter().zip(&samples) {
            if !samples.is_empty() {
                print(&servers::row(case, &server.to_string(), samples))?;
            }
        }
        any_failed |= failed.contains(&true);
        if caught.any() {
            progress.finish_and_clear();
            eprintln!("benches: interrupted during {case}");
            return Ok(caught.exit_code());
        }
    }
    progress.finish_and_clear();
    Ok(if any_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
