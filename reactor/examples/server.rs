//! What a server for every day sets, besides what it serves: `cargo run -p reactor --example server`, or
//! with an `ADDRESS:PORT` and the path of a Unix socket.
//!
//! The mechanism is chosen when it starts (`REACTOR_BACKEND=poll`), memory, time and connections are
//! bounded, the kernel finds clients that have vanished, and SIGINT or SIGTERM ends it in good order.

use std::env::args;
use std::io;
use std::time::Duration;

use reactor::{
    AnyPoller, Backend, CloseReason, ConnId, Context, Handler, Input, ListenOptions, Options,
    Poller, Reactor, Sent, Signal, SocketOptions,
};

/// How long clients may take, at the end, for what is still to be sent to them.
const FAREWELL: Duration = Duration::from_secs(5);

/// What it serves: an echo.
#[derive(Default)]
struct Server {
    ends: bool,
}

impl Handler for Server {
    type Message = ();

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        if ctx.send(conn, input.take()) == Sent::AboveHighWater {
            // Who doesn't read isn't read from.
            ctx.pause(conn);
        }
    }

    fn drained(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        ctx.resume(conn);
    }

    fn closed(&mut self, _: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        if !matches!(reason, CloseReason::Finished) {
            eprintln!("{conn:?}: {reason}");
        }
    }

    fn signal(&mut self, ctx: &mut Context<'_>, _: Signal) {
        if self.ends {
            // Asked for once more: at once.
            return ctx.stop();
        }
        self.ends = true;
        ctx.shut_down(FAREWELL);
    }
}

fn main() -> io::Result<()> {
    let mut arguments = args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:7007".to_owned());

    let poller = AnyPoller::new(Backend::from_env()?)?;
    let mechanism = poller.capabilities().backend;
    let mut options = Options::default();
    options.limits.idle_timeout = Some(Duration::from_secs(10 * 60));
    options.limits.write_high = 64 * 1024;
    options.limits.write_low = 16 * 1024;
    options.limits.write_cap = 1024 * 1024;
    options.limits.drain_timeout = FAREWELL;
    let mut reactor = Reactor::with_options(Server::default(), poller, options)?;

    let mut ctx = reactor.context();
    for signal in [Signal::INTERRUPT, Signal::TERMINATE] {
        ctx.watch_signal(signal)?;
    }
    // Connections have the options of the listener that accepted them.
    let sockets = SocketOptions::default()
        .keepalive_idle(Duration::from_secs(60))
        .keepalive_interval(Duration::from_secs(10))
        .keepalive_count(3)
        .user_timeout(Some(Duration::from_secs(90)));
    let listening = ListenOptions::default().max_connections(10_000).socket(sockets);
    let listener = ctx.listen_with(address, &listening)?;
    println!("listening on {} ({mechanism})", ctx.listener_address(listener)?);
    if let Some(path) = arguments.next() {
        // For this user and his group; the options of TCP are left out.
        ctx.listen_unix(&path, &listening.file_mode(0o660))?;
        println!("listening on {path}");
    }
    reactor.run()
}
