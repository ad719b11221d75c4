//! What a callback may do: anything.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use reactor::{ConnId, Context, Limits, Status};
use tests::Subject;
use tests::peer::Tail;
use tests::recorder::{Call, End, Seen, echo, sink};
use tests::server::{Family, Server};

/// The callbacks that a connection, or its stand-in, can act from.
const KINDS: [&str; 6] = ["accepted", "data", "peer_finished", "drained", "timer", "message"];

/// The name of a callback, and the connection that it is about, if it is about one.
fn kind(call: &Call<'_, '_>) -> (&'static str, Option<ConnId>) {
    match call {
        Call::Accepted(conn, _) => ("accepted", Some(*conn)),
        Call::Data(conn, _) => ("data", Some(*conn)),
        Call::PeerFinished(conn) => ("peer_finished", Some(*conn)),
        Call::Drained(conn) => ("drained", Some(*conn)),
        Call::Timer(..) => ("timer", None),
        Call::Message(_) => ("message", None),
        _ => ("other", None),
    }
}

/// Brings about all callbacks, of which that of `name` does `act` to the one connection there is.
fn act_from<P: Subject>(
    name: &'static str,
    mut act: impl FnMut(&mut Context<'_>, ConnId) + 'static,
) {
    let last = Cell::new(None);
    let limit = |limits: &mut Limits| (limits.write_high, limits.write_low) = (10, 10);
    let script = move |ctx: &mut Context<'_>, call: Call<'_, '_>| {
        let (kind, conn) = kind(&call);
        if conn.is_some() {
            last.set(conn);
        }
        if kind == "accepted" {
            // More than the system takes, so that `drained` comes once the peer has read it.
            ctx.send_shared(conn.unwrap(), vec![7; 8 * 1024 * 1024].into());
        }
        if let Call::Data(_, input) = call {
            input.take();
        }
        if kind == name {
            act(ctx, last.get().unwrap());
        }
    };
    let mut server = Server::<P>::with(Family::Tcp, limit, script);
    let mut peer = server.client();
    peer.send(b"hello");
    peer.finish();
    let conn = server.next_accepted();
    server.ctx().after(Duration::from_millis(1), 0);
    // The loop may be gone already.
    let _ = server.reactor.mailbox().post(0);
    let mut tail = Tail::Open;
    server.until("the end", |server| {
        if tail == Tail::Open {
            tail = peer.read_some(&mut Vec::new(), 1024 * 1024);
        }
        let stopped = server.turn() == Status::Stopped;
        let seen = server.seen();
        let all = seen.contains(&Seen::Timer(0)) && seen.contains(&Seen::Message(0));
        server.reactor.handler().open() == 0 && (stopped || all)
    });
    assert!(matches!(
        server.until_closed(conn),
        End::Finished | End::Aborted | End::Stopped { .. }
    ));
    if tail == Tail::Open {
        tail = server.receive_all(&mut peer).1;
    }
    assert_ne!(tail, Tail::Open);
    server.silent();
}

pub(super) fn every_callback_may_close_itself<P: Subject>() {
    for name in KINDS {
        act_from::<P>(name, |ctx, conn| {
            ctx.close(conn);
            ctx.close(conn);
            ctx.finish(conn);
        });
    }
}

pub(super) fn every_callback_may_abort_itself<P: Subject>() {
    for name in KINDS {
        act_from::<P>(name, |ctx, conn| {
            ctx.send(conn, b"never seen");
            ctx.abort(conn);
            ctx.close(conn);
            ctx.resume(conn);
            ctx.abort(conn);
        });
    }
}

pub(super) fn every_callback_may_stop_the_loop<P: Subject>() {
    for name in KINDS {
        act_from::<P>(name, |ctx, _| {
            ctx.stop();
            ctx.stop();
        });
    }
}

pub(super) fn one_callback_may_end_all<P: Subject>() {
    for abort in [false, true] {
        let everybody = Rc::new(Cell::new(Vec::new()));
        let all = Rc::clone(&everybody);
        let mut server = Server::<P>::tcp(move |ctx, call| {
            if let Call::Data(_, input) = call {
                input.take();
                for conn in all.take() {
                    end_by(ctx, conn, abort);
                }
            }
        });
        let mut peers: Vec<_> = (0..10).map(|_| server.connect()).collect();
        everybody.set(peers.iter().map(|(_, conn)| *conn).collect());
        peers[3].0.send(b"all");
        for (peer, _) in &mut peers {
            server.receive_all(peer);
        }
        drop(peers);
        server.until("all are closed", |server| server.ctx().connections() == 0);
        let end = if abort { End::Aborted } else { End::Finished };
        let ended = |seen: &&Seen| matches!(seen, Seen::Closed(_, this) if *this == end);
        assert_eq!(server.seen().iter().filter(ended).count(), 10);
    }
}

fn end_by(ctx: &mut Context<'_>, conn: ConnId, abort: bool) {
    if abort { ctx.abort(conn) } else { ctx.close(conn) }
}

/// Both have data in the same turn; whoever is first ends the other.
fn first_ends_the_other<P: Subject>(abort: bool) {
    let everybody = Rc::new(Cell::new([None; 2]));
    let both = Rc::clone(&everybody);
    let mut server = Server::<P>::tcp(move |ctx, call| match call {
        Call::Data(conn, input) => {
            input.take();
            let other = both.get().into_iter().flatten().find(|other| *other != conn);
            end_by(ctx, other.unwrap(), abort);
        }
        other => sink(ctx, other),
    });
    let ((mut one, first), (mut two, second)) = (server.connect(), server.connect());
    everybody.set([Some(first), Some(second)]);
    one.send(b"x");
    two.send(b"x");
    server.await_input(first);
    server.await_input(second);
    server.turn();
    let heard = server.seen().iter().filter(|seen| matches!(seen, Seen::Data(..))).count();
    assert_eq!(heard, 1, "{:?}", server.seen());
    drop((one, two));
    server.until("both are closed", |server| server.ctx().connections() == 0);
    let heard = server.seen().iter().filter(|seen| matches!(seen, Seen::Data(..))).count();
    assert_eq!(heard, 1, "{:?}", server.seen());
}

pub(super) fn who_was_closed_in_a_turn_hears_no_more_in_it<P: Subject>() {
    first_ends_the_other::<P>(false);
}

pub(super) fn who_was_aborted_in_a_turn_hears_no_more_in_it<P: Subject>() {
    first_ends_the_other::<P>(true);
}

pub(super) fn a_callback_may_listen<P: Subject>() {
    let opened = Rc::new(Cell::new(None));
    let new = Rc::clone(&opened);
    let mut server = Server::<P>::tcp(move |ctx, call| match call {
        Call::Accepted(..) if new.get().is_none() => {
            new.set(Some(ctx.listen("127.0.0.1:0").unwrap()));
            // A timer set from here counts, too.
            ctx.after(Duration::ZERO, 1);
        }
        other => echo(ctx, other),
    });
    server.connect();
    server.until_seen(&Seen::Timer(1));
    let listener = opened.get().unwrap();
    let mut peer = server.client_of(listener);
    let conn = server.next_accepted();
    assert_eq!(server.ctx().listener_of(conn), Some(listener));
    peer.send(b"x");
    assert_eq!(server.receive(&mut peer, 1), b"x");

    server.ctx().close_listener(listener);
    assert!(server.ctx().listener_address(listener).is_err());
    peer.send(b"y");
    assert_eq!(server.receive(&mut peer, 1), b"y", "its connections go on");
}

pub(super) fn a_callback_may_send_to_all<P: Subject>() {
    let everybody = Rc::new(Cell::new(Vec::new()));
    let all = Rc::clone(&everybody);
    let mut server = Server::<P>::tcp(move |ctx, call| {
        if let Call::Data(_, input) = call {
            let bytes = input.take();
            let members: Vec<ConnId> = all.take();
            for conn in &members {
                ctx.send(*conn, bytes);
            }
            all.set(members);
        }
    });
    let mut peers: Vec<_> = (0..50).map(|_| server.connect()).collect();
    everybody.set(peers.iter().map(|(_, conn)| *conn).collect());
    peers[7].0.send(b"hello, all");
    for (peer, _) in &mut peers {
        assert_eq!(server.receive(peer, 10), b"hello, all");
    }
}

pub(super) fn closed_may_send_to_others<P: Subject>() {
    let other = Rc::new(Cell::new(None));
    let friend = Rc::clone(&other);
    let mut server = Server::<P>::tcp(move |ctx, call| match call {
        Call::Closed(conn, _) => {
            assert_eq!(ctx.send(conn, b"too late"), reactor::Sent::Refused);
            if let Some(friend) = friend.take() {
                ctx.send(friend, b"has left");
                ctx.close(friend);
            }
        }
        call => sink(ctx, call),
    });
    let (mut stays, conn) = server.connect();
    let (leaves, _) = server.connect();
    other.set(Some(conn));
    drop(leaves);
    assert_eq!(server.receive_all(&mut stays), (b"has left".to_vec(), Tail::End));
}

/// Each one that is closed takes the next one along: more in a turn than a turn does at once.
pub(super) fn closed_may_end_others<P: Subject>() {
    let everybody = Rc::new(Cell::new(Vec::new()));
    let all = Rc::clone(&everybody);
    let mut server = Server::<P>::tcp(move |ctx, call| match call {
        Call::Closed(..) => {
            let mut left: Vec<ConnId> = all.take();
            if let Some(next) = left.pop() {
                ctx.abort(next);
            }
            all.set(left);
        }
        other => sink(ctx, other),
    });
    let peers: Vec<_> = (0..30).map(|_| server.connect()).collect();
    everybody.set(peers[1..].iter().map(|(_, conn)| *conn).collect());
    server.ctx().abort(peers[0].1);
    server.until("all are closed", |server| server.ctx().connections() == 0);
}
