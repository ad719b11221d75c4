//! Many who come at once. In processes of their own: each needs hundreds of descriptors.

use std::time::Duration;

use reactor::{ConnectOptions, Target};
use tests::Subject;
use tests::counted::Counted;
use tests::listening::Listening;
use tests::open_files;
use tests::recorder::{Seen, echo, sink};
use tests::server::{Family, Server};

pub(super) fn a_crowd_at_once_is_all_accepted<P: Subject>() {
    const CROWD: usize = 300;
    open_files::allow(2_000, 1_000);
    for family in Family::ALL {
        let mut server = Server::<Counted<P>>::new(family, echo);
        let mut peers: Vec<_> = (0..CROWD).map(|_| server.client()).collect();
        server.until("all are accepted", |server| server.ctx().connections() == CROWD);
        let turns = server.reactor.poller().waits;
        assert!(turns <= 20, "it took {turns} turns");
        for peer in &mut peers {
            peer.send(b"x");
        }
        for peer in &mut peers {
            assert_eq!(server.receive(peer, 1), b"x");
        }
    }
}

/// The crowd at one door keeps nobody inside waiting.
pub(super) fn a_crowd_doesn_t_delay_others<P: Subject>() {
    const TURNS: usize = 3;
    open_files::allow(2_000, 1_000);
    let mut server = Server::<P>::tcp(echo);
    let (mut peer, conn) = server.connect();
    let _crowd: Vec<_> = (0..300).map(|_| server.client()).collect();
    peer.send(b"x");
    server.await_input(conn);
    for _ in 0..TURNS {
        server.turn();
    }
    let mut got = Vec::new();
    peer.read_some(&mut got, 10);
    assert_eq!(got, b"x");
}

/// A third succeeds, a third is refused, a third gets no answer.
pub(super) fn hundreds_of_connects_all_end<P: Subject>() {
    const EACH: usize = 200;
    open_files::allow(4_000, 1_500);
    let mut server = Server::<P>::tcp(sink);
    let listener = server.listener;
    let good = Target::from(server.ctx().listener_address(listener).unwrap());
    let nobody = Listening::nobody();
    let (full, _waiting) = Listening::full_tcp();
    server.turn();
    let before = open_files::count();
    let options = ConnectOptions::default().attempt_timeout(Duration::from_millis(300));
    let mut all = Vec::new();
    for _ in 0..EACH {
        for target in [&good, &nobody.target(), &full.target()] {
            all.push(server.ctx().connect(target.clone(), &options));
        }
    }
    let came = |seen: &&Seen| matches!(seen, Seen::Connected(_) | Seen::ConnectFailed(_));
    server.until("all are told", |server| server.seen().iter().filter(came).count() == 3 * EACH);
    let failed = server.reactor.handler().errors.len();
    assert_eq!(failed, 2 * EACH);
    for conn in all {
        server.ctx().abort(conn);
    }
    server.until("all are closed", |server| server.ctx().connections() == 0);
    assert_eq!(open_files::count(), before);
    server.silent();
}
