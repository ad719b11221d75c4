//! What isn't a socket, and what a poller says of itself.

use std::fs::File;
use std::io::Write;

use reactor::{Event, Interest, Readiness};
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::unix;

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

pub(super) fn capabilities_name_the_mechanism<P: Subject>() {
    let rig = Rig::<P>::new();
    let capabilities = rig.poller.capabilities();
    assert!(capabilities.backend.is_compiled());
    let line = capabilities.to_string();
    assert!(line.starts_with(&format!("{}: ", capabilities.backend)), "{line}");
}
