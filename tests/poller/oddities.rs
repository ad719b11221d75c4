//! What isn't a socket, and what a poller says of itself.

use std::fs::File;
use std::io::Write;

use reactor::poller::{Cost, Trigger};
use reactor::{Backend, Blocked, Direction, Event, Events, Interest, Key, Poller, Readiness};
use tests::Subject;
use tests::rig::{Rig, number};
use tests::sockets::{drain, unix};

/// A file that every system with Cargo has: this one.
fn regular() -> File {
    File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/poller/oddities.rs")).unwrap()
}

const ALL: fn() -> Interest = || Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;

pub(super) fn a_regular_file_is_always_ready<P: Subject>() {
    always_ready::<P>(&regular());
}

pub(super) fn dev_null_is_always_ready<P: Subject>() {
    always_ready::<P>(&File::open("/dev/null").unwrap());
}

fn always_ready<P: Subject>(file: &File) {
    let mut rig = Rig::<P>::new();
    let key = rig.add(file, 0, ALL());
    for _ in 0..3 {
        assert_eq!(rig.expect(key), Readiness::READABLE | Readiness::WRITABLE);
    }
    assert_eq!(rig.wait(None).len(), 1);
}

pub(super) fn a_file_with_no_interest_is_silent<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let file = regular();
    let key = rig.add(&file, 0, Interest::NONE);
    rig.silent();
    rig.modify(key, Interest::READABLE);
    assert_eq!(rig.expect(key), Readiness::READABLE);
    rig.modify(key, Interest::NONE);
    rig.silent();
    rig.modify(key, Interest::WRITABLE);
    assert_eq!(rig.expect(key), Readiness::WRITABLE);
}

pub(super) fn a_file_is_masked_by_its_interest<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let file = regular();
    let key = rig.add(&file, 0, Interest::PRIORITY);
    rig.silent();
    for interest in [Interest::READABLE, Interest::WRITABLE] {
        rig.modify(key, interest | Interest::PRIORITY);
        assert_eq!(rig.expect(key), Readiness::all(interest));
    }
}

pub(super) fn files_and_sockets_share_a_small_buffer<P: Subject>() {
    for room in [1, 2] {
        let mut rig = Rig::<P>::with_room(room);
        let (one, two) = (regular(), File::open("/dev/null").unwrap());
        let (near, mut far) = unix();
        let keys = [
            rig.add(&one, 0, Interest::READABLE),
            rig.add(&near, 1, Interest::READABLE),
            rig.add(&two, 2, Interest::READABLE),
        ];
        far.write_all(b"x").unwrap();
        let mut seen = Vec::new();
        for _ in 0..9 {
            let events = rig.now();
            let mut batch: Vec<_> = events.iter().map(Event::key).collect();
            seen.extend_from_slice(&batch);
            batch.dedup();
            assert_eq!(batch.len(), events.len(), "no key twice in a batch: {events:?}");
        }
        for key in keys {
            assert!(seen.contains(&key), "{key:?} starved with room for {room}: {seen:?}");
        }
    }
}

pub(super) fn a_file_that_is_removed_is_silent<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (one, two) = (regular(), File::open("/dev/null").unwrap());
    let (first, second) =
        (rig.add(&one, 0, Interest::READABLE), rig.add(&two, 1, Interest::READABLE));
    assert_eq!(rig.now().len(), 2);
    rig.remove(first);
    assert!(rig.expect(second).is_readable());
    rig.remove(second);
    rig.silent();
}

/// The kernel can't watch them, so that nothing but the poller itself keeps them apart.
pub(super) fn a_file_added_again_is_reported_once<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (one, two) = (regular(), File::open("/dev/null").unwrap());
    let old = rig.add(&one, 0, Interest::READABLE);
    rig.expect(old);
    rig.remove(old);
    let new = Key::new(0, 1);
    rig.poller.add(number(&two), new, Interest::WRITABLE).unwrap();
    for _ in 0..3 {
        assert_eq!(rig.expect(new), Readiness::WRITABLE);
    }
    rig.remove(new);
    rig.add(&one, 0, Interest::READABLE);
    assert_eq!(rig.expect(old), Readiness::READABLE);
}

pub(super) fn capabilities_are_those_of_the_mechanism<P: Subject>() {
    let capabilities = Rig::<P>::new().poller.capabilities();
    assert_eq!(capabilities.backend, P::backend());
    assert!(capabilities.backend.is_compiled());
    let (trigger, sees_close, has_fd, cost) = match P::backend() {
        Backend::Select => (Trigger::Level, false, false, Cost::HighestFd),
        Backend::Poll => (Trigger::Level, true, false, Cost::Registered),
        Backend::Epoll => (Trigger::Level, true, true, Cost::Ready),
        Backend::Mio => (Trigger::Edge, true, true, Cost::Ready),
        Backend::Adaptive => (Trigger::Level, true, false, Cost::Ready),
        other => panic!("{other} isn't in this table"),
    };
    assert_eq!(capabilities.trigger, trigger);
    assert_eq!(capabilities.sees_close, sees_close);
    assert_eq!(capabilities.has_fd, has_fd);
    assert_eq!(capabilities.cost, cost);
    let line = capabilities.to_string();
    assert!(line.starts_with(&format!("{}: ", capabilities.backend)), "{line}");
}

pub(super) fn a_poller_works_behind_a_dyn_reference<P: Subject>() {
    let mut poller = P::create().unwrap();
    let poller: &mut dyn Poller = &mut poller;
    let mut events = Events::with_capacity(4);
    let (near, mut far) = unix();
    let key = Key::new(0, 0);
    poller.add(number(&near), key, Interest::NONE).unwrap();
    poller.modify(key, Interest::READABLE).unwrap();
    far.write_all(b"x").unwrap();
    poller.wait(&mut events, None).unwrap();
    assert_eq!(events.iter().collect::<Vec<_>>(), [&Event::new(key, Readiness::READABLE)]);
    drain(&near);
    poller.blocked(key, Direction::Read, Blocked::WouldBlock);
    events.clear();
    poller.waker().wake().unwrap();
    poller.wait(&mut events, None).unwrap();
    assert!(events.is_empty());
    assert_eq!(poller.capabilities().backend, P::backend());
    poller.remove(key).unwrap();
}
