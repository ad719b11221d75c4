//! How a connection ends, and what of it still arrives.

use std::io;
use std::time::{Duration, Instant};

use reactor::{Limits, Sent};
use rustix::event::PollFlags;
use tests::Subject;
use tests::peer::Tail;
use tests::recorder::{Call, End, Seen, echo, sink};
use tests::rig::PATIENCE;
use tests::server::{Family, Server};
use tests::sockets::await_bits;

const RESET: io::ErrorKind = io::ErrorKind::ConnectionReset;

fn drain_for(time: Duration) -> impl Fn(&mut Limits) {
    move |limits| limits.drain_timeout = time
}

pub(super) fn finish_ends_our_side_alone<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        let mut ctx = server.ctx();
        ctx.send(conn, b"that's all");
        ctx.finish(conn);
        ctx.finish(conn);
        assert_eq!(ctx.send(conn, b"x"), Sent::Refused);
        assert_eq!(ctx.send_shared(conn, b"x"[..].into()), Sent::Refused);
        assert_eq!(server.receive_all(&mut peer), (b"that's all".to_vec(), Tail::End));
        peer.send(b"but I have more");
        server.until_seen(&Seen::Data(conn, b"but I have more".to_vec()));
        server.silent();
        peer.finish();
        assert_eq!(server.until_closed(conn), End::Finished);
    }
}

pub(super) fn finish_sends_all_that_is_queued_before<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        let sent = server.clog(conn);
        server.ctx().finish(conn);
        let (got, tail) = server.receive_all(&mut peer);
        assert!(got == sent);
        assert_eq!(tail, Tail::End);
        assert_eq!(server.reactor.handler().open(), 1);
        drop(peer);
        assert_eq!(server.until_closed(conn), End::Finished);
    }
}

pub(super) fn answers_go_on_after_the_peer_has_finished<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, |ctx, call| match call {
            Call::Data(_, input) => drop(input.take()),
            Call::PeerFinished(_) => drop(ctx.after(Duration::from_millis(1), 0)),
            _ => {}
        });
        let (mut peer, conn) = server.connect();
        peer.send(b"question");
        peer.finish();
        server.until_seen(&Seen::Timer(0));
        let answer = vec![42; 3_000_000];
        assert_ne!(server.ctx().send(conn, &answer), Sent::Refused);
        assert!(server.receive(&mut peer, answer.len()) == answer);
        server.silent();
        assert_eq!(server.reactor.handler().open(), 1, "it stays open until it is closed");
        server.ctx().send(conn, b"bye");
        server.ctx().finish(conn);
        assert_eq!(server.receive_all(&mut peer), (b"bye".to_vec(), Tail::End));
        assert_eq!(server.until_closed(conn), End::Finished);
    }
}

pub(super) fn close_sends_all_to_a_slow_reader<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        let sent = server.clog(conn);
        server.ctx().close(conn);
        assert_eq!(server.ctx().send(conn, b"x"), Sent::Refused);
        server.silent();
        let (got, tail) = server.receive_all(&mut peer);
        assert!(got == sent, "{} of {} bytes", got.len(), sent.len());
        assert_eq!(tail, Tail::End);
        drop(peer);
        assert_eq!(server.until_closed(conn), End::Finished);
    }
}

/// What a peer says to somebody who closes is dropped, and doesn't get the way of what is queued.
pub(super) fn a_peer_that_goes_on_sending_loses_nothing_of_ours<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        let sent = server.clog(conn);
        peer.send(b"unread");
        server.await_input(conn);
        server.ctx().close(conn);
        let mut got = Vec::new();
        let mut tail = Tail::Open;
        server.until("the peer finds the end", |_| {
            peer.send_some(&[1; 100]);
            tail = peer.read_some(&mut got, 50_000);
            tail != Tail::Open
        });
        assert_eq!(tail, Tail::End);
        assert!(got == sent, "{} of {} bytes", got.len(), sent.len());
        assert_eq!(server.bytes_of(conn), b"", "what comes after close is dropped");
        peer.finish();
        assert_eq!(server.until_closed(conn), End::Finished);
    }
}

/// A peer that never ends its side is waited for no longer than the deadline.
pub(super) fn lingering_ends_at_the_deadline<P: Subject>() {
    let time = Duration::from_millis(30);
    for family in Family::ALL {
        let mut server = Server::<P>::with(family, drain_for(time), sink);
        let (mut peer, conn) = server.connect();
        let start = Instant::now();
        server.ctx().send(conn, b"bye");
        server.ctx().close(conn);
        assert_eq!(server.receive_all(&mut peer), (b"bye".to_vec(), Tail::End));
        assert_eq!(server.until_closed(conn), End::Finished);
        assert!(start.elapsed() >= time, "it waited for {:?}", start.elapsed());
    }
}

/// Nor for more than a megabyte of what it says.
pub(super) fn lingering_ends_at_its_most_bytes<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::with(family, drain_for(PATIENCE * 10), sink);
        let (mut peer, conn) = server.connect();
        server.ctx().close(conn);
        let bytes = vec![1; 100_000];
        let mut sent = 0;
        server.until("it is closed", |server| {
            sent += peer.send_some(&bytes);
            server.ctx().connections() == 0
        });
        assert_eq!(server.until_closed(conn), End::Finished);
        assert!((1_000_000..20_000_000).contains(&sent), "after {sent} bytes");
    }
}

pub(super) fn draining_ends_at_its_deadline<P: Subject>() {
    let time = Duration::from_millis(30);
    for family in Family::ALL {
        let mut server = Server::<P>::with(family, drain_for(time), sink);
        let (mut peer, conn) = server.connect();
        let sent = server.clog(conn);
        let queued = server.ctx().queued(conn);
        let start = Instant::now();
        server.ctx().close(conn);
        let end = server.until_closed(conn);
        // The kernel may have found room for some more.
        assert!(
            matches!(end, End::Undelivered { unsent } if (1..=queued).contains(&unsent)),
            "{end:?} of {queued}"
        );
        assert!(start.elapsed() >= time, "it waited for {:?}", start.elapsed());
        let (got, tail) = server.receive_all(&mut peer);
        assert!(got.len() < sent.len());
        if family == Family::Tcp {
            assert_eq!(tail, Tail::Failed(RESET), "a peer mustn't take it for all");
        }
    }
}

pub(super) fn a_peer_that_goes_while_we_drain_is_an_error<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (peer, conn) = server.connect();
        server.clog(conn);
        server.ctx().close(conn);
        server.turn();
        // With our bytes unread: a reset.
        drop(peer);
        let end = server.until_closed(conn);
        assert!(matches!(end, End::Error(_)), "{end:?}");
    }
}

/// The server sends, the peer has said why it wants no more of it, and gone: "413 Too Large".
pub(super) fn the_last_words_arrive_after_a_failed_write<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        // Nobody reads meanwhile.
        server.ctx().pause(conn);
        server.turn();
        peer.send(b"413 Too Large");
        server.await_input(conn);
        drop(peer);
        await_bits(&server.ctx().socket(conn).unwrap(), PollFlags::IN | PollFlags::RDHUP);
        // TCP: the first write brings the RST, the second the error.
        let mut refused = false;
        server.until("a write fails", |server| {
            refused |= server.ctx().send(conn, b"more") == Sent::Refused;
            refused
        });
        // A pause holds, whatever fails in it.
        server.silent();
        server.ctx().resume(conn);
        let end = server.until_closed(conn);
        let broken = End::Error(io::ErrorKind::BrokenPipe);
        assert!(end == End::Error(RESET) || end == broken, "{family:?}: {end:?}");
        assert_eq!(server.bytes_of(conn), b"413 Too Large", "{family:?}");
        assert!(!server.seen().contains(&Seen::PeerFinished(conn)));
        server.silent();
    }
}

/// The same when the peer's last words came with its reset: it had our bytes unread.
pub(super) fn the_last_words_arrive_before_a_reset<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        server.ctx().send(conn, b"unread by the peer");
        server.turn();
        await_bits(&peer, PollFlags::IN);
        server.ctx().pause(conn);
        peer.send(b"last words");
        server.await_input(conn);
        drop(peer);
        server.ctx().send(conn, b"more");
        server.turn();
        server.ctx().resume(conn);
        let end = server.until_closed(conn);
        assert!(matches!(end, End::Error(_)), "{family:?}: {end:?}");
        assert_eq!(server.bytes_of(conn), b"last words", "{family:?}");
    }
}

/// Once it was told, the kernel says "end of stream": a clean end that isn't one.
pub(super) fn a_reset_stays_the_reason<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (peer, conn) = server.connect();
    server.ctx().pause(conn);
    server.turn();
    peer.reset();
    await_bits(&server.ctx().socket(conn).unwrap(), PollFlags::HUP);
    // This write takes the error, and the next read would find an end.
    server.ctx().send(conn, b"x");
    server.turn();
    server.ctx().resume(conn);
    assert_eq!(server.until_closed(conn), End::Error(RESET));
    assert!(!server.seen().contains(&Seen::PeerFinished(conn)));
}

/// A close that finds its peer gone says so, and not what shutdown(2) says of that.
pub(super) fn a_reset_is_the_reason_of_a_close_too<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (peer, conn) = server.connect();
    server.ctx().pause(conn);
    server.turn();
    peer.reset();
    await_bits(&server.ctx().socket(conn).unwrap(), PollFlags::HUP);
    server.ctx().close(conn);
    assert_eq!(server.until_closed(conn), End::Error(RESET));
}

pub(super) fn an_abort_drops_what_is_queued<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        let sent = server.clog(conn);
        server.ctx().abort(conn);
        assert_eq!(server.until_closed(conn), End::Aborted);
        let (got, tail) = server.receive_all(&mut peer);
        assert!(got.len() < sent.len());
        if family == Family::Tcp {
            assert_eq!(tail, Tail::Failed(RESET));
        }
    }
}

fn idle(time: u64) -> impl Fn(&mut Limits) {
    move |limits| limits.idle_timeout = Some(Duration::from_millis(time))
}

pub(super) fn who_is_idle_is_closed_and_nobody_else<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::with(family, idle(60), echo);
        let start = Instant::now();
        let (mut busy, busy_conn) = server.connect();
        let (mut lazy, lazy_conn) = server.connect();
        let mut got = Vec::new();
        server.until("the idle one is closed", |server| {
            busy.send_some(b"x");
            busy.read_some(&mut got, 1000);
            server.ctx().connections() == 1
        });
        // Its clock has whole milliseconds.
        let elapsed = start.elapsed();
        assert!(elapsed >= Duration::from_millis(59), "after {elapsed:?}");
        assert_eq!(server.until_closed(lazy_conn), End::Idle);
        assert_eq!(server.receive_all(&mut lazy), (vec![], Tail::End));
        assert_eq!(server.reactor.handler().open(), 1);
        assert_eq!(server.until_closed(busy_conn), End::Idle, "then it is idle, too");
    }
}

/// The time counts from the last byte, in either direction, however often it was put off. The times
/// are long enough for a busy machine: this takes half a second.
pub(super) fn idle_counts_from_the_last_byte<P: Subject>() {
    let mut server = Server::<P>::with(Family::Tcp, idle(200), sink);
    let (mut hears, hearing) = server.connect();
    let (mut says, saying) = server.connect();
    let start = Instant::now();
    let mut last = start;
    let mut bytes = Vec::new();
    server.until("some time has gone by", |server| {
        server.ctx().send(hearing, b"x");
        hears.read_some(&mut bytes, 100);
        says.send(b"x");
        last = Instant::now();
        start.elapsed() > Duration::from_millis(300)
    });
    assert_eq!(server.reactor.handler().open(), 2);
    for conn in [hearing, saying] {
        assert_eq!(server.until_closed(conn), End::Idle);
        let idle = last.elapsed();
        // Its clock has whole milliseconds.
        assert!(idle >= Duration::from_millis(199), "closed after {idle:?}");
        assert!(idle < Duration::from_secs(2), "closed after {idle:?}");
    }
}

/// What is sent from bytes that came long ago counts, too. This takes half a second, and is tried again
/// where the machine itself was away for as long as a timeout.
pub(super) fn who_is_sent_to_isn_t_idle<P: Subject>() {
    for _ in 0..10 {
        let mut conn_of = None;
        let mut server = Server::<P>::with(Family::Tcp, idle(200), move |ctx, call| match call {
            Call::Accepted(conn, _) => conn_of = Some(conn),
            Call::Data(conn, input) => {
                ctx.send(conn, input.take_first(1));
                ctx.after(Duration::from_millis(10), 0);
            }
            Call::Timer(..) => ctx.resume(conn_of.unwrap()),
            _ => {}
        });
        let (mut peer, _) = server.connect();
        peer.send(&[1; 1000]);
        let start = Instant::now();
        let (mut bytes, mut last, mut longest) = (Vec::new(), start, Duration::ZERO);
        server.until("some time has gone by", |_| {
            peer.read_some(&mut bytes, 100);
            longest = longest.max(last.elapsed());
            last = Instant::now();
            start.elapsed() > Duration::from_millis(500)
        });
        if server.reactor.handler().open() == 1 {
            return;
        }
        assert!(longest > Duration::from_millis(150), "idle after {} bytes", bytes.len());
    }
    panic!("the machine is never there for 150 ms");
}

/// A peer that never takes what is queued is idle, and what it got isn't all.
pub(super) fn an_idle_reader_learns_that_it_was_not_all<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (mut peer, conn) = server.connect();
    let sent = server.clog(conn);
    let mut limits = server.ctx().limits(conn).unwrap().clone();
    idle(30)(&mut limits);
    server.ctx().set_limits(conn, limits);
    assert_eq!(server.until_closed(conn), End::Idle);
    let (got, tail) = server.receive_all(&mut peer);
    assert!(got.len() < sent.len());
    assert_eq!(tail, Tail::Failed(RESET));
}

pub(super) fn an_idle_timeout_can_be_set_and_taken_back<P: Subject>() {
    let mut server = Server::<P>::with(Family::Tcp, idle(30), sink);
    let (_peer, spared) = server.connect();
    let mut limits = server.ctx().limits(spared).unwrap().clone();
    limits.idle_timeout = None;
    server.ctx().set_limits(spared, limits.clone());
    let (_other, conn) = server.connect();
    assert_eq!(server.until_closed(conn), End::Idle);
    server.silent();
    assert_eq!(server.reactor.handler().open(), 1);
    idle(10)(&mut limits);
    server.ctx().set_limits(spared, limits);
    assert_eq!(server.until_closed(spared), End::Idle);
}

/// A peer that reads is served to the end after it has finished, however slowly.
pub(super) fn a_finished_peer_that_reads_slowly_gets_all<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, echo);
        let (mut peer, conn) = server.connect();
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|at| (at / 13) as u8).collect();
        let (mut sent, mut got) = (0, Vec::new());
        server.until("all is sent", |_| {
            sent += peer.send_some(&bytes[sent..]);
            peer.read_some(&mut got, 1000);
            sent == bytes.len()
        });
        peer.finish();
        server.turn();
        let (rest, tail) = server.receive_all(&mut peer);
        got.extend(rest);
        assert!(got == bytes);
        assert_eq!(tail, Tail::End);
        assert_eq!(server.until_closed(conn), End::Finished);
    }
}
