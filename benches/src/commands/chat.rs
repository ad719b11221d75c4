//! A load for servers that speak IRC.

use std::fmt::Display;
use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use reactor::{Backend, Signal};
use serde::Serialize;

use super::chat_servers;
use crate::chat::{self, Fanout, SIZES, Target};
use crate::command_line::{seconds, usage_error};
use crate::load::Interrupted;
use crate::{cpu, limits};

/// Loads a server that speaks IRC (RFC 1459), any of them, and checks every line.
///
/// A server that limits floods, or connections from one address, refuses such a load: turn that off there.
/// Its own words are quoted then. Ctrl-C prints what is known so far.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Fanout(FanoutArguments),
    Register(RegisterArguments),
    Servers(chat_servers::Arguments),
}

/// One channel, on which a few talk and all read.
///
/// A message is complete when all other members have it; then the next one is sent in its place. A line
/// that comes changed or twice, or never, is a failure, and so is a member that is lost. Latencies count
/// from when a message is sent to when the last member has it.
#[derive(Args)]
struct FanoutArguments {
    #[command(flatten)]
    server: ServerArguments,

    /// How many members the channel has.
    #[arg(long, value_name = "COUNT", default_value = "1000")]
    members: NonZeroUsize,

    /// How many of them talk.
    #[arg(long, value_name = "COUNT", default_value = "1")]
    senders: NonZeroUsize,

    /// How many messages are under way, of all senders together.
    #[arg(long, value_name = "COUNT", default_value = "1")]
    outstanding: NonZeroUsize,

    /// How long a message's text is.
    #[arg(long, value_name = "BYTES", default_value = "64")]
    size: usize,

    /// How long to measure.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    seconds: Duration,

    /// How long to talk before measuring.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1")]
    warmup: Duration,

    /// So many more members, who never read: also tell how many the server drops, when, and its memory.
    #[arg(long, value_name = "COUNT", default_value = "0")]
    stuck: usize,
}

/// How long it takes until many clients are welcome.
#[derive(Args)]
struct RegisterArguments {
    #[command(flatten)]
    server: ServerArguments,

    /// How many clients register.
    #[arg(long, value_name = "COUNT", default_value = "5000")]
    clients: NonZeroUsize,
}

#[derive(Args)]
struct ServerArguments {
    /// The server: an IP address and a port, such as 127.0.0.1:6667.
    #[arg(long, value_name = "ADDRESS", value_parser = super::load::address)]
    connect: SocketAddr,

    /// How many clients connect and register at the same time.
    #[arg(long, value_name = "COUNT", default_value = "1000")]
    connects: NonZeroUsize,

    /// How long a message may be under way, or nobody join; four times as long, nobody be welcome.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    patience: Duration,

    /// Also tell the CPU time and the memory of this process (the server).
    #[arg(long)]
    pid: Option<u32>,

    /// The core to run on.
    #[arg(long)]
    core: Option<usize>,

    /// What the load's own loop waits with; without it, the best of this build.
    #[arg(long, value_name = "NAME")]
    backend: Option<Backend>,

    /// Also write the report there, as JSON; "-" is stdout, in place of the text.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl ServerArguments {
    fn target(&self) -> anyhow::Result<Target> {
        Ok(Target {
            server: self.connect,
            connects: self.connects,
            patience: self.patience,
            pid: self.pid,
            backend: self.backend.map_or_else(Backend::from_env, Ok)?,
        })
    }

    /// What must be so before anything is connected.
    fn prepare(&self, clients: usize) -> anyhow::Result<()> {
        if let Some(core) = self.core {
            cpu::pin(core)?;
        }
        if let Some(pid) = self.pid {
            cpu::time_of(pid).with_context(|| format!("--pid {pid}"))?;
        }
        limits::allow_open_files(Target::descriptors(clients))
    }
}

/// Carries out the command. A signal ends it early: with what is known so far, and with the exit code
/// that shells give to a program that a signal has killed.
///
/// # Errors
///
/// Those of [`chat::fanout`], [`chat::register`] and [`chat_servers::run`]; when there are too few
/// descriptors, and when the report can't be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::Fanout(arguments) => fanout(arguments),
        Command::Register(arguments) => register(arguments),
        Command::Servers(arguments) => chat_servers::run(arguments),
    }
}

fn fanout(arguments: &FanoutArguments) -> anyhow::Result<ExitCode> {
    if let Some(complaint) = complaint(arguments) {
        return Ok(usage_error(&complaint));
    }
    let FanoutArguments { members, senders, outstanding, size, stuck, .. } = *arguments;
    let (warmup, measured) = (arguments.warmup, arguments.seconds);
    let plan = Fanout { members, senders, outstanding, size, stuck, warmup, measured };
    let server = &arguments.server;
    server.prepare(plan.all())?;
    let report = chat::fanout(&server.target()?, &plan);
    finish(server, report, |report| report.interrupted)
}

fn register(arguments: &RegisterArguments) -> anyhow::Result<ExitCode> {
    let server = &arguments.server;
    let clients = arguments.clients.get();
    if clients > MOST {
        return Ok(usage_error(&format!("--clients is at most {MOST}")));
    }
    server.prepare(clients)?;
    let report = chat::register(&server.target()?, clients);
    finish(server, report, |report| report.interrupted)
}

/// As many have nicks of nine characters.
const MOST: usize = 10_000_000;
/// As many messages can be told apart.
const OUTSTANDING: usize = 4096;

fn complaint(arguments: &FanoutArguments) -> Option<String> {
    let FanoutArguments { members, senders, outstanding, size, stuck, .. } = arguments;
    if members.get() < 2 {
        return Some("--members is 2 at least: nobody hears what a lonely member says".to_owned());
    }
    if members.get().saturating_add(*stuck) > MOST {
        return Some(format!("--members and --stuck are at most {MOST} together"));
    }
    if senders > members {
        return Some(format!("--senders {senders} is more than the {members} members"));
    }
    if outstanding.get() > OUTSTANDING {
        return Some(format!("--outstanding is at most {OUTSTANDING}"));
    }
    if !SIZES.contains(size) {
        return Some(format!("--size is {} to {} bytes", SIZES.start(), SIZES.end()));
    }
    None
}

/// Writes a report down, and says how it ended.
fn finish<R: Display + Serialize>(
    server: &ServerArguments,
    report: anyhow::Result<R>,
    interrupted: impl Fn(&R) -> Option<i32>,
) -> anyhow::Result<ExitCode> {
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            let Some(&Interrupted(signal)) = error.downcast_ref() else { return Err(error) };
            eprintln!("benches: {error}");
            return Ok(super::load::killed_by(signal.number()));
        }
    };
    let json = serde_json::to_string(&report).context("write a report as JSON")?;
    let text = match server.json.as_deref() {
        Some(file) if file == Path::new("-") => format!("{json}\n"),
        Some(file) => {
            fs::write(file, format!("{json}\n"))
                .with_context(|| format!("write {}", file.display()))?;
            report.to_string()
        }
        None => report.to_string(),
    };
    io::stdout().write_all(text.as_bytes()).context("write to stdout")?;
    Ok(interrupted(&report).map_or(ExitCode::SUCCESS, |signal| {
        let name = Signal::try_from(signal).map_or(String::new(), |signal| signal.to_string());
        eprintln!("benches: interrupted by {name}");
        super::load::killed_by(signal)
    }))
}
