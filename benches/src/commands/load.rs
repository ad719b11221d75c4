//! A load for echo servers, which checks every byte.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use crate::command_line::seconds;
use crate::load::{self, Interrupted, Mode, Plan, Report};
use crate::{cpu, limits};
use anyhow::Context as _;
use clap::Args;
use reactor::Backend;

/// Asks an echo server as fast as it answers, and checks every byte.
///
/// Each connection sends one message, awaits the whole echo, and sends the next. A wrong byte or a
/// lost connection is a failure.
#[derive(Args)]
pub struct Arguments {
    /// The echo server.
    #[arg(long, value_name = "ADDRESS")]
    connect: SocketAddr,

    /// How many connections ask at the same time.
    #[arg(long, value_name = "COUNT", default_value = "50")]
    connections: NonZeroUsize,

    /// How many messages of a connection may be under way.
    #[arg(long, value_name = "COUNT", default_value = "1")]
    depth: NonZeroUsize,

    /// How long a message is.
    #[arg(long, value_name = "BYTES", default_value = "64")]
    size: NonZeroUsize,

    /// How long to measure.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "2")]
    seconds: Duration,

    /// How long to send before measuring.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "0.5")]
    warmup: Duration,

    /// How long to wait for connections, and for the last echoes, before giving up.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    patience: Duration,

    /// Also tell the CPU time that this process (the server) uses for a message.
    #[arg(long)]
    pid: Option<u32>,

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

/// Carries out the command. A signal ends it early: with what is known so far, and with the exit code
/// that shells give to a program that a signal has killed.
///
/// # Errors
///
/// Those of [`load::run`], and when stdout can't be written to.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Some(core) = arguments.core {
        cpu::pin(core)?;
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
    Ok(report.interrupted.map_or(ExitCode::SUCCESS, |signal| interrupted(&report, signal)))
}

fn plan(arguments: &Arguments) -> anyhow::Result<Plan> {
    Ok(Plan {
        mode: Mode::Echo,
        server: arguments.connect,
        connections: arguments.connections,
        depth: arguments.depth,
        size: arguments.size,
        warmup: arguments.warmup,
        measured: arguments.seconds,
        patience: arguments.patience,
        pid: arguments.pid,
        backend: arguments.backend.map_or_else(Backend::from_env, Ok)?,
    })
}

fn interrupted(report: &Report, signal: i32) -> ExitCode {
    let name = reactor::Signal::try_from(signal).map_or(String::new(), |signal| signal.to_string());
    let after = report.elapsed().as_secs_f64();
    eprintln!("benches: interrupted by {name} after {after:.1} s");
    killed_by(signal)
}

/// 128 and the signal's number.
fn killed_by(signal: i32) -> ExitCode {
    ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX))
}
