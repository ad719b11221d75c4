//! How often the loop asks: no wait ends without work.

use std::time::{Duration, Instant};

use tests::Subject;
use tests::counted::Counted;
use tests::recorder::{Call, Seen, echo, sink};
use tests::rig::{PATIENCE, SILENCE};
use tests::server::{Family, Server};

pub(super) fn idle_connections_wake_nobody<P: Subject>() {
    for family in Family::ALL {
        let limit = |limits: &mut reactor::Limits| limits.idle_timeout = Some(PATIENCE);
        let mut server = Server::<Counted<P>>::with(family, limit, echo);
        let mut all: Vec<_> = (0..20).map(|_| server.connect()).collect();
        for (peer, _) in &mut all {
            peer.send(b"x");
            assert_eq!(server.receive(peer, 1), b"x");
        }
        server.turn();
        assert_eq!(server.empty_turns(SILENCE), 1);
    }
}

pub(super) fn a_paused_connection_wakes_nobody<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, sink);
        let (mut peer, conn) = server.connect();
        peer.send(b"unread");
        server.await_input(conn);
        server.ctx().pause(conn);
        server.turn();
        assert_eq!(server.empty_turns(SILENCE), 1);
        // Nor does one whose peer is gone.
        drop(peer);
        assert_eq!(server.empty_turns(SILENCE), 1);
        server.ctx().resume(conn);
        server.until_closed(conn);
    }
}

/// Its peer has finished, and the handler hasn't: there is nothing to be told.
pub(super) fn a_half_closed_connection_wakes_nobody<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, |_, _| {});
        let (peer, conn) = server.connect();
        peer.finish();
        server.until_seen(&Seen::PeerFinished(conn));
        server.turn();
        assert_eq!(server.empty_turns(SILENCE), 1);
    }
}

/// Also a queue that nobody takes is no reason to ask.
pub(super) fn a_full_socket_wakes_nobody<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, sink);
        let (_peer, conn) = server.connect();
        server.clog(conn);
        // The kernel takes some more when its own timers say so, ever more rarely.
        server.until("nobody is woken", |server| server.empty_turns(SILENCE) == 1);
    }
}

pub(super) fn a_far_timer_wakes_nobody<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(sink);
    server.ctx().after(Duration::from_secs(3600), 0);
    server.ctx().after(Duration::MAX, 1);
    server.turn();
    assert_eq!(server.empty_turns(SILENCE), 1);
}

/// One wait that sleeps until it is due, and not one for each millisecond.
pub(super) fn a_timer_costs_one_wait<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(sink);
    server.turn();
    for token in 0..5 {
        server.ctx().after(Duration::from_millis(10), token);
        let before = server.reactor.poller().waits;
        server.reactor.turn(None).unwrap();
        assert_eq!(server.seen().last(), Some(&Seen::Timer(token)));
        assert_eq!(server.reactor.poller().waits, before + 1);
    }
}

pub(super) fn a_cancelled_timer_wakes_nobody<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(sink);
    let timers: Vec<_> = (0..100).map(|n| server.ctx().after(SILENCE / 4, n)).collect();
    for timer in timers {
        server.ctx().cancel(timer);
    }
    server.turn();
    assert_eq!(server.empty_turns(SILENCE), 1);
}

/// An echoed message costs one wait, which finds it.
pub(super) fn a_message_costs_one_wait<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(echo);
    let (mut peer, conn) = server.connect();
    server.turn();
    let (before, empty) = (server.reactor.poller().waits, server.reactor.poller().empty);
    for _ in 0..50 {
        peer.send(b"hello");
        server.await_input(conn);
        server.reactor.turn(None).unwrap();
        let mut got = Vec::new();
        peer.read_some(&mut got, 100);
        assert_eq!(got, b"hello", "it is answered in the turn that found it");
    }
    assert_eq!(server.reactor.poller().waits, before + 50);
    assert_eq!(server.reactor.poller().empty, empty);
}

/// What a handler asks for from outside is done in the next turn, without waiting for anything.
pub(super) fn work_that_is_there_waits_for_nothing<P: Subject>() {
    let mut server = Server::<P>::tcp(|_, call| {
        if let Call::Data(_, input) = call {
            input.take_first(1);
        }
    });
    let (mut peer, conn) = server.connect();
    peer.send(b"ab");
    server.until_seen(&Seen::Data(conn, b"ab".to_vec()));
    server.ctx().resume(conn);
    server.reactor.turn(None).unwrap();
    assert_eq!(server.seen().last(), Some(&Seen::Data(conn, b"b".to_vec())));
    server.ctx().send(conn, b"x");
    server.reactor.turn(None).unwrap();
    assert_eq!(server.receive(&mut peer, 1), b"x");
    server.ctx().abort(conn);
    server.reactor.turn(None).unwrap();
    assert!(matches!(server.seen().last(), Some(Seen::Closed(..))));
}

pub(super) fn a_turn_without_time_doesn_t_wait<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(sink);
    let start = Instant::now();
    for _ in 0..100 {
        server.reactor.turn(Some(Duration::ZERO)).unwrap();
    }
    assert!(start.elapsed() < PATIENCE);
    assert_eq!(server.reactor.poller().waits, 100);
}

/// A connection of a handler that closes and one that lingers: the peer may take its time.
pub(super) fn a_lingering_connection_wakes_nobody<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, sink);
        let (peer, conn) = server.connect();
        server.ctx().close(conn);
        server.turn();
        server.turn();
        assert_eq!(server.empty_turns(SILENCE), 1);
        drop(peer);
        server.until_closed(conn);
    }
}
