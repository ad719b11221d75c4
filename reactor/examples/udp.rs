//! Datagrams are answered from the address that they were sent to: `nc -u 127.0.0.1 7007`.

use std::io;

use reactor::{ConnId, Context, Datagram, DatagramError, Handler, Input, Reactor, UdpId};

struct Echo;

impl Handler for Echo {
    type Message = ();

    fn datagram(&mut self, ctx: &mut Context<'_>, socket: UdpId, datagram: &Datagram<'_>) {
        if let Err(error) = ctx.reply(socket, datagram, datagram.bytes()) {
            eprintln!("reply to {}: {error}", datagram.peer());
        }
    }

    fn datagram_failed(&mut self, _: &mut Context<'_>, _: UdpId, error: DatagramError) {
        eprintln!("{error}");
    }

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
}

fn main() -> io::Result<()> {
    let mut reactor = Reactor::new(Echo)?;
    reactor.context().bind_udp("0.0.0.0:7007")?;
    reactor.run()
}
