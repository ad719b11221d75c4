//! Asks a UDP server, and asks again until it answers: the example `udp` is one that does. Start it while
//! this runs, or stop it, to see what happens.
//!
//! `cargo run -p reactor --example udp_request 127.0.0.1:7007`

use std::io;
use std::net::SocketAddr;

use reactor::{
    ConnId, Context, Datagram, DatagramError, Handler, Input, Reactor, Requests, TimerId, UdpId,
};

/// The token of the timers by which requests are sent again.
const ASK_AGAIN: u64 = 0;
/// How many questions there are.
const QUESTIONS: u32 = 3;

struct Client {
    server: SocketAddr,
    requests: Requests<u32>,
}

impl Client {
    /// A request begins with its number, by which its answer is known. Where a forged answer would do
    /// harm it had better be a random one.
    fn begin(&mut self, ctx: &mut Context<'_>) -> io::Result<()> {
        let any = if self.server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = ctx.bind_udp(any)?;
        for number in 0..QUESTIONS {
            let mut bytes = number.to_be_bytes().to_vec();
            bytes.extend_from_slice(b" is a question");
            self.requests.ask(ctx, socket, self.server, number, bytes)?;
        }
        Ok(())
    }

    fn end(&self, ctx: &mut Context<'_>) {
        if self.requests.is_empty() {
            ctx.stop();
        }
    }
}

impl Handler for Client {
    type Message = ();

    fn datagram(&mut self, ctx: &mut Context<'_>, socket: UdpId, datagram: &Datagram<'_>) {
        let Some((number, text)) = datagram.bytes().split_first_chunk() else { return };
        let number = u32::from_be_bytes(*number);
        if self.requests.answer(ctx, socket, datagram, &number) {
            println!("{number}: {} answers{}", self.server, String::from_utf8_lossy(text));
            println!("the next one would wait {:?}", self.requests.timeout(self.server));
        }
        self.end(ctx);
    }

    fn datagram_failed(&mut self, _: &mut Context<'_>, _: UdpId, error: DatagramError) {
        // Somebody may be there at the next try.
        eprintln!("{error}");
    }

    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, _: u64) {
        if let Some(number) = self.requests.timer(ctx, timer) {
            eprintln!("{number}: no answer");
        }
        self.end(ctx);
    }

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
}

fn main() -> io::Result<()> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7007".into());
    let server: SocketAddr = server.parse().map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{server}: {error}"))
    })?;
    let mut reactor = Reactor::new(Client { server, requests: Requests::new(ASK_AGAIN) })?;
    let (client, mut ctx) = reactor.parts();
    client.begin(&mut ctx)?;
    reactor.run()
}
