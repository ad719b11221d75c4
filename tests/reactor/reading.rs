//! What `data` is shown, and when.

use std::cell::Cell;
use std::rc::Rc;

use reactor::{ConnId, Context, Limits};
use tests::Subject;
use tests::peer::Tail;
use tests::recorder::{Call, End, Seen, echo, sink};
use tests::server::{Family, Server};

/// Takes nothing, and closes at the end.
#[expect(clippy::needless_pass_by_value, reason = "as the recorder calls it")]
fn leave(ctx: &mut Context<'_>, call: Call<'_, '_>) {
    if let Call::PeerFinished(conn) = call {
        ctx.close(conn);
    }
}

fn low(mark: usize) -> impl Fn(&mut Limits) {
    move |limits| limits.read_low = mark
}

fn data(conn: ConnId, bytes: &[u8]) -> Seen {
    Seen::Data(conn, bytes.to_vec())
}

pub(super) fn what_was_left_comes_with_what_follows<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, |ctx, call| match call {
            Call::Data(_, input) => {
                // Whole words.
                let words = input.iter().rposition(|byte| *byte == b' ').map_or(0, |at| at + 1);
                input.take_first(words);
            }
            other => sink(ctx, other),
        });
        let (mut peer, conn) = server.connect();
        let expected =
            [("one tw", "one tw"), ("o thr", "two thr"), ("ee", "three"), (" ", "three ")];
        for (sent, shown) in expected {
            peer.send(sent.as_bytes());
            server.until_seen(&data(conn, shown.as_bytes()));
        }
        peer.send(b"end");
        server.until_seen(&data(conn, b"end"));
        server.take_seen();
        drop(peer);
        server.until_closed(conn);
        let last =
            [data(conn, b"end"), Seen::PeerFinished(conn), Seen::Closed(conn, End::Finished)];
        assert_eq!(server.seen(), last);
    }
}

/// Who pauses while it is shown the last bytes has them, and the end, when it resumes.
pub(super) fn a_pause_at_the_end_holds_it_back<P: Subject>() {
    for family in Family::ALL {
        let mut shown = 0;
        let mut server = Server::<P>::new(family, move |ctx, call| match call {
            Call::Data(conn, input) => {
                shown += 1;
                match shown {
                    1 => {}
                    2 => ctx.pause(conn),
                    _ => drop(input.take()),
                }
            }
            other => sink(ctx, other),
        });
        let (mut peer, conn) = server.connect();
        peer.send(b"last");
        server.until_seen(&data(conn, b"last"));
        server.take_seen();
        drop(peer);
        server.until_seen(&data(conn, b"last"));
        server.silent();
        assert_eq!(server.take_seen(), [data(conn, b"last")]);
        server.ctx().resume(conn);
        server.until_closed(conn);
        let end =
            [data(conn, b"last"), Seen::PeerFinished(conn), Seen::Closed(conn, End::Finished)];
        assert_eq!(server.seen(), end);
    }
}

pub(super) fn a_low_water_mark_is_exact<P: Subject>() {
    for family in Family::ALL {
        for mark in [2, 300_000] {
            let mut server = Server::<P>::with(family, low(mark), sink);
            let (mut peer, conn) = server.connect();
            let bytes: Vec<u8> = (0..mark).map(|at| (at % 251) as u8).collect();
            server.send_all(&mut peer, &bytes[..mark - 1]);
            server.silent();
            peer.send(&bytes[mark - 1..]);
            server.until_seen(&data(conn, &bytes));
            // And again from nothing.
            peer.send(&bytes[..1]);
            server.silent();
        }
    }
}

pub(super) fn a_low_water_mark_counts_what_was_left<P: Subject>() {
    let mut server = Server::<P>::with(Family::Tcp, low(10), |ctx, call| match call {
        Call::Data(_, input) => drop(input.take_first(4)),
        other => sink(ctx, other),
    });
    let (mut peer, conn) = server.connect();
    peer.send(b"0123456789");
    server.until_seen(&data(conn, b"0123456789"));
    peer.send(b"abc");
    server.silent();
    peer.send(b"d");
    server.until_seen(&data(conn, b"456789abcd"));
}

pub(super) fn what_is_below_the_mark_comes_at_the_end<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::with(family, low(100), sink);
        let (mut peer, conn) = server.connect();
        peer.send(b"too few");
        server.silent();
        peer.finish();
        server.until_seen(&Seen::PeerFinished(conn));
        let expected = [Seen::Accepted(conn), data(conn, b"too few"), Seen::PeerFinished(conn)];
        assert_eq!(server.seen()[..3], expected);
    }
}

pub(super) fn what_is_below_the_mark_comes_before_a_reset<P: Subject>() {
    let mut server = Server::<P>::with(Family::Tcp, low(100), sink);
    let (mut peer, conn) = server.connect();
    peer.send(b"too few");
    server.silent();
    peer.reset();
    server.until_closed(conn);
    assert_eq!(server.bytes_of(conn), b"too few");
}

/// A handler that isn't content at the end sees what it left once more, and not for ever.
pub(super) fn what_was_left_comes_once_more_at_the_end<P: Subject>() {
    let mut server = Server::<P>::tcp(leave);
    let (mut peer, conn) = server.connect();
    peer.send(b"left");
    server.until_seen(&data(conn, b"left"));
    peer.finish();
    server.until_seen(&Seen::PeerFinished(conn));
    server.until_closed(conn);
    let expected = [
        Seen::Accepted(conn),
        data(conn, b"left"),
        data(conn, b"left"),
        Seen::PeerFinished(conn),
        Seen::Closed(conn, End::Finished),
    ];
    assert_eq!(server.seen(), expected);
}

pub(super) fn a_high_water_mark_pauses_and_taking_resumes<P: Subject>() {
    for family in Family::ALL {
        let limit = |limits: &mut Limits| limits.read_high = 10_000;
        let taking = Rc::new(Cell::new(false));
        let takes = Rc::clone(&taking);
        let mut server = Server::<P>::with(family, limit, move |ctx, call| match call {
            Call::Data(_, input) if takes.get() => drop(input.take()),
            other => leave(ctx, other),
        });
        let (mut peer, conn) = server.connect();
        // Much more than all buffers between the two hold.
        let bytes = vec![1; 8 * 1024 * 1024];
        let mut sent = 0;
        let mut stuck = 0;
        server.until("the peer's sends block", |_| {
            let more = peer.send_some(&bytes[sent..]);
            sent += more;
            stuck = if more == 0 { stuck + 1 } else { 0 };
            stuck == 10
        });
        assert!(sent < bytes.len(), "all of it went");
        let most = server.seen().iter().map(|seen| match seen {
            Seen::Data(_, bytes) => bytes.len(),
            _ => 0,
        });
        let most = most.max().unwrap();
        assert!((10_000..10_000 + 300_000).contains(&most), "{most} bytes are held");
        server.silent();

        taking.set(true);
        server.take_seen();
        server.ctx().resume(conn);
        server.send_all(&mut peer, &bytes[sent..]);
        server.until("all comes", |server| server.bytes_of(conn).len() == bytes.len());
    }
}

/// A connection that never gets to its low-water mark would be stuck.
pub(super) fn a_low_water_mark_above_the_high_one_raises_it<P: Subject>() {
    let limit = |limits: &mut Limits| (limits.read_low, limits.read_high) = (600_000, 1000);
    let mut server = Server::<P>::with(Family::Tcp, limit, sink);
    let (mut peer, conn) = server.connect();
    server.send_all(&mut peer, &vec![1; 600_000]);
    server.until("all comes", |server| server.bytes_of(conn).len() == 600_000);
}

pub(super) fn a_paused_connection_is_silent<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, echo);
        let (mut peer, conn) = server.connect();
        server.ctx().pause(conn);
        peer.send(b"later");
        server.silent();
        // It still sends.
        server.ctx().send(conn, b"now");
        assert_eq!(server.receive(&mut peer, 3), b"now");
        // Also the end has to wait.
        peer.finish();
        server.silent();
        server.ctx().resume(conn);
        assert_eq!(server.receive_all(&mut peer), (b"later".to_vec(), Tail::End));
    }
}

pub(super) fn what_was_left_comes_in_the_turn_that_resumes<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Data(conn, input) if input.len() < 10 => {
            input.take_first(1);
            ctx.pause(conn);
        }
        Call::Timer(..) => {}
        other => leave(ctx, other),
    });
    let (mut peer, conn) = server.connect();
    peer.send(b"abcd");
    server.until_seen(&data(conn, b"abcd"));
    server.silent();
    for shown in [&b"bcd"[..], b"cd", b"d"] {
        server.ctx().resume(conn);
        server.turn();
        assert_eq!(server.seen().last(), Some(&data(conn, shown)));
    }
    server.ctx().resume(conn);
    server.silent();
}

/// As a handler does it that waits for something else before it goes on.
pub(super) fn a_callback_of_another_source_may_resume<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Data(conn, input) => {
            input.take_first(1);
            ctx.pause(conn);
            ctx.after(std::time::Duration::from_millis(1), 0);
        }
        Call::Timer(..) => {}
        other => leave(ctx, other),
    });
    let (mut peer, conn) = server.connect();
    peer.send(b"ab");
    server.until_seen(&Seen::Timer(0));
    server.ctx().resume(conn);
    server.until_seen(&data(conn, b"b"));
}

pub(super) fn pausing_and_resuming_in_one_turn_loses_nothing<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Data(conn, input) => {
            ctx.pause(conn);
            ctx.send(conn, input.take());
            ctx.resume(conn);
            ctx.pause(conn);
            ctx.resume(conn);
        }
        other => sink(ctx, other),
    });
    let (mut peer, _) = server.connect();
    for _ in 0..3 {
        peer.send(b"x");
        assert_eq!(server.receive(&mut peer, 1), b"x");
    }
}

/// `resume` in `data`: once more, please, with what I leave.
pub(super) fn resume_in_data_brings_the_rest_again<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Data(conn, input) => {
            input.take_first(2);
            if !input.is_empty() {
                ctx.resume(conn);
            }
        }
        other => sink(ctx, other),
    });
    let (mut peer, conn) = server.connect();
    peer.send(b"aabbcc");
    server.until_seen(&data(conn, b"cc"));
    let expected = [&b"aabbcc"[..], b"bbcc", b"cc"].map(|bytes| data(conn, bytes));
    assert_eq!(server.seen()[1..], expected);
}

pub(super) fn a_new_low_water_mark_holds_at_once<P: Subject>() {
    let mut server = Server::<P>::with(Family::Tcp, low(100), leave);
    let (mut peer, conn) = server.connect();
    peer.send(b"0123456789");
    server.silent();
    let mut limits = server.ctx().limits(conn).unwrap().clone();
    limits.read_low = 11;
    server.ctx().set_limits(conn, limits.clone());
    server.silent();
    limits.read_low = 10;
    server.ctx().set_limits(conn, limits);
    server.turn();
    assert_eq!(server.seen().last(), Some(&data(conn, b"0123456789")));
}

/// The frames that were found.
type Frames = Rc<Cell<Vec<Vec<u8>>>>;

/// Takes frames of two digits of length and then so many bytes. The mark is always what the next step
/// needs, and what is needed may be there already.
fn frames() -> (Frames, impl FnMut(&mut Context<'_>, Call<'_, '_>)) {
    let found = Rc::new(Cell::new(Vec::<Vec<u8>>::new()));
    let frames = Rc::clone(&found);
    let mut wanted = None;
    let script = move |ctx: &mut Context<'_>, call: Call<'_, '_>| match call {
        Call::Data(conn, input) => {
            match wanted.take() {
                None => {
                    let digits = std::str::from_utf8(input.take_first(2)).unwrap();
                    wanted = Some(digits.parse().unwrap());
                }
                Some(length) => {
                    let mut frames = found.take();
                    frames.push(input.take_first(length).to_vec());
                    found.set(frames);
                }
            }
            let mut limits = ctx.limits(conn).unwrap().clone();
            limits.read_low = wanted.unwrap_or(2);
            ctx.set_limits(conn, limits);
        }
        other => sink(ctx, other),
    };
    (frames, script)
}

pub(super) fn a_mark_set_in_data_holds_for_what_is_left<P: Subject>() {
    let (frames, script) = frames();
    let mut server = Server::<P>::with(Family::Tcp, low(2), script);
    let (mut peer, _) = server.connect();
    peer.send(b"03abc05defgh02ij");
    let mut got = Vec::new();
    server.until("all frames come", |_| {
        got.extend(frames.take());
        got.len() == 3
    });
    assert_eq!(got, [&b"abc"[..], b"defgh", b"ij"]);
}

/// More of them than a turn delivers, and the end right behind.
pub(super) fn the_end_waits_for_a_handler_that_wants_the_rest<P: Subject>() {
    let (frames, script) = frames();
    let mut server = Server::<P>::with(Family::Tcp, low(2), script);
    let (mut peer, conn) = server.connect();
    peer.send(&b"03abc".repeat(100));
    peer.finish();
    server.until_closed(conn);
    assert_eq!(frames.take().len(), 100);
    let frames = server.seen().iter().filter(|seen| matches!(seen, Seen::Data(..))).count();
    assert_eq!(frames, 200);
}

/// Who asks for the same bytes again, and takes none of them, gets them when more came.
pub(super) fn asking_again_without_taking_doesn_t_spin<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Data(conn, input) if input.len() < 4 => {
            let limits = ctx.limits(conn).unwrap().clone();
            ctx.set_limits(conn, limits);
            ctx.resume(conn);
        }
        other => sink(ctx, other),
    });
    let (mut peer, conn) = server.connect();
    peer.send(b"abc");
    server.until_seen(&data(conn, b"abc"));
    server.silent();
    peer.send(b"d");
    server.until_seen(&data(conn, b"abcd"));
}

/// At the end of the stream no more can come to reach the mark.
pub(super) fn resume_after_the_end_brings_what_was_left<P: Subject>() {
    let mut server = Server::<P>::with(Family::Tcp, low(100), |_, _| {});
    let (mut peer, conn) = server.connect();
    peer.send(b"left");
    peer.finish();
    server.until_seen(&Seen::PeerFinished(conn));
    server.take_seen();
    server.ctx().resume(conn);
    server.turn();
    assert_eq!(server.seen(), [data(conn, b"left")]);
}

/// Somebody who sends as fast as it goes delays the others by a turn or two, not for ever.
pub(super) fn a_flood_doesn_t_delay_others<P: Subject>() {
    const TURNS: usize = 4;
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, |ctx, call| match call {
            Call::Data(conn, input) if input.len() < 100 => drop(ctx.send(conn, input.take())),
            other => sink(ctx, other),
        });
        let (mut flood, _) = server.connect();
        let (mut peer, _) = server.connect();
        let bytes = vec![1; 2 * 1024 * 1024];
        for _ in 0..5 {
            flood.send_some(&bytes);
            peer.send(b"hello");
            let mut got = Vec::new();
            for _ in 0..TURNS {
                flood.send_some(&bytes);
                server.turn();
                peer.read_some(&mut got, 10);
            }
            assert_eq!(got, b"hello");
        }
    }
}

pub(super) fn bulk_is_read_to_its_end<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 5) as u8).collect();
        server.send_all(&mut peer, &bytes);
        drop(peer);
        server.until_closed(conn);
        assert!(server.bytes_of(conn) == bytes);
    }
}
