//! What a wait costs with so many descriptors, and so many of them ready.
//!
//! Those that are ready stay so: nobody reads them. A level-triggered contender reports the same ones
//! at every wait; for an edge-triggered one each is made ready anew before, and that isn't counted, nor
//! are its reads until one would block, which its users pay besides. One that learns who is ready is
//! measured when it knows.

use std::io;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::sys::eventfd::EventFd;

use super::crowd::{Shared, eventfds, spread};
use super::stopwatch::Stopwatch;
use super::waiters::{Patience, Waiter};
use super::{Chart, Group, Listing, Sizes, contenders};

const REGISTERED: &[usize] = &[10, 100, 1_000, 5_000, 10_000];
const FEW: &[usize] = &[10, 100, 1_000, 10_000];

/// How many of so many are ready.
type Share = fn(usize) -> usize;

const SHARES: [(&str, Share); 3] =
    [("1 ready", |_| 1), ("10 % ready", |count| count / 10), ("100 % ready", |count| count)];

pub(super) fn list(listing: &mut Listing, sizes: Sizes) {
    for (question, share) in SHARES {
        let chart = Chart { group: Group::Wait, question, over: "registered", unit: "ns per wait" };
        for count in sizes.of(REGISTERED, FEW) {
            if !listing.has_room(&chart, count, count) {
                continue;
            }
            let (ready, crowd) = (share(count), Shared::new());
            for contender in contenders::all() {
                let crowd = crowd.clone();
                listing.add(&chart, count, contender.name, move |waits| {
                    (contender.wait)(crowd.get(|| eventfds(count, ready))?, ready, waits)
                });
            }
        }
    }
}

/// The time that `waits` waits take, each of which must report `ready` of `crowd`.
pub(super) fn run<W: Waiter>(crowd: &[EventFd], ready: usize, waits: u64) -> io::Result<Duration> {
    let mut waiter = W::new(crowd.len())?;
    for (token, eventfd) in crowd.iter().enumerate() {
        waiter.add(eventfd.as_fd(), token)?;
    }
    for _ in 0..waiter.learning(ready) {
        waiter.wait(Patience::Endless, |_| {})?;
    }
    let mut seen = 0;
    let took = if waiter.is_edge_triggered() {
        let mut stopwatch = Stopwatch::new();
        for _ in 0..waits {
            for index in spread(ready, crowd.len()) {
                crowd[index].write(1)?;
            }
            stopwatch.time(|| waiter.wait(Patience::Endless, |_| seen += 1))?;
        }
        stopwatch.total()
    } else {
        let start = Instant::now();
        for _ in 0..waits {
            waiter.wait(Patience::Endless, |_| seen += 1)?;
        }
        start.elapsed()
    };
    let expected = waits * ready as u64;
    if seen != expected {
        return Err(io::Error::other(format!("{seen} reports in {waits} waits, not {expected}")));
    }
    Ok(took)
}
