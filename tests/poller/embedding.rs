//! A poller within another loop, by its own descriptor: an outer poll(2), and an outer poller of the
//! same mechanism. A wait of no length comes before each of the outer loop's, as the mechanisms with
//! a descriptor ask for. In processes of their own, since one closes a descriptor too early.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;

use reactor::{Blocked, Direction, Interest};
use rustix::event::PollFlags;
use rustix::io::dup;
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::{await_bits, drain, pipe, shows, unix};

/// That an outer poll(2) would sleep.
fn quiet<P: Subject + AsFd>(rig: &mut Rig<P>) {
    assert!(rig.now().is_empty());
    assert!(!shows(&rig.poller, PollFlags::IN), "readable with nothing to report");
}

pub(super) fn an_outer_poll_hears_of_data<P: Subject + AsFd>() {
    let mut rig = Rig::<P>::new();
    assert!(rig.poller.capabilities().has_fd);
    let (near, mut far) = unix();
    let key = rig.add(&near, 0, Interest::NONE);
    rig.modify(key, Interest::READABLE);
    for byte in 0..3 {
        quiet(&mut rig);
        far.write_all(&[byte]).unwrap();
        await_bits(&rig.poller, PollFlags::IN);
        assert!(rig.expect(key).is_readable());
        assert_eq!(drain(&near), (vec![byte], false));
        rig.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
    }
    quiet(&mut rig);
}

pub(super) fn an_outer_poll_hears_of_a_wake<P: Subject + AsFd>() {
    let mut rig = Rig::<P>::new();
    let waker = rig.poller.waker();
    for _ in 0..3 {
        quiet(&mut rig);
        waker.wake().unwrap();
        await_bits(&rig.poller, PollFlags::IN);
    }
    quiet(&mut rig);
}

/// What waits in user space is no business of the kernel's: the wait of no length tells.
pub(super) fn what_is_left_comes_before_the_outer_wait<P: Subject + AsFd>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE);
    quiet(&mut rig);
    far.write_all(b"x").unwrap();
    await_bits(&rig.poller, PollFlags::IN);
    for _ in 0..3 {
        assert_eq!(rig.now().len(), 1, "nobody read it");
    }
    rig.remove(key);
    let file = File::open("/dev/null").unwrap();
    let key = rig.add(&file, 0, Interest::READABLE);
    for _ in 0..3 {
        assert_eq!(rig.now().len(), 1, "a file is always ready");
    }
    rig.remove(key);
    quiet(&mut rig);
}

pub(super) fn a_poller_watches_another<P: Subject + AsFd>() {
    let (mut outer, mut inner) = (Rig::<P>::new(), Rig::<P>::new());
    let (near, mut far) = unix();
    let key = inner.add(&near, 7, Interest::READABLE);
    let whole = outer.add(&inner.poller, 0, Interest::READABLE);
    for byte in 0..3 {
        assert!(inner.now().is_empty());
        outer.silent();
        far.write_all(&[byte]).unwrap();
        assert!(outer.expect(whole).is_readable());
        assert!(inner.expect(key).is_readable());
        assert_eq!(drain(&near), (vec![byte], false));
        inner.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
        assert!(inner.now().is_empty());
        outer.silent();
        inner.poller.waker().wake().unwrap();
        assert!(outer.expect(whole).is_readable());
    }
    outer.remove(whole);
    inner.poller.waker().wake().unwrap();
    outer.silent();
}

pub(super) fn an_outer_poll_still_hears_after_an_orphan<P: Subject + AsFd>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let other = rig.add(&near, 1, Interest::READABLE);
    let (read, write) = pipe();
    let _duplicate = dup(&read).unwrap();
    let key = rig.add(&read, 0, Interest::READABLE);
    rustix::io::write(&write, b"x").unwrap();
    assert!(rig.expect(key).is_readable());
    drop(read);
    rig.remove(key);
    rig.silent();
    quiet(&mut rig);
    far.write_all(b"x").unwrap();
    await_bits(&rig.poller, PollFlags::IN);
    assert!(rig.expect(other).is_readable());
    drain(&near);
    rig.poller.blocked(other, Direction::Read, Blocked::WouldBlock);
    quiet(&mut rig);
    rig.poller.waker().wake().unwrap();
    await_bits(&rig.poller, PollFlags::IN);
}
