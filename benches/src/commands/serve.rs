//! An echo server, of any library that is compared.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;

use crate::servers::{Server, Transport, UnknownServer};
use crate::{cpu, limits};
use anyhow::Context as _;
use clap::Args;

/// The echo server of a library: it does nothing else, and runs until it is killed.
///
/// The first line on stdout is `listening on ADDRESS (NAME)`. What the library warns of, such as that no
/// descriptor is left, goes to stderr; `RUST_LOG` asks for more or less of it.
#[derive(Args)]
pub struct Arguments {
    /// The server; `list` lists them.
    #[arg(value_name = "NAME")]
    request: Request,

    /// Where it listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Echo over UDP in place of TCP, which not all do.
    #[arg(long)]
    udp: bool,

    /// The core to run on.
    #[arg(long)]
    core: Option<usize>,

    /// The process that this one is not to outlive: the one that started it.
    #[arg(long, hide = true)]
    parent: Option<u32>,
}

#[derive(Clone, Copy)]
enum Request {
    List,
    Serve(Server),
}

impl FromStr for Request {
    type Err = UnknownServer;

    fn from_str(name: &str) -> Result<Self, UnknownServer> {
        if name == "list" { Ok(Self::List) } else { name.parse().map(Self::Serve) }
    }
}

/// Carries out the command: a server returns only with an error.
///
/// # Errors
///
/// Those of [`Server::run`], and when stdout can't be written to.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { request, listen, udp, core, parent } = *arguments;
    let transport = if udp { Transport::Datagrams } else { Transport::Streams };
    let server = match request {
        Request::Serve(server) => server,
        Request::List => {
            let mut out = io::stdout().lock();
            for server in Server::all_over(transport) {
                writeln!(out, "{server}").context("write to stdout")?;
            }
            return Ok(ExitCode::SUCCESS);
        }
    };
    if let Some(parent) = parent {
        cpu::end_with(parent)?;
    }
    if let Some(core) = core {
        cpu::pin(core)?;
    }
    limits::raise_open_files()?;
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("warn"));
    match server.run(transport, listen, &|address| {
        writeln!(io::stdout(), "listening on {address} ({server})").context("write to stdout")
    })? {}
}
