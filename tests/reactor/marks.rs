//! Read low-water marks of connections: exact everywhere, and helped by the kernel on TCP.

use std::time::{Duration, Instant};

use reactor::options::SO_RCVLOWAT;
use reactor::{ConnId, Context, ListenOptions, SocketOptions};
use tests::Subject;
use tests::counted::Counted;
use tests::peer::{Peer, Tail};
use tests::recorder::{Call, End, Seen, sink};
use tests::rig::SILENCE;
use tests::server::{Family, Server};
use tests::sockets::send_urgent;

/// A long message, and the segments that it comes in.
const MESSAGE: usize = 1024 * 1024;
const SEGMENT: usize = 1024;

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at % 251) as u8).collect()
}

fn data(conn: ConnId, bytes: &[u8]) -> Seen {
    Seen::Data(conn, bytes.to_vec())
}

/// Takes what comes, and begins with a mark.
fn from(mark: usize) -> impl FnMut(&mut Context<'_>, Call<'_, '_>) {
    move |ctx, call| match call {
        Call::Accepted(conn, _) => ctx.set_read_low(conn, mark),
        other => sink(ctx, other),
    }
}

/// A message that comes segment by segment, and a turn after each: how many events that were.
fn events_of_a_message<P: Subject>(
    family: Family,
    script: impl FnMut(&mut Context<'_>, Call<'_, '_>) + 'static,
) -> usize {
    let mut server = Server::<Counted<P>>::new(family, script);
    let (mut peer, conn) = server.connect();
    server.turn();
    let before = server.reactor.poller().events;
    let message = bytes(MESSAGE);
    for segment in message.chunks(SEGMENT) {
        server.send_all(&mut peer, segment);
        server.reactor.turn(Some(Duration::ZERO)).unwrap();
    }
    server.until("it comes", |server| server.seen().len() > 1);
    assert_eq!(server.seen().len(), 2, "one call");
    assert!(server.seen()[1] == data(conn, &message));
    server.reactor.poller().events - before
}

pub(super) fn one_long_message_is_one_call<P: Subject>() {
    for family in Family::ALL {
        events_of_a_message::<P>(family, from(MESSAGE));
    }
}

/// Against a connection that hears urgent data, which the kernel's mark would hold back.
pub(super) fn the_kernel_s_mark_spares_wake_ups<P: Subject>() {
    let helped = events_of_a_message::<P>(Family::Tcp, from(MESSAGE));
    let alone = events_of_a_message::<P>(Family::Tcp, |ctx, call| {
        if let Call::Accepted(conn, _) = call {
            ctx.watch_urgent(conn, true);
        }
        from(MESSAGE)(ctx, call);
    });
    println!("{MESSAGE} bytes: {alone} events without the kernel's mark, {helped} with it");
    if cfg!(target_os = "linux") {
        // Each of these is as many as it may be: segments come together on a busy machine.
        assert!(helped <= 64 && (alone > 2 * helped), "{helped} and {alone}");
    }
}

/// What the kernel was told of a connection's mark.
fn kernel_mark<P: Subject>(server: &mut Server<P>, conn: ConnId) -> usize {
    SO_RCVLOWAT.get(&server.ctx().socket(conn).unwrap()).unwrap()
}

/// Of a mark that stays it is told each byte, and what is missing less what was left. Linux.
pub(super) fn the_kernel_s_mark_is_what_is_missing<P: Subject>() {
    if cfg!(not(target_os = "linux")) {
        return;
    }
    let limit = |limits: &mut reactor::Limits| limits.read_low = 1000;
    let mut server = Server::<P>::with(Family::Tcp, limit, |ctx, call| match call {
        Call::Data(_, input) => drop(input.take_first(600)),
        other => sink(ctx, other),
    });
    let (mut peer, conn) = server.connect();
    assert_eq!(kernel_mark(&mut server, conn), 1000);
    peer.send(&bytes(1000));
    server.until_seen(&data(conn, &bytes(1000)));
    assert_eq!(kernel_mark(&mut server, conn), 600);
    // A few bytes more aren't worth a call, many are, and not more than a piece.
    for (mark, told) in [(1010, 600), (2000, 1600), (10_000_000, 128 * 1024), (401, 1)] {
        server.ctx().set_read_low(conn, mark);
        assert_eq!(server.ctx().read_low(conn), Some(mark));
        server.turn();
        assert_eq!(kernel_mark(&mut server, conn), told, "for {mark}");
    }
    server.take_seen();
    let mut limits = server.ctx().limits(conn).unwrap().clone();
    assert_eq!(limits.read_low, 1000);
    limits.read_low = 500;
    server.ctx().set_limits(conn, limits.clone());
    server.turn();
    assert_eq!(kernel_mark(&mut server, conn), 100);
    limits.read_low = 510;
    server.ctx().set_limits(conn, limits);
    server.turn();
    assert_eq!(kernel_mark(&mut server, conn), 110, "limits are told exactly");
    // Each byte counts before an urgent one, and when all is dropped.
    server.ctx().watch_urgent(conn, true);
    assert_eq!(kernel_mark(&mut server, conn), 1);
    server.ctx().watch_urgent(conn, false);
    server.ctx().set_read_low(conn, 5000);
    server.turn();
    assert_eq!(kernel_mark(&mut server, conn), 4600);
    server.ctx().close(conn);
    server.turn();
    assert_eq!(kernel_mark(&mut server, conn), 1);
}

/// A Unix socket would keep it and not keep to it. And a mark of one is the user's to set.
pub(super) fn the_kernel_s_mark_is_left_alone_where_it_is_no_help<P: Subject>() {
    let mut server = Server::<P>::new(Family::Unix, from(100));
    let (_peer, conn) = server.connect();
    assert_eq!(kernel_mark(&mut server, conn), 1);
    let mut server = Server::<P>::tcp(sink);
    let (mut peer, conn) = server.connect();
    {
        let ctx = server.ctx();
        SO_RCVLOWAT.set(&ctx.socket(conn).unwrap(), 7).unwrap();
    }
    peer.send(&[1; 7]);
    server.until_seen(&data(conn, &[1; 7]));
    assert_eq!(kernel_mark(&mut server, conn), 7);
}

pub(super) fn a_mark_of_its_own_is_exact<P: Subject>() {
    for family in Family::ALL {
        for mark in [2, 5000, 300_000] {
            let mut server = Server::<P>::new(family, from(mark));
            let (mut peer, conn) = server.connect();
            let bytes = bytes(mark);
            server.send_all(&mut peer, &bytes[..mark - 1]);
            server.silent();
            peer.send(&bytes[mark - 1..]);
            server.until_seen(&data(conn, &bytes));
            peer.send(&bytes[..1]);
            server.silent();
        }
    }
}

/// What was left behind comes in the same turn; what stands in the kernel, with the next wait.
pub(super) fn a_lower_mark_holds_for_what_has_come<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, from(10_000));
        let (mut peer, conn) = server.connect();
        peer.send(&bytes(100));
        server.silent();
        server.ctx().set_read_low(conn, 101);
        server.silent();
        server.ctx().set_read_low(conn, 100);
        server.turn();
        server.turn();
        assert_eq!(server.seen().last(), Some(&data(conn, &bytes(100))));
        server.take_seen();
        // Raised and lowered before the loop sees it: nothing has changed.
        peer.send(&bytes(99));
        server.ctx().set_read_low(conn, 1);
        server.ctx().set_read_low(conn, 100);
        server.silent();
    }
}

pub(super) fn a_mark_beyond_all_buffers_is_reached<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, from(MESSAGE));
        let options = ListenOptions::default();
        let options = options.socket(SocketOptions::default().receive_buffer(4096));
        let listener = match family {
            Family::Tcp => server.ctx().listen_with("127.0.0.1:0", &options).unwrap(),
            Family::Unix => server.listener,
        };
        let mut peer = server.client_of(listener);
        let conn = server.next_accepted();
        let message = bytes(MESSAGE);
        server.send_all(&mut peer, &message[1..]);
        server.silent();
        server.send_all(&mut peer, &message[..1]);
        server.until("all comes", |server| server.bytes_of(conn).len() == MESSAGE);
        assert_eq!(server.seen().len(), 2, "one call");
    }
}

/// Of single bytes the kernel holds few: each takes the room of many. So it tells of them early.
pub(super) fn single_bytes_reach_a_mark_in_short_memory<P: Subject>() {
    const MARK: usize = 3000;
    let mut server = Server::<Counted<P>>::tcp(from(MARK));
    let options = SocketOptions::default().receive_buffer(2048);
    let options = ListenOptions::default().socket(options);
    let listener = server.ctx().listen_with("127.0.0.1:0", &options).unwrap();
    let mut peer = server.client_of(listener);
    let conn = server.next_accepted();
    let bytes = bytes(MARK);
    for byte in &bytes[1..] {
        server.send_all(&mut peer, &[*byte]);
        server.reactor.turn(Some(Duration::ZERO)).unwrap();
    }
    server.silent();
    // What had no room is sent again when the kernel's own timers say so, ever more rarely.
    server.until("what is below the mark wakes nobody", |server| server.empty_turns(SILENCE) == 1);
    peer.send(&bytes[..1]);
    server.until("all comes", |server| server.seen().len() > 1);
    assert_eq!(server.bytes_of(conn).len(), MARK);
}

pub(super) fn what_is_below_a_mark_wakes_nobody<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, from(1000));
        let (mut peer, conn) = server.connect();
        for _ in 0..3 {
            peer.send(&bytes(300));
            server.silent();
            assert_eq!(server.empty_turns(SILENCE), 1);
        }
        peer.send(&bytes(100));
        server.until("it comes", |server| server.bytes_of(conn).len() == 1000);
        assert_eq!(server.empty_turns(SILENCE), 1);
    }
}

/// To a connection that doesn't ask for it, it is lost, and the rest comes.
pub(super) fn an_urgent_byte_below_a_mark_does_no_harm<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(from(2000));
    let (mut peer, conn) = server.connect();
    peer.send(&bytes(500));
    send_urgent(&peer, b'!');
    server.silent();
    assert_eq!(server.empty_turns(SILENCE), 1);
    peer.send(&bytes(500));
    server.silent();
    peer.send(&bytes(1000));
    server.until("it comes", |server| server.bytes_of(conn).len() == 2000);
    assert!(server.bytes_of(conn) == [bytes(500), bytes(500), bytes(1000)].concat());
    assert_eq!(server.empty_turns(SILENCE), 1);
}

pub(super) fn the_end_below_a_mark_is_told<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, from(100_000));
        let (mut peer, conn) = server.connect();
        peer.send(&bytes(1000));
        server.silent();
        peer.send(&bytes(10));
        peer.finish();
        server.until_closed(conn);
        let all = [bytes(1000), bytes(10)].concat();
        let end = [data(conn, &all), Seen::PeerFinished(conn), Seen::Closed(conn, End::Finished)];
        assert_eq!(server.seen()[1..], end);
    }
}

pub(super) fn a_reset_below_a_mark_is_told<P: Subject>() {
    let mut server = Server::<P>::tcp(from(100_000));
    let (mut peer, conn) = server.connect();
    peer.send(&bytes(1000));
    server.await_input(conn);
    peer.reset();
    assert_eq!(server.until_closed(conn), End::Error(std::io::ErrorKind::ConnectionReset));
    assert!(server.bytes_of(conn) == bytes(1000));
}

pub(super) fn a_pause_below_a_mark_loses_nothing<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, from(2000));
        let (mut peer, conn) = server.connect();
        peer.send(&bytes(700));
        server.silent();
        server.ctx().pause(conn);
        peer.send(&bytes(1300));
        server.silent();
        server.ctx().resume(conn);
        server.until("it comes", |server| server.bytes_of(conn).len() == 2000);
        server.ctx().pause(conn);
        peer.send(&bytes(100));
        server.silent();
        server.ctx().set_read_low(conn, 100);
        server.silent();
        server.ctx().resume(conn);
        server.until("it comes", |server| server.bytes_of(conn).len() == 2100);
    }
}

/// A socket that is closed with bytes unread sends an RST, which can take our last words with it.
pub(super) fn closing_below_a_mark_resets_nobody<P: Subject>() {
    for family in Family::ALL {
        let limit = |limits: &mut reactor::Limits| {
            limits.read_low = 100_000;
            limits.drain_timeout = Duration::from_millis(30);
        };
        let mut server = Server::<P>::with(family, limit, sink);
        let (mut peer, conn): (Peer, _) = server.connect();
        peer.send(&bytes(1000));
        server.await_input(conn);
        server.ctx().send(conn, b"bye");
        server.ctx().close(conn);
        assert_eq!(server.until_closed(conn), End::Finished);
        assert_eq!(server.receive_all(&mut peer), (b"bye".to_vec(), Tail::End));
    }
}

/// Although the loop sees nothing of it.
pub(super) fn who_sends_below_a_mark_isn_t_idle<P: Subject>() {
    let timeout = Duration::from_millis(40);
    for family in Family::ALL {
        let limit = move |limits: &mut reactor::Limits| {
            limits.read_low = MESSAGE;
            limits.idle_timeout = Some(timeout);
        };
        let mut server = Server::<P>::with(family, limit, sink);
        let (mut peer, conn) = server.connect();
        let start = Instant::now();
        while start.elapsed() < 4 * timeout {
            peer.send(b"x");
            server.await_input(conn);
            server.turn();
        }
        assert_eq!(server.ctx().connections(), 1, "it sends all the time");
        assert_eq!(server.until_closed(conn), End::Idle);
    }
}

/// In the callback that the mark is for, and that takes nothing.
pub(super) fn a_mark_that_is_back_where_it_was_doesn_t_spin<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, |ctx, call| {
            if let Call::Data(conn, _) = call {
                ctx.set_read_low(conn, 2);
                ctx.set_read_low(conn, 1);
            }
        });
        let (mut peer, conn) = server.connect();
        peer.send(&bytes(5));
        server.until_seen(&data(conn, &bytes(5)));
        server.turn();
        assert_eq!(server.empty_turns(SILENCE), 1);
    }
}

/// Up to the place of an urgent byte that nobody took, FIONREAD counts no byte behind it.
pub(super) fn who_sends_behind_an_urgent_byte_isn_t_idle<P: Subject>() {
    let timeout = Duration::from_millis(40);
    let limit = move |limits: &mut reactor::Limits| {
        limits.read_low = MESSAGE;
        limits.idle_timeout = Some(timeout);
    };
    let mut server = Server::<P>::with(Family::Tcp, limit, sink);
    let (mut peer, conn) = server.connect();
    send_urgent(&peer, b'!');
    let start = Instant::now();
    while start.elapsed() < 4 * timeout {
        peer.send(b"x");
        server.turn();
        assert_eq!(server.ctx().connections(), 1, "it sends all the time");
    }
    assert_eq!(server.until_closed(conn), End::Idle);
}
