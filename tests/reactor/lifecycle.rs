//! From `accepted` to `closed`, whoever ends it.

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use reactor::{
    Address, ConnId, Context, Handler, Input, Interest, Limits, ListenOptions, Reactor, Sent,
    Signal, Status, TimerId,
};
use tests::Subject;
use tests::peer::Tail;
use tests::recorder::{Call, End, Seen, echo, sink};
use tests::rig::PATIENCE;
use tests::server::{Family, Server};

pub(super) fn a_conversation_comes_in_order<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, echo);
        let (mut peer, conn) = server.connect();
        peer.send(b"hello");
        assert_eq!(server.receive(&mut peer, 5), b"hello");
        peer.finish();
        assert_eq!(server.receive_all(&mut peer), (vec![], Tail::End));
        drop(peer);
        assert_eq!(server.until_closed(conn), End::Finished);
        let expected = [
            Seen::Accepted(conn),
            Seen::Data(conn, b"hello".to_vec()),
            Seen::PeerFinished(conn),
            Seen::Closed(conn, End::Finished),
        ];
        assert_eq!(server.seen(), expected);
        assert_eq!(server.ctx().connections(), 0);
        server.silent();
    }
}

pub(super) fn a_peer_that_says_nothing_finishes_too<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        drop(server.client());
        let conn = server.next_accepted();
        assert_eq!(server.until_closed(conn), End::Finished);
        assert_eq!(server.seen()[1], Seen::PeerFinished(conn));
    }
}

pub(super) fn a_reset_is_an_error<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (mut peer, conn) = server.connect();
    peer.send(b"last words");
    server.await_input(conn);
    peer.reset();
    assert_eq!(server.until_closed(conn), End::Error(io::ErrorKind::ConnectionReset));
    // What had come is read before.
    assert_eq!(server.bytes_of(conn), b"last words");
    assert!(!server.seen().contains(&Seen::PeerFinished(conn)));
    server.silent();
}

pub(super) fn a_reset_before_it_was_accepted_ends_that_one_alone<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let gone = server.client();
    let mut peer = server.client();
    gone.reset();
    peer.send(b"x");
    assert_eq!(server.receive(&mut peer, 1), b"x");
    // It may have been announced; then it was closed.
    server.until("one is left", |server| server.ctx().connections() == 1);
    assert_eq!(server.reactor.handler().open(), 1);
}

pub(super) fn an_abort_is_a_reset<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (mut peer, conn) = server.connect();
    server.ctx().abort(conn);
    assert_eq!(server.until_closed(conn), End::Aborted);
    let reset = Tail::Failed(io::ErrorKind::ConnectionReset);
    assert_eq!(server.receive_all(&mut peer), (vec![], reset));
}

pub(super) fn stop_ends_all<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let mut all = vec![server.connect(), server.connect(), server.connect()];
        server.ctx().stop();
        assert_eq!(server.turn(), Status::Stopped);
        for (peer, conn) in &mut all {
            let closed = Seen::Closed(*conn, End::Stopped { unsent: 0 });
            assert!(server.seen().contains(&closed), "{:?}", server.seen());
            assert_ne!(server.receive_all(peer).1, Tail::Open);
        }
        assert_eq!(server.reactor.handler().open(), 0);
    }
}

/// Also those that it closed a moment before, and those it accepts in the same turn.
pub(super) fn stop_in_a_callback_ends_all<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Data(conn, input) => {
            ctx.send(conn, input.take());
            ctx.close(conn);
            ctx.stop();
        }
        other => sink(ctx, other),
    });
    let (_idle, _) = server.connect();
    let (mut peer, _) = server.connect();
    peer.send(b"bye");
    let _more: Vec<_> = (0..5).map(|_| server.client()).collect();
    server.until("the loop stops", |server| server.turn() == Status::Stopped);
    assert_eq!(server.reactor.handler().open(), 0);
    let (bytes, tail) = server.receive_all(&mut peer);
    assert_eq!(bytes, b"bye");
    assert_ne!(tail, Tail::Open);
}

pub(super) fn shut_down_lets_all_drain<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (mut slow, conn) = server.connect();
    let (_idle, other) = server.connect();
    let sent = server.clog(conn);
    let address = server.listener;
    server.ctx().shut_down(PATIENCE);
    assert!(server.ctx().listener_address(address).is_err(), "listeners go at once");
    let (got, tail) = server.receive_all(&mut slow);
    assert!(got == sent, "{} of {} bytes came", got.len(), sent.len());
    assert_eq!(tail, Tail::End);
    drop((slow, _idle));
    server.until("the loop stops", |server| server.turn() == Status::Stopped);
    for conn in [conn, other] {
        assert!(server.seen().contains(&Seen::Closed(conn, End::Finished)));
    }
}

pub(super) fn shut_down_ends_at_its_deadline<P: Subject>() {
    let deadline = Duration::from_millis(30);
    let mut server = Server::<P>::tcp(sink);
    let (_slow, conn) = server.connect();
    server.clog(conn);
    let start = Instant::now();
    server.ctx().shut_down(deadline);
    server.until("the loop stops", |server| server.turn() == Status::Stopped);
    assert!(start.elapsed() >= deadline, "{:?}", start.elapsed());
    let end = server.until_closed(conn);
    assert!(matches!(end, End::Stopped { unsent: 1.. }), "{end:?}");
}

pub(super) fn shut_down_without_connections_stops<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    server.ctx().shut_down(PATIENCE);
    assert_eq!(server.reactor.turn(None).unwrap(), Status::Stopped);
}

pub(super) fn a_stopped_loop_stays_stopped<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (_peer, conn) = server.connect();
    server.ctx().stop();
    server.reactor.run().unwrap();
    assert_eq!(server.reactor.turn(None).unwrap(), Status::Stopped);
    server.reactor.run().unwrap();
    assert_eq!(server.ctx().send(conn, b"x"), Sent::Refused);
    assert_eq!(server.ctx().connections(), 0);
    nothing_can_be_opened(&mut server);
}

/// Nobody would ever be served there, and the answer says why.
fn nothing_can_be_opened<P: Subject>(server: &mut Server<P>) {
    let path = server.directory().join("late");
    let (receiver, _sender) = tests::sockets::pipe();
    let mut ctx = server.ctx();
    let answers = [
        ctx.listen("127.0.0.1:0").map(drop),
        ctx.listen_unix(&path, &ListenOptions::default()).map(drop),
        ctx.bind_udp("127.0.0.1:0").map(drop),
        ctx.register(receiver, Interest::READABLE).map(drop),
        ctx.watch_signal(Signal::WINDOW_SIZE),
    ];
    for answer in answers {
        let error = answer.unwrap_err();
        assert!(error.to_string().contains("stopped"), "{error}");
    }
    assert!(!path.exists());
}

pub(super) fn an_old_id_is_refused<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (peer, conn) = server.connect();
    drop(peer);
    server.until_closed(conn);
    let mut ctx = server.ctx();
    assert_eq!(ctx.send(conn, b"x"), Sent::Refused);
    assert_eq!(ctx.send(conn, b""), Sent::Refused);
    assert_eq!(ctx.send(conn, &[0; 100_000]), Sent::Refused);
    assert_eq!(ctx.send_shared(conn, b"x"[..].into()), Sent::Refused);
    assert_eq!(ctx.queued(conn), 0);
    assert!(ctx.limits(conn).is_none() && ctx.listener_of(conn).is_none());
    assert!(ctx.socket(conn).is_none());
    let error = ctx.peer_address(conn).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    let error = ctx.local_address(conn).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

pub(super) fn an_old_id_leaves_its_successor_alone<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let (peer, old) = server.connect();
    drop(peer);
    server.until_closed(old);
    let (mut peer, new) = server.connect();
    assert_ne!(old, new);
    let mut limits = Limits::default();
    limits.read_low = 1000;
    let mut ctx = server.ctx();
    assert_eq!(ctx.send(old, b"not yours"), Sent::Refused);
    ctx.pause(old);
    ctx.set_limits(old, limits);
    ctx.finish(old);
    ctx.close(old);
    ctx.abort(old);
    peer.send(b"x");
    assert_eq!(server.receive(&mut peer, 1), b"x");
    server.silent();
    assert_eq!(server.reactor.handler().open(), 1);
}

pub(super) fn the_error_of_one_is_its_own<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let mut all: Vec<_> = (0..6).map(|_| server.connect()).collect();
    for (peer, _) in &mut all {
        peer.send(b"one");
    }
    let (broken, conn) = all.remove(2);
    server.await_input(conn);
    broken.reset();
    for (peer, _) in &mut all {
        assert_eq!(server.receive(peer, 3), b"one");
    }
    assert_eq!(server.until_closed(conn), End::Error(io::ErrorKind::ConnectionReset));
    for (peer, _) in &mut all {
        peer.send(b"two");
        assert_eq!(server.receive(peer, 3), b"two");
    }
    assert_eq!(server.ctx().connections(), 5);
}

pub(super) fn a_connection_knows_its_addresses_and_listener<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (peer, conn) = server.connect();
    let listener = server.listener;
    let ctx = server.ctx();
    assert_eq!(ctx.peer_address(conn).unwrap(), Address::Ip(peer.address()));
    assert_eq!(ctx.listener_of(conn), Some(listener));
    let local = ctx.local_address(conn).unwrap();
    assert_eq!(server.ctx().listener_address(listener).unwrap(), local);

    let mut server = Server::<P>::new(Family::Unix, sink);
    let (_peer, conn) = server.connect();
    assert_eq!(server.ctx().peer_address(conn).unwrap(), Address::Unnamed);
    let path = server.directory().join("socket");
    assert_eq!(server.ctx().local_address(conn).unwrap(), Address::Path(path));
}

/// accept(2) has told the address, also of a peer of which getpeername(2) knows nothing any more.
pub(super) fn accepted_knows_a_peer_that_has_reset<P: Subject>() {
    let known = Rc::new(RefCell::new(Vec::new()));
    let theirs = Rc::clone(&known);
    let mut server = Server::<P>::tcp(move |ctx, call| {
        if let Call::Accepted(conn, _) = call {
            theirs.borrow_mut().push(ctx.peer_address(conn).unwrap());
        }
        sink(ctx, call);
    });
    let mut expected = Vec::new();
    for _ in 0..3 {
        let peer = server.client();
        expected.push(Address::Ip(peer.address()));
        peer.reset();
        server.next_accepted();
    }
    assert_eq!(*known.borrow(), expected);
}

/// The handler begins by itself what it is told of later.
pub(super) fn what_begins_outside_of_a_callback_has_the_handler_too<P: Subject>() {
    #[derive(Default)]
    struct Client {
        timers: Vec<TimerId>,
    }

    impl Client {
        fn begin(&mut self, ctx: &mut Context<'_>) {
            self.timers.extend([0, 1].map(|token| ctx.after(Duration::ZERO, token)));
        }
    }

    impl Handler for Client {
        type Message = ();

        fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, _: u64) {
            self.timers.retain(|known| *known != timer);
            if self.timers.is_empty() {
                ctx.stop();
            }
        }

        fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
    }

    let mut reactor = Reactor::with_poller(Client::default(), P::create().unwrap()).unwrap();
    assert_eq!(reactor.turns(), 0);
    let (client, mut ctx) = reactor.parts();
    client.begin(&mut ctx);
    assert_eq!((client.timers.len(), ctx.turns()), (2, 0));
    reactor.run().unwrap();
    assert!(reactor.handler().timers.is_empty());
    assert!(reactor.turns() > 0);
}

pub(super) fn a_panic_ends_the_loop_for_ever<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Data(..) => panic!("on purpose"),
        other => sink(ctx, other),
    });
    let mailbox = server.reactor.mailbox();
    let (mut bystander, _) = server.connect();
    let (mut peer, _) = server.connect();
    let listener = server.listener;
    let address = server.ctx().listener_address(listener).unwrap().as_ip().unwrap();
    peer.send(b"x");
    let panic = catch_unwind(AssertUnwindSafe(|| {
        server.until("the panic", |_| false);
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"on purpose"));
    for peer in [&mut bystander, &mut peer] {
        let mut bytes = Vec::new();
        assert_ne!(peer.read_some(&mut bytes, 10), Tail::Open, "the socket is closed");
    }
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens");
    for _ in 0..3 {
        let error = server.reactor.turn(None).unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
        server.reactor.run().unwrap_err();
        let error = server.reactor.prepare().unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
    }
    assert_eq!(server.ctx().connections(), 0);
    for conn in server.accepted() {
        assert_eq!(server.ctx().send(conn, b"x"), Sent::Refused);
        assert_eq!(server.ctx().send(conn, &[0; 10_000]), Sent::Refused);
    }
    nothing_can_be_opened(&mut server);
    assert!(mailbox.post(1).is_err(), "nobody receives");
}

pub(super) fn a_panic_while_closing_is_no_different<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Closed(..) => panic!("on purpose"),
        other => sink(ctx, other),
    });
    let (mut peer, _) = server.connect();
    let (_other, _) = server.connect();
    server.ctx().stop();
    catch_unwind(AssertUnwindSafe(|| server.turn())).unwrap_err();
    let mut bytes = Vec::new();
    assert_ne!(peer.read_some(&mut bytes, 10), Tail::Open, "the socket is closed");
    server.reactor.turn(None).unwrap_err();
}
