//! What it costs to change who is watched, and for what.
//!
//! Nobody is ever ready here. Adding and removing take effect in the kernel at once, so that the calls
//! alone are counted. Interests may be written later, and are counted with the wait that follows.

use std::io;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::sys::timerfd::TimerFd;

use super::contenders::{self, Contender};
use super::crowd::{Shared, silent};
use super::waiters::{Patience, Waiter, Wanted};
use super::{Chart, Group, Listing, Sizes, in_rounds};

const REGISTERED: &[usize] = &[10, 100, 1_000, 10_000];
const FEW: &[usize] = &[100, 10_000];

type Operation = fn(&Contender) -> fn(&[TimerFd], u64) -> io::Result<Duration>;

const OPERATIONS: [(&str, Operation); 4] = [
    ("add", |contender| contender.add),
    ("remove", |contender| contender.remove),
    ("modify all, and wait", |contender| contender.modify),
    ("stop and start all, and wait", |contender| contender.restart),
];

pub(super) fn list(listing: &mut Listing, sizes: Sizes) {
    for (question, operation) in OPERATIONS {
        let chart =
            Chart { group: Group::Churn, question, over: "registered", unit: "ns per descriptor" };
        for count in sizes.of(REGISTERED, FEW) {
            if !listing.has_room(&chart, count, count) {
                continue;
            }
            let crowd = Shared::new();
            for contender in contenders::all() {
                let (crowd, operation) = (crowd.clone(), operation(&contender));
                listing.add(&chart, count, contender.name, move |descriptors| {
                    operation(crowd.get(|| silent(count))?, descriptors)
                });
            }
        }
    }
}

fn add_all<W: Waiter>(waiter: &mut W, crowd: &[TimerFd]) -> io::Result<()> {
    crowd.iter().enumerate().try_for_each(|(token, fd)| waiter.add(fd.as_fd(), token))
}

fn remove_all<W: Waiter>(waiter: &mut W, crowd: &[TimerFd]) -> io::Result<()> {
    crowd.iter().enumerate().try_for_each(|(token, fd)| waiter.remove(fd.as_fd(), token))
}

fn set_all<W: Waiter>(
    waiter: &mut W,
    crowd: &[TimerFd],
    was: Wanted,
    wanted: Wanted,
) -> io::Result<()> {
    let mut all = crowd.iter().enumerate();
    all.try_for_each(|(token, fd)| waiter.set(fd.as_fd(), token, was, wanted))
}

/// Asks who is ready, which is nobody.
fn ask<W: Waiter>(waiter: &mut W) -> io::Result<()> {
    let mut seen = 0;
    waiter.wait(Patience::None, |_| seen += 1)?;
    if seen == 0 {
        Ok(())
    } else {
        Err(io::Error::other(format!("{seen} reports of descriptors that are never ready")))
    }
}

pub(super) fn add<W: Waiter>(crowd: &[TimerFd], descriptors: u64) -> io::Result<Duration> {
    let mut waiter = W::new(crowd.len())?;
    in_rounds(descriptors, crowd.len(), || {
        let start = Instant::now();
        add_all(&mut waiter, crowd)?;
        let took = start.elapsed();
        remove_all(&mut waiter, crowd)?;
        Ok(took)
    })
}

pub(super) fn remove<W: Waiter>(crowd: &[TimerFd], descriptors: u64) -> io::Result<Duration> {
    let mut waiter = W::new(crowd.len())?;
    in_rounds(descriptors, crowd.len(), || {
        add_all(&mut waiter, crowd)?;
        let start = Instant::now();
        remove_all(&mut waiter, crowd)?;
        Ok(start.elapsed())
    })
}

pub(super) fn modify<W: Waiter>(crowd: &[TimerFd], descriptors: u64) -> io::Result<Duration> {
    let mut waiter = W::new(crowd.len())?;
    add_all(&mut waiter, crowd)?;
    let (mut is, mut other) = (Wanted::Reading, Wanted::Writing);
    in_rounds(descriptors, crowd.len(), || {
        let start = Instant::now();
        set_all(&mut waiter, crowd, is, other)?;
        ask(&mut waiter)?;
        let took = start.elapsed();
        (is, other) = (other, is);
        Ok(took)
    })
}

pub(super) fn restart<W: Waiter>(crowd: &[TimerFd], descriptors: u64) -> io::Result<Duration> {
    let mut waiter = W::new(crowd.len())?;
    add_all(&mut waiter, crowd)?;
    in_rounds(descriptors, crowd.len(), || {
        let start = Instant::now();
        set_all(&mut waiter, crowd, Wanted::Reading, Wanted::Nothing)?;
        set_all(&mut waiter, crowd, Wanted::Nothing, Wanted::Reading)?;
        ask(&mut waiter)?;
        Ok(start.elapsed())
    })
}
