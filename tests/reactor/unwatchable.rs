//! Connections that the poller can't take, as when the user's limit of watches is reached (epoll(7),
//! max_user_watches).

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::time::Duration;

use reactor::{
    Backend, Blocked, Capabilities, Direction, Event, Events, Interest, Key, ListenOptions,
    Options, Poller, Reactor, Readiness, Waker,
};
use tests::Subject;
use tests::peer::{Peer, Tail};
use tests::recorder::{Recorder, Seen, sink};
use tests::rig::SILENCE;
use tests::server::{Family, Server};
use tests::sockets::{send_urgent, unix};

/// A poller with room for so many descriptors more.
struct Limited<P> {
    poller: P,
    room: usize,
    /// Those that it didn't take.
    refused: usize,
}

impl<P: Poller> Poller for Limited<P> {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        if self.room == 0 {
            self.refused += 1;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room -= 1;
        self.poller.add(fd, key, interest)
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        self.poller.modify(key, interest)
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        self.room += 1;
        self.poller.remove(key)
    }

    fn blocked(&mut self, key: Key, direction: Direction, why: Blocked) {
        self.poller.blocked(key, direction, why);
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        self.poller.wait(events, timeout)
    }

    fn waker(&self) -> Waker {
        self.poller.waker()
    }

    fn capabilities(&self) -> Capabilities {
        self.poller.capabilities()
    }
}

/// It is as with descriptors: one is turned away, the others wait, and a connection that closes makes
/// room for the next.
pub(super) fn they_wait_for_room<P: Subject>() {
    let poller = Limited { poller: P::create().unwrap(), room: 2, refused: 0 };
    let options = Options::default();
    let mut reactor = Reactor::with_options(Recorder::new(sink), poller, options).unwrap();
    let listener = reactor.listen("127.0.0.1:0").unwrap();
    let address = reactor.context().listener_address(listener).unwrap().as_ip().unwrap();
    let accepted = |reactor: &Reactor<Recorder, _>| {
        let seen = &reactor.handler().seen;
        seen.iter().filter(|seen| matches!(seen, Seen::Accepted(_))).count()
    };
    let first = Peer::tcp(address);
    while accepted(&reactor) == 0 {
        reactor.turn(None).unwrap();
    }
    let mut others: Vec<_> = (0..50).map(|_| Peer::tcp(address)).collect();
    // As many turns as there are clients, and no time for the pause to end.
    for _ in 0..50 {
        reactor.turn(Some(Duration::ZERO)).unwrap();
    }
    let refused = reactor.poller().refused;
    assert!((1..10).contains(&refused), "{refused} were turned away");
    assert_ne!(others[0].read_some(&mut Vec::new(), 1), Tail::Open, "the first of them was");

    drop(first);
    while accepted(&reactor) == 1 {
        reactor.turn(None).unwrap();
    }
    assert_eq!(reactor.context().connections(), 1);
}

/// A poller for which the system may have no room when it is to watch again what it watched before: a
/// change that waits for the next wait, and that is reported as an error then.
struct Refusing<P> {
    poller: P,
    refuses: Cell<bool>,
    /// Whether it has no room for those that are new to it, either.
    refuses_new: Cell<bool>,
    /// Changes that were refused.
    refused: usize,
    /// Those that the system doesn't watch.
    absent: BTreeSet<Key>,
    /// Those of them that are to be reported, and for what.
    unsaid: BTreeMap<Key, Interest>,
}

impl<P: Subject> Subject for Refusing<P> {
    fn backend() -> Backend {
        P::backend()
    }

    fn create() -> io::Result<Self> {
        Ok(Self {
            poller: P::create()?,
            refuses: Cell::new(false),
            refuses_new: Cell::new(false),
            refused: 0,
            absent: BTreeSet::new(),
            unsaid: BTreeMap::new(),
        })
    }
}

impl<P: Poller> Poller for Refusing<P> {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        if interest.is_empty() {
            self.absent.insert(key);
        } else if self.refuses_new.get() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.poller.add(fd, key, interest)
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        self.unsaid.remove(&key);
        if interest.is_empty() {
            self.absent.insert(key);
        } else if self.refuses.get() && self.absent.contains(&key) {
            self.unsaid.insert(key, interest);
            return Ok(());
        } else {
            self.absent.remove(&key);
        }
        self.poller.modify(key, interest)
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        self.absent.remove(&key);
        self.unsaid.remove(&key);
        self.poller.remove(key)
    }

    fn blocked(&mut self, key: Key, direction: Direction, why: Blocked) {
        self.poller.blocked(key, direction, why);
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = if self.unsaid.is_empty() { timeout } else { Some(Duration::ZERO) };
        self.poller.wait(events, timeout)?;
        while events.room() > 0 {
            let Some((key, interest)) = self.unsaid.pop_first() else { break };
            self.refused += 1;
            events.push(Event::new(key, Readiness::all(interest) | Readiness::ERROR));
        }
        Ok(())
    }

    fn waker(&self) -> Waker {
        self.poller.waker()
    }

    fn capabilities(&self) -> Capabilities {
        self.poller.capabilities()
    }
}

/// What `ask` asks for is refused, now and for a while, in which the loop asks again and doesn't spin.
fn refused<P: Subject>(
    server: &mut Server<Refusing<P>>,
    ask: impl FnOnce(&mut Server<Refusing<P>>),
) {
    server.turn();
    server.reactor.poller().refuses.set(true);
    ask(server);
    server.until("it is asked again", |server| server.reactor.poller().refused > 1);
    let (before, turns) = (server.reactor.poller().refused, server.ctx().turns());
    server.reactor.turn(Some(SILENCE)).unwrap();
    let more = server.reactor.poller().refused - before;
    assert!(more as u64 <= server.ctx().turns() - turns, "once a pause");
    server.reactor.poller().refuses.set(false);
}

/// A connection that reads again after a pause.
pub(super) fn who_is_resumed_without_room_is_asked_for_again<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<Refusing<P>>::new(family, sink);
        let (mut peer, conn) = server.connect();
        server.ctx().pause(conn);
        refused(&mut server, |server| server.ctx().resume(conn));
        peer.send(b"hello");
        server.until_seen(&Seen::Data(conn, b"hello".to_vec()));
        assert_eq!(server.ctx().connections(), 1);
    }
}

/// Also one that wants urgent data alone.
pub(super) fn who_waits_for_urgent_bytes_is_asked_for_again<P: Subject>() {
    let mut server = Server::<Refusing<P>>::tcp(sink);
    let (peer, conn) = server.connect();
    server.ctx().pause(conn);
    refused(&mut server, |server| server.ctx().watch_urgent(conn, true));
    send_urgent(&peer, b'!');
    server.until_seen(&Seen::Urgent(conn, b'!'));
}

/// A listener that was full.
pub(super) fn a_listener_without_room_is_asked_for_again<P: Subject>() {
    let mut server = Server::<Refusing<P>>::tcp(sink);
    let options = ListenOptions::default().max_connections(1);
    let listener = server.ctx().listen_with("127.0.0.1:0", &options).unwrap();
    let first = server.client_of(listener);
    server.next_accepted();
    let second = server.client_of(listener);
    server.until("it holds back", |server| !server.reactor.poller().absent.is_empty());
    refused(&mut server, |server| {
        // Who waits is accepted all the same. After that nobody does.
        drop((first, second));
        server.until("all are gone", |server| {
            server.accepted().len() == 2 && server.ctx().connections() == 0
        });
    });
    let _third = server.client_of(listener);
    server.next_accepted();
}

/// A descriptor of the user's own, with a mark and without.
pub(super) fn a_descriptor_without_room_is_asked_for_again<P: Subject>() {
    for mark in [1, 3] {
        let (near, far) = unix();
        let far = OwnedFd::from(far);
        let mut server = Server::<Refusing<P>>::new(Family::Unix, |_, _| {});
        let raw = server.ctx().register(near, Interest::READABLE).unwrap();
        server.ctx().set_raw_read_low(raw, mark).unwrap();
        server.ctx().set_interest(raw, Interest::NONE).unwrap();
        // Below its mark, nobody would ask for it.
        rustix::io::write(&far, b"hey").unwrap();
        refused(&mut server, |server| {
            server.ctx().set_interest(raw, Interest::READABLE).unwrap();
        });
        server.until("it is watched", |server| server.reactor.poller().absent.is_empty());
        server.take_seen();
        server.until_seen(&Seen::Ready(raw));
    }
}

/// Also one whose mark is lowered to what has come, where a mechanism with edges has told of that already.
pub(super) fn a_lowered_mark_without_room_is_asked_for_again<P: Subject>() {
    let (near, far) = unix();
    let far = OwnedFd::from(far);
    let mut server = Server::<Refusing<P>>::new(Family::Unix, |_, _| {});
    let raw = server.ctx().register(near, Interest::READABLE).unwrap();
    server.ctx().set_raw_read_low(raw, 10).unwrap();
    rustix::io::write(&far, b"hey").unwrap();
    server.turn();
    let poller = server.reactor.poller();
    poller.refuses.set(true);
    poller.refuses_new.set(true);
    server.ctx().set_raw_read_low(raw, 3).unwrap();
    server.turn();
    server.reactor.poller().refuses.set(false);
    server.until("it is watched", |server| server.reactor.poller().absent.is_empty());
    server.take_seen();
    server.until_seen(&Seen::Ready(raw));
}
