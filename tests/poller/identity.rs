//! One descriptor number, one key.

use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;

use reactor::{Interest, Key, Readiness};
use rustix::io::{Errno, dup, dup2};
use tests::Subject;
use tests::rig::{Rig, number};
use tests::sockets::{pipe, tcp, unix};

/// No process here has as many descriptors.
const NEVER_OPEN: i32 = 1_000_000_000;

pub(super) fn a_registered_number_already_exists<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, _far) = tcp();
    for interest in [Interest::READABLE, Interest::NONE] {
        let key = rig.add(&near, 0, interest);
        let error = rig.poller.add(number(&near), Key::new(1, 0), Interest::READABLE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        rig.remove(key);
    }
}

pub(super) fn a_registered_slot_already_exists<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = tcp();
    rig.add(&near, 3, Interest::READABLE);
    for generation in [0, 1] {
        let key = Key::new(3, generation);
        let error = rig.poller.add(number(&far), key, Interest::READABLE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    }
    rig.add(&far, 4, Interest::READABLE);
}

pub(super) fn a_number_that_is_not_open_is_ebadf<P: Subject>() {
    let mut rig = Rig::<P>::new();
    for fd in [NEVER_OPEN, -1, i32::MIN] {
        for interest in [Interest::READABLE, Interest::WRITABLE, Interest::NONE] {
            let error = rig.poller.add(fd, Key::new(0, 0), interest).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(Errno::BADF.raw_os_error()), "{fd} {interest:?}");
        }
    }
    rig.silent();
}

pub(super) fn a_failed_add_leaves_nothing_behind<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let key = Key::new(0, 0);
    assert!(rig.poller.add(NEVER_OPEN, key, Interest::READABLE).is_err());
    assert_eq!(rig.poller.remove(key).unwrap_err().kind(), ErrorKind::NotFound);
    let (near, mut far) = tcp();
    assert_eq!(rig.add(&near, 0, Interest::READABLE), key);
    far.write_all(b"x").unwrap();
    assert!(rig.expect(key).is_readable());
}

pub(super) fn a_slot_beyond_the_highest_is_invalid<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, _far) = tcp();
    for slot in [Key::MAX_SLOT + 1, u32::MAX] {
        let error =
            rig.poller.add(number(&near), Key::new(slot, 0), Interest::READABLE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = rig.poller.remove(Key::new(slot, u32::MAX)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    rig.add(&near, 0, Interest::READABLE);
}

pub(super) fn a_stranger_is_not_found<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, _far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    rig.remove(key);
    for stranger in [key, Key::new(1, 0), Key::new(1_000_000, 0)] {
        let error = rig.poller.modify(stranger, Interest::READABLE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(rig.poller.remove(stranger).unwrap_err().kind(), ErrorKind::NotFound);
    }
}

pub(super) fn an_old_generation_is_a_stranger<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    let old = rig.add(&near, 0, Interest::READABLE);
    rig.remove(old);
    let new = Key::new(0, 1);
    rig.poller.add(number(&near), new, Interest::READABLE).unwrap();
    let error = rig.poller.modify(old, Interest::NONE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(rig.poller.remove(old).unwrap_err().kind(), ErrorKind::NotFound);
    far.write_all(b"x").unwrap();
    assert!(rig.expect(new).is_readable(), "the new one is untouched");
}

pub(super) fn a_number_reopened_within_a_turn_has_the_new_key<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (first, mut first_peer) = unix();
    let (second, mut second_peer) = unix();
    let mut slot = OwnedFd::from(first);
    let old = rig.add(&slot, 0, Interest::READABLE);
    first_peer.write_all(b"old").unwrap();
    assert!(rig.expect(old).is_readable());

    // The old file is gone and another one has its number, before the next wait.
    rig.remove(old);
    dup2(&second, &mut slot).unwrap();
    let new = Key::new(0, 1);
    rig.poller.add(number(&slot), new, Interest::READABLE).unwrap();
    rig.silent();
    second_peer.write_all(b"new").unwrap();
    assert_eq!(rig.expect(new), Readiness::READABLE);
}

pub(super) fn two_pollers_share_a_descriptor<P: Subject>() {
    let (mut one, mut two) = (Rig::<P>::new(), Rig::<P>::new());
    let (near, mut far) = tcp();
    let first = one.add(&near, 0, Interest::READABLE);
    let second = two.add(&near, 7, Interest::READABLE);
    far.write_all(b"x").unwrap();
    assert!(one.expect(first).is_readable());
    assert!(two.expect(second).is_readable());
    one.remove(first);
    one.silent();
    assert!(two.expect(second).is_readable());
}

pub(super) fn a_duplicate_left_open_is_silent_after_remove<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (read, write) = pipe();
    let duplicate = dup(&read).unwrap();
    let key = rig.add(&read, 0, Interest::READABLE);
    rustix::io::write(&write, b"x").unwrap();
    assert!(rig.expect(key).is_readable());
    rig.remove(key);
    drop(read);
    rig.silent();
    let key = rig.add(&duplicate, 1, Interest::READABLE);
    assert!(rig.expect(key).is_readable(), "the duplicate is a descriptor like any other");
}
