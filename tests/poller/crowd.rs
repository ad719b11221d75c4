//! Many descriptors, small buffers, and changes in the midst of a dispatch.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reactor::{Interest, Key};
use tests::Subject;
use tests::rig::{Rig, number};
use tests::sockets::Counter;

/// `count` descriptors, all readable, in slots from 0.
pub(super) fn ready<P: Subject>(rig: &mut Rig<P>, count: u32) -> Vec<(Counter, Key)> {
    (0..count)
        .map(|slot| {
            let fd = Counter::new(1);
            let key = rig.add(&fd, slot, Interest::READABLE);
            (fd, key)
        })
        .collect()
}

/// How often each key is reported in `waits` waits.
pub(super) fn census<P: Subject>(rig: &mut Rig<P>, waits: usize) -> BTreeMap<Key, usize> {
    let mut census = BTreeMap::new();
    for _ in 0..waits {
        let events = rig.now();
        assert!(events.len() <= rig.events.capacity());
        for event in events {
            *census.entry(event.key()).or_default() += 1;
        }
    }
    census
}

pub(super) fn more_ready_descriptors_than_room_take_turns<P: Subject>() {
    let mut rig = Rig::<P>::with_room(7);
    let fds = ready(&mut rig, 70);
    // Ten full buffers hold each once; twice as many give every mechanism the time to turn.
    let census = census(&mut rig, 20);
    assert_eq!(census.len(), fds.len(), "some were never reported: {census:?}");
}

pub(super) fn room_for_one_starves_nobody<P: Subject>() {
    let mut rig = Rig::<P>::with_room(1);
    let fds = ready(&mut rig, 9);
    let census = census(&mut rig, 27);
    assert_eq!(census.len(), fds.len(), "some were never reported: {census:?}");
}

pub(super) fn a_full_buffer_returns_at_once<P: Subject>() {
    let mut rig = Rig::<P>::with_room(1);
    let fds = ready(&mut rig, 1);
    rig.poller.wait(&mut rig.events, None).unwrap();
    assert_eq!(rig.events.room(), 0);
    fds[0].0.read();
    // Nothing is ready, and without room there is nothing to wait for.
    rig.poller.wait(&mut rig.events, None).unwrap();
    assert_eq!(rig.events.len(), 1);
    rig.silent();
}

pub(super) fn events_are_appended<P: Subject>() {
    let mut rig = Rig::<P>::with_room(3);
    let _fds = ready(&mut rig, 2);
    rig.poller.wait(&mut rig.events, None).unwrap();
    rig.poller.wait(&mut rig.events, None).unwrap();
    assert_eq!(rig.events.len(), 3, "two, and one more where there was room");
}

pub(super) fn adding_and_removing_while_dispatching<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let mut fds: BTreeMap<Key, Counter> =
        ready(&mut rig, 20).into_iter().map(|(fd, key)| (key, fd)).collect();
    for generation in 1..20 {
        let events = rig.now();
        assert_eq!(events.len(), fds.len(), "each one is reported once");
        // Every other one is replaced by another descriptor in the same slot, in the midst of it.
        for event in events.iter().step_by(2) {
            let old = event.key();
            rig.remove(old);
            drop(fds.remove(&old).unwrap());
            let fd = Counter::new(1);
            let key = Key::new(old.slot(), generation);
            rig.poller.add(number(&fd), key, Interest::READABLE).unwrap();
            fds.insert(key, fd);
        }
        assert!(rig.now().iter().all(|event| fds.contains_key(&event.key())));
    }
}

pub(super) fn removing_all_but_one<P: Subject>() {
    for survivor in [0, 1, 15, 31] {
        let mut rig = Rig::<P>::new();
        let fds = ready(&mut rig, 32);
        for (_, key) in fds.iter().filter(|(_, key)| key.slot() != survivor) {
            rig.remove(*key);
        }
        let key = Key::new(survivor, 0);
        let start = Instant::now();
        assert!(rig.expect(key).is_readable());
        assert!(start.elapsed() < Duration::from_secs(5));
        rig.modify(key, Interest::NONE);
        rig.silent();
    }
}
