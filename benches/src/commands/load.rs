//! A load for echo servers, which checks every byte.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::process::ExitCode;
use std::time::Duration;

use crate::command_line::{self, seconds};
use crate::load::{self, Interrupted, Mode, Plan, Report};
use crate::{cpu, limits};
use anyhow::Context as _;
use clap::{Args, Parser};
use reactor::{Backend, Signal};

/// Asks an echo server, checks every byte, and tells how fast the server is and what it costs.
///
/// Without a rate, each connection sends its next message when one has come back: the server is asked
/// as fast as it answers. With one, messages are sent when it is time, and latencies count from then.
/// A wrong byte or a lost connection is a failure, and so is an echo that never comes; but with a rate there
/// is a report nevertheless. Ctrl-C prints what is known so far.
#[derive(Args)]
pub struct Arguments {
    /// What is asked.
    #[arg(value_enum, default_value = "echo")]
    mode: Mode,

    /// The echo server: an IP address and a port, such as 127.0.0.1:7007.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    connect: SocketAddr,

    /// How many connections, or UDP sockets, ask at the same time; 4 by default in bulk, else 50.
    #[arg(long, value_name = "COUNT")]
    connections: Option<NonZeroUsize>,

    /// How many messages of a connection may be under way; 1 by default.
    #[arg(long, value_name = "COUNT")]
    depth: Option<NonZeroUsize>,

    /// How long a message is; 65536 by default in bulk, else 64.
    #[arg(long, value_name = "BYTES")]
    size: Option<NonZeroUsize>,

    /// How many messages to send a second, on all connections together, whatever comes back.
    #[arg(long, value_name = "COUNT")]
    rate: Option<NonZeroU64>,

    /// How many idle connections there are beside the others, in a crowd; 1000 by default.
    #[arg(long, value_name = "COUNT")]
    idle: Option<usize>,

    /// In a crowd, after how long the next ones ask in place of those that did so far, and these are idle:
    /// from 0.001 on. As many as before follow in the order of the connections.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    moving: Option<Duration>,

    /// How many slow readers there are beside the others; 10 by default.
    #[arg(long, value_name = "COUNT")]
    slow: Option<usize>,

    /// How long to measure.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "2")]
    seconds: Duration,

    /// How long to send before measuring.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "0.5")]
    warmup: Duration,

    /// How long to wait for the next connection, and for the last echoes, before giving up; with a rate, up
    /// to six times as long while echoes still come.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    patience: Duration,

    /// After how long a datagram is lost; 0.2 by default.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,

    /// Also tell the CPU time that this process (the server) uses for a message, and its memory.
    #[arg(long)]
    pid: Option<u32>,

    /// Also count that process's system calls by strace, for a quarter of a second of its own.
    #[arg(long, requires = "pid")]
    syscalls: bool,

    /// The core to run on.
    #[arg(long)]
    core: Option<usize>,

    /// What the load's own loop waits with; without it, the best of this build.
    #[arg(long, value_name = "NAME")]
    backend: Option<Backend>,

    /// Print one line of JSON, for programs.
    #[arg(long)]
    machine: bool,
}

/// The longest message: a gibibyte.
const LONGEST: usize = 1 << 30;
/// Messages that may be under way at a time, on all connections together: each takes some bytes of memory.
const UNDER_WAY: usize = 1 << 24;
/// What the timers of the load's loop go by.
const TICK: Duration = Duration::from_millis(1);

/// Carries out the command. A signal ends it early: with what is known so far, and with the exit code
/// that shells give to a program that a signal has killed.
///
/// # Errors
///
/// Those of [`load::run`], when there are too few descriptors, and when stdout can't be written to.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Err(complaint) = check(arguments) {
        return Ok(command_line::usage_error(&complaint));
    }
    if let Some(complaint) = command_line::wrong_backend().filter(|_| arguments.backend.is_none()) {
        return Ok(command_line::usage_error(&complaint));
    }
    if let Some(core) = arguments.core {
        cpu::pin(core)?;
    }
    if let Some(pid) = arguments.pid {
        // Before anything is connected, and in words that name the flag.
        cpu::time_of(pid).with_context(|| format!("--pid {pid}"))?;
    }
    let plan = plan(arguments)?;
    limits::allow_open_files(plan.descriptors())?;
    let report = match load::run(&plan) {
        Ok(report) => report,
        Err(error) => {
            let Some(&Interrupted(signal)) = error.downcast_ref() else { return Err(error) };
            eprintln!("benches: {error}");
            return Ok(killed_by(signal.number()));
        }
    };
    let text = if arguments.machine { format!("{}\n", report.line()?) } else { report.to_string() };
    io::stdout().write_all(text.as_bytes()).context("write to stdout")?;
    if let Some(count) = report.unanswered {
        let all = count + report.messages;
        eprintln!(
            "benches: {count} of {all} messages were never answered: the server has fallen behind"
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(report.interrupted.map_or(ExitCode::SUCCESS, |signal| interrupted(&report, signal)))
}

/// Reads an address.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not an IP address and a port, such as 127.0.0.1:7007".to_owned())
}

/// What is wrong with a command line that begins with `load`, if anything is.
pub(super) fn complaint(line: &[String]) -> Option<String> {
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }
    match Line::try_parse_from(line) {
        Ok(Line { arguments }) => check(&arguments).err(),
        Err(error) => Some(command_line::one_line(&error.to_string())),
    }
}

/// Flags that the mode has no use for are a misunderstanding.
fn check(arguments: &Arguments) -> Result<(), String> {
    let mode = arguments.mode;
    let is_paced = matches!(mode, Mode::Echo | Mode::Crowd | Mode::Slow);
    let table = [
        ("--idle", arguments.idle.is_some(), mode == Mode::Crowd),
        ("--moving", arguments.moving.is_some(), mode == Mode::Crowd),
        ("--slow", arguments.slow.is_some(), mode == Mode::Slow),
        ("--rate", arguments.rate.is_some(), is_paced),
        ("--depth", arguments.depth.is_some(), is_paced || mode == Mode::Udp),
        ("--timeout", arguments.timeout.is_some(), mode == Mode::Udp),
    ];
    for (flag, is_given, is_useful) in table {
        if is_given && !is_useful {
            return Err(format!("{flag} means nothing to the mode {}", mode.name()));
        }
    }
    if arguments.rate.is_some() && arguments.depth.is_some() {
        return Err("--rate and --depth exclude each other: a rate waits for no echo".to_owned());
    }
    if arguments.rate.is_some() && arguments.moving.is_some() {
        return Err("--rate and --moving exclude each other: by a rate all ask in turns".to_owned());
    }
    if arguments.moving.is_some_and(|period| period < TICK) {
        return Err("--moving is at least 0.001 seconds".to_owned());
    }
    let size = arguments.size.map_or(0, NonZeroUsize::get);
    if size > LONGEST {
        return Err(format!("--size is at most {LONGEST} bytes"));
    }
    let depth = arguments.depth.map_or(1, NonZeroUsize::get);
    let others = arguments.moving.map_or(0, |_| others(arguments));
    let asking = connections(arguments).get().saturating_add(others);
    if depth > 1 && depth.saturating_mul(asking) > UNDER_WAY {
        return Err(format!("at most {UNDER_WAY} messages can be under way: ask for less --depth"));
    }
    if mode == Mode::Udp && size > 0 && !Plan::DATAGRAMS.contains(&size) {
        let (least, most) = (Plan::DATAGRAMS.start(), Plan::DATAGRAMS.end());
        return Err(format!("--size is {least} to {most} bytes over UDP"));
    }
    Ok(())
}

fn connections(arguments: &Arguments) -> NonZeroUsize {
    let usual = NonZeroUsize::MIN.saturating_add(if arguments.mode == Mode::Bulk { 3 } else { 49 });
    arguments.connections.unwrap_or(usual)
}

/// How many connections there are beside those that ask.
fn others(arguments: &Arguments) -> usize {
    match arguments.mode {
        Mode::Crowd => arguments.idle.unwrap_or(1000),
        Mode::Slow => arguments.slow.unwrap_or(10),
        _ => 0,
    }
}

fn plan(arguments: &Arguments) -> anyhow::Result<Plan> {
    const ONE: NonZeroUsize = NonZeroUsize::MIN;
    let mode = arguments.mode;
    let is_bulk = mode == Mode::Bulk;
    Ok(Plan {
        mode,
        server: arguments.connect,
        connections: connections(arguments),
        others: others(arguments),
        moving: arguments.moving,
        rate: arguments.rate,
        depth: arguments.depth.unwrap_or(ONE),
        size: arguments.size.unwrap_or(ONE.saturating_add(if is_bulk { 65_535 } else { 63 })),
        warmup: arguments.warmup,
        measured: arguments.seconds,
        patience: arguments.patience,
        timeout: arguments.timeout.unwrap_or(Duration::from_millis(200)),
        pid: arguments.pid,
        system_calls: arguments.syscalls,
        backend: arguments.backend.map_or_else(Backend::from_env, Ok)?,
    })
}

fn interrupted(report: &Report, signal: i32) -> ExitCode {
    let name = Signal::try_from(signal).map_or(String::new(), |signal| signal.to_string());
    let after = report.elapsed().as_secs_f64();
    eprintln!("benches: interrupted by {name} after {after:.1} s");
    killed_by(signal)
}

/// 128 and the signal's number.
pub(super) fn killed_by(signal: i32) -> ExitCode {
    ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX))
}
