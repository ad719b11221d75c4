//! The classic benchmark of event libraries (libevent's and libev's bench.c): a row of socket pairs, in
//! which whoever gets a byte passes it on to the next, until so many hops are done.
//!
//! Edge-triggered contenders read until a read would block, as they must; the others read once. In the
//! second version whoever has got a byte is watched for nothing and then for reading again, between two
//! waits, as it happens to those who take their turn, hold back, or are one-shot.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::crowd::{Shared, pairs, spread};
use super::waiters::{Patience, Waiter, Wanted};
use super::{Chart, Group, Listing, Sizes, contenders};

const PAIRS: &[usize] = &[100, 1_000, 3_000, 9_000];
const FEW: &[usize] = &[100, 1_000, 9_000];
/// Each active byte makes at least so many hops.
const LAPS: u64 = 10;

/// How a chain goes.
#[derive(Clone, Copy)]
pub(super) struct Course {
    /// How many bytes are under way at a time.
    pub(super) active: usize,
    /// Whether those who got a byte are stopped and started before the next wait.
    pub(super) restarts: bool,
}

const COURSES: [(&str, Course); 4] = [
    ("1 active", Course { active: 1, restarts: false }),
    ("1 active, stopped and started", Course { active: 1, restarts: true }),
    ("100 active", Course { active: 100, restarts: false }),
    ("100 active, stopped and started", Course { active: 100, restarts: true }),
];

pub(super) fn list(listing: &mut Listing, sizes: Sizes) {
    for (question, course) in COURSES {
        let chart = Chart { group: Group::Chain, question, over: "pairs", unit: "ns per hop" };
        for count in sizes.of(PAIRS, FEW) {
            if !listing.has_room(&chart, count, 2 * count) {
                continue;
            }
            let crowd = Shared::new();
            for contender in contenders::all() {
                let crowd = crowd.clone();
                listing.add(&chart, count, contender.name, move |hops| {
                    let crowd = crowd.get(|| pairs(count))?;
                    // At the end of a chain fewer and fewer bytes are under way.
                    let enough = hops.max(LAPS * course.active as u64);
                    let took = (contender.chain)(crowd, course, enough)?;
                    Ok(took.mul_f64(hops as f64 / enough as f64))
                });
            }
        }
    }
}

/// The time that `hops` hops take.
pub(super) fn run<W: Waiter>(
    crowd: &[(UnixStream, UnixStream)],
    course: Course,
    hops: u64,
) -> io::Result<Duration> {
    let mut waiter = W::new(crowd.len())?;
    for (token, (reader, _)) in crowd.iter().enumerate() {
        waiter.add(reader.as_fd(), token)?;
    }
    let mut chain = Chain {
        crowd,
        to_end: waiter.is_edge_triggered(),
        to_send: hops,
        to_receive: hops,
        failure: None,
    };
    let start = Instant::now();
    for index in spread(course.active, crowd.len()) {
        chain.send(index)?;
    }
    let mut hopped = Vec::with_capacity(course.active);
    while chain.to_receive > 0 {
        waiter.wait(Patience::Endless, |token| {
            chain.hop(token);
            if course.restarts {
                hopped.push(token);
            }
        })?;
        for token in hopped.drain(..) {
            let reader = crowd[token].0.as_fd();
            waiter.set(reader, token, Wanted::Reading, Wanted::Nothing)?;
            waiter.set(reader, token, Wanted::Nothing, Wanted::Reading)?;
        }
        if let Some(failure) = chain.failure.take() {
            return Err(failure);
        }
    }
    Ok(start.elapsed())
}

struct Chain<'a> {
    crowd: &'a [(UnixStream, UnixStream)],
    to_end: bool,
    to_send: u64,
    to_receive: u64,
    /// The first error, which ends it.
    failure: Option<io::Error>,
}

impl Chain<'_> {
    /// Sends a byte to the one at `index`, if one is left to send.
    fn send(&mut self, index: usize) -> io::Result<()> {
        if self.to_send > 0 {
            self.to_send -= 1;
            (&self.crowd[index].1).write_all(b"e")?;
        }
        Ok(())
    }

    /// Takes what the one at `index` has got, and passes it on.
    fn hop(&mut self, index: usize) {
        let next = (index + 1) % self.crowd.len();
        let mut buffer = [0; 64];
        loop {
            match (&self.crowd[index].0).read(&mut buffer) {
                // More than one, where a byte has caught up with another.
                Ok(count) => {
                    self.to_receive = self.to_receive.saturating_sub(count as u64);
                    for _ in 0..count {
                        if let Err(error) = self.send(next) {
                            self.failure.get_or_insert(error);
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.to_end => return,
                Err(error) => {
                    self.failure.get_or_insert(error);
                    return;
                }
            }
            if !self.to_end {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_sent_is_received() {
        for contender in contenders::all() {
            let crowd = pairs(7).unwrap();
            for (question, course) in COURSES {
                let course = Course { active: course.active.min(3), ..course };
                for hops in [1, 2, 3, 100] {
                    (contender.chain)(&crowd, course, hops).unwrap();
                    for (reader, writer) in &crowd {
                        for mut end in [reader, writer] {
                            let left = end.read(&mut [0; 8]).unwrap_err().kind();
                            assert_eq!(
                                left,
                                ErrorKind::WouldBlock,
                                "{} {question}",
                                contender.name
                            );
                        }
                    }
                }
            }
        }
    }
}
