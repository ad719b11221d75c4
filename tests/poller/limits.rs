//! At the limit of open files.

use std::os::unix::net::UnixStream;

use reactor::{Backend, Interest, Key};
use rustix::io::Errno;
use tests::rig::{PATIENCE, Rig};
use tests::sockets::unix;
use tests::{Subject, open_files};

pub(super) fn no_descriptors_left_is_an_error_of_new<P: Subject>() {
    open_files::limit(0);
    let error = P::create().err().expect("a poller needs a descriptor");
    assert_eq!(error.raw_os_error(), Some(Errno::MFILE.raw_os_error()));
}

/// Twenty pairs whose near ends are watched. An adaptive poller has them all in poll by then, if it is restless.
fn twenty<P: Subject>(rig: &mut Rig<P>) -> (Vec<(UnixStream, UnixStream)>, Vec<Key>) {
    let pairs: Vec<_> = (0..20).map(|_| unix()).collect();
    let keys: Vec<_> = pairs
        .iter()
        .zip(0..)
        .map(|((near, _), slot)| rig.add(near, slot, Interest::WRITABLE))
        .collect();
    for _ in 0..keys.len() {
        assert_eq!(rig.now().len(), keys.len());
    }
    (pairs, keys)
}

/// poll(2) takes no more entries than the limit; the others don't care.
pub(super) fn a_lowered_limit_is_an_answer<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (_pairs, keys) = twenty(&mut rig);
    open_files::limit(10);
    rig.events.clear();
    if rig.poller.capabilities().backend == Backend::Poll {
        for _ in 0..3 {
            let error = rig.poller.wait(&mut rig.events, Some(PATIENCE)).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
            let text = error.to_string();
            assert!(text.contains("RLIMIT_NOFILE") && text.contains("10"), "{text}");
        }
        for key in &keys[5..] {
            rig.remove(*key);
        }
        assert_eq!(rig.now().len(), 5, "with fewer descriptors it goes on");
    } else {
        for _ in 0..keys.len() {
            assert_eq!(rig.now().len(), keys.len());
        }
    }
}

/// Whom epoll can't take keeps the others of an adaptive poller from nothing.
pub(super) fn closed_ones_at_a_lowered_limit_fail_no_wait<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut pairs, keys) = twenty(&mut rig);
    let closed = 7..12;
    pairs.drain(closed.clone());
    open_files::limit(10);
    for _ in 0..3 {
        rig.events.clear();
        let answer = rig.poller.wait(&mut rig.events, Some(PATIENCE));
        if rig.poller.capabilities().backend == Backend::Poll {
            assert_eq!(answer.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
            continue;
        }
        answer.unwrap();
        for (n, key) in keys.iter().enumerate().filter(|(n, _)| !closed.contains(n)) {
            assert!(rig.events.iter().any(|event| event.key() == *key), "{n} is writable");
        }
    }
}
