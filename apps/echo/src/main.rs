//! An echo server (RFC 862): every byte that a TCP client sends comes back.

mod server;

use std::error::Error;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use clap::Parser;
use reactor::{AnyPoller, Backend, Poller};

use crate::server::Server;

/// An echo server (RFC 862): every byte that a TCP client sends comes back
#[derive(Debug, Parser)]
#[command(version, after_help = "Log messages: RUST_LOG=debug (error, warn, info, debug, trace).")]
struct Options {
    /// Listen on this address; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7007")]
    listen: SocketAddr,

    /// Wait with this mechanism; `list` prints those of this build [default: the best of them]
    #[arg(long, value_name = "NAME|list", env = Backend::VARIABLE, hide_env_values = true)]
    backend: Option<String>,
}

/// What the command line asks for.
enum Task {
    List,
    Serve(Backend, SocketAddr),
}

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("warn"));
    let task = match Options::try_parse() {
        Ok(options) => task(&options),
        // Help and version are answers, not errors.
        Err(answer) if !answer.use_stderr() => {
            return answer.print().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
        }
        Err(error) => Err(first_line(&error.to_string()).into()),
    };
    match task {
        Err(error) => {
            eprintln!("echo: {error}; try --help");
            ExitCode::from(2)
        }
        Ok(Task::List) => exit_code(list()),
        Ok(Task::Serve(backend, address)) => exit_code(serve(backend, address)),
    }
}

fn exit_code(outcome: io::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the mechanisms of this build, one on a line.
fn list() -> io::Result<()> {
    let mut out = io::stdout().lock();
    Backend::COMPILED.iter().try_for_each(|backend| writeln!(out, "{backend}"))
}

/// The message of a clap error without its label and its usage section.
fn first_line(error: &str) -> String {
    error.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn task(options: &Options) -> Result<Task, Box<dyn Error>> {
    Ok(match options.backend.as_deref() {
        Some("list") => Task::List,
        None | Some("") => Task::Serve(Backend::COMPILED[0], options.listen),
        Some(name) => Task::Serve(name.parse()?, options.listen),
    })
}

fn serve(backend: Backend, address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).map_err(|error| {
        io::Error::new(error.kind(), format!("listen on {address}: {error}; try another --listen"))
    })?;
    let address = listener.local_addr()?;
    // Matched here, once, so that the loop runs on the mechanism itself.
    match AnyPoller::new(backend)? {
        #[cfg(feature = "select")]
        AnyPoller::Select(poller) => run(poller, listener, address),
        #[cfg(feature = "poll")]
        AnyPoller::Poll(poller) => run(poller, listener, address),
        #[cfg(all(feature = "epoll", any(target_os = "linux", target_os = "android")))]
        AnyPoller::Epoll(poller) => run(poller, listener, address),
        #[cfg(feature = "mio")]
        AnyPoller::Mio(poller) => run(poller, listener, address),
        poller => run(poller, listener, address),
    }
}

fn run(poller: impl Poller, listener: TcpListener, address: SocketAddr) -> io::Result<()> {
    let capabilities = poller.capabilities();
    let mut server = Server::new(poller, listener)?;
    writeln!(io::stdout(), "listening on {address} ({capabilities})")?;
    server.run()
}
