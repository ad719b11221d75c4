//! Everything in one run.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};

use indicatif::ProgressBar;

use crate::command_line::{Caught, catch_signals, progress, usage_error, wrong_backend};
use crate::limits::{self, Shortage};
use crate::load::Mode;
use crate::micro::{self, Group};
use crate::report::{Extent, Failure, Plan, Report};
use crate::runs::{self, Case, Contest, Cores, Failed, Setup};
use crate::servers::Server;
use crate::yardstick::Mechanism;

/// Measures everything, and writes report.json, report.html, and one chart by itself, wait.svg.
///
/// First the single steps of a loop, then whole servers: each mechanism of the library, plain libc loops,
/// and the same in other libraries, all in turns. It takes some twenty minutes, and two cores that do
/// nothing else. Tables go to stdout.
///
/// What fails, or hangs, is told of in all of these; the rest is measured nevertheless, and the exit code is 1.
/// Ctrl-C ends it after the current step: with what there is by then, marked as incomplete, and with the exit
/// code 130.
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

/// Carries out the command. The exit code says whether something has failed, or is that of the signal that ended
/// it.
///
/// # Errors
///
/// When an older report can't be read, when nothing could be measured, when the files can't be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // What can't be read is better known before than after twenty minutes.
    let old = arguments.compare.as_deref().map(Report::read).transpose()?;
    let from = arguments.from.as_deref().map(Report::read).transpose()?;
    fs::create_dir_all(&arguments.out)
        .with_context(|| format!("make the folder {}", arguments.out.display()))?;
    let Some(report) = from else {
        if let Some(complaint) = wrong_backend() {
            return Ok(usage_error(&complaint));
        }
        let caught = catch_signals()?;
        let report = measure(arguments, &caught)?;
        for failure in &report.failed {
            eprintln!("report: failed: {failure}");
        }
        if report.is_incomplete && !report.has_figures() {
            eprintln!("benches: interrupted before anything was measured; no file was written");
            return Ok(caught.exit_code());
        }
        ensure!(report.has_figures(), "nothing could be measured");
        // First what took so long: whoever reads the tables may have seen enough of them.
        write(&arguments.out.join("report.json"), &report.json()?)?;
        show(arguments, &report, old.as_ref())?;
        if report.is_incomplete {
            eprintln!("benches: interrupted; the report is incomplete");
            return Ok(caught.exit_code());
        }
        return Ok(if report.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    };
    show(arguments, &report, old.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

/// For people.
fn show(arguments: &Arguments, report: &Report, old: Option<&Report>) -> anyhow::Result<()> {
    print(&report.tables())?;
    write(&arguments.out.join("report.html"), &report.page()?)?;
    if let Some(chart) = report.chart()? {
        write(&arguments.out.join("wait.svg"), &chart)?;
    } else {
        eprintln!("report: no wait.svg: no waits with one descriptor ready were measured");
    }
    if let Some(old) = old {
        let lines = report.changes_since(old);
        print(&format!("\nsince {}\n{}\n", old.date, lines.join("\n")))?;
    }
    Ok(())
}

fn measure(arguments: &Arguments, caught: &Caught) -> anyhow::Result<Report> {
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
    let (has_steps, has_servers) =
        (arguments.only != Some(Part::Servers), arguments.only != Some(Part::Steps));
    let mut steps = 0;
    if has_steps {
        // What can't be listed is told of when its turn has come.
        let lists = Group::ALL.into_iter().flat_map(|group| group.benches(plan.sizes));
        steps += lists.map(|listing| listing.benches.len()).sum::<usize>();
    }
    if has_servers {
        steps += plan.cases.iter().map(|case| runs_of(case, &plan)).sum::<usize>();
    }
    let progress = progress(steps)?;
    let mut shortage = Shortage::default();
    if has_steps {
        for group in Group::ALL {
            if !caught.any() {
                let result =
                    measure_steps(&mut report, &mut shortage, group, &plan, caught, &progress);
                note(&mut report, group.name(), result);
            }
        }
    }
    if has_servers && !caught.any() {
        let result = measure_servers(&mut report, &mut shortage, &plan, caught, &progress);
        note(&mut report, "servers", result);
    }
    progress.finish_and_clear();
    let open_files = limits::raise_open_files();
    report.left_out.extend(open_files.ok().and_then(|most| shortage.line(most)));
    report.is_incomplete = caught.any();
    for line in &report.left_out {
        eprintln!("report: left out: {line}");
    }
    Ok(report)
}

/// One part that fails leaves the others.
fn note(report: &mut Report, what: &str, result: anyhow::Result<()>) {
    if let Err(error) = result {
        report.failed.push(Failure { what: what.to_owned(), error: format!("{error:#}") });
    }
}

fn measure_steps(
    report: &mut Report,
    shortage: &mut Shortage,
    group: Group,
    plan: &Plan,
    caught: &Caught,
    progress: &ProgressBar,
) -> anyhow::Result<()> {
    let sizes = plan.sizes;
    let listing = group.benches(sizes)?;
    report.left_out.extend(listing.left_out);
    shortage.append(listing.shortage);
    let list = move || group.benches(sizes);
    let findings = micro::measure(list, plan.effort, caught.flag(), |cases| {
        if let Some(case) = cases.first() {
            progress
                .set_message(format!("{group}: {}, {} {}", case.question, case.number, case.over));
        }
        progress.inc(cases.len() as u64);
    })?;
    report.micro.extend(findings.measured);
    let failed = findings.failed.into_iter();
    report.failed.extend(
        failed.map(|micro::Failed { case, error }| Failure { what: case.to_string(), error }),
    );
    Ok(())
}

/// The servers that a case is for.
fn servers_of(case: &Case) -> Vec<Server> {
    let takes_part = |server: &Server| match server {
        // Staying awake is for few connections: many keep a loop awake without.
        Server::Awake(_) => case.connections.get() == 1,
        // It waits for a peer that doesn't read, and answers nobody meanwhile.
        Server::MessageIo => case.mode != Mode::Slow.name(),
        _ => true,
    };
    Server::all_over(case.transport()).into_iter().filter(takes_part).collect()
}

/// In each round one of them, the baseline, runs twice.
fn runs_of(case: &Case, plan: &Plan) -> usize {
    (servers_of(case).len() + 1) * plan.rounds.get()
}

fn measure_servers(
    report: &mut Report,
    shortage: &mut Shortage,
    plan: &Plan,
    caught: &Caught,
    progress: &ProgressBar,
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
    if plan.cases.iter().any(|case| case.mode == Mode::Slow.name()) {
        let line = "message-io beside slow readers: it waits for a peer that doesn't read, and answers nobody";
        report.left_out.push(line.to_owned());
    }
    let baseline = Server::Plain(Mechanism::Epoll);
    for case in &plan.cases {
        let files = case.open_files() as u64;
        if files > open_files {
            shortage.add(case.to_string(), files);
            progress.inc(runs_of(case, plan) as u64);
            continue;
        }
        let mut others = servers_of(case);
        others.retain(|&server| server != baseline);
        let mut contest = Contest { baseline, others };
        loop {
            let result =
                runs::compare(&setup, &contest, case, plan.rounds, caught.flag(), |server| {
                    progress.set_message(format!("{server}: {case}"));
                    progress.inc(1);
                });
            let error = match result {
                Ok(comparison) => {
                    // An interruption may have left no round.
                    if !comparison.rounds.is_empty() {
                        report.servers.push(comparison);
                    }
                    break;
                }
                Err(error) => error,
            };
            // Where one library gives up, the others are still to be told of, unless there is nothing left to
            // hold them against.
            let Some(&Failed { server, .. }) = error.downcast_ref() else { return Err(error) };
            let what = format!("{server}: {case}");
            // Without the context, which is `what`.
            let causes: Vec<_> = error.chain().skip(1).map(ToString::to_string).collect();
            let error = causes.join(": ");
            report.failed.push(Failure { what, error });
            if server == baseline {
                report
                    .left_out
                    .push(format!("{case}: {baseline} failed, which the others are held against"));
                break;
            }
            contest.others.retain(|&other| other != server);
        }
        if caught.any() {
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
