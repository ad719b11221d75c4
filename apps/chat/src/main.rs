//! A chat server that speaks IRC, on the reactor.

mod cli;

use std::io::{self, Write};
use std::process::ExitCode;

use chat::config::Config;
use chat::password;
use chat::server::{Server, Setup};
use log::{info, warn};
use reactor::{AnyPoller, Backend, Poller, Reactor};

use crate::cli::Request;

fn main() -> ExitCode {
    if let Some(word) = cli::unknown_log_level() {
        eprintln!("chat: RUST_LOG: {word:?} is none of error, warn, info, debug, trace, off");
    }
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("warn"));
    let answer = match cli::read() {
        Request::Answered(code) => return code,
        Request::List => list().map_err(|error| error.to_string()),
        Request::Check(file) => Config::read(&file).map(|_| ExitCode::SUCCESS),
        Request::HashPassword => hash_password(),
        Request::Serve(backend, setup) => serve(backend, *setup).map_err(|error| error.to_string()),
    };
    answer.unwrap_or_else(|error| {
        eprintln!("chat: {error}");
        ExitCode::FAILURE
    })
}

/// Prints the mechanisms of this build, one on a line.
fn list() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    Backend::COMPILED.iter().try_for_each(|backend| writeln!(out, "{backend}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Bytes of a password that OPER has room for.
const MOST_OF_PASSWORD: usize = 300;

/// Reads a password, a line of stdin, and prints its hash.
fn hash_password() -> Result<ExitCode, String> {
    let mut password = String::new();
    io::stdin().read_line(&mut password).map_err(|error| format!("read a password: {error}"))?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err("there is no password on stdin".into());
    }
    if password.len() > MOST_OF_PASSWORD {
        return Err(format!(
            "the password has more than {MOST_OF_PASSWORD} bytes: OPER can't say it"
        ));
    }
    let hash = password::hash(password.as_bytes())?;
    writeln!(io::stdout(), "{hash}").map_err(|error| format!("print a hash: {error}"))?;
    Ok(ExitCode::SUCCESS)
}

fn serve(backend: Backend, setup: Setup) -> io::Result<ExitCode> {
    // Matched here, once, so that the loop runs on the mechanism itself.
    match AnyPoller::new(backend)? {
        #[cfg(feature = "select")]
        AnyPoller::Select(poller) => run(poller, setup),
        #[cfg(feature = "poll")]
        AnyPoller::Poll(poller) => run(poller, setup),
        #[cfg(all(feature = "epoll", any(target_os = "linux", target_os = "android")))]
        AnyPoller::Epoll(poller) => run(poller, setup),
        #[cfg(all(feature = "adaptive", any(target_os = "linux", target_os = "android")))]
        AnyPoller::Adaptive(poller) => run(poller, setup),
        #[cfg(feature = "mio")]
        AnyPoller::Mio(poller) => run(poller, setup),
        poller => run(poller, setup),
    }
}

fn run(poller: impl Poller, setup: Setup) -> io::Result<ExitCode> {
    let capabilities = poller.capabilities();
    info!("waits with {capabilities}");
    let mut reactor = Reactor::with_poller(Server::new(setup)?, poller)?;
    let names = Server::begin(&mut reactor)?.join(" and ");
    if let Err(error) = writeln!(io::stdout(), "listening on {names} ({})", capabilities.backend) {
        warn!("say on stdout what is listened on: {error}");
    }
    reactor.run()?;
    // As shells tell of a process that a signal has ended.
    let code =
        reactor.handler().killed_by().and_then(|signal| u8::try_from(128 + signal.number()).ok());
    Ok(code.map_or(ExitCode::SUCCESS, ExitCode::from))
}
