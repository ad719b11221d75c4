//! The loop inside another one, which waits by a plain poll(2).

use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tests::Subject;
use tests::counted::Counted;
use tests::peer::{Peer, Tail};
use tests::recorder::{Seen, echo};
use tests::rig::{PATIENCE, SILENCE};
use tests::server::Server;

/// Whether the loop's descriptor becomes ready in this time.
fn is_ready<P: Subject + AsFd>(server: &Server<P>, time: Duration) -> bool {
    let mut entry = [PollFd::new(&server.reactor, PollFlags::IN)];
    poll(&mut entry, Some(&Timespec::try_from(time).unwrap())).unwrap() > 0
}

/// Another loop: how often it went round.
#[derive(Default)]
struct Outer {
    rounds: usize,
}

impl Outer {
    /// Prepares, sleeps at most `most`, and has the loop do one turn that doesn't wait. Says whether
    /// the sleep was ended by the descriptor.
    fn round<P: Subject + AsFd>(&mut self, server: &mut Server<P>, most: Duration) -> bool {
        self.rounds += 1;
        let sleep = server.reactor.prepare().unwrap().map_or(most, |sleep| sleep.min(most));
        let ready = is_ready(server, sleep);
        server.reactor.turn(Some(Duration::ZERO)).unwrap();
        ready
    }

    fn until<P: Subject + AsFd>(
        &mut self,
        server: &mut Server<P>,
        mut done: impl FnMut(&mut Server<P>) -> bool,
    ) {
        let end = Instant::now() + PATIENCE;
        while !done(server) {
            assert!(Instant::now() < end, "never: {:?}", server.seen());
            self.round(server, PATIENCE);
        }
    }
}

pub(super) fn a_server_works_inside_another_loop<P: Subject + AsFd>() {
    let (mut server, mut outer) = (Server::<P>::tcp(echo), Outer::default());
    let mut peers: Vec<_> = (0..5).map(|_| server.client()).collect();
    outer.until(&mut server, |server| server.ctx().connections() == 5);
    for round in 0..20_u8 {
        for peer in &mut peers {
            peer.send(&[round; 100]);
        }
        for peer in &mut peers {
            let mut got = Vec::new();
            outer.until(&mut server, |_| {
                assert_eq!(peer.read_some(&mut got, 100), Tail::Open);
                got.len() == 100
            });
            assert_eq!(got, [round; 100]);
        }
    }
    drop(peers);
    outer.until(&mut server, |server| server.ctx().connections() == 0);
}

/// What makes the descriptor ready is done by one turn.
pub(super) fn one_turn_does_what_there_is_to_do<P: Subject + AsFd>() {
    let (mut server, mut outer) = (Server::<P>::tcp(echo), Outer::default());
    let mut peer = server.client();
    outer.until(&mut server, |server| server.ctx().connections() == 1);
    let conn = server.accepted()[0];
    // Up to here there may be something left to tidy up.
    outer.round(&mut server, SILENCE);
    for _ in 0..10 {
        server.reactor.prepare().unwrap();
        peer.send(b"x");
        server.await_input(conn);
        assert!(is_ready(&server, PATIENCE));
        server.reactor.turn(Some(Duration::ZERO)).unwrap();
        let mut got = Vec::new();
        peer.read_some(&mut got, 10);
        assert_eq!(got, b"x");
    }
}

/// More than one turn reads of one connection: the descriptor stays ready, or `prepare` says so.
pub(super) fn bulk_comes_through_to_its_end<P: Subject + AsFd>() {
    let (mut server, mut outer) = (Server::<P>::tcp(echo), Outer::default());
    let mut peer = server.client();
    let bytes: Vec<u8> = (0..4_000_000_u32).map(|at| (at / 3) as u8).collect();
    let (mut sent, mut got) = (0, Vec::new());
    outer.until(&mut server, |_| {
        // All there is room for, in both directions: whatever is left is the loop's to do.
        loop {
            let (before, had) = (sent, got.len());
            if sent < bytes.len() {
                sent += peer.send_some(&bytes[sent..]);
            }
            peer.read_some(&mut got, 300_000);
            if sent == before && got.len() == had {
                return got.len() == bytes.len();
            }
        }
    });
    assert!(got == bytes);
}

pub(super) fn prepare_respects_timers<P: Subject + AsFd>() {
    let mut server = Server::<P>::tcp(echo);
    assert_eq!(server.reactor.prepare().unwrap(), None, "nothing to wait for but the descriptor");
    let due = Duration::from_millis(15);
    let start = Instant::now();
    server.ctx().after(due, 1);
    let sleep = server.reactor.prepare().unwrap().unwrap();
    // A tick, because the wheel rounds up.
    assert!(sleep <= due + Duration::from_millis(1), "{sleep:?}");
    assert!(sleep > Duration::ZERO);
    let mut outer = Outer::default();
    outer.until(&mut server, |server| server.seen().contains(&Seen::Timer(1)));
    assert!(start.elapsed() >= due);
    assert!(outer.rounds < 10, "{} rounds", outer.rounds);
    assert_eq!(server.reactor.prepare().unwrap(), None);
}

pub(super) fn prepare_finds_what_is_pending<P: Subject + AsFd>() {
    let (mut server, mut outer) = (Server::<P>::tcp(echo), Outer::default());
    let mut peer = server.client();
    outer.until(&mut server, |server| server.ctx().connections() == 1);
    let conn = server.accepted()[0];
    server.ctx().send(conn, b"queued");
    assert_eq!(server.reactor.prepare().unwrap(), Some(Duration::ZERO));
    outer.round(&mut server, PATIENCE);
    let mut got = Vec::new();
    peer.read_some(&mut got, 10);
    assert_eq!(got, b"queued");

    server.reactor.mailbox().post(1).unwrap();
    assert_eq!(server.reactor.prepare().unwrap(), Some(Duration::ZERO));
    outer.round(&mut server, PATIENCE);
    assert!(server.seen().contains(&Seen::Message(1)));

    server.ctx().stop();
    assert_eq!(server.reactor.prepare().unwrap(), Some(Duration::ZERO));
}

/// What changes after one `prepare` is found by the next, though no turn was between the two.
pub(super) fn prepare_may_be_called_again<P: Subject + AsFd>() {
    let (mut server, mut outer) = (Server::<P>::tcp(echo), Outer::default());
    assert_eq!(server.reactor.prepare().unwrap(), None);
    let address = server.ctx().listen("127.0.0.1:0").unwrap();
    let address = server.ctx().listener_address(address).unwrap().as_ip().unwrap();
    assert_eq!(server.reactor.prepare().unwrap(), None);
    let _peer = Peer::tcp(address);
    assert_eq!(server.reactor.prepare().unwrap(), Some(Duration::ZERO));
    outer.round(&mut server, PATIENCE);
    assert_eq!(server.accepted().len(), 1);
}

pub(super) fn a_post_makes_the_descriptor_ready<P: Subject + AsFd>() {
    let (mut server, mut outer) = (Server::<P>::tcp(echo), Outer::default());
    let mailbox = server.reactor.mailbox();
    let thread = thread::spawn(move || mailbox.post(1).unwrap());
    outer.until(&mut server, |server| server.seen().contains(&Seen::Message(1)));
    thread.join().unwrap();
}

pub(super) fn an_idle_loop_lets_the_other_sleep<P: Subject + AsFd>() {
    let (mut server, mut outer) = (Server::<Counted<P>>::tcp(echo), Outer::default());
    let mut peer = server.client();
    outer.until(&mut server, |server| server.ctx().connections() == 1);
    peer.send(b"x");
    let mut got = Vec::new();
    outer.until(&mut server, |_| {
        peer.read_some(&mut got, 10);
        got == b"x"
    });
    outer.round(&mut server, SILENCE);
    server.ctx().after(Duration::from_secs(3600), 0);
    for _ in 0..3 {
        assert!(!outer.round(&mut server, SILENCE), "the descriptor is ready for nothing");
    }
}
