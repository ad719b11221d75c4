//! Ending a wait from elsewhere.

use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use reactor::Interest;
use tests::Subject;
use tests::rig::{PATIENCE, Rig};
use tests::sockets::unix;

/// Waits without a timeout: only a wake can end it.
fn woken<P: Subject>(rig: &mut Rig<P>) {
    assert!(rig.wait(None).is_empty(), "a wake is not an event");
}

pub(super) fn a_wake_before_the_wait_ends_it<P: Subject>() {
    let mut rig = Rig::<P>::new();
    rig.poller.waker().wake().unwrap();
    woken(&mut rig);
    rig.silent();
}

pub(super) fn a_wake_from_another_thread_ends_a_wait<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let waker = rig.poller.waker();
    let thread = thread::spawn(move || {
        thread::park_timeout(Duration::from_millis(5));
        waker.wake().unwrap();
    });
    woken(&mut rig);
    thread.join().unwrap();
    rig.silent();
}

pub(super) fn many_wakes_end_one_wait<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let waker = rig.poller.waker();
    for _ in 0..100_000 {
        waker.wake().unwrap();
    }
    woken(&mut rig);
    rig.silent();
}

/// How many system calls this thread has written with so far, where the kernel counts them (proc(5)).
fn writes() -> Option<u32> {
    let counts = fs::read_to_string("/proc/thread-self/io").ok()?;
    counts.lines().find_map(|line| line.strip_prefix("syscw: "))?.parse().ok()
}

pub(super) fn many_wakes_cost_one_write<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let waker = rig.poller.waker();
    for _ in 0..3 {
        let before = writes();
        for _ in 0..1_000 {
            waker.wake().unwrap();
        }
        assert_eq!(writes(), before.map(|count| count + 1));
        woken(&mut rig);
    }
}

pub(super) fn a_wake_is_not_an_event<P: Subject>() {
    let mut rig = Rig::<P>::with_room(1);
    let (near, _far) = unix();
    rig.add(&near, 0, Interest::READABLE);
    rig.poller.waker().wake().unwrap();
    let start = Instant::now();
    assert!(rig.wait(Some(PATIENCE)).is_empty());
    assert!(start.elapsed() < PATIENCE, "the wake ended the wait");
}

pub(super) fn a_wake_leaves_events_alone<P: Subject>() {
    let mut rig = Rig::<P>::with_room(1);
    let (near, mut far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE);
    far.write_all(b"x").unwrap();
    rig.poller.waker().wake().unwrap();
    // With room for one they may come one after the other, in any order; neither is lost.
    let events: Vec<_> = (0..3).flat_map(|_| rig.wait(Some(PATIENCE))).collect();
    assert!(events.iter().any(|event| event.key() == key), "{events:?}");
    assert!(rig.expect(key).is_readable());
}

pub(super) fn each_wake_after_a_wait_counts_again<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let waker = rig.poller.waker();
    for _ in 0..100 {
        waker.wake().unwrap();
        woken(&mut rig);
    }
    rig.silent();
}

pub(super) fn all_handles_are_one_waker<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (one, two) = (rig.poller.waker(), rig.poller.waker());
    one.wake().unwrap();
    two.clone().wake().unwrap();
    woken(&mut rig);
    rig.silent();
    two.wake().unwrap();
    woken(&mut rig);
}

/// Each thread adds before it wakes; a wait that misses a wake would never end.
pub(super) fn wakes_from_many_threads_are_never_lost<P: Subject>() {
    const THREADS: u32 = 4;
    const WAKES: u32 = 5_000;
    let mut rig = Rig::<P>::new();
    let count = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (waker, count) = (rig.poller.waker(), Arc::clone(&count));
            thread::spawn(move || {
                for _ in 0..WAKES {
                    count.fetch_add(1, Ordering::Relaxed);
                    waker.wake().unwrap();
                }
            })
        })
        .collect();
    while count.load(Ordering::Relaxed) < THREADS * WAKES {
        woken(&mut rig);
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub(super) fn a_waker_outlives_its_poller<P: Subject>() {
    let rig = Rig::<P>::new();
    let waker = rig.poller.waker();
    drop(rig);
    waker.wake().unwrap();
    waker.wake().unwrap();
}
