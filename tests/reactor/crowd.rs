//! Many who come at once. In processes of their own: each needs hundreds of descriptors.

use tests::Subject;
use tests::counted::Counted;
use tests::recorder::echo;
use tests::server::{Family, Server};

pub(super) fn a_crowd_at_once_is_all_accepted<P: Subject>() {
    const CROWD: usize = 300;
    tests::open_files::allow(2_000, 1_000);
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
    tests::open_files::allow(2_000, 1_000);
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
