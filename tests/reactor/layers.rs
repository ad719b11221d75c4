//! Handlers inside handlers.

use reactor::{CloseReason, ConnId, Context, Handler, Input, ListenerId, Options, Reactor};
use tests::Subject;
use tests::peer::{Peer, Tail};

/// Counts what goes by, on its way to any other handler.
struct Counting<H> {
    inner: H,
    bytes: usize,
    open: usize,
}

impl<H: Handler> Handler for Counting<H> {
    type Message = H::Message;

    fn accepted(&mut self, ctx: &mut Context<'_>, conn: ConnId, listener: ListenerId) {
        self.open += 1;
        self.inner.accepted(ctx, conn, listener);
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        let before = input.len();
        self.inner.data(ctx, conn, input);
        self.bytes += before - input.len();
    }

    fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        self.inner.peer_finished(ctx, conn);
    }

    fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        self.open -= 1;
        self.inner.closed(ctx, conn, reason);
    }

    fn message(&mut self, ctx: &mut Context<'_>, message: Self::Message) {
        self.inner.message(ctx, message);
    }
}

/// As short as a handler can be, which leaves all else to the defaults.
struct Echo;

impl Handler for Echo {
    type Message = ();

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        ctx.send(conn, input.take());
    }
}

pub(super) fn a_handler_can_wrap_any_other<P: Subject>() {
    let echo = Counting { inner: Echo, bytes: 0, open: 0 };
    let twice = Counting { inner: echo, bytes: 0, open: 0 };
    let poller = P::create().unwrap();
    let mut reactor = Reactor::with_options(twice, poller, Options::default()).unwrap();
    let listener = reactor.listen("127.0.0.1:0").unwrap();
    let address = reactor.context().listener_address(listener).unwrap().as_ip().unwrap();
    let mut peer = Peer::tcp(address);
    peer.send(b"hello");
    let mut got = Vec::new();
    while got.len() < 5 {
        reactor.turn(None).unwrap();
        assert_eq!(peer.read_some(&mut got, 10), Tail::Open);
    }
    assert_eq!((reactor.handler().bytes, reactor.handler().open), (5, 1));
    assert_eq!(reactor.handler().inner.bytes, 5);
    drop(peer);
    while reactor.context().connections() > 0 {
        reactor.turn(None).unwrap();
    }
    assert_eq!((reactor.handler().open, reactor.handler().inner.open), (0, 0));
}
