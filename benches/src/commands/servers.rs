//! The comparison of servers, and of ours with the plain loops.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use super::load;
use super::rounds::Rounds;
use crate::command_line::{catch_signals, progress, usage_error, wrong_backend};
use crate::load::Mode;
use crate::runs::{self, Case, Contest, ECHO, Setup};
use crate::servers::{Server, Transport};
use crate::yardstick::Mechanism;
use crate::{limits, strace};
use anyhow::Context as _;
use clap::Args;

/// What a message costs the echo server of each library, side by side.
///
/// For each case, rounds of runs: the baseline (A), each other server, the baseline again, the order
/// rotating. A ratio is the median over the rounds of a server's CPU time per message, as a multiple of the
/// mean of the round's two baselines. What these two differ by (A/A) is the noise: a difference within it is
/// a tie, and so is one of 3 % or less, or one that the middle half of the rounds (of fewer than five, all)
/// doesn't agree about. One round tells nothing. A rate that the load limited, as the server was not always busy, has a ≥ before it. Ctrl-C ends it
/// with the rounds that are complete, and with the exit code 130.
///
/// With `--bar`, ours are held against the plain libc loop of their mechanism instead, and pass up to
/// 1.03 plus what the median of A/A is off from 1; the exit code is 1 when one fails.
///
/// Figures of a debug build mean nothing. On a busy machine, many short rounds tell more than few long ones
/// in the same time, such as `--runs 25 --seconds 0.2 --warmup 0.05`.
#[derive(Args)]
pub struct Arguments {
    /// Servers to compare; without it all of this build, which `benches serve list` lists, or with
    /// `--bar` all of ours.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    servers: Vec<Server>,

    /// The server that the others are held against; without it the first.
    #[arg(long, value_name = "NAME", conflicts_with = "bar")]
    baseline: Option<Server>,

    /// Hold ours against the plain loops.
    #[arg(long)]
    bar: bool,

    /// Numbers of connections; 4 by default in bulk, else 50 and 1000.
    #[arg(long, value_name = "COUNT", value_delimiter = ',')]
    connections: Vec<NonZeroUsize>,

    /// Sizes of a message; 65536 by default in bulk, else 64.
    #[arg(long, value_name = "BYTES", value_delimiter = ',')]
    sizes: Vec<NonZeroUsize>,

    /// What the load does: `benches load --help` has the modes.
    #[arg(long, value_enum, default_value = ECHO)]
    mode: Mode,

    #[command(flatten)]
    rounds: Rounds,

    /// Further arguments for `benches load`.
    #[arg(last = true, value_name = "LOAD ARGUMENTS")]
    more: Vec<String>,
}

/// Carries out the command; the exit code says whether all pass the bar, if there is one, or that of the signal
/// that ended it.
///
/// # Errors
///
/// When a server or the load fails, and when a core, a server, a number of descriptors or strace, if that was asked
/// for, isn't there.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Some(complaint) = arguments.rounds.complaint() {
        return Ok(usage_error(complaint));
    }
    let cases = cases(arguments);
    let contests = match contests(arguments, &cases) {
        Ok(contests) => contests,
        Err(complaint) => return Ok(usage_error(&complaint)),
    };
    if let Some(complaint) = complaint(arguments, &cases) {
        return Ok(usage_error(&complaint));
    }
    // Before anything runs: with too few, connections would fail halfway, in each library in its own way.
    let most = cases.iter().map(Case::open_files).max().unwrap_or(0);
    limits::allow_open_files(most)?;
    if arguments.more.iter().any(|argument| argument == "--syscalls") {
        strace::check()?;
    }
    let setup = arguments.rounds.setup("servers")?;
    compare_all(&setup, &contests, &cases, arguments)
}

fn cases(arguments: &Arguments) -> Vec<Case> {
    let Arguments { mode, connections, sizes, more, .. } = arguments;
    let is_bulk = *mode == Mode::Bulk;
    // Those of the load, and besides them a number of connections at which mechanisms differ.
    let connections = or_usual(connections, if is_bulk { &BULK_CONNECTIONS } else { &CONNECTIONS });
    let sizes = or_usual(sizes, if is_bulk { &BULK_SIZES } else { &SIZES });
    let of = |connections, size| Case { mode: mode.name(), connections, size, more: more.clone() };
    let sizes = &sizes;
    connections.iter().flat_map(|&count| sizes.iter().map(move |&size| of(count, size))).collect()
}

const CONNECTIONS: [usize; 2] = [50, 1000];
const BULK_CONNECTIONS: [usize; 1] = [4];
const SIZES: [usize; 1] = [64];
const BULK_SIZES: [usize; 1] = [65_536];

fn or_usual(given: &[NonZeroUsize], usual: &[usize]) -> Vec<NonZeroUsize> {
    if given.is_empty() {
        usual.iter().filter_map(|&number| NonZeroUsize::new(number)).collect()
    } else {
        given.to_vec()
    }
}

/// What is wrong with the further arguments: each load would say it, after the table has begun.
fn complaint(arguments: &Arguments, cases: &[Case]) -> Option<String> {
    let of = |case: &Case| {
        let mut line = case.load_arguments(arguments.rounds.seconds, arguments.rounds.warmup);
        line.extend(["--connect", "127.0.0.1:1", "--pid", "1"].map(str::to_owned));
        load::complaint(&line)
    };
    cases.iter().find_map(of).or_else(wrong_backend)
}

/// One of all servers, or with the bar one for each plain loop.
fn contests(arguments: &Arguments, cases: &[Case]) -> Result<Vec<Contest>, String> {
    let transport = cases.first().map_or(Transport::Streams, Case::transport);
    let mut servers = arguments.servers.clone();
    if servers.is_empty() {
        servers = Server::all_over(transport);
        if arguments.bar {
            servers.retain(|server| server.yardstick().is_some());
        }
    }
    let named = servers.iter().chain(&arguments.baseline);
    if let Some(server) = named.clone().find(|server| !server.echoes(transport)) {
        return Err(format!("{server} has no echo over UDP; leave it out"));
    }
    if !arguments.bar {
        let baseline = arguments.baseline.or(servers.first().copied());
        let contest = |baseline| {
            servers.retain(|&server| server != baseline);
            Contest { baseline, others: servers }
        };
        return Ok(baseline.map(contest).into_iter().collect());
    }
    if let Some(server) = servers.iter().find(|server| server.yardstick().is_none()) {
        return Err(format!("{server} has no bar, only ours have: leave it or --bar out"));
    }
    let mut contests = Vec::new();
    for baseline in Mechanism::ALL.map(Server::Plain) {
        let held = servers.iter().copied().filter(|server| server.yardstick() == Some(baseline));
        let others: Vec<_> = held.collect();
        if others.is_empty() {
            continue;
        }
        if !baseline.echoes(transport) {
            let name = others[0];
            return Err(format!("{name} has no bar over UDP, as there is no {baseline}"));
        }
        contests.push(Contest { baseline, others });
    }
    Ok(contests)
}

/// Prints the table, the rows of each case as soon as they are known.
fn compare_all(
    setup: &Setup,
    contests: &[Contest],
    cases: &[Case],
    arguments: &Arguments,
) -> anyhow::Result<ExitCode> {
    let caught = catch_signals()?;
    let rounds = arguments.rounds.runs;
    let runs: usize =
        contests.iter().map(|contest| contest.runs() * cases.len() * rounds.get()).sum();
    let progress = progress(runs)?;
    let print = |line: String| {
        progress.suspend(|| writeln!(io::stdout(), "{line}")).context("write to stdout")
    };
    let (mut all_pass, mut any_limited) = (true, false);
    for contest in contests {
        if let Some(case) = cases.first() {
            print(runs::header(case, &contest.baseline.to_string()))?;
        }
        for case in cases {
            let comparison =
                runs::compare(setup, contest, case, rounds, caught.flag(), |server| {
                    progress.set_message(format!("{server}: {case}"));
                    progress.inc(1);
                })?;
            let complete = comparison.rounds.len();
            if complete > 0 {
                let rows = runs::rows(&comparison, arguments.bar);
                any_limited |= rows.iter().any(|row| row.contains(runs::LIMITED));
                rows.into_iter().try_for_each(print)?;
            }
            if caught.any() {
                progress.finish_and_clear();
                eprintln!("servers: interrupted after {complete} of {rounds} rounds of {case}");
                return Ok(caught.exit_code());
            }
            let passes = |other| comparison.passes(other);
            all_pass &= !arguments.bar || (0..comparison.others.len()).all(passes);
        }
    }
    print(format!("\n{}", runs::footer()))?;
    progress.finish_and_clear();
    if any_limited {
        eprintln!("servers: {}", runs::legend());
    }
    Ok(if all_pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
