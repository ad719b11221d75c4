//! A client that stays connected, and ends in good order:
//! `cargo run -p reactor --example kept_client 127.0.0.1:7007`, with the example `echo` at the other end.
//! Stop that one and start it again, and end this one by Ctrl-C.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use reactor::{
    CloseReason, ConnId, ConnectError, ConnectOptions, Context, Handler, Input, Reactor, Signal,
    TimerId,
};

const PERIOD: Duration = Duration::from_secs(1);
/// How long the server may take for what is still to be sent.
const FAREWELL: Duration = Duration::from_secs(3);

#[derive(Default)]
struct Client {
    /// While it is connected.
    conn: Option<ConnId>,
    lines: u32,
    ends: bool,
    failure: Option<ConnectError>,
}

impl Handler for Client {
    type Message = ();

    fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        self.conn = Some(conn);
        if let Ok(server) = ctx.peer_address(conn) {
            println!("connected to {server}");
        }
    }

    fn connect_failed(&mut self, ctx: &mut Context<'_>, _: ConnId, error: ConnectError) {
        if error.kind() == io::ErrorKind::InvalidInput {
            // Of a target that is none there is no next try.
            self.failure = Some(error);
            return ctx.stop();
        }
        eprintln!("{error}");
    }

    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, _: u64) {
        if let Some(conn) = self.conn {
            self.lines += 1;
            ctx.send(conn, format!("line {}\n", self.lines).as_bytes());
        }
        ctx.repeat(timer, PERIOD);
    }

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, input: &mut Input<'_>) {
        print!("{}", String::from_utf8_lossy(input.take()));
    }

    fn closed(&mut self, _: &mut Context<'_>, _: ConnId, reason: CloseReason) {
        self.conn = None;
        println!("the connection has ended: {reason}");
    }

    fn signal(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        println!("{signal}");
        if self.ends {
            // Asked for once more: at once.
            return ctx.stop();
        }
        self.ends = true;
        ctx.shut_down(FAREWELL);
    }
}

fn run(server: &str) -> io::Result<()> {
    let mut reactor = Reactor::new(Client::default())?;
    let mut ctx = reactor.context();
    for signal in [Signal::INTERRUPT, Signal::TERMINATE] {
        ctx.watch_signal(signal)?;
    }
    let options = ConnectOptions::default()
        .attempt_timeout(Duration::from_secs(3))
        .backoff(Duration::from_millis(200), Duration::from_secs(5));
    ctx.keep_connected(server, &options);
    ctx.after(PERIOD, 0);
    reactor.run()?;
    reactor.handler_mut().failure.take().map_or(Ok(()), |failure| Err(failure.into()))
}

fn main() -> ExitCode {
    let Some(server) = std::env::args().nth(1) else {
        eprintln!("usage: kept_client ADDRESS:PORT");
        return ExitCode::from(2);
    };
    match run(&server) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kept_client: {error}");
            ExitCode::FAILURE
        }
    }
}
