//! A TCP proxy: `cargo run --example proxy 127.0.0.1:7070 example.com:80`.
//!
//! What one side sends goes to the other, at the pace of the slower one: who is ahead is paused, so that
//! no more waits in memory for a side than the high-water mark and one input, which has 256 KiB at most
//! where nothing is left behind. Either side may finish before the other.

use std::env::args;
use std::time::Duration;

use reactor::{
    CloseReason, ConnId, ConnMap, ConnectError, ConnectOptions, Context, Handler, Input,
    ListenerId, Reactor, Sent, Target,
};

pub(crate) struct Proxy {
    upstream: Target,
    options: ConnectOptions,
    /// Of each connection, the one at the other side.
    pub(crate) other: ConnMap<ConnId>,
}

impl Proxy {
    pub(crate) fn new(upstream: impl Into<Target>) -> Self {
        let options = ConnectOptions::default().rounds(None).timeout(Duration::from_secs(10));
        Self { upstream: upstream.into(), options, other: ConnMap::new() }
    }

    /// The other side of one that is gone, which has no other side any more.
    fn part(&mut self, conn: ConnId) -> Option<ConnId> {
        let other = self.other.remove(conn)?;
        self.other.remove(other);
        Some(other)
    }
}

impl Handler for Proxy {
    type Message = ();

    fn accepted(&mut self, ctx: &mut Context<'_>, client: ConnId, _: ListenerId) {
        // What it says waits in its socket until there is somebody to hear it.
        ctx.pause(client);
        let server = ctx.connect(self.upstream.clone(), &self.options);
        self.other.insert(client, server);
        self.other.insert(server, client);
    }

    fn connected(&mut self, ctx: &mut Context<'_>, server: ConnId) {
        match self.other.get(server) {
            Some(client) => ctx.resume(*client),
            // It is gone already.
            None => ctx.close(server),
        }
    }

    fn connect_failed(&mut self, ctx: &mut Context<'_>, server: ConnId, error: ConnectError) {
        if let Some(client) = self.part(server) {
            eprintln!("{error}");
            ctx.abort(client);
        }
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        if let Some(other) = self.other.get(conn) {
            if ctx.send(*other, input.take()) == Sent::AboveHighWater {
                ctx.pause(conn);
            }
        }
    }

    fn drained(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        if let Some(other) = self.other.get(conn) {
            ctx.resume(*other);
        }
    }

    fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        if let Some(other) = self.other.get(conn) {
            ctx.finish(*other);
        }
    }

    fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        match (self.part(conn), reason) {
            // Both sides have finished: what is queued still goes, however long it takes.
            (Some(other), CloseReason::Finished) => ctx.finish(other),
            // A stream that was cut off must not look as if it were whole.
            (Some(other), _) => ctx.abort(other),
            (None, _) => {}
        }
    }
}

fn main() -> std::io::Result<()> {
    let mut addresses = args().skip(1);
    let (Some(listen), Some(upstream)) = (addresses.next(), addresses.next()) else {
        eprintln!("usage: proxy ADDRESS:PORT UPSTREAM:PORT");
        std::process::exit(2);
    };
    let mut reactor = Reactor::new(Proxy::new(upstream))?;
    reactor.listen(listen)?;
    reactor.run()
}
