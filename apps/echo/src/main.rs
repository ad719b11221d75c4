//! An echo server (RFC 862): whatever comes goes back, over TCP, UDP and Unix sockets; and a client that
//! measures it.

mod cli;
mod handler;
mod ping;
mod sockets;
mod stats;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use log::{info, warn};
use reactor::{AnyPoller, Backend, Poller, Reactor, Signal};

use crate::cli::{Options, Request};
use crate::handler::Echo;
use crate::stats::Reports;

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("warn"));
    let answer = match cli::read() {
        Request::Answered(code) => Ok(code),
        Request::List => list(),
        Request::Serve(backend, options) => serve(backend, &options),
        Request::Ping(backend, options) => ping::run(backend, options),
    };
    answer.unwrap_or_else(|error| {
        eprintln!("echo: {error}");
        ExitCode::FAILURE
    })
}

/// Prints the mechanisms of this build, one on a line.
fn list() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    Backend::COMPILED.iter().try_for_each(|backend| writeln!(out, "{backend}"))?;
    Ok(ExitCode::SUCCESS)
}

fn serve(backend: Backend, options: &Options) -> io::Result<ExitCode> {
    // Matched here, once, so that the loop runs on the mechanism itself.
    match AnyPoller::new(backend)? {
        #[cfg(feature = "select")]
        AnyPoller::Select(poller) => run(poller, options),
        #[cfg(feature = "poll")]
        AnyPoller::Poll(poller) => run(poller, options),
        #[cfg(all(feature = "epoll", any(target_os = "linux", target_os = "android")))]
        AnyPoller::Epoll(poller) => run(poller, options),
        #[cfg(all(feature = "adaptive", any(target_os = "linux", target_os = "android")))]
        AnyPoller::Adaptive(poller) => run(poller, options),
        #[cfg(feature = "mio")]
        AnyPoller::Mio(poller) => run(poller, options),
        poller => run(poller, options),
    }
}

fn run(poller: impl Poller, options: &Options) -> io::Result<ExitCode> {
    // Looked up before a signal is watched for: it blocks, and can be interrupted so.
    let named = options.listen.iter().map(|name| sockets::look_up(name));
    let addresses = named.collect::<io::Result<Vec<_>>>()?;
    let capabilities = poller.capabilities();
    let mut settings = reactor::Options::default();
    settings.limits.idle_timeout = options.idle_timeout;
    // A little longer than a shutdown takes, whose own deadline so decides for all.
    settings.limits.drain_timeout = options.drain_timeout + Duration::from_secs(1);
    let mut reactor = Reactor::with_options(Echo::new(options.drain_timeout), poller, settings)?;

    info!("waits with {capabilities}");
    let mut ctx = reactor.context();
    for signal in [Signal::INTERRUPT, Signal::TERMINATE] {
        ctx.watch_signal(signal)?;
    }
    let sockets = sockets::open(&mut ctx, &addresses, options)?;
    let reports = options.stats.map(|period| Reports::begin(&mut ctx, period));
    // One line, so that whoever has read it knows all, and may close the pipe.
    let names = sockets.names.join(" and ");
    if let Err(error) = writeln!(io::stdout(), "listening on {names} ({})", capabilities.backend) {
        warn!("say on stdout what is listened on: {error}");
    }

    reactor.handler_mut().begin(sockets.udp, reports);
    reactor.run()?;
    Ok(reactor.handler().exit_code())
}
