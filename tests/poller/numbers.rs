//! Descriptors by the thousand, and by their numbers. In processes of their own, since a process
//! has one table of descriptors, and one limit of it.

use std::io::ErrorKind;

use reactor::{Backend, Interest, Key};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use tests::rig::{Rig, number};
use tests::sockets::pipe;
use tests::{Subject, open_files};

use crate::crowd::{census, ready};
use crate::process::open;

/// Slower than a second on a busy machine.
pub(super) fn five_thousand_descriptors<P: Subject>() {
    const COUNT: u32 = 5_000;
    open_files::allow(6_000, 5_100);
    let mut rig = Rig::<P>::with_room(1_000);
    let fds = ready(&mut rig, COUNT);
    let census = census(&mut rig, 10);
    assert_eq!(census.len(), fds.len());
    for (fd, _) in &fds {
        fd.read();
    }
    rig.silent();
    for (fd, key) in fds.iter().step_by(499) {
        fd.add(1);
        assert!(rig.expect(*key).is_readable());
        fd.read();
    }
    for (_, key) in fds.iter().rev() {
        rig.remove(*key);
    }
    rig.silent();
}

pub(super) fn numbers_above_the_old_limit_of_select<P: Subject>() {
    let highest = i32::try_from(open_files::allow(16_384, 4_200) - 10).unwrap();
    let mut rig = Rig::<P>::new();
    let (read, write) = pipe();
    let low = rig.add(&read, 0, Interest::READABLE);
    // Around the words of a bitmap, and far beyond FD_SETSIZE.
    let high: Vec<_> = [1_023, 1_024, 1_025, 1_087, 1_088, 4_096, highest]
        .into_iter()
        .zip(1..)
        .map(|(wanted, slot)| {
            let fd = fcntl_dupfd_cloexec(&read, wanted).unwrap();
            assert_eq!(number(&fd), wanted);
            let key = rig.add(&fd, slot, Interest::READABLE);
            (fd, key)
        })
        .collect();
    rig.silent();
    rustix::io::write(&write, b"x").unwrap();
    let census = census(&mut rig, 1);
    assert!(census.contains_key(&low));
    for (_, key) in &high {
        assert!(census.contains_key(key), "{key:?}");
    }
    for (_, key) in &high {
        rig.remove(*key);
    }
    assert!(rig.expect(low).is_readable(), "the low one is left");
}

/// The highest number asked for stands first, in the midst, or last in its word of a bitmap.
pub(super) fn the_highest_number_stands_anywhere_in_its_word<P: Subject>() {
    open_files::allow(1_024, 1_024);
    let mut rig = Rig::<P>::new();
    let (read, write) = pipe();
    rustix::io::write(&write, b"x").unwrap();
    let mut highest = Vec::new();
    for (wanted, slot) in [63, 64, 127, 128, 191, 192, 500, 511].into_iter().zip(0..) {
        let fd = fcntl_dupfd_cloexec(&read, wanted).unwrap();
        assert_eq!(number(&fd), wanted);
        let key = rig.add(&fd, slot, Interest::READABLE);
        assert!(rig.expect(key).is_readable(), "{wanted}");
        rig.modify(key, Interest::NONE);
        highest.push((fd, key));
    }
    // And down again, each time below numbers of which nothing is wanted any more.
    for (_, key) in highest.iter().rev() {
        rig.modify(*key, Interest::READABLE);
        assert!(rig.expect(*key).is_readable(), "{key:?}");
        rig.remove(*key);
        rig.silent();
    }
}

/// With room for one the next report begins behind the last one: lower numbers in the same word are
/// found all the same, also by a wait that looks once.
pub(super) fn lower_numbers_follow_higher_ones<P: Subject>() {
    open_files::allow(1_024, 1_024);
    let mut rig = Rig::<P>::with_room(1);
    let (read, write) = pipe();
    let fds: Vec<_> = [66, 70, 80, 200]
        .into_iter()
        .zip(0..)
        .map(|(wanted, slot)| {
            let fd = fcntl_dupfd_cloexec(&read, wanted).unwrap();
            let key = rig.add(&fd, slot, Interest::NONE);
            (fd, key)
        })
        .collect();
    rustix::io::write(&write, b"x").unwrap();
    for (_, lower) in &fds[..3] {
        // One report of two that are ready leaves the next one's beginning at any of them.
        for ((_, higher), reports) in fds[1..].iter().flat_map(|fd| [(fd, 1), (fd, 2)]) {
            for (_, key) in &fds {
                let wanted = [lower, higher].contains(&key);
                rig.modify(*key, if wanted { Interest::READABLE } else { Interest::NONE });
            }
            for _ in 0..reports {
                assert_eq!(rig.wait(None).len(), 1);
            }
            rig.modify(*higher, Interest::NONE);
            rig.modify(*lower, Interest::READABLE);
            let events = rig.now();
            assert_eq!(events.len(), 1, "one is ready");
            assert_eq!(events[0].key(), *lower);
        }
    }
}

pub(super) fn a_number_closed_before_its_add_is_ebadf<P: Subject>() {
    let mut rig = Rig::<P>::new();
    for interest in [Interest::READABLE, Interest::WRITABLE, Interest::NONE] {
        let (read, _write) = pipe();
        let closed = number(&read);
        drop(read);
        let error = rig.poller.add(closed, Key::new(0, 0), interest).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::BADF.raw_os_error()), "{interest:?}");
        rig.silent();
    }
}

pub(super) fn a_poller_watches_none_of_its_own_numbers<P: Subject>() {
    let before = open();
    let mut rig = Rig::<P>::new();
    let waker = rig.poller.waker();
    let own: Vec<_> = open().difference(&before).copied().collect();
    let key = Key::new(0, 0);
    let mut taken = 0;
    for fd in &own {
        for interest in [Interest::WRITABLE, Interest::READABLE] {
            let error = rig.poller.add(*fd, key, interest).unwrap_err();
            // The kernel says EINVAL of an instance that is to watch itself.
            match error.kind() {
                ErrorKind::AlreadyExists => taken += 1,
                ErrorKind::InvalidInput => assert!(rig.poller.capabilities().has_fd),
                _ => panic!("{error}"),
            }
        }
    }
    let numbers = if rig.poller.capabilities().backend == Backend::Adaptive { 2 } else { 1 };
    assert_eq!(taken, 2 * numbers, "the waker's number is taken; the poller's are {own:?}");
    rig.silent();
    waker.wake().unwrap();
    assert!(rig.wait(None).is_empty(), "the waker is as it was");
    rig.silent();
}
