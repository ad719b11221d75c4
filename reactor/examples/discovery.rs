//! Who is there? Asks a multicast group, and answers whoever else asks:
//! `cargo run -p reactor --example discovery NAME [INTERFACE]`, several times, each with a name of its own.
//! Without an interface it stays on this machine.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use reactor::options::Membership;
use reactor::{
    ConnId, Context, Datagram, DatagramError, Handler, Input, Interface, Reactor, SocketOptions,
    TimerId, UdpId, UdpOptions,
};

/// One of those that everybody may use in a network of his own (RFC 2365).
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 70, 7);
const PORT: u16 = 7008;
const QUESTION: &[u8] = b"who is there?";
/// A datagram may be lost, and some come later than others: it is asked again and again.
const PERIOD: Duration = Duration::from_secs(1);

struct Member {
    name: String,
    /// Asks, from a port of its own, to which the answers come.
    mouth: Option<UdpId>,
    known: HashSet<String>,
}

impl Member {
    fn begin(&mut self, ctx: &mut Context<'_>, interface: Option<&str>) -> io::Result<()> {
        // The same interface has two names here: its index to join, an address of its own to send.
        let (index, address) = find(interface)?;
        let joined = SocketOptions::default().join(Membership::of(GROUP).on(index));
        // All members on this machine share the port.
        let ear = UdpOptions::default().reuse_address(true).socket(joined);
        ctx.bind_udp_with((GROUP, PORT), &ear)?;
        let through = SocketOptions::default().multicast_interface(address);
        let mouth = ctx.bind_udp_with((address, 0), &UdpOptions::default().socket(through))?;
        self.mouth = Some(mouth);
        ctx.after(Duration::ZERO, 0);
        Ok(())
    }
}

impl Handler for Member {
    type Message = ();

    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, _: u64) {
        if let Some(mouth) = self.mouth {
            if let Err(error) = ctx.send_to(mouth, QUESTION, (GROUP, PORT).into()) {
                eprintln!("ask {GROUP}: {error}");
            }
        }
        ctx.repeat(timer, PERIOD);
    }

    fn datagram(&mut self, ctx: &mut Context<'_>, socket: UdpId, datagram: &Datagram<'_>) {
        let peer = datagram.peer();
        if Some(socket) == self.mouth {
            let name = String::from_utf8_lossy(datagram.bytes()).into_owned();
            if name != self.name && self.known.insert(name.clone()) {
                println!("{name} is at {}", peer.ip());
            }
        } else if datagram.bytes() == QUESTION {
            if let Err(error) = ctx.reply(socket, datagram, self.name.as_bytes()) {
                eprintln!("answer {peer}: {error}");
            }
        }
    }

    fn datagram_failed(&mut self, _: &mut Context<'_>, _: UdpId, error: DatagramError) {
        // Who asked may be gone by now.
        eprintln!("{error}");
    }

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
}

/// The index and an address of the interface of this name, or else of the one that leads back to this
/// machine.
fn find(name: Option<&str>) -> io::Result<(u32, Ipv4Addr)> {
    let wanted = |one: &Interface| name.map_or(one.is_loopback, |name| one.name == name);
    let v4 = |address: &IpAddr| match address {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    };
    Interface::all()?
        .iter()
        .filter(|one| wanted(one))
        .find_map(|one| Some((one.index, one.addresses.iter().find_map(v4)?)))
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such interface with IPv4"))
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        eprintln!("usage: discovery NAME [INTERFACE]");
        std::process::exit(2);
    };
    let interface = arguments.next();
    let mut reactor = Reactor::new(Member { name, mouth: None, known: HashSet::new() })?;
    let (member, mut ctx) = reactor.parts();
    member.begin(&mut ctx, interface.as_deref())?;
    reactor.run()
}
