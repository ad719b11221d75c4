//! Urgent data: what a handler that wants it sees, and what one sees that doesn't.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use reactor::{ConnId, Context, Sent};
use rustix::event::PollFlags;
use socket2::SockRef;
use tests::Subject;
use tests::counted::Counted;
use tests::peer::Peer;
use tests::recorder::{Call, End, Seen, echo, sink};
use tests::rig::SILENCE;
use tests::server::{Family, Server};
use tests::sockets::{await_bits, receive_urgent, send_urgent};

/// Takes what comes, from connections that hear of urgent bytes.
fn listening(ctx: &mut Context<'_>, call: Call<'_, '_>) {
    match call {
        Call::Accepted(conn, _) => ctx.watch_urgent(conn, true),
        other => sink(ctx, other),
    }
}

/// "ab", an urgent byte, "cd", all of it there before the loop looks.
fn urgent_in_the_middle<P: Subject>(server: &mut Server<P>, peer: &mut Peer, conn: ConnId) {
    peer.send(b"ab");
    send_urgent(peer, b'!');
    peer.send(b"cd");
    let ctx = server.ctx();
    await_bits(&ctx.socket(conn).unwrap(), PollFlags::IN | PollFlags::PRI);
}

/// The byte comes first, and the others keep their order, apart at its place.
pub(super) fn an_urgent_byte_overtakes_the_others<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, listening);
        let (mut peer, conn) = server.connect();
        urgent_in_the_middle(&mut server, &mut peer, conn);
        server.take_seen();
        server.until("all comes", |server| server.bytes_of(conn) == b"abcd");
        let (before, after) = (b"ab".to_vec(), b"cd".to_vec());
        let expected =
            [Seen::Urgent(conn, b'!'), Seen::Data(conn, before), Seen::Data(conn, after)];
        assert_eq!(server.take_seen(), expected, "{family:?}");
        // And again.
        send_urgent(&peer, b'?');
        server.until_seen(&Seen::Urgent(conn, b'?'));
        server.silent();
    }
}

pub(super) fn who_doesn_t_ask_hears_nothing<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, sink);
        let (mut peer, conn) = server.connect();
        send_urgent(&peer, b'!');
        {
            let ctx = server.ctx();
            await_bits(&ctx.socket(conn).unwrap(), PollFlags::PRI);
        }
        if family == Family::Tcp {
            assert_eq!(server.empty_turns(SILENCE), 1, "nobody is woken");
        }
        peer.send(b"data");
        server.until("all comes", |server| server.bytes_of(conn) == b"data");
        let heard = server.seen().iter().any(|seen| matches!(seen, Seen::Urgent(..)));
        assert!(!heard, "{family:?}");
    }
}

pub(super) fn who_no_longer_asks_hears_nothing<P: Subject>() {
    let mut server = Server::<P>::tcp(listening);
    let (mut peer, conn) = server.connect();
    send_urgent(&peer, b'1');
    server.until_seen(&Seen::Urgent(conn, b'1'));
    server.ctx().watch_urgent(conn, false);
    send_urgent(&peer, b'2');
    server.silent();
    peer.send(b"data");
    server.until("data comes", |server| server.bytes_of(conn) == b"data");
    server.ctx().watch_urgent(conn, true);
    send_urgent(&peer, b'3');
    server.until_seen(&Seen::Urgent(conn, b'3'));
    assert!(!server.seen().contains(&Seen::Urgent(conn, b'2')));
}

/// As telnet's "synch" has it (RFC 854): what was sent before the urgent byte is dropped.
pub(super) fn a_handler_can_drop_all_up_to_the_mark<P: Subject>() {
    for family in Family::ALL {
        let kept = Rc::new(RefCell::new((Vec::new(), false)));
        let state = Rc::clone(&kept);
        let mut server = Server::<P>::new(family, move |ctx, call| {
            let (kept, dropping) = &mut *state.borrow_mut();
            match call {
                Call::Urgent(conn, _) => *dropping = !ctx.at_mark(conn).unwrap(),
                Call::Data(conn, input) => {
                    let bytes = input.take();
                    if *dropping {
                        *dropping = !ctx.at_mark(conn).unwrap();
                    } else {
                        kept.extend_from_slice(bytes);
                    }
                }
                other => listening(ctx, other),
            }
        });
        let (mut peer, conn) = server.connect();
        urgent_in_the_middle(&mut server, &mut peer, conn);
        server.until("what is behind comes", |_| kept.borrow().0 == b"cd");
        // With nothing before it there is nothing to drop.
        send_urgent(&peer, b'!');
        peer.send(b"ef");
        server.until("what is behind comes", |_| kept.borrow().0 == b"cdef");
    }
}

pub(super) fn the_mark_counts_more_than_low_water<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::with(family, |limits| limits.read_low = 100, listening);
        let (mut peer, conn) = server.connect();
        urgent_in_the_middle(&mut server, &mut peer, conn);
        server.until_seen(&Seen::Data(conn, b"ab".to_vec()));
        server.silent();
        peer.finish();
        server.until_seen(&Seen::Data(conn, b"cd".to_vec()));
        assert_eq!(server.bytes_of(conn), b"abcd", "{family:?}");
    }
}

/// The bytes before it were read when nothing was known of it.
pub(super) fn what_waits_below_low_water_comes_before_a_mark<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::with(family, |limits| limits.read_low = 100, listening);
        let (mut peer, conn) = server.connect();
        peer.send(b"ab");
        server.silent();
        server.take_seen();
        send_urgent(&peer, b'!');
        server.until_seen(&Seen::Urgent(conn, b'!'));
        let expected = [Seen::Data(conn, b"ab".to_vec()), Seen::Urgent(conn, b'!')];
        assert_eq!(server.take_seen(), expected, "{family:?}");
    }
}

pub(super) fn a_pause_doesn_t_hold_urgent_bytes_back<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, listening);
        let (mut peer, conn) = server.connect();
        server.ctx().pause(conn);
        peer.send(b"ab");
        send_urgent(&peer, b'!');
        server.until_seen(&Seen::Urgent(conn, b'!'));
        assert_eq!(server.bytes_of(conn), b"");
        assert_eq!(server.empty_turns(SILENCE), 1, "{family:?}");
        server.ctx().resume(conn);
        server.until("the rest comes", |server| server.bytes_of(conn) == b"ab");
    }
}

/// What was kept below the low-water mark, and paused, still comes apart from what follows.
pub(super) fn a_pause_keeps_the_place_of_an_urgent_byte<P: Subject>() {
    let marks = Rc::new(RefCell::new(Vec::new()));
    let ours = Rc::clone(&marks);
    let low = |limits: &mut reactor::Limits| limits.read_low = 10;
    let mut server = Server::<P>::with(Family::Tcp, low, move |ctx, call| {
        if let Call::Urgent(conn, _) = call {
            ours.borrow_mut().push(ctx.at_mark(conn).unwrap());
        }
        listening(ctx, call);
    });
    let (mut peer, conn) = server.connect();
    peer.send(b"abc");
    server.silent();
    server.ctx().pause(conn);
    send_urgent(&peer, b'!');
    server.until_seen(&Seen::Urgent(conn, b'!'));
    assert_eq!(*marks.borrow(), [false], "three bytes before it are still to come");
    server.ctx().resume(conn);
    peer.send(b"0123456789");
    server.until_seen(&Seen::Data(conn, b"0123456789".to_vec()));
    assert!(server.seen().contains(&Seen::Data(conn, b"abc".to_vec())));
}

/// A hang-up counts as priority, too, and lasts.
pub(super) fn a_paused_listener_for_urgent_bytes_doesn_t_spin<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, listening);
        let (peer, conn) = server.connect();
        server.ctx().pause(conn);
        peer.reset();
        {
            let ctx = server.ctx();
            await_bits(&ctx.socket(conn).unwrap(), PollFlags::HUP);
        }
        assert!(server.empty_turns(SILENCE) <= 2, "{family:?}");
        server.ctx().resume(conn);
        let end = server.until_closed(conn);
        let reset = End::Error(io::ErrorKind::ConnectionReset);
        assert_eq!(end, if family == Family::Tcp { reset } else { End::Finished });
    }
}

pub(super) fn a_callback_may_end_the_connection<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Urgent(conn, _) => ctx.abort(conn),
        other => listening(ctx, other),
    });
    let (mut peer, conn) = server.connect();
    urgent_in_the_middle(&mut server, &mut peer, conn);
    assert_eq!(server.until_closed(conn), End::Aborted);
    assert_eq!(server.bytes_of(conn), b"");
}

pub(super) fn a_callback_may_answer<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Urgent(conn, byte) => drop(ctx.send(conn, &[byte])),
        Call::Accepted(conn, _) => ctx.watch_urgent(conn, true),
        other => echo(ctx, other),
    });
    let (mut peer, conn) = server.connect();
    urgent_in_the_middle(&mut server, &mut peer, conn);
    assert_eq!(server.receive(&mut peer, 5), b"!abcd");
}

/// More than one read takes stands before the byte, which isn't lost, and neither is its place.
pub(super) fn bulk_before_an_urgent_byte_ends_at_it<P: Subject>() {
    const BULK: usize = 1_500_000;
    let mark = Rc::new(RefCell::new((0, None)));
    let state = Rc::clone(&mark);
    let mut server = Server::<P>::tcp(move |ctx, call| {
        let (count, mark) = &mut *state.borrow_mut();
        match call {
            Call::Data(conn, input) => {
                *count += input.take().len();
                if mark.is_none() && ctx.at_mark(conn).unwrap() {
                    *mark = Some(*count);
                }
            }
            other => listening(ctx, other),
        }
    });
    let (mut peer, conn) = server.connect();
    server.send_all(&mut peer, &vec![7; BULK]);
    send_urgent(&peer, b'!');
    server.send_all(&mut peer, &vec![8; BULK]);
    server.until("all comes", |_| mark.borrow().0 == 2 * BULK);
    assert!(server.seen().contains(&Seen::Urgent(conn, b'!')));
    assert_eq!(mark.borrow().1, Some(BULK));
}

/// A peer to which the urgent byte is one of the others, so that its place is seen.
fn inline<P: Subject>(server: &mut Server<P>) -> (Peer, ConnId) {
    let (peer, conn) = server.connect();
    SockRef::from(&peer).set_out_of_band_inline(true).unwrap();
    (peer, conn)
}

pub(super) fn an_urgent_byte_is_sent_as_such<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        assert_eq!(server.ctx().send_urgent(conn, b'!'), Sent::Queued);
        await_bits(&peer, PollFlags::PRI);
        assert_eq!(receive_urgent(&peer), b'!');
        server.ctx().send(conn, b"data");
        assert_eq!(server.receive(&mut peer, 4), b"data");
    }
}

pub(super) fn an_urgent_byte_is_sent_in_its_place<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Data(conn, input) => {
            ctx.send(conn, b"before");
            ctx.send_urgent(conn, b'!');
            ctx.send(conn, input.take());
        }
        other => sink(ctx, other),
    });
    let (mut peer, conn) = inline(&mut server);
    peer.send(b"after");
    assert_eq!(server.receive(&mut peer, 12), b"before!after");
    // And when it isn't the connection's own callback.
    let mut ctx = server.ctx();
    ctx.send(conn, b"before");
    ctx.send_urgent(conn, b'!');
    ctx.send(conn, b"after");
    assert_eq!(server.receive(&mut peer, 12), b"before!after");
}

/// The socket takes nothing, so that the byte waits in the queue with the others.
pub(super) fn an_urgent_byte_waits_in_the_queue<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = inline(&mut server);
        let mut sent = server.clog(conn);
        let queued = server.ctx().queued(conn);
        assert_ne!(server.ctx().send_urgent(conn, b'!'), Sent::Refused);
        assert_eq!(server.ctx().queued(conn), queued + 1);
        server.ctx().send(conn, b"after");
        sent.extend_from_slice(b"!after");
        assert!(server.receive(&mut peer, sent.len()) == sent, "{family:?}");
        assert_eq!(server.ctx().queued(conn), 0);
    }
}

pub(super) fn who_sends_no_more_sends_nothing_urgent<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (_peer, conn) = server.connect();
    server.ctx().finish(conn);
    assert_eq!(server.ctx().send_urgent(conn, b'!'), Sent::Refused);
    server.ctx().abort(conn);
    server.until_closed(conn);
    assert_eq!(server.ctx().send_urgent(conn, b'!'), Sent::Refused);
    server.ctx().watch_urgent(conn, true);
    assert_eq!(server.ctx().at_mark(conn).unwrap_err().kind(), io::ErrorKind::NotFound);
}

/// With the byte among the others there is nothing to tell, and nothing to spin on.
pub(super) fn in_line_it_is_one_byte_among_the_others<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(listening);
    let (mut peer, conn) = server.connect();
    {
        let ctx = server.ctx();
        SockRef::from(&ctx.socket(conn).unwrap()).set_out_of_band_inline(true).unwrap();
    }
    peer.send(b"ab");
    send_urgent(&peer, b'!');
    server.until("all comes", |server| server.bytes_of(conn) == b"ab!");
    assert!(!server.seen().iter().any(|seen| matches!(seen, Seen::Urgent(..))));
    assert!(server.empty_turns(SILENCE) <= 2);
}

/// With nothing but an urgent byte a Unix stream calls itself readable, and a read of it says EAGAIN.
pub(super) fn an_urgent_byte_doesn_t_spin<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, sink);
        let (peer, conn) = server.connect();
        send_urgent(&peer, b'!');
        await_bits(&server.ctx().socket(conn).unwrap(), PollFlags::PRI);
        server.turn();
        let waits = server.empty_turns(SILENCE);
        assert!(waits <= 2, "{family:?}: {waits} waits");
    }
}

pub(super) fn what_follows_an_urgent_byte_comes<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        peer.send(b"ab");
        send_urgent(&peer, b'!');
        peer.send(b"cd");
        server.until("all came", |server| server.bytes_of(conn).ends_with(b"cd"));
        peer.finish();
        server.until_closed(conn);
        assert_eq!(server.bytes_of(conn), b"abcd", "{family:?}");
    }
}

/// A client that a handler may use.
type Hands = Rc<RefCell<Option<Peer>>>;

/// A server and a connection for which, between the wait that found an urgent byte and the look for it, a
/// second one is announced that is still on its way: it takes the first one's place.
fn announced_later<P: Subject>() -> (Server<Counted<P>>, ConnId, Hands) {
    let client = Hands::default();
    let hands = Rc::clone(&client);
    let mut server = Server::<Counted<P>>::tcp(move |ctx, call| match call {
        Call::Message(_) => {
            let hands = hands.borrow();
            // More than fits into the window, and the last byte is the urgent one: the first segment
            // announces it.
            let mut long = vec![b'.'; 20_000];
            long[19_999] = b'2';
            let sent =
                rustix::net::send(hands.as_ref().unwrap(), &long, rustix::net::SendFlags::OOB);
            assert_eq!(sent, Ok(long.len()));
        }
        other => listening(ctx, other),
    });
    let options = reactor::ListenOptions::default()
        .socket(reactor::SocketOptions::default().receive_buffer(2304));
    let listener = server.ctx().listen_with("127.0.0.1:0", &options).unwrap();
    let peer = server.client_of(listener);
    let conn = server.next_accepted();
    send_urgent(&peer, b'1');
    {
        let ctx = server.ctx();
        await_bits(&ctx.socket(conn).unwrap(), PollFlags::PRI);
    }
    *client.borrow_mut() = Some(peer);
    server.reactor.mailbox().post(0).unwrap();
    (server, conn, client)
}

pub(super) fn one_that_is_announced_later_is_waited_for<P: Subject>() {
    let (mut server, conn, _client) = announced_later::<P>();
    server.until("all comes", |server| server.bytes_of(conn).len() >= 19_999);
    server.until_seen(&Seen::Urgent(conn, b'2'));
}

/// What is before it isn't read, so that it can't come: nor is it ready, unless the connection ends.
pub(super) fn one_that_is_on_its_way_doesn_t_spin<P: Subject>() {
    for ends in [false, true] {
        let (mut server, conn, client) = announced_later::<P>();
        server.ctx().pause(conn);
        server.until("it is announced", |server| server.seen().contains(&Seen::Message(0)));
        assert!(server.empty_turns(SILENCE) <= 2);
        if ends {
            client.take().unwrap().reset();
            {
                let ctx = server.ctx();
                await_bits(&ctx.socket(conn).unwrap(), PollFlags::HUP);
            }
            assert!(server.empty_turns(SILENCE) <= 2);
            server.ctx().resume(conn);
            server.until_closed(conn);
        } else {
            server.ctx().resume(conn);
            server.until_seen(&Seen::Urgent(conn, b'2'));
        }
    }
}
