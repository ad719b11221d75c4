//! What is typed goes out, what comes is printed: `cargo run --example line_client 127.0.0.1:7007`.
//!
//! The input may be a terminal, a pipe, a file or /dev/null. It is read when it is ready, once each time,
//! and needn't be nonblocking: that would be so for everybody who shares it, the shell included.

use std::env::args;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use reactor::{
    CloseReason, ConnId, ConnectError, ConnectOptions, Context, Handler, Input, Interest, RawId,
    Reactor, Readiness, Sent,
};

pub(crate) struct LineClient<W> {
    input: File,
    pub(crate) output: W,
    /// Since it is connected: the server, and the input's registration.
    server: Option<(ConnId, RawId)>,
    /// What went wrong.
    pub(crate) failure: Option<String>,
}

impl<W: Write> LineClient<W> {
    pub(crate) fn new(input: File, output: W) -> Self {
        Self { input, output, server: None, failure: None }
    }

    fn begin(&mut self, ctx: &mut Context<'_>, server: ConnId) -> io::Result<()> {
        let raw = ctx.register(self.input.try_clone()?, Interest::READABLE)?;
        self.server = Some((server, raw));
        Ok(())
    }

    fn fail(&mut self, ctx: &mut Context<'_>, what: &dyn Display) {
        self.failure.get_or_insert(what.to_string());
        ctx.stop();
    }
}

impl<W: Write> Handler for LineClient<W> {
    type Message = ();

    fn connected(&mut self, ctx: &mut Context<'_>, server: ConnId) {
        if let Err(error) = self.begin(ctx, server) {
            self.fail(ctx, &format!("the input: {error}"));
        }
    }

    fn connect_failed(&mut self, ctx: &mut Context<'_>, _: ConnId, error: ConnectError) {
        self.fail(ctx, &error);
    }

    fn ready(&mut self, ctx: &mut Context<'_>, raw: RawId, _: Readiness) {
        let Some((server, _)) = self.server else { return };
        let mut bytes = [0; 16 * 1024];
        match self.input.read(&mut bytes) {
            Ok(0) => {
                // The server hears the end, and what it still says is printed.
                ctx.unregister(raw);
                ctx.finish(server);
            }
            Ok(count) => {
                if ctx.send(server, &bytes[..count]) == Sent::AboveHighWater {
                    let _ = ctx.set_interest(raw, Interest::NONE);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.fail(ctx, &format!("the input: {error}")),
        }
    }

    fn drained(&mut self, ctx: &mut Context<'_>, _: ConnId) {
        if let Some((_, raw)) = self.server {
            // Unless the input has ended.
            let _ = ctx.set_interest(raw, Interest::READABLE);
        }
    }

    fn data(&mut self, ctx: &mut Context<'_>, _: ConnId, input: &mut Input<'_>) {
        if let Err(error) = self.output.write_all(input.take()).and_then(|()| self.output.flush()) {
            self.fail(ctx, &format!("the output: {error}"));
        }
    }

    fn closed(&mut self, ctx: &mut Context<'_>, _: ConnId, reason: CloseReason) {
        match reason {
            CloseReason::Finished | CloseReason::Stopped { .. } => ctx.stop(),
            reason => self.fail(ctx, &reason),
        }
    }
}

fn run(server: &str) -> io::Result<Option<String>> {
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut reactor = Reactor::new(LineClient::new(input, io::stdout()))?;
    reactor.context().connect(server, &ConnectOptions::default());
    reactor.run()?;
    Ok(reactor.handler_mut().failure.take())
}

fn main() -> ExitCode {
    let Some(server) = args().nth(1) else {
        eprintln!("usage: line_client ADDRESS:PORT");
        return ExitCode::from(2);
    };
    match run(&server).map_err(|error| error.to_string()) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(failure)) | Err(failure) => {
            eprintln!("line_client: {failure}");
            ExitCode::FAILURE
        }
    }
}
