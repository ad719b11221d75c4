//! Descriptors that are closed too early while a duplicate keeps their file open. A kernel's list of
//! interests keeps their entry then, and no call can name it any more (epoll(7), Q6). In processes of
//! their own, since other threads would take the closed numbers.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::time::Instant;

use reactor::{Interest, Key, Readiness};
use rustix::io::dup;
use tests::rig::{PATIENCE, Rig, SILENCE, number, thread_cpu};
use tests::sockets::{pipe, unix};
use tests::{Subject, open_files};

/// A pipe that was reported readable under slot 0, and closed, with what keeps it open.
fn orphan<P: Subject>(rig: &mut Rig<P>) -> (Key, OwnedFd, OwnedFd) {
    let (read, write) = pipe();
    let duplicate = dup(&read).unwrap();
    let key = rig.add(&read, 0, Interest::READABLE);
    rustix::io::write(&write, b"x").unwrap();
    assert!(rig.expect(key).is_readable());
    drop(read);
    (key, duplicate, write)
}

pub(super) fn a_removed_orphan_does_not_spin<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let other = rig.add(&near, 1, Interest::READABLE);
    let (key, _duplicate, _write) = orphan(&mut rig);
    rig.remove(key);
    rig.silent();
    rig.silent();
    far.write_all(b"x").unwrap();
    assert!(rig.expect(other).is_readable(), "the others go on");
    rig.poller.waker().wake().unwrap();
    rig.remove(other);
    assert!(rig.wait(None).is_empty(), "and so does the waker");
}

pub(super) fn an_orphan_repeats_no_wake<P: Subject>() {
    let mut rig = Rig::<P>::new();
    rig.poller.waker().wake().unwrap();
    assert!(rig.wait(None).is_empty());
    rig.silent();
    let (key, _duplicate, _write) = orphan(&mut rig);
    rig.remove(key);
    rig.silent();
    rig.silent();
}

/// With room for one, the kernel reports the orphan and not yet the waker.
pub(super) fn an_orphan_swallows_no_wake<P: Subject>() {
    let mut rig = Rig::<P>::with_room(1);
    let (key, _duplicate, _write) = orphan(&mut rig);
    rig.remove(key);
    rig.poller.waker().wake().unwrap();
    let start = Instant::now();
    assert!(rig.wait(Some(PATIENCE)).is_empty());
    assert!(start.elapsed() < PATIENCE, "the wake was lost");
    rig.now();
    rig.silent();
}

pub(super) fn an_orphan_with_no_interest_is_silent<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (key, _duplicate, _write) = orphan(&mut rig);
    rig.modify(key, Interest::NONE);
    rig.silent();
    rig.silent();
    rig.remove(key);
    rig.silent();
}

pub(super) fn a_changed_orphan_is_an_error_once<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (key, _duplicate, _write) = orphan(&mut rig);
    for interest in [Interest::WRITABLE, Interest::READABLE | Interest::WRITABLE] {
        rig.modify(key, interest);
        assert_eq!(rig.expect(key), Readiness::all(interest) | Readiness::ERROR);
        rig.silent();
    }
    rig.remove(key);
    rig.silent();
}

pub(super) fn an_orphan_is_masked_by_the_interest<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (key, _duplicate, _write) = orphan(&mut rig);
    for event in (0..5).flat_map(|_| rig.now()) {
        let readiness = event.readiness();
        assert_eq!(event.key(), key);
        assert!(!readiness.is_writable() && !readiness.is_priority(), "{readiness:?}");
    }
}

pub(super) fn an_orphan_does_not_speak_for_the_next_in_its_slot<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (key, duplicate, write) = orphan(&mut rig);
    assert_eq!(rustix::io::read(&duplicate, &mut [0; 8]), Ok(1));
    rig.remove(key);
    let (near, mut far) = unix();
    let next = Key::new(0, 1);
    rig.poller.add(number(&near), next, Interest::READABLE).unwrap();
    rig.silent();
    rustix::io::write(&write, b"for the old one").unwrap();
    rig.silent();
    far.write_all(b"x").unwrap();
    assert!(rig.expect(next).is_readable());
}

/// Starting afresh takes a descriptor; without one it is put off.
pub(super) fn an_orphan_at_the_limit_of_open_files_fails_no_wait<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let other = rig.add(&near, 1, Interest::READABLE);
    let (key, _duplicate, _write) = orphan(&mut rig);
    rig.remove(key);
    // Room for the two entries of poll(2), and for no new descriptor.
    open_files::limit(3);
    for _ in 0..3 {
        // It may end early, for its caller to close something; it may not go round and round.
        let cpu = thread_cpu();
        assert!(rig.wait(Some(SILENCE)).is_empty());
        assert!(thread_cpu().saturating_sub(cpu) < SILENCE / 2, "the wait spun");
    }
    far.write_all(b"x").unwrap();
    assert!(rig.expect(other).is_readable(), "the others go on");
    rig.remove(other);
    open_files::limit(100);
    rig.now();
    rig.silent();
}
