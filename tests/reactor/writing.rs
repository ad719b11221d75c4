//! What `send` answers, and what the peer gets.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;

use bytes::Bytes;
use reactor::{ConnId, Context, Limits, ListenOptions, Sent, SocketOptions, control};
use socket2::SockRef;
use tests::Subject;
use tests::peer::Tail;
use tests::recorder::{Call, End, Seen, echo, sink};
use tests::server::{Family, Server};

/// High at `high` and low at `low`.
fn marks(low: usize, high: usize) -> impl Fn(&mut Limits) {
    move |limits| (limits.write_low, limits.write_high) = (low, high)
}

fn drained(seen: &[Seen]) -> usize {
    seen.iter().filter(|seen| matches!(seen, Seen::Drained(_))).count()
}

pub(super) fn small_sends_are_queued_and_come<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        let mut ctx = server.ctx();
        assert_eq!(ctx.send(conn, b"one "), Sent::Queued);
        assert_eq!(ctx.send_shared(conn, Bytes::from_static(b"two ")), Sent::Queued);
        assert_eq!(ctx.send(conn, b"three"), Sent::Queued);
        assert_eq!(ctx.queued(conn), 13);
        assert_eq!(server.receive(&mut peer, 13), b"one two three");
        assert_eq!(server.ctx().queued(conn), 0);
    }
}

/// What a callback has sent to its own connection waits for its end, and counts.
pub(super) fn queued_counts_what_the_callback_has_sent<P: Subject>() {
    for family in Family::ALL {
        let counts = Rc::new(Cell::new([usize::MAX; 3]));
        let theirs = Rc::clone(&counts);
        let mut server = Server::<P>::new(family, move |ctx, call| {
            if let Call::Data(conn, input) = call {
                input.take();
                let before = ctx.queued(conn);
                ctx.send(conn, &[1; 1000]);
                let one = ctx.queued(conn);
                ctx.send(conn, &[1; 234]);
                theirs.set([before, one, ctx.queued(conn)]);
            }
        });
        let (mut peer, conn) = server.connect();
        peer.send(b"x");
        server.receive(&mut peer, 1234);
        assert_eq!(counts.get(), [0, 1000, 1234]);
        assert_eq!(server.ctx().queued(conn), 0);
    }
}

/// Gathered, at once, shared and queued, in one callback and by turns.
pub(super) fn all_kinds_of_sends_keep_their_order<P: Subject>() {
    let sizes = [1, 5000, 3, 70_000, 0, 4095, 4096, 200_000, 10, 65_536, 1];
    for family in Family::ALL {
        for shift in 0..3 {
            let mut server = Server::<P>::new(family, move |ctx, call| match call {
                Call::Data(conn, input) => {
                    input.take();
                    for (number, size) in sizes.into_iter().enumerate() {
                        let bytes = vec![number as u8; size];
                        let sent = match (number + shift) % 3 {
                            0 => ctx.send_shared(conn, bytes.into()),
                            _ => ctx.send(conn, &bytes),
                        };
                        assert_ne!(sent, Sent::Refused);
                    }
                }
                other => sink(ctx, other),
            });
            let (mut peer, conn) = server.connect();
            peer.send(b"go");
            let total: usize = sizes.iter().sum();
            let got = server.receive(&mut peer, total);
            let all = sizes.into_iter().enumerate();
            let expected: Vec<u8> = all.flat_map(|(n, size)| vec![n as u8; size]).collect();
            assert!(got == expected, "{family:?}, {shift}");
            assert_eq!(server.ctx().queued(conn), 0);
        }
    }
}

pub(super) fn sends_of_nothing_do_nothing<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::with(family, marks(0, 0), |ctx, call| match call {
            Call::Data(conn, input) => {
                assert_eq!(ctx.send(conn, b""), Sent::Queued);
                ctx.send(conn, input.take());
                assert_eq!(ctx.send(conn, b""), Sent::Queued);
                assert_eq!(ctx.send_shared(conn, Bytes::new()), Sent::Queued);
            }
            other => sink(ctx, other),
        });
        let (mut peer, conn) = server.connect();
        assert_eq!(server.ctx().send(conn, b""), Sent::Queued);
        assert_eq!(server.ctx().send_shared(conn, Bytes::new()), Sent::Queued);
        server.silent();
        peer.send(b"x");
        assert_eq!(server.receive(&mut peer, 1), b"x");
        server.silent();
        assert_eq!(drained(server.seen()), 0, "nothing was above any mark");
    }
}

/// The mark is about what a peer doesn't take, not about how much one callback says to another one.
pub(super) fn who_keeps_up_is_above_no_mark<P: Subject>() {
    for family in Family::ALL {
        let members = Rc::new(RefCell::new(Vec::new()));
        let all = Rc::clone(&members);
        let mut server =
            Server::<P>::with(family, marks(1_000, 10_000), move |ctx, call| match call {
                Call::Accepted(conn, _) => all.borrow_mut().push(conn),
                Call::Data(conn, input) => {
                    input.take();
                    let other = all.borrow().iter().copied().find(|other| *other != conn).unwrap();
                    for piece in 0..600 {
                        let sent = match piece % 2 {
                            0 => ctx.send(other, &[7; 100]),
                            _ => ctx.send_shared(other, Bytes::from_static(&[7; 100])),
                        };
                        assert_eq!(sent, Sent::Queued, "piece {piece}");
                    }
                }
                _ => {}
            });
        let (mut speaker, _) = server.connect();
        let (mut listener, _) = server.connect();
        speaker.send(b"go");
        assert_eq!(server.receive(&mut listener, 60_000), [7; 60_000]);
        assert_eq!(drained(server.seen()), 0, "{family:?}");
    }
}

pub(super) fn above_high_water_is_said_and_drained_comes_once<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::with(family, marks(20_000, 2_000_000), sink);
        let (mut peer, conn) = server.connect();
        for _ in 0..3 {
            let mut sent = server.clog(conn);
            server.silent();
            // Up to the mark nothing is said.
            let room = 2_000_000 - server.ctx().queued(conn);
            let bytes = vec![5; room];
            let mut ctx = server.ctx();
            assert_eq!(ctx.send(conn, &bytes), Sent::Queued);
            assert_eq!(ctx.send(conn, b"!"), Sent::AboveHighWater);
            assert_eq!(ctx.send(conn, b"!"), Sent::AboveHighWater);
            sent.extend_from_slice(&bytes);
            sent.extend_from_slice(b"!!");
            server.take_seen();
            server.silent();
            assert!(server.receive(&mut peer, sent.len()) == sent);
            server.until_seen(&Seen::Drained(conn));
            server.silent();
            assert_eq!(server.take_seen(), [Seen::Drained(conn)], "once");
        }
    }
}

/// Between the marks nothing is said: only what was above the high one drains.
pub(super) fn below_high_water_nothing_drains<P: Subject>() {
    let mut server = Server::<P>::with(Family::Tcp, marks(10, 100_000), sink);
    let (mut peer, conn) = server.connect();
    for _ in 0..5 {
        assert_eq!(server.ctx().send(conn, &[1; 50_000]), Sent::Queued);
        assert_eq!(server.receive(&mut peer, 50_000).len(), 50_000);
    }
    server.silent();
    assert_eq!(drained(server.seen()), 0);
}

/// The same for what goes to the socket at once in a callback of its own.
pub(super) fn marks_hold_in_a_callback<P: Subject>() {
    let answers = Rc::new(Cell::new(Vec::new()));
    let said = Rc::clone(&answers);
    let script = move |ctx: &mut Context<'_>, call: Call<'_, '_>| match call {
        Call::Data(conn, input) => {
            input.take();
            let mut answers = Vec::new();
            while answers.last() != Some(&Sent::AboveHighWater) {
                answers.push(ctx.send(conn, &[9; 50_000]));
                assert!(answers.len() < 2000, "never above the mark");
            }
            said.set(answers);
        }
        other => sink(ctx, other),
    };
    let mut server = Server::<P>::with(Family::Tcp, marks(1000, 200_000), script);
    let (mut peer, conn) = server.connect();
    peer.send(b"go");
    let mut count = 0;
    server.until("it is above the mark", |_| {
        count = answers.take().len().max(count);
        count > 0
    });
    assert!(count > 1);
    assert_eq!(server.receive(&mut peer, count * 50_000).len(), count * 50_000);
    server.until_seen(&Seen::Drained(conn));
    server.silent();
    assert_eq!(drained(server.seen()), 1);
}

/// As a handler does it that has more than memory holds: fill, wait for `drained`, fill again.
pub(super) fn drained_may_fill_the_queue_again<P: Subject>() {
    const CHUNKS: usize = 150;
    let mut left = CHUNKS;
    let fill = move |ctx: &mut Context<'_>, conn: ConnId| {
        while left > 0 {
            left -= 1;
            if ctx.send(conn, &[left as u8; 10_000]) != Sent::Queued {
                return;
            }
        }
        ctx.close(conn);
    };
    for family in Family::ALL {
        let mut fill = fill;
        let mut most = 0;
        let mut server =
            Server::<P>::with(family, marks(10_000, 50_000), move |ctx, call| match call {
                Call::Accepted(conn, _) | Call::Drained(conn) => fill(ctx, conn),
                other => sink(ctx, other),
            });
        let mut peer = server.client();
        let conn = server.next_accepted();
        let (mut got, mut tail) = (Vec::new(), Tail::Open);
        server.until("all comes", |server| {
            most = most.max(server.ctx().queued(conn));
            tail = peer.read_some(&mut got, 30_000);
            tail != Tail::Open
        });
        let expected: Vec<u8> = (0..CHUNKS).rev().flat_map(|n| [n as u8; 10_000]).collect();
        assert!(got == expected);
        assert_eq!(tail, Tail::End);
        assert!(most <= 60_000, "{most} bytes were queued");
    }
}

pub(super) fn beyond_its_cap_a_connection_is_closed<P: Subject>() {
    for family in Family::ALL {
        for shared in [false, true] {
            let cap = |limits: &mut Limits| limits.write_cap = 1_000_000;
            let mut server = Server::<P>::with(family, cap, sink);
            let (mut peer, conn) = server.connect();
            let (_other, bystander) = server.connect();
            let chunk = Bytes::from(vec![1; 100_000]);
            let mut sent = 0;
            server.until("it overflows", |server| {
                let mut ctx = server.ctx();
                let answer = match shared {
                    true => ctx.send_shared(conn, chunk.clone()),
                    false => ctx.send(conn, &chunk),
                };
                assert!(ctx.queued(conn) <= 1_000_000, "{} are queued", ctx.queued(conn));
                sent += 1;
                assert!(sent < 1000);
                answer == Sent::Refused
            });
            assert!(sent > 10);
            assert_eq!(server.ctx().send(conn, b"more"), Sent::Refused);
            assert_eq!(server.until_closed(conn), End::Overflow);
            let (got, tail) = server.receive_all(&mut peer);
            assert!(got.len() < sent * 100_000);
            if family == Family::Tcp {
                // The peer mustn't take what it got for all.
                assert!(matches!(tail, Tail::Failed(_)), "{tail:?}");
            }
            assert_eq!(server.ctx().send(bystander, b"x"), Sent::Queued);
        }
    }
}

/// One send may be more than the cap: it isn't copied to find that out.
pub(super) fn a_send_beyond_the_cap_is_not_queued<P: Subject>() {
    let cap = |limits: &mut Limits| limits.write_cap = 1000;
    let mut server = Server::<P>::with(Family::Tcp, cap, sink);
    let (_peer, conn) = server.connect();
    assert_eq!(server.ctx().send(conn, &[0; 1000]), Sent::Queued);
    assert_eq!(server.ctx().send(conn, &[0; 1001]), Sent::Refused);
    assert!(server.ctx().queued(conn) <= 1000);
    assert_eq!(server.until_closed(conn), End::Overflow);
}

/// Nothing goes out behind bytes that were dropped, though the socket has room again by then. It takes a
/// few rounds to bring that about.
pub(super) fn no_bytes_follow_an_overflow<P: Subject>() {
    for round in 0..10 {
        let gathered = Rc::new(Cell::new(0));
        let ours = Rc::clone(&gathered);
        let limits = |limits: &mut Limits| (limits.write_cap, limits.write_high) = (1000, 1 << 20);
        let mut server = Server::<P>::with(Family::Unix, limits, move |ctx, call| {
            if let Call::Data(conn, input) = call {
                input.take();
                let taken = (0..20).filter(|_| ctx.send(conn, &[b'a'; 3000]) == Sent::Queued);
                ours.set(taken.count() * 3000);
                // Too long to be gathered.
                ctx.send(conn, &[b'b'; 5000]);
                // A reader that has kept up with all of it is waiting for the end.
                ctx.close(conn);
            }
        });
        let path = server.directory().join("socket");
        let reader = thread::spawn(move || {
            let mut stream = UnixStream::connect(path).unwrap();
            stream.write_all(b"go").unwrap();
            let mut got = Vec::new();
            // Its end may be an error.
            let _ = stream.read_to_end(&mut got);
            got
        });
        let conn = server.next_accepted();
        {
            let ctx = server.ctx();
            if let Some(socket) = ctx.socket(conn) {
                SockRef::from(&socket).set_send_buffer_size(4608 + round * 512).unwrap();
            }
        }
        server.until("it is over", |server| server.ctx().connections() == 0);
        let got = reader.join().unwrap();
        let before = got.iter().filter(|byte| **byte == b'a').count();
        assert!(before == got.len() || before == gathered.get(), "round {round}: a hole");
    }
}

pub(super) fn shared_bytes_go_to_many<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let mut all: Vec<_> = (0..40).map(|_| server.connect()).collect();
    let bytes = Bytes::from((0..200_000_u32).map(|at| (at / 3) as u8).collect::<Vec<_>>());
    for (_, conn) in &all {
        let mut ctx = server.ctx();
        ctx.send(*conn, b"<");
        assert_ne!(ctx.send_shared(*conn, bytes.clone()), Sent::Refused);
        ctx.send(*conn, b">");
    }
    assert!(!bytes.is_unique(), "they are shared, not copied");
    for (peer, _) in &mut all {
        let got = server.receive(peer, 200_002);
        assert!(got[0] == b'<' && got[1..200_001] == bytes && got[200_001] == b'>');
    }
    server.until("nobody holds them any more", |_| bytes.is_unique());
}

pub(super) fn a_slow_reader_delays_nobody<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let (_slow, slow_conn) = server.connect();
    server.clog(slow_conn);
    let (mut peer, _) = server.connect();
    for _ in 0..5 {
        peer.send(b"hello");
        assert_eq!(server.receive(&mut peer, 5), b"hello");
    }
    assert!(server.ctx().queued(slow_conn) > 0);
}

/// All that is queued goes on while reading is paused, and the other way round.
pub(super) fn both_directions_are_full_and_all_comes<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, echo);
        let (mut peer, _) = server.connect();
        let bytes: Vec<u8> = (0..2_500_000_u32).map(|at| (at / 11) as u8).collect();
        let (mut sent, mut got) = (0, Vec::new());
        server.until("all comes back", |_| {
            if sent < bytes.len() {
                sent += peer.send_some(&bytes[sent..]);
            }
            peer.read_some(&mut got, 300_000);
            got.len() == bytes.len()
        });
        assert!(got == bytes);
    }
}

/// TCP_NOTSENT_LOWAT has what isn't sent yet wait in the queue, where `queued` counts it, instead of in
/// the kernel. Linux.
pub(super) fn little_waits_unsent_in_the_kernel<P: Subject>() {
    const MARK: u32 = 16 * 1024;
    if cfg!(not(target_os = "linux")) {
        return;
    }
    let mut server = Server::<P>::with(Family::Tcp, |limits| limits.write_cap = usize::MAX, sink);
    let socket = SocketOptions::default().unsent_low(MARK);
    let options = ListenOptions::default().socket(socket);
    let listener = server.ctx().listen_with("127.0.0.1:0", &options).unwrap();
    let mut peer = server.client_of(listener);
    let conn = server.next_accepted();
    let bytes: Vec<u8> = (0..8_000_000_u32).map(|at| (at / 3) as u8).collect();
    server.ctx().send(conn, &bytes);
    let mut got = Vec::new();
    server.until("all comes", |server| {
        let ctx = server.ctx();
        let unsent = control::unsent_bytes(&ctx.socket(conn).unwrap()).unwrap();
        // And one more segment of the loopback interface, which are long.
        assert!(unsent <= MARK as usize + 64 * 1024, "{unsent} bytes wait in the kernel");
        peer.read_some(&mut got, 100_000);
        got.len() == bytes.len()
    });
    assert!(got == bytes);
}
