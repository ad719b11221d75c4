//! Descriptors that are closed before they are removed: a caller's mistake that must not become
//! everybody's. In processes of their own, since other threads would take the closed numbers.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::AsRawFd;

use reactor::{Backend, Event, Events, Interest, Key, Readiness};
use tests::Subject;
use tests::rig::{Rig, number};
use tests::sockets::{pipe, unix};

/// Whether the mechanism looks at the numbers anew at each wait, and so finds a closed one. An adaptive
/// one does for those that are busy, which nobody here is.
fn sees_closed_numbers<P: Subject>(rig: &Rig<P>) -> bool {
    matches!(rig.poller.capabilities().backend, Backend::Select | Backend::Poll)
}

/// Takes the report of a closed descriptor, from those that make one.
fn expect_report<P: Subject>(rig: &mut Rig<P>, key: Key, interest: Interest) {
    if sees_closed_numbers(rig) {
        assert_eq!(rig.expect(key), Readiness::all(interest) | Readiness::ERROR);
    }
}

pub(super) fn a_descriptor_closed_early_never_spins<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, _far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE);
    rig.silent();
    drop(near);
    expect_report(&mut rig, key, Interest::READABLE);
    rig.silent();
    rig.silent();
}

/// An edge-triggered mechanism may find out when it re-arms what it reported.
pub(super) fn a_descriptor_closed_after_its_report_never_spins<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE);
    far.write_all(b"x").unwrap();
    assert!(rig.expect(key).is_readable());
    drop(near);
    let seen: Vec<_> = (0..5).flat_map(|_| rig.now()).collect();
    assert!(seen.iter().all(|event| event.key() == key && event.readiness().is_error()));
    // An adaptive one that is restless has it in poll by now.
    let is_hot = P::IS_RESTLESS;
    let least = usize::from(sees_closed_numbers(&rig) || is_hot);
    assert!((least..=1).contains(&seen.len()), "{seen:?}");
    rig.silent();
}

/// What is always ready isn't in the kernel's hands, so that each mechanism has to look.
pub(super) fn a_closed_file_is_an_error_once<P: Subject>() {
    for reported in [false, true] {
        let mut rig = Rig::<P>::new();
        let file = File::open("/dev/null").unwrap();
        let key = rig.add(&file, 0, Interest::READABLE);
        if reported {
            assert_eq!(rig.expect(key), Readiness::READABLE);
        }
        drop(file);
        assert_eq!(rig.expect(key), Readiness::READABLE | Readiness::ERROR);
        rig.silent();
        rig.modify(key, Interest::WRITABLE);
        assert_eq!(rig.expect(key), Readiness::WRITABLE | Readiness::ERROR);
        rig.silent();
        rig.remove(key);
        rig.silent();
    }
}

pub(super) fn a_closed_descriptor_does_not_hide_the_others<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let (closed, _peer) = unix();
    let alive = rig.add(&near, 0, Interest::READABLE);
    let dead = rig.add(&closed, 1, Interest::READABLE | Interest::WRITABLE);
    drop(closed);
    far.write_all(b"x").unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.extend(rig.now());
    }
    assert!(seen.iter().any(|event| event.key() == alive && event.readiness().is_readable()));
    let reports = seen.iter().filter(|event| event.key() == dead).count();
    assert_eq!(reports, usize::from(sees_closed_numbers(&rig)), "{seen:?}");
}

pub(super) fn a_closed_descriptor_can_be_removed<P: Subject>() {
    for waited in [false, true] {
        let mut rig = Rig::<P>::new();
        let (near, _far) = unix();
        let key = rig.add(&near, 0, Interest::READABLE);
        drop(near);
        if waited {
            rig.now();
        }
        rig.remove(key);
        rig.silent();
        let (near, mut far) = unix();
        let key = rig.add(&near, 0, Interest::READABLE);
        far.write_all(b"x").unwrap();
        assert!(rig.expect(key).is_readable());
    }
}

pub(super) fn a_closed_descriptor_with_no_interest_is_silent<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, _far) = unix();
    let key = rig.add(&near, 0, Interest::NONE);
    drop(near);
    rig.silent();
    rig.remove(key);
    rig.silent();
}

pub(super) fn a_change_for_a_closed_descriptor_is_an_error_event<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, _far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE);
    drop(near);
    expect_report(&mut rig, key, Interest::READABLE);
    for interest in [Interest::READABLE | Interest::WRITABLE, Interest::WRITABLE] {
        rig.modify(key, interest);
        assert_eq!(rig.expect(key), Readiness::all(interest) | Readiness::ERROR);
        rig.silent();
    }
    rig.modify(key, Interest::NONE);
    rig.silent();
}

pub(super) fn a_closed_number_is_taken_until_it_is_removed<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, _far) = unix();
    let closed = number(&near);
    let key = rig.add(&near, 0, Interest::READABLE);
    drop(near);
    // The lowest free number is given out next (open(2)).
    let (read, write) = pipe();
    assert_eq!(read.as_raw_fd(), closed);
    let error = rig.poller.add(closed, Key::new(1, 0), Interest::READABLE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    rig.remove(key);
    let key = rig.add(&read, 1, Interest::READABLE);
    rustix::io::write(&write, b"x").unwrap();
    assert!(rig.expect(key).is_readable());
}

pub(super) fn many_closed_descriptors_are_reported_through_a_small_buffer<P: Subject>() {
    let mut rig = Rig::<P>::with_room(2);
    let pairs: Vec<_> = (0..7).map(|_| unix()).collect();
    for ((near, _), slot) in pairs.iter().zip(0..) {
        rig.add(near, slot, Interest::READABLE);
    }
    drop(pairs);
    for slot in 0..7 {
        rig.modify(Key::new(slot, 0), Interest::WRITABLE);
    }
    let mut seen = Vec::new();
    for _ in 0..10 {
        seen.extend(rig.now().iter().map(Event::key));
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..7).map(|slot| Key::new(slot, 0)).collect::<Vec<_>>());
    rig.silent();
}

pub(super) fn a_closed_descriptor_that_nobody_wants_any_more_is_silent<P: Subject>() {
    let mut rig = Rig::<P>::with_room(1);
    let pairs: Vec<_> = (0..3).map(|_| unix()).collect();
    let keys: Vec<_> = pairs
        .iter()
        .zip(0..)
        .map(|((near, _), slot)| rig.add(near, slot, Interest::READABLE))
        .collect();
    drop(pairs);
    for key in &keys {
        rig.modify(*key, Interest::WRITABLE);
    }
    let events = rig.now();
    assert_eq!(events.len(), 1);
    // The other two wait for room, and are given up meanwhile: one changed, one removed.
    let mut untold = keys.iter().filter(|key| **key != events[0].key());
    rig.modify(*untold.next().unwrap(), Interest::NONE);
    rig.remove(*untold.next().unwrap());
    rig.silent();
}

/// A caller who never gives up on closed ones, with room for one report a wait.
pub(super) fn closed_descriptors_and_changes_take_turns<P: Subject>() {
    for count in [1, 3] {
        let mut rig = Rig::<P>::with_room(1);
        let (near, mut far) = unix();
        far.write_all(b"x").unwrap();
        let closed: Vec<_> = (0..count).map(|_| unix()).collect();
        let dead: Vec<_> = closed
            .iter()
            .zip(1..)
            .map(|((near, _), slot)| rig.add(near, slot, Interest::READABLE))
            .collect();
        drop(closed);
        let alive = rig.add(&near, 0, Interest::NONE);
        rig.modify(alive, Interest::READABLE);
        let mut seen = Vec::new();
        for round in 0..30 {
            for key in &dead {
                let interest = [Interest::WRITABLE, Interest::READABLE][round % 2];
                rig.modify(*key, interest);
            }
            seen.extend(rig.now().iter().map(Event::key));
        }
        for key in dead.iter().chain([&alive]) {
            assert!(seen.contains(key), "{key:?} starved: {seen:?}");
        }
    }
}

pub(super) fn a_closed_descriptor_is_in_a_batch_once<P: Subject>() {
    let mut rig = Rig::<P>::with_room(2);
    let (ends, keys): (Vec<_>, Vec<_>) = (0..6)
        .map(|slot| {
            let (near, _far) = unix();
            let key = rig.add(&near, slot, Interest::READABLE);
            (near, key)
        })
        .unzip();
    drop(ends);
    // More changes are refused than there is room to say so.
    for round in 0..6 {
        for key in &keys {
            rig.modify(*key, [Interest::WRITABLE, Interest::READABLE][round % 2]);
        }
        rig.now();
    }
    rig.events = Events::with_capacity(64);
    let mut batch: Vec<_> = rig.now().iter().map(Event::key).collect();
    let len = batch.len();
    batch.sort_unstable();
    batch.dedup();
    assert_eq!(len, batch.len(), "no key twice in a batch");
    rig.silent();
}
