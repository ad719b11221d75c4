//! What a process has only once: its table of descriptors, its signals.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use reactor::Interest;
use rustix::io::dup;
use tests::Subject;
use tests::rig::{PATIENCE, Rig, number};
use tests::sockets::unix;

/// The numbers of all open descriptors.
pub(super) fn open() -> BTreeSet<i32> {
    let listed = fs::read_dir("/dev/fd").unwrap();
    let numbers: Vec<i32> =
        listed.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    // The descriptor of the listing itself is closed by now.
    numbers.into_iter().filter(|fd| fs::metadata(format!("/dev/fd/{fd}")).is_ok()).collect()
}

/// Which of `fds` a new program finds open.
fn inherited_by_a_child(fds: &[i32]) -> String {
    let script = "for fd; do if test -e /dev/fd/$fd; then echo $fd; fi; done";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).args(fds.iter().map(ToString::to_string));
    let output = shell.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

pub(super) fn all_descriptors_are_close_on_exec<P: Subject>() {
    let before = open();
    let mut rig = Rig::<P>::new();
    let _waker = rig.poller.waker();
    rig.now();
    let own: Vec<_> = open().difference(&before).copied().collect();
    assert!(!own.is_empty());
    // A descriptor without the flag, to see that the child would find one.
    let inherited = dup(io::stderr()).unwrap();
    assert_eq!(inherited_by_a_child(&own), "");
    assert_eq!(inherited_by_a_child(&[number(&inherited)]), format!("{}\n", number(&inherited)));
}

pub(super) fn a_poller_leaves_no_descriptor_behind<P: Subject>() {
    let (near, _far) = unix();
    let before = open();
    for _ in 0..10 {
        let mut rig = Rig::<P>::new();
        let key = rig.add(&near, 0, Interest::READABLE);
        rig.poller.waker().wake().unwrap();
        rig.now();
        rig.modify(key, Interest::NONE);
    }
    assert_eq!(open(), before);
}

pub(super) fn a_storm_of_signals_ends_no_wait_and_lengthens_none<P: Subject>() {
    const TIMEOUT: Duration = Duration::from_millis(200);
    let mut rig = Rig::<P>::new();
    // Rust's tests have no handler for it, and a signal without one interrupts nothing.
    let seen = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(Signal::SIGUSR1 as i32, Arc::clone(&seen)).unwrap();
    let (waiter, stop) = (pthread_self(), Arc::new(AtomicBool::new(false)));
    let storm = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            let mut sent = 0;
            while !stop.load(Ordering::Relaxed) {
                pthread_kill(waiter, Signal::SIGUSR1).unwrap();
                sent += 1;
                thread::park_timeout(Duration::from_millis(1));
            }
            sent
        })
    };
    let start = Instant::now();
    assert!(rig.wait(Some(TIMEOUT)).is_empty());
    let elapsed = start.elapsed();
    stop.store(true, Ordering::Relaxed);
    let sent = storm.join().unwrap();
    assert!(seen.load(Ordering::Relaxed));
    assert!(sent > 10, "only {sent} signals came");
    assert!(elapsed >= TIMEOUT, "ended early, after {elapsed:?}");
    // A wait that began anew after each signal would go on for as long as they come.
    assert!(elapsed < TIMEOUT * 20, "ended late, after {elapsed:?}");
}

/// A wait clears the waker before it returns; a wake in the midst of that must end the next wait. The
/// signals stretch the moment: their handler runs between any two instructions of the waiting thread.
pub(super) fn a_wake_while_the_waker_is_cleared_is_not_lost<P: Subject>() {
    const SIGNALS: u32 = 60_000;
    let mut rig = Rig::<P>::new();
    let seen = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(Signal::SIGUSR1 as i32, Arc::clone(&seen)).unwrap();
    let (waiter, done) = (pthread_self(), Arc::new(AtomicBool::new(false)));
    let thread = {
        let (waker, done) = (rig.poller.waker(), Arc::clone(&done));
        thread::spawn(move || {
            for _ in 0..SIGNALS {
                pthread_kill(waiter, Signal::SIGUSR1).unwrap();
                for _ in 0..20 {
                    waker.wake().unwrap();
                }
            }
            done.store(true, Ordering::Relaxed);
            waker.wake().unwrap();
        })
    };
    while !done.load(Ordering::Relaxed) {
        let start = Instant::now();
        assert!(rig.wait(Some(PATIENCE)).is_empty());
        assert!(start.elapsed() < PATIENCE, "a wake was lost");
    }
    thread.join().unwrap();
}
