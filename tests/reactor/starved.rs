//! No descriptors left. Each case has a process, and a limit, of its own.

use std::fs::File;
use std::time::{Duration, Instant};

use reactor::{ConnectOptions, Interest};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::Subject;
use tests::counted::Counted;
use tests::listening::Listening;
use tests::peer::{Peer, Tail};
use tests::recorder::{echo, sink};
use tests::rig::PATIENCE;
use tests::server::Server;
use tests::sockets::pipe;

/// Descriptors that the process may have.
const FEW: u64 = 64;

fn limit_files(soft: u64) {
    let limit = Rlimit { current: Some(soft), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// A server with one connection, one client whom nothing is left for, and what took it all. More
/// clients need descriptors, too, so they must exist before.
fn starve<P: Subject>() -> (Server<Counted<P>>, Peer, Vec<Peer>, Vec<File>) {
    limit_files(FEW);
    let mut server = Server::<Counted<P>>::tcp(echo);
    let (peer, _) = server.connect();
    let waiting: Vec<_> = (0..4).map(|_| server.client()).collect();
    let hogs: Vec<_> = (0..FEW).map_while(|_| File::open("/dev/null").ok()).collect();
    assert!(hogs.len() > 4);
    (server, peer, waiting, hogs)
}

fn says_and_hears<P: Subject>(server: &mut Server<P>, peer: &mut Peer) {
    peer.send(b"hello");
    assert_eq!(server.receive(peer, 5), b"hello");
}

pub(super) fn connections_go_on<P: Subject>() {
    let (mut server, mut peer, _waiting, _hogs) = starve::<P>();
    for _ in 0..20 {
        says_and_hears(&mut server, &mut peer);
    }
    assert_eq!(server.accepted().len(), 1);
}

/// The pauses double from 10 ms: within 300 ms there are some five of them, a turn or two each. So
/// long, because a spin would show only against a number that is clearly more.
pub(super) fn a_starved_listener_doesn_t_spin<P: Subject>() {
    let (mut server, _peer, _waiting, _hogs) = starve::<P>();
    server.turn();
    let before = server.reactor.poller().waits;
    let end = Instant::now() + Duration::from_millis(300);
    let mut turns = 0;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        server.reactor.turn(Some(left)).unwrap();
        turns += 1;
        assert!(turns < 50, "it spins");
    }
    let waits = server.reactor.poller().waits - before;
    assert!((3..50).contains(&waits), "{waits} waits");
}

/// One of those who wait is turned away each time, so that it knows.
pub(super) fn who_can_t_be_served_is_turned_away<P: Subject>() {
    let (mut server, _peer, mut waiting, _hogs) = starve::<P>();
    for peer in &mut waiting {
        assert_ne!(server.receive_all(peer).1, Tail::Open);
    }
    assert_eq!(server.accepted().len(), 1);
}

/// A connection of its own that closes makes room at once, long before the pause is over.
pub(super) fn a_close_makes_room_at_once<P: Subject>() {
    let (mut server, peer, mut waiting, _hogs) = starve::<P>();
    // Two that were turned away: the pause is 40 ms by now.
    for peer in &mut waiting[..2] {
        server.receive_all(peer);
    }
    drop(peer);
    server.until("it is closed", |server| server.ctx().connections() == 0);
    let start = Instant::now();
    waiting[2].send(b"x");
    server.until("there is room", |server| server.accepted().len() > 1);
    assert!(start.elapsed() < Duration::from_millis(30), "after {:?}", start.elapsed());
    assert_eq!(server.receive(&mut waiting[2], 1), b"x");
}

/// Whose connection it was doesn't matter: all listeners live on the same descriptors.
pub(super) fn a_close_makes_room_for_every_listener<P: Subject>() {
    limit_files(FEW);
    let mut server = Server::<Counted<P>>::tcp(echo);
    let other = server.ctx().listen("127.0.0.1:0").unwrap();
    let (peer, _) = server.connect();
    let mut waiting: Vec<_> = (0..4).map(|_| server.client_of(other)).collect();
    let _hogs: Vec<_> = (0..FEW).map_while(|_| File::open("/dev/null").ok()).collect();
    for peer in &mut waiting[..2] {
        server.receive_all(peer);
    }
    drop(peer);
    server.until("it is closed", |server| server.ctx().connections() == 0);
    // Not the pause, which is 40 ms by now, but the next wait.
    server.reactor.turn(Some(Duration::ZERO)).unwrap();
    assert_eq!(server.accepted().len(), 2);
    says_and_hears(&mut server, &mut waiting[2]);
}

pub(super) fn accepting_goes_on_when_descriptors_are_free<P: Subject>() {
    let (mut server, mut peer, mut waiting, hogs) = starve::<P>();
    server.receive_all(&mut waiting[0]);
    drop(hogs);
    let start = Instant::now();
    says_and_hears(&mut server, waiting.last_mut().unwrap());
    assert!(start.elapsed() < PATIENCE);
    // And as if nothing had been.
    for _ in 0..10 {
        let (mut new, _) = server.connect();
        says_and_hears(&mut server, &mut new);
    }
    says_and_hears(&mut server, &mut peer);
}

/// Also a listener that is closed in the meantime leaves nothing that fires.
pub(super) fn a_starved_listener_can_be_closed<P: Subject>() {
    let (mut server, mut peer, mut waiting, _hogs) = starve::<P>();
    server.receive_all(&mut waiting[0]);
    let listener = server.listener;
    server.ctx().close_listener(listener);
    server.silent();
    says_and_hears(&mut server, &mut peer);
    // Its descriptor is free now.
    let listener = server.ctx().listen("127.0.0.1:0").unwrap();
    assert!(server.ctx().listener_address(listener).is_ok());
}

pub(super) fn a_connect_without_descriptors_fails<P: Subject>() {
    limit_files(FEW);
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    let mut hogs: Vec<_> = (0..FEW).map_while(|_| File::open("/dev/null").ok()).collect();
    let conn = server.ctx().connect(listening.target(), &ConnectOptions::default());
    let error = server.until_failed(conn);
    assert_eq!(error.raw_os_error(), Some(Errno::MFILE.raw_os_error()));
    assert!(error.to_string().contains("ulimit -n"), "{error}");
    // One that may be tried again is, and finds room.
    let pause = Duration::from_millis(3);
    let options = ConnectOptions::default().rounds(None).backoff(pause, pause);
    let conn = server.ctx().connect(listening.target(), &options);
    server.silent();
    hogs.truncate(hogs.len() - 1);
    server.until_connected(conn);
}

/// To set a mark opens nothing.
pub(super) fn a_mark_needs_no_descriptor<P: Subject>() {
    let (near, _far) = pipe();
    let (mut server, _peer, _waiting, _hogs) = starve::<P>();
    let raw = server.ctx().register(near, Interest::READABLE).unwrap();
    server.ctx().set_raw_read_low(raw, 10).unwrap();
}
