//! Connections that the poller can't take, as when the user's limit of watches is reached (epoll(7),
//! max_user_watches).

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use reactor::{
    Blocked, Capabilities, Direction, Events, Interest, Key, Options, Poller, Reactor, Waker,
};
use tests::Subject;
use tests::peer::{Peer, Tail};
use tests::recorder::{Recorder, Seen, sink};

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
