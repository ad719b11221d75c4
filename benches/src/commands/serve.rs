//! A plain `libc` echo server, to hold other servers against.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use crate::limits;
use crate::yardstick::{self, Mechanism};
use anyhow::Context as _;
use clap::Args;

/// A plain libc echo server, the yardstick for others: it does nothing else, and runs until it is
/// killed.
///
/// The first line on stdout is `listening on ADDRESS (MECHANISM, yardstick)`.
#[derive(Args)]
pub struct Arguments {
    /// How it waits.
    #[arg(long, value_enum, default_value = "epoll")]
    mechanism: Mechanism,

    /// Where it listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// Carries out the command: returns only with an error.
///
/// # Errors
///
/// When it can't listen, or the loop fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { mechanism, listen } = *arguments;
    limits::raise_open_files()?;
    let listener = yardstick::listen(listen).with_context(|| format!("listen on {listen}"))?;
    let address = listener.local_addr().context("ask for the listener's address")?;
    writeln!(io::stdout(), "listening on {address} ({mechanism}, yardstick)")
        .context("write to stdout")?;
    match yardstick::run(mechanism, &listener)? {}
}
