//! Looking again before sleeping.

use std::cell::RefCell;
use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use reactor::{
    Blocked, Capabilities, ConnId, Context, Direction, Events, Handler, Input, Interest, Key,
    Options, Poller, RawId, Reactor, Readiness, Waker,
};
use tests::Subject;
use tests::rig::PATIENCE;
use tests::sockets::Counter;

/// The wait during which something happens.
const THEN: usize = 10;

/// What is to happen.
type Event = Rc<RefCell<Option<Box<dyn FnOnce()>>>>;

/// Counts its waits, and has something happen at one of them.
struct Eventful<P> {
    poller: P,
    waits: usize,
    event: Event,
}

impl<P: Poller> Poller for Eventful<P> {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        self.poller.add(fd, key, interest)
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        self.poller.modify(key, interest)
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        self.poller.remove(key)
    }

    fn blocked(&mut self, key: Key, direction: Direction, why: Blocked) {
        self.poller.blocked(key, direction, why);
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        self.waits += 1;
        if self.waits == THEN {
            let event = self.event.take();
            event.expect("something is to happen")();
        }
        self.poller.wait(events, timeout)
    }

    fn waker(&self) -> Waker {
        self.poller.waker()
    }

    fn capabilities(&self) -> Capabilities {
        self.poller.capabilities()
    }
}

#[derive(Default)]
struct Seen {
    messages: usize,
    ready: usize,
}

impl Handler for Seen {
    type Message = ();

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}

    fn message(&mut self, _: &mut Context<'_>, (): ()) {
        self.messages += 1;
    }

    fn ready(&mut self, _: &mut Context<'_>, _: RawId, _: Readiness) {
        self.ready += 1;
    }
}

/// A loop that is awake for so long before it sleeps, and the place for what is to happen.
fn awake<P: Subject>(spin: Duration) -> (Reactor<Seen, Eventful<P>>, Event) {
    let mut options = Options::default();
    options.spin = spin;
    let event = Event::default();
    let poller = Eventful { poller: P::create().unwrap(), waits: 0, event: Rc::clone(&event) };
    (Reactor::with_options(Seen::default(), poller, options).unwrap(), event)
}

pub(super) fn a_wake_ends_the_spin<P: Subject>() {
    let (mut reactor, event) = awake::<P>(PATIENCE);
    let waker = reactor.poller().waker();
    *event.borrow_mut() = Some(Box::new(move || waker.wake().unwrap()));
    reactor.turn(None).unwrap();
    assert_eq!(reactor.poller().waits, THEN);
}

pub(super) fn a_message_ends_the_spin<P: Subject>() {
    let (mut reactor, event) = awake::<P>(PATIENCE);
    let mailbox = reactor.mailbox();
    *event.borrow_mut() = Some(Box::new(move || mailbox.post(()).unwrap()));
    reactor.turn(None).unwrap();
    assert_eq!((reactor.poller().waits, reactor.handler().messages), (THEN, 1));
}

pub(super) fn what_is_ready_ends_the_spin<P: Subject>() {
    let (mut reactor, event) = awake::<P>(PATIENCE);
    let counter = Counter::new(0);
    reactor.context().register(counter.duplicate(), Interest::READABLE).unwrap();
    *event.borrow_mut() = Some(Box::new(move || counter.add(1)));
    reactor.turn(None).unwrap();
    assert_eq!((reactor.poller().waits, reactor.handler().ready), (THEN, 1));
}

pub(super) fn a_timeout_ends_the_spin<P: Subject>() {
    let (mut reactor, event) = awake::<P>(PATIENCE);
    *event.borrow_mut() = Some(Box::new(|| {}));
    let (start, timeout) = (Instant::now(), Duration::from_millis(5));
    reactor.turn(Some(timeout)).unwrap();
    assert!(start.elapsed() >= timeout);
    let waits = reactor.poller().waits;
    assert!(waits > THEN, "it was awake");
    // Timeouts alone don't keep it awake.
    reactor.turn(Some(timeout)).unwrap();
    assert_eq!(reactor.poller().waits, waits + 1);
}

pub(super) fn a_loop_that_slept_long_sleeps_at_once<P: Subject>() {
    let (mut reactor, event) = awake::<P>(Duration::from_millis(1));
    *event.borrow_mut() = Some(Box::new(|| {}));
    let timeout = Some(Duration::from_millis(5));
    reactor.turn(timeout).unwrap();
    let before = reactor.poller().waits;
    for _ in 0..3 {
        reactor.turn(timeout).unwrap();
    }
    assert_eq!(reactor.poller().waits, before + 3);
}

pub(super) fn a_loop_that_is_not_told_to_never_spins<P: Subject>() {
    let (mut reactor, _event) = awake::<P>(Duration::ZERO);
    for _ in 0..3 {
        reactor.turn(Some(Duration::from_millis(5))).unwrap();
    }
    assert_eq!(reactor.poller().waits, 3);
}
