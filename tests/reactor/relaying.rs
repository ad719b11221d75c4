//! The proxy of the examples.

#[path = "../../reactor/examples/proxy.rs"]
#[allow(dead_code, reason = "its main isn't run")]
mod proxy;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use reactor::{Reactor, Target};
use tests::Subject;
use tests::listening::Listening;
use tests::peer::{Peer, Tail};
use tests::rig::PATIENCE;

use proxy::Proxy;

/// A proxy, and where it listens.
struct Rig<P: Subject> {
    reactor: Reactor<Proxy, P>,
    listener: reactor::ListenerId,
}

impl<P: Subject> Rig<P> {
    fn new(upstream: Target) -> Self {
        let poller = P::create().unwrap();
        let mut reactor = Reactor::with_poller(Proxy::new(upstream), poller).unwrap();
        let listener = reactor.listen("127.0.0.1:0").unwrap();
        Self { reactor, listener }
    }

    fn client(&mut self) -> Peer {
        let address = self.reactor.context().listener_address(self.listener).unwrap();
        Peer::tcp(address.as_ip().unwrap())
    }

    /// A client and, at the other side of the proxy, the server of it.
    fn pair(&mut self, listening: &Listening) -> (Peer, Peer) {
        let client = self.client();
        self.until("both are connected", |rig| rig.reactor.context().connections() == 2);
        (client, listening.accept())
    }

    /// Bytes that wait in the proxy, for the slower one of all.
    fn queued(&mut self) -> usize {
        let conns: Vec<_> = self.reactor.handler().other.keys().collect();
        let ctx = self.reactor.context();
        conns.into_iter().map(|conn| ctx.queued(conn)).max().unwrap_or(0)
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < end, "never: {what}");
            self.reactor.turn(Some(Duration::from_millis(1))).unwrap();
        }
    }

    /// What `peer` gets, up to the end.
    fn receive_all(&mut self, peer: &mut Peer) -> (Vec<u8>, Tail) {
        let (mut got, mut tail) = (Vec::new(), Tail::Open);
        self.until("the end", |_| {
            let before = got.len();
            tail = peer.read_some(&mut got, 64 * 1024);
            while tail == Tail::Open && got.len() > before {
                let before = got.len();
                tail = peer.read_some(&mut got, 64 * 1024);
                if got.len() == before {
                    break;
                }
            }
            tail != Tail::Open
        });
        (got, tail)
    }
}

pub(super) fn both_ways_to_both_ends<P: Subject>() {
    let listening = Listening::tcp();
    let mut rig = Rig::<P>::new(listening.target());
    let (mut client, mut server) = rig.pair(&listening);
    client.send(b"question");
    client.finish();
    assert_eq!(rig.receive_all(&mut server), (b"question".to_vec(), Tail::End));
    // The other way is still open.
    server.send(b"answer");
    drop(server);
    assert_eq!(rig.receive_all(&mut client), (b"answer".to_vec(), Tail::End));
    drop(client);
    rig.until("all is closed", |rig| rig.reactor.context().connections() == 0);
}

/// Somebody who sends as fast as he can, to somebody who reads nothing for a while: what waits in the
/// proxy is bounded, and all of it comes.
pub(super) fn a_slow_reader_holds_a_fast_sender_back<P: Subject>() {
    // More than all the sockets' buffers hold.
    const ALL: usize = 24 * PATTERN;
    const PATTERN: usize = 1024 * 1024;
    // The high-water mark, and what one read brings.
    const MOST: usize = 2 * 256 * 1024;
    let listening = Listening::tcp();
    let mut rig = Rig::<P>::new(listening.target());
    let (mut client, mut server) = rig.pair(&listening);
    let pattern: Vec<u8> = (0..PATTERN).map(|at| (at / 7) as u8).collect();
    let mut sent = 0;
    let mut send = |client: &mut Peer| {
        let before = sent;
        let end = if sent < ALL { PATTERN } else { sent % PATTERN };
        sent += client.send_some(&pattern[sent % PATTERN..end]);
        (sent, sent - before)
    };
    let mut quiet = Instant::now();
    rig.until("the sender is held back", |rig| {
        if send(&mut client).1 > 0 {
            quiet = Instant::now();
        }
        let queued = rig.queued();
        assert!(queued <= MOST, "{queued} bytes wait");
        quiet.elapsed() > Duration::from_millis(50)
    });
    assert!(send(&mut client).0 < ALL, "all of it went, with nobody to read it");
    let (mut count, mut got) = (0, Vec::new());
    rig.until("all has come", |rig| {
        send(&mut client);
        loop {
            got.clear();
            server.read_some(&mut got, PATTERN - count % PATTERN);
            assert!(pattern[count % PATTERN..].starts_with(&got));
            count += got.len();
            if got.is_empty() {
                break;
            }
        }
        assert!(rig.queued() <= MOST);
        count == ALL
    });
}

/// What the client says before there is anybody to hear it isn't lost.
pub(super) fn words_wait_until_somebody_listens<P: Subject>() {
    let directory = std::env::temp_dir();
    let path =
        directory.join(format!("relaying-{}-{:?}", std::process::id(), thread::current().id()));
    let mut rig = Rig::<P>::new(path.as_path().into());
    let mut client = rig.client();
    client.send(b"anybody?");
    rig.until("it waits", |rig| rig.reactor.context().connections() == 1);
    let listening = Listening::unix(&path);
    rig.until("both are connected", |rig| rig.reactor.context().connections() == 2);
    std::fs::remove_file(&path).unwrap();
    let mut server = listening.accept();
    client.finish();
    assert_eq!(rig.receive_all(&mut server), (b"anybody?".to_vec(), Tail::End));
}

pub(super) fn what_is_cut_off_doesn_t_look_whole<P: Subject>() {
    let listening = Listening::tcp();
    let mut rig = Rig::<P>::new(listening.target());
    let (mut client, server) = rig.pair(&listening);
    server.reset();
    let reset = Tail::Failed(io::ErrorKind::ConnectionReset);
    assert_eq!(rig.receive_all(&mut client), (vec![], reset));
    rig.until("all is closed", |rig| rig.reactor.context().connections() == 0);
}
