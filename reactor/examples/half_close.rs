//! Asks, says that this was all, and prints what comes back to the end:
//! `cargo run --example half_close 127.0.0.1:7007 "hello"`.
//!
//! A stream has two directions, and each has an end of its own (shutdown(2)). A server that reads up to
//! the end before it answers, or that has no other way to tell where a request ends, needs ours while we
//! still read. When the server has finished, too, the connection is closed: so much is the default.

use std::env::args;
use std::io::{self, Write};
use std::process::ExitCode;

use reactor::{
    CloseReason, ConnId, ConnectError, ConnectOptions, Context, Handler, Input, Reactor,
};

pub(crate) struct HalfClose<W> {
    request: Vec<u8>,
    pub(crate) output: W,
    /// What went wrong.
    pub(crate) failure: Option<String>,
}

impl<W: Write> HalfClose<W> {
    pub(crate) fn new(request: impl Into<Vec<u8>>, output: W) -> Self {
        Self { request: request.into(), output, failure: None }
    }

    fn fail(&mut self, ctx: &mut Context<'_>, failure: String) {
        self.failure.get_or_insert(failure);
        ctx.stop();
    }
}

impl<W: Write> Handler for HalfClose<W> {
    type Message = ();

    fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        ctx.send(conn, &self.request);
        // Our end follows the last byte, whenever that goes. `close` would drop the answer.
        ctx.finish(conn);
    }

    fn connect_failed(&mut self, ctx: &mut Context<'_>, _: ConnId, error: ConnectError) {
        self.fail(ctx, error.to_string());
    }

    fn data(&mut self, ctx: &mut Context<'_>, _: ConnId, input: &mut Input<'_>) {
        if let Err(error) = self.output.write_all(input.take()).and_then(|()| self.output.flush()) {
            self.fail(ctx, format!("the output: {error}"));
        }
    }

    fn closed(&mut self, ctx: &mut Context<'_>, _: ConnId, reason: CloseReason) {
        match reason {
            CloseReason::Finished | CloseReason::Stopped { .. } => ctx.stop(),
            // What was printed isn't all of it.
            reason => self.fail(ctx, reason.to_string()),
        }
    }
}

fn run(server: &str, request: String) -> io::Result<Option<String>> {
    let mut reactor = Reactor::new(HalfClose::new(request, io::stdout()))?;
    reactor.context().connect(server, &ConnectOptions::default());
    reactor.run()?;
    Ok(reactor.handler_mut().failure.take())
}

fn main() -> ExitCode {
    let mut arguments = args().skip(1);
    let (Some(server), Some(request)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: half_close ADDRESS:PORT REQUEST");
        return ExitCode::from(2);
    };
    match run(&server, request).map_err(|error| error.to_string()) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(failure)) | Err(failure) => {
            eprintln!("half_close: {failure}");
            ExitCode::FAILURE
        }
    }
}
