//! Several addresses, several rounds, and names.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use reactor::{Address, ConnectCause, ConnectOptions};
use tests::Subject;
use tests::listening::Listening;
use tests::recorder::{Seen, sink};
use tests::rig::PATIENCE;
use tests::server::Server;

const MOMENT: Duration = Duration::from_millis(30);

/// Longer than a test waits for anything.
const AGES: Duration = Duration::from_secs(3600);

fn options() -> ConnectOptions {
    ConnectOptions::default().timeout(AGES).attempt_timeout(AGES).attempt_delay(AGES)
}

/// The first address takes no connection and refuses none.
pub(super) fn the_next_address_joins_one_that_is_silent<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let ((dead, _waiting), live) = (Listening::full_tcp(), Listening::tcp());
    let start = Instant::now();
    let target = vec![dead.address(), live.address()];
    let conn = server.ctx().connect(target, &options().attempt_delay(MOMENT));
    server.until_connected(conn);
    assert!(start.elapsed() >= MOMENT);
    assert_eq!(server.ctx().peer_address(conn).unwrap(), Address::Ip(live.address()));
    server.silent();
    assert_eq!(server.ctx().connections(), 1);
}

pub(super) fn the_next_address_follows_a_refusal_at_once<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (dead, live) = (Listening::nobody(), Listening::tcp());
    let conn = server.ctx().connect(vec![dead.address(), live.address()], &options());
    server.until_connected(conn);
    assert_eq!(server.ctx().peer_address(conn).unwrap(), Address::Ip(live.address()));
}

/// Each with its own address, in the order of their ends.
pub(super) fn all_addresses_refused_are_all_told<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let dead: Vec<_> = (0..3).map(|_| Listening::nobody()).collect();
    let addresses: Vec<SocketAddr> = dead.iter().map(Listening::address).collect();
    let conn = server.ctx().connect(&addresses[..], &options());
    let error = server.until_failed(conn);
    let told: Vec<_> = error.attempts().iter().map(|attempt| attempt.address.clone()).collect();
    assert_eq!(told, addresses.iter().map(|address| Address::Ip(*address)).collect::<Vec<_>>());
    for address in addresses {
        assert!(error.to_string().contains(&format!("{address}: ")), "{error}");
    }
}

/// The kernel refuses each of them at once, and the others have their turns meanwhile.
pub(super) fn a_thousand_addresses_hold_nobody_up<P: Subject>() {
    const MANY: usize = 1000;
    let mut server = Server::<P>::tcp(sink);
    let everybody = SocketAddr::from((Ipv4Addr::BROADCAST, 9));
    let conn = server.ctx().connect(vec![everybody; MANY], &options());
    server.turn();
    assert!(server.reactor.handler().error_of(conn).is_none(), "it was done in one turn");
    let error = server.until_failed(conn);
    assert_eq!(error.attempt_count(), MANY);
}

/// As short as can be is not without an end.
pub(super) fn rounds_without_a_pause_have_their_time<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let everybody = SocketAddr::from((Ipv4Addr::BROADCAST, 9));
    let options = options().rounds(None).backoff(Duration::ZERO, Duration::ZERO).timeout(MOMENT);
    let conn = server.ctx().connect(everybody, &options);
    let error = server.until_failed(conn);
    assert!(matches!(error.cause(), ConnectCause::TimedOut), "{error}");
    assert!(error.elapsed() >= MOMENT);
}

pub(super) fn rounds_go_on_until_somebody_listens<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let path = server.directory().join("later");
    let options = options().rounds(None).backoff(MOMENT / 10, MOMENT / 5);
    let conn = server.ctx().connect(path.as_path(), &options);
    server.silent();
    let listening = Listening::unix(&path);
    server.until_connected(conn);
    let _peer = listening.accept();
    assert_eq!(server.seen(), [Seen::Connected(conn)]);
}

pub(super) fn rounds_end<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let dead = Listening::nobody();
    let start = Instant::now();
    let options = options().rounds(3).backoff(MOMENT, MOMENT);
    let conn = server.ctx().connect(dead.target(), &options);
    let error = server.until_failed(conn);
    assert!(matches!(error.cause(), ConnectCause::Failed));
    let rounds: Vec<_> = error.attempts().iter().map(|attempt| attempt.round).collect();
    assert_eq!(rounds, [1, 2, 3]);
    assert!(error.to_string().ends_with(", attempt 3 of 3"), "{error}");
    // Two waits, each cut by a half at most.
    assert!(start.elapsed() >= MOMENT);
}

pub(super) fn all_of_it_has_its_time<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let ((silent, _waiting), refusing) = (Listening::full_tcp(), Listening::nobody());
    let start = Instant::now();
    let conn = server.ctx().connect(
        vec![refusing.address(), silent.address()],
        &options().rounds(None).timeout(MOMENT),
    );
    let error = server.until_failed(conn);
    assert!(matches!(error.cause(), ConnectCause::TimedOut));
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(error.attempts().len(), 2, "{error}");
    assert!(error.elapsed() >= MOMENT && start.elapsed() >= MOMENT);
    let text = error.to_string();
    assert!(text.contains(": timed out after ") && text.contains(", attempt 1 ("), "{text}");
}

pub(super) fn localhost_is_found<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    let port = listening.address().port();
    let conn = server.ctx().connect(("localhost", port), &options());
    server.until_connected(conn);
    assert_eq!(server.ctx().peer_address(conn).unwrap(), Address::Ip(listening.address()));
    let conn = server.ctx().connect(format!("localhost:{port}"), &options());
    server.until_connected(conn);
}

/// RFC 6761, section 6.4: there is no such name. Where the resolver waits for an answer of somebody who
/// isn't there, the time is over.
pub(super) fn a_name_that_is_none_is_an_error<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let conn = server.ctx().connect("nobody.invalid:80", &options().timeout(PATIENCE / 2));
    assert_eq!(server.seen(), []);
    let error = server.until_failed(conn);
    let cause = error.cause();
    assert!(matches!(cause, ConnectCause::Unresolved(_) | ConnectCause::TimedOut), "{error}");
    assert_eq!(error.attempts().len(), 0);
    assert!(error.to_string().starts_with("connect nobody.invalid:80: "), "{error}");
}

/// Whenever its answer comes, nobody hears of it.
pub(super) fn a_lookup_can_be_cancelled<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    for turns in 0..3 {
        let conn = server.ctx().connect("nobody.invalid:80", &options());
        for _ in 0..turns {
            server.reactor.turn(Some(Duration::ZERO)).unwrap();
        }
        server.ctx().close(conn);
        let error = server.until_failed(conn);
        let cause = error.cause();
        assert!(matches!(cause, ConnectCause::Cancelled | ConnectCause::Unresolved(_)), "{error}");
    }
    server.silent();
}
