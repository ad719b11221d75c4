//! Descriptors by the thousand, and by their numbers. In processes of their own, since a process
//! has one table of descriptors, and one limit of it.

use reactor::Interest;
use rustix::io::fcntl_dupfd_cloexec;
use tests::rig::{Rig, number};
use tests::sockets::pipe;
use tests::{Subject, open_files};

use crate::crowd::{census, ready};

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
