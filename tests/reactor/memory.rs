//! What waits in memory costs about what it is.

use bytes::Bytes;
use reactor::Limits;
use tests::Subject;
use tests::open_files;
use tests::recorder::{Call, Seen, sink};
use tests::server::{Family, Server};

/// The resident memory of this process, in bytes (proc(5), statm).
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// A header of a few bytes before each shared body, as WebSocket has it, for a peer that doesn't read.
pub(super) fn headers_between_shared_bodies_cost_what_they_are<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (_peer, conn) = server.connect();
    server.clog(conn);
    let body = Bytes::from(vec![7; 60]);
    let before = resident();
    let queued = server.ctx().queued(conn);
    {
        let mut ctx = server.ctx();
        for _ in 0..20_000 {
            ctx.send(conn, b"head");
            ctx.send_shared(conn, body.clone());
        }
    }
    let queued = server.ctx().queued(conn) - queued;
    let rss = resident() - before;
    let cap = Limits::default().write_cap;
    assert!(rss < 4 * queued, "{queued} bytes queued of at most {cap}: {rss} resident");
}

/// A few bytes to each of many, in one turn: as a game server does with every tick.
pub(super) fn a_tick_to_a_crowd_costs_what_it_is<P: Subject>() {
    const CROWD: usize = 2_000;
    open_files::allow(6_000, 5_000);
    let mut server = Server::<P>::new(Family::Unix, sink);
    let mut peers = Vec::new();
    while peers.len() < CROWD {
        peers.push(server.connect().0);
    }
    let conns = server.accepted();
    let before = resident();
    for conn in conns {
        server.ctx().send(conn, b"twenty bytes of news");
    }
    let rss = resident() - before;
    assert!(rss < 4_000_000, "{} bytes queued: {rss} resident", CROWD * 20);
}

const BIG: usize = 900_000;

/// A long frame, and the first byte of the next one: "memory is allocated only for bytes that it leaves
/// behind", and not for those that it once left.
pub(super) fn a_byte_left_of_a_long_frame_costs_a_byte<P: Subject>() {
    const CONNS: usize = 50;
    let mut server = Server::<P>::new(Family::Tcp, |_, call| {
        if let Call::Data(_, input) = call {
            if input.len() > BIG {
                input.take_first(BIG);
            }
        }
    });
    let mut peers: Vec<_> = (0..CONNS).map(|_| server.connect()).collect();
    let frame = vec![1; BIG + 1];
    let before = resident();
    for (peer, _) in &mut peers {
        server.send_all(peer, &frame);
        server.until("it is taken", |server| {
            matches!(server.seen().last(), Some(Seen::Data(_, bytes)) if bytes.len() > BIG)
        });
        // The recorder's own copies.
        server.take_seen();
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < CONNS * 100_000, "{CONNS} bytes are left, {grown} are resident");
}
