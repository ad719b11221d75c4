//! The echo of the README, on each mechanism of the library, with what a server for anybody needs besides: it
//! reads no more from a peer that doesn't read, until that does.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reactor::{
    AnyPoller, Backend, ConnId, Context, Datagram, Handler, Input, Options, Poller, Reactor, Sent,
    UdpId,
};

use super::{Transport, refused};

struct Echo;

impl Handler for Echo {
    type Message = ();

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        if ctx.send(conn, input.take()) == Sent::AboveHighWater {
            ctx.pause(conn);
        }
    }

    fn drained(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        ctx.resume(conn);
    }

    fn datagram(&mut self, ctx: &mut Context<'_>, socket: UdpId, datagram: &Datagram<'_>) {
        // A datagram that can't be answered is lost, as one on the way would be.
        let _ = ctx.reply(socket, datagram, datagram.bytes());
    }
}

pub(super) fn run(
    backend: Backend,
    spin: Duration,
    transport: Transport,
    address: SocketAddr,
    announce: &dyn Fn(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<Infallible> {
    let made = AnyPoller::new(backend).with_context(|| format!("make a poller of {backend}"))?;
    // Matched here, once, so that the loop runs on the mechanism itself.
    match made {
        #[cfg(feature = "select")]
        AnyPoller::Select(poller) => run_on(poller, spin, transport, address, announce),
        #[cfg(feature = "poll")]
        AnyPoller::Poll(poller) => run_on(poller, spin, transport, address, announce),
        #[cfg(all(feature = "epoll", any(target_os = "linux", target_os = "android")))]
        AnyPoller::Epoll(poller) => run_on(poller, spin, transport, address, announce),
        #[cfg(all(feature = "adaptive", any(target_os = "linux", target_os = "android")))]
        AnyPoller::Adaptive(poller) => run_on(poller, spin, transport, address, announce),
        #[cfg(feature = "mio")]
        AnyPoller::Mio(poller) => run_on(poller, spin, transport, address, announce),
        poller => run_on(poller, spin, transport, address, announce),
    }
}

fn run_on(
    poller: impl Poller,
    spin: Duration,
    transport: Transport,
    address: SocketAddr,
    announce: &dyn Fn(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<Infallible> {
    let mut options = Options::default();
    options.spin = spin;
    let mut reactor = Reactor::with_options(Echo, poller, options).context("make a reactor")?;
    let mut ctx = reactor.context();
    let bound = match transport {
        Transport::Streams => ctx
            .listen(address)
            .and_then(|listener| ctx.listener_address(listener))
            .map_err(|error| refused("listen on", address, error))?
            .as_ip()
            .context("the listener has no internet address")?,
        Transport::Datagrams => ctx
            .bind_udp(address)
            .and_then(|socket| ctx.udp_address(socket))
            .map_err(|error| refused("bind UDP to", address, error))?,
    };
    announce(bound)?;
    reactor.run().context("run the reactor")?;
    bail!("the reactor stopped, which nobody asked for")
}
