//! Everything in one run.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};

use crate::command_line::{catch_signals, progress};
use crate::limits;
use crate::load::Mode;
use crate::micro::{self, Group};
use crate::report::{Extent, Plan, Report};
use crate::runs::{self, Case, Contest, Cores, Failed, Setup};
use crate::servers::Server;
use crate::yardstick::Mechanism;

/// Measures everything, and writes report.json, report.html, and one chart by itself, wait.svg.
///
/// First the single steps of a loop, then whole servers: each mechanism of the library, plain libc loops,
/// and the same in other libraries, all in turns. It takes some twenty minutes, and two cores that do
/// nothing else. Tables go to stdout. Ctrl-C ends it with the tables of what there is by then.
///
/// Figures of a debug build mean nothing.
#[derive(Args)]
pub struct Arguments {
    /// A first look: fewer numbers, fewer and shorter samples, in less than two minutes.
    #[arg(long, conflicts_with = "from")]
    quick: bool,

    /// Each thing once, and as shortly as can be, to see whether all of it works.
    #[arg(long, conflicts_with_all = ["quick", "from"])]
    once: bool,

    /// Only a part of it.
    #[arg(long, value_name = "PART", conflicts_with = "from")]
    only: Option<Part>,

    /// The folder for these files.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,

    /// Also tell what has changed since this older report, beyond the noise.
    #[arg(long, value_name = "OLD.json")]
    compare: Option<PathBuf>,

    /// Measure nothing: draw the figures of this report again.
    #[arg(long, value_name = "REPORT.json")]
    from: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The steps of a loop.
    Steps,
    /// Whole servers.
    Servers,
}

/// Carries out the command.
///
/// # Errors
///
/// When an older report can't be read, when nothing could be measured, when the files can't be written; with
/// `--once`, when a server or the load fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // What can't be read is better known before than after twenty minutes.
    let old = arguments.compare.as_deref().map(Report::read).transpose()?;
    let from = arguments.from.as_deref().map(Report::read).transpose()?;
    fs::create_dir_all(&arguments.out)
        .with_context(|| format!("make the folder {}", arguments.out.display()))?;
    let report = match from {
        Some(report) => report,
        None => {
            let interrupted = catch_signals()?;
            let report = measure(arguments, &interrupted)?;
            if interrupted.load(Ordering::Relaxed) {
                print(&report.tables())?;
                eprintln!("benches: interrupted; no file was written");
                return Ok(ExitCode::FAILURE);
            }
            ensure!(report.has_figures(), "nothing could be measured");
            report
        }
    };
    // First what took so long: whoever reads the tables may have seen enough of them.
    if arguments.from.is_none() {
        write(&arguments.out.join("report.json"), &report.json()?)?;
    }
    print(&report.tables())?;
    write(&arguments.out.join("report.html"), &report.page()?)?;
    if let Some(chart) = report.chart()? {
        write(&arguments.out.join("wait.svg"), &chart)?;
    }
    if let Some(old) = old {
        let lines = report.changes_since(&old);
        print(&format!("\nsince {}\n{}\n", old.date, lines.join("\n")))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(arguments: &Arguments, interrupted: &Arc<AtomicBool>) -> anyhow::Result<Report> {
    if cfg!(debug_assertions) {
        eprintln!("report: this is a debug build, its figures mean nothing");
    }
    let command: Vec<_> = std::env::args().skip(1).collect();
    let mut report = Report::begun(format!("benches {}", command.join(" ")));
    let plan = Plan::of(match (arguments.once, arguments.quick) {
        (true, _) => Extent::Once,
        (false, true) => Extent::Quick,
        (false, false) => Extent::Full,
    });
    let go_on = || !interrupted.load(Ordering::Relaxed);
    if arguments.only != Some(Part::Servers) {
        for group in Group::ALL {
            if go_on() {
                measure_steps(&mut report, group, &plan, &go_on)?;
            }
        }
    }
    if arguments.only != Some(Part::Steps) && go_on() {
        measure_servers(&mut report, &plan, interrupted)?;
    }
    for line in &report.left_out {
        eprintln!("report: left out: {line}");
    }
    Ok(report)
}

fn measure_steps(
    report: &mut Report,
    group: Group,
    plan: &Plan,
    go_on: &dyn Fn() -> bool,
) -> anyhow::Result<()> {
    let listing = group.benches(plan.sizes)?;
    report.left_out.extend(listing.left_out);
    let progress = progress(listing.benches.len())?;
    let measured = micro::measure(listing.benches, plan.effort, |cases| {
        if let Some(case) = cases.first() {
            progress
                .set_message(format!("{group}: {}, {} {}", case.question, case.number, case.over));
        }
        progress.inc(cases.len() as u64);
        go_on()
    })?;
    progress.finish_and_clear();
    report.micro.extend(measured);
    Ok(())
}

fn measure_servers(
    report: &mut Report,
    plan: &Plan,
    interrupted: &AtomicBool,
) -> anyhow::Result<()> {
    let open_files = limits::raise_open_files()?;
    let cores = Cores::choose(None, None)?;
    if cores.is_none() {
        report.left_out.push(
            "cores of their own for server and load: there is only one, so that they disturb each other"
                .to_owned(),
        );
    }
    let setup = Setup {
        program: std::env::current_exe().context("ask where this program is")?,
        cores,
        measured: plan.measured,
        warmup: plan.warmup,
    };
    let takes_part = |server: &Server, case: &Case| match server {
        // Staying awake is for few connections: many keep a loop awake without.
        Server::Awake(_) => case.connections.get() == 1,
        // It waits for a peer that doesn't read, and answers nobody meanwhile.
        Server::MessageIo => case.mode != Mode::Slow.name(),
        _ => true,
    };
    if plan.cases.iter().any(|case| case.mode == Mode::Slow.name()) {
        let line = "message-io beside slow readers: it waits for a peer that doesn't read, and answers nobody";
        report.left_out.push(line.to_owned());
    }
    let all = |case: &Case| -> Vec<Server> {
        let all = Server::all_over(case.transport()).into_iter();
        all.filter(|server| takes_part(server, case)).collect()
    };
    let runs: usize = plan.cases.iter().map(|case| (all(case).len() + 1) * plan.rounds.get()).sum();
    let progress = progress(runs)?;
    let baseline = Server::Plain(Mechanism::Epoll);
    for case in &plan.cases {
        let files = case.open_files() as u64;
        if files > open_files {
            report.left_out.push(format!(
                "{case}: takes {files} open files, and this process may have {open_files}; raise the limit \
                 (ulimit -Hn)"
            ));
            continue;
        }
        let mut others = all(case);
        others.retain(|&server| server != baseline);
        let mut contest = Contest { baseline, others };
        loop {
            let result =
                runs::compare(&setup, &contest, case, plan.rounds, interrupted, |server| {
                    progress.set_message(format!("{server}: {case}"));
                    progress.inc(1);
                });
            let error = match result {
                Ok(comparison) => {
                    report.servers.push(comparison);
                    break;
                }
                Err(error) => error,
            };
            // Where one library gives up, the others are still to be told of; but who asks whether all of it
            // works is to be told that it doesn't.
            let culprit = error.downcast_ref::<Failed>().map(|failed| failed.server);
            match culprit {
                Some(server) if !plan.is_trial => {
                    report.left_out.push(format!("{error:#}"));
                    if server == baseline {
                        break;
                    }
                    contest.others.retain(|&other| other != server);
                }
                _ => return Err(error),
            }
        }
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
    }
    progress.finish_and_clear();
    Ok(())
}

fn print(text: &str) -> anyhow::Result<()> {
    io::stdout().write_all(text.as_bytes()).context("write to stdout")
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
