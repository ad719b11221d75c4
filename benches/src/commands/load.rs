//! A closed-loop load for echo servers, which checks every byte.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use crate::command_line::seconds;
use crate::load::{self, Plan};
use crate::{cpu, limits};
use anyhow::Context as _;
use clap::Args;

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

    /// Print one line of key=value pairs, for programs.
    #[arg(long)]
    machine: bool,
}

/// Carries out the command.
///
/// # Errors
///
/// Those of [`load::run`], and when stdout can't be written to.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Some(core) = arguments.core {
        cpu::pin(core)?;
    }
    limits::raise_open_files()?;
    let report = load::run(&Plan {
        server: arguments.connect,
        connections: arguments.connections,
        size: arguments.size,
        warmup: arguments.warmup,
        measured: arguments.seconds,
        patience: arguments.patience,
        pid: arguments.pid,
    })?;
    let text = if arguments.machine {
        format!("{report}\n")
    } else {
        let rate = format!("{:.0} messages/s\n", report.rate());
        match report.server_cost() {
            Some(cost) => format!("{rate}{cost:.0} ns of server CPU time per message\n"),
            None => rate,
        }
    };
    io::stdout().write_all(text.as_bytes()).context("write to stdout")?;
    Ok(ExitCode::SUCCESS)
}
