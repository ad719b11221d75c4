//! Timeouts: rounded up, exact at zero, and never in the way.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use reactor::Interest;
use tests::Subject;
use tests::rig::{PATIENCE, Rig, thread_cpu};
use tests::sockets::unix;

pub(super) fn zero_asks_and_does_not_wait<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE);
    assert!(rig.now().is_empty());
    far.write_all(b"x").unwrap();
    let events = rig.now();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].key(), key);
}

pub(super) fn a_timeout_is_never_cut_short<P: Subject>() {
    let mut rig = Rig::<P>::new();
    for micros in [1_000, 1_001, 4_999, 20_000] {
        let (start, timeout) = (Instant::now(), Duration::from_micros(micros));
        assert!(rig.wait(Some(timeout)).is_empty());
        assert!(start.elapsed() >= timeout, "{timeout:?} took {:?}", start.elapsed());
    }
}

pub(super) fn less_than_a_millisecond_waits_all_the_same<P: Subject>() {
    let mut rig = Rig::<P>::new();
    for timeout in [Duration::from_nanos(1), Duration::from_micros(999)] {
        let start = Instant::now();
        for _ in 0..10 {
            assert!(rig.wait(Some(timeout)).is_empty());
        }
        // Truncated to zero, ten waits of 999 µs would be over in some 10 µs.
        assert!(start.elapsed() >= timeout * 10);
    }
}

pub(super) fn short_waits_burn_no_processor<P: Subject>() {
    let mut rig = Rig::<P>::new();
    for timeout in [Duration::from_nanos(1), Duration::from_micros(999)] {
        let (start, cpu) = (Instant::now(), thread_cpu());
        let mut waits = 0;
        while waits < 50 && start.elapsed() < PATIENCE {
            assert!(rig.wait(Some(timeout)).is_empty());
            waits += 1;
        }
        let (elapsed, burnt) = (start.elapsed(), thread_cpu().saturating_sub(cpu));
        assert!(burnt < elapsed / 2, "{waits} waits of {timeout:?}: {burnt:?} of {elapsed:?}");
    }
}

pub(super) fn a_huge_timeout_is_ended_by_an_event<P: Subject>() {
    for timeout in [Duration::from_secs(1 << 32), Duration::MAX] {
        ended_by_an_event::<P>(Some(timeout));
    }
}

pub(super) fn no_timeout_is_ended_by_an_event<P: Subject>() {
    ended_by_an_event::<P>(None);
}

fn ended_by_an_event<P: Subject>(timeout: Option<Duration>) {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE);
    let writer = thread::spawn(move || {
        // Late enough that the wait is under way, most of the time; right in any case.
        thread::park_timeout(Duration::from_millis(5));
        far.write_all(b"x").unwrap();
        far
    });
    let events = rig.wait(timeout);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].key(), key);
    writer.join().unwrap();
}
