//! Peers that are kept connected.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use reactor::{ConnId, ConnectCause, ConnectOptions, PeerId, Status, Target};
use tests::Subject;
use tests::listening::Listening;
use tests::recorder::{Call, End, Seen, echo, sink};
use tests::rig::PATIENCE;
use tests::server::{Family, Server};

const MOMENT: Duration = Duration::from_millis(2);

fn options() -> ConnectOptions {
    ConnectOptions::default().backoff(MOMENT, MOMENT * 4)
}

/// Where the peer's server listens, and doesn't at times.
fn path<P: Subject>(server: &Server<P>) -> PathBuf {
    server.directory().join("peer")
}

/// Those that were connected, in order.
fn connected<P: Subject>(server: &Server<P>) -> Vec<ConnId> {
    let connected = |seen: &Seen| match seen {
        Seen::Connected(conn) => Some(*conn),
        _ => None,
    };
    server.seen().iter().filter_map(connected).collect()
}

fn next_connected<P: Subject>(server: &mut Server<P>) -> ConnId {
    let before = connected(server).len();
    server.until("it is connected", |server| connected(server).len() > before);
    connected(server)[before]
}

pub(super) fn a_kept_peer_comes_back_after_a_restart<P: Subject>() {
    let mut server = Server::<P>::new(Family::Unix, echo);
    let path = path(&server);
    let nobody = server.directory().join("nobody");
    let other = server.ctx().keep_connected(nobody, &options());
    let peer = server.ctx().keep_connected(path.as_path(), &options());
    server.until("it has failed some times", |server| server.reactor.handler().errors.len() > 5);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let listening = Listening::unix(&path);
        let conn = next_connected(&mut server);
        assert_eq!(server.ctx().peer_of(conn), Some(peer));
        assert!(!ids.contains(&conn), "each connection has an id of its own");
        ids.push(conn);
        let mut end = listening.accept();
        end.send(b"hello");
        assert_eq!(server.receive(&mut end, 5), b"hello");
        drop((listening, end));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(server.until_closed(conn), End::Finished);
        let failed = server.reactor.handler().errors.len();
        server.until("it has failed", |server| server.reactor.handler().errors.len() > failed + 3);
    }
    let of = |peer: PeerId| {
        let errors = server.reactor.handler().errors.iter();
        errors.filter(move |(_, error)| error.peer() == Some(peer))
    };
    assert!(of(peer).count() > 3 && of(other).count() > 3);
    assert!(of(peer).all(|(_, error)| error.attempt_count() == 1), "each round is told of");
}

/// If it weren't, the last of the waits would be hours long.
pub(super) fn a_stable_connection_makes_the_next_wait_short<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    let options = options().stable_after(Duration::ZERO).backoff(MOMENT / 2, PATIENCE * 1000);
    server.ctx().keep_connected(listening.target(), &options);
    for _ in 0..24 {
        let conn = next_connected(&mut server);
        drop(listening.accept());
        server.until_closed(conn);
    }
}

/// One that was accepted and cut off at once is no reason to come back at once: the waits go on to double,
/// each cut by a half at most.
pub(super) fn a_short_connection_leaves_the_waits_growing<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    let options = options().stable_after(PATIENCE).backoff(MOMENT / 2, PATIENCE);
    server.ctx().keep_connected(listening.target(), &options);
    let mut start = None;
    for _ in 0..7 {
        let conn = next_connected(&mut server);
        start.get_or_insert_with(Instant::now);
        drop(listening.accept());
        server.until_closed(conn);
    }
    let waited = start.unwrap().elapsed();
    assert!(waited >= MOMENT / 4 * (1 + 2 + 4 + 8 + 16 + 32), "{waited:?}");
}

pub(super) fn who_closes_a_connection_gets_the_next<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    let peer = server.ctx().keep_connected(listening.target(), &options());
    for _ in 0..3 {
        let conn = next_connected(&mut server);
        assert_eq!(server.ctx().peer_of(conn), Some(peer));
        server.ctx().abort(conn);
        assert_eq!(server.until_closed(conn), End::Aborted);
    }
}

pub(super) fn a_peer_that_is_let_go_is_not_connected_again<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let listening = Listening::tcp();
    let peer = server.ctx().keep_connected(listening.target(), &options());
    let conn = next_connected(&mut server);
    server.ctx().let_go(peer);
    server.ctx().let_go(peer);
    // The connection goes on.
    let mut end = listening.accept();
    end.send(b"x");
    assert_eq!(server.receive(&mut end, 1), b"x");
    drop(end);
    server.until_closed(conn);
    server.silent();
    // Nor is one that waits for its next time.
    let nobody = server.directory().join("nobody");
    let peer = server.ctx().keep_connected(nobody, &options());
    server.until("it has failed", |server| !server.reactor.handler().errors.is_empty());
    server.ctx().let_go(peer);
    server.silent();
}

pub(super) fn a_connect_to_a_peer_that_is_let_go_is_cancelled<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (full, _waiting) = Listening::full_tcp();
    let peer = server.ctx().keep_connected(full.target(), &options());
    server.silent();
    server.ctx().let_go(peer);
    server.until("it is told", |server| !server.reactor.handler().errors.is_empty());
    let (_, error) = &server.reactor.handler().errors[0];
    assert!(matches!(error.cause(), ConnectCause::Cancelled), "{error}");
    server.silent();
}

pub(super) fn a_peer_may_be_let_go_in_each_callback<P: Subject>() {
    let listening = Listening::tcp();
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::ConnectFailed(_, error) => ctx.let_go(error.peer().unwrap()),
        Call::Connected(conn) => {
            let peer = ctx.peer_of(conn).unwrap();
            ctx.let_go(peer);
            ctx.abort(conn);
        }
        _ => {}
    });
    let nobody = server.directory().join("nobody");
    server.ctx().keep_connected(nobody, &options());
    server.ctx().keep_connected(listening.target(), &options());
    server.until("all is seen", |server| server.seen().len() == 3);
    server.silent();
}

/// When one ends, its handler can tell whose it was, and no longer.
pub(super) fn where_a_connection_came_from_is_told_to_its_end<P: Subject>() {
    let told: Rc<RefCell<Vec<_>>> = Rc::default();
    let ours = Rc::clone(&told);
    let mut server = Server::<P>::tcp(move |ctx, call| {
        if let Call::Closed(conn, _) = call {
            ours.borrow_mut().push((conn, ctx.listener_of(conn), ctx.peer_of(conn)));
        }
    });
    let listener = server.listener;
    let address = server.ctx().listener_address(listener).unwrap();
    let kept = server.ctx().keep_connected(address, &options().backoff(PATIENCE, PATIENCE));
    let accepted = server.next_accepted();
    server.until("it is connected", |server| !connected(server).is_empty());
    let conn = connected(&server)[0];
    server.ctx().abort(conn);
    server.until_closed(conn);
    server.until_closed(accepted);
    let mut told = told.borrow_mut();
    told.sort_unstable_by_key(|(_, listener, _)| listener.is_some());
    assert_eq!(*told, [(conn, None, Some(kept)), (accepted, Some(listener), None)]);
    let ctx = server.ctx();
    assert!(ctx.peer_of(conn).is_none() && ctx.listener_of(accepted).is_none());
}

/// It would be tried for ever, and never be there.
pub(super) fn a_peer_that_names_nothing_is_let_go<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let targets = [Target::from("localhost"), "::1".into(), "".into(), Target::from(vec![])];
    let peers = targets.map(|target| server.ctx().keep_connected(target, &options()));
    server.until("all have failed", |server| server.reactor.handler().errors.len() >= 4);
    server.silent();
    let errors = &server.reactor.handler().errors;
    assert_eq!(errors.len(), peers.len());
    for (_, error) in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(!error.to_string().starts_with("connect : "), "{error}");
    }
    for peer in peers {
        server.ctx().let_go(peer);
    }
    server.silent();
}

pub(super) fn a_shut_down_lets_peers_go<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    server.ctx().keep_connected(listening.target(), &options());
    let nobody = server.directory().join("nobody");
    server.ctx().keep_connected(nobody, &options());
    let conn = next_connected(&mut server);
    let _end = listening.accept();
    server.ctx().shut_down(MOMENT * 20);
    let failed = server.reactor.handler().errors.len();
    server.until("the loop stops", |server| server.turn() == Status::Stopped);
    server.until_closed(conn);
    assert_eq!(server.reactor.handler().errors.len(), failed, "nothing more was begun");
}
