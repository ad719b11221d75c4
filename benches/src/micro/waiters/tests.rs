use std::io::Write as _;
use std::os::fd::AsFd as _;

use super::*;
use crate::micro::crowd::{eventfds, pairs, silent, spread};
use crate::micro::mechanisms::{self, Mechanism, PerMechanism};

/// A test of one contender.
struct Case {
    name: &'static str,
    ready_ones: fn(),
    changes: fn(),
    writable: fn(),
}

impl Case {
    fn of_waiter<W: Waiter>() -> Self {
        Self {
            name: W::NAME,
            ready_ones: exactly_the_ready_ones_are_visited::<W>,
            changes: changes_take_effect::<W>,
            writable: room_to_write_is_seen::<W>,
        }
    }
}

impl PerMechanism for Case {
    fn of<P: Mechanism>() -> Self {
        Self::of_waiter::<Ours<P>>()
    }
}

fn each(test: impl Fn(&Case) -> fn()) {
    let mut cases = mechanisms::each::<Case>();
    cases.push(Case::of_waiter::<PlainEpoll>());
    cases.push(Case::of_waiter::<PlainPoll>());
    cases.push(Case::of_waiter::<PlainSelect>());
    cases.push(Case::of_waiter::<Mio>());
    cases.push(Case::of_waiter::<Polling>());
    for case in cases {
        println!("{}", case.name);
        test(&case)();
    }
}

#[test]
fn visits() {
    each(|case| case.ready_ones);
}

#[test]
fn changes() {
    each(|case| case.changes);
}

#[test]
fn writing() {
    each(|case| case.writable);
}

/// The tokens that a wait of no length visits, in order.
fn ready<W: Waiter>(waiter: &mut W) -> Vec<usize> {
    let mut tokens = Vec::new();
    waiter.wait(Patience::None, |token| tokens.push(token)).unwrap();
    tokens.sort_unstable();
    tokens
}

fn exactly_the_ready_ones_are_visited<W: Waiter>() {
    for (count, some) in [(1, 0), (1, 1), (200, 0), (200, 1), (200, 20), (200, 200)] {
        let crowd = eventfds(count, some).unwrap();
        let mut waiter = W::new(count).unwrap();
        for (token, fd) in crowd.iter().enumerate() {
            waiter.add(fd.as_fd(), token).unwrap();
        }
        let expected: Vec<_> = spread(some, count).collect();
        assert_eq!(ready(&mut waiter), expected, "{some} of {count}");
        let again = ready(&mut waiter);
        if waiter.is_edge_triggered() {
            assert!(again.is_empty());
        } else {
            assert_eq!(again, expected);
        }
    }
}

fn changes_take_effect<W: Waiter>() {
    let crowd = eventfds(5, 5).unwrap();
    let mut waiter = W::new(5).unwrap();
    for (token, fd) in crowd.iter().enumerate() {
        waiter.add(fd.as_fd(), token).unwrap();
    }
    for token in [1, 4] {
        waiter.set(crowd[token].as_fd(), token, Wanted::Reading, Wanted::Nothing).unwrap();
    }
    waiter.remove(crowd[2].as_fd(), 2).unwrap();
    assert_eq!(ready(&mut waiter), [0, 3]);
    // One that is started is told of, in any case.
    for token in [1, 4] {
        waiter.set(crowd[token].as_fd(), token, Wanted::Nothing, Wanted::Reading).unwrap();
    }
    waiter.add(crowd[2].as_fd(), 2).unwrap();
    let expected: &[_] = if waiter.is_edge_triggered() { &[1, 2, 4] } else { &[0, 1, 2, 3, 4] };
    assert_eq!(ready(&mut waiter), expected);
    // Stopped and started between two waits it is as it was.
    let fd = crowd[3].as_fd();
    waiter.set(fd, 3, Wanted::Reading, Wanted::Nothing).unwrap();
    waiter.set(fd, 3, Wanted::Nothing, Wanted::Reading).unwrap();
    crowd[3].write(1).unwrap();
    assert!(ready(&mut waiter).contains(&3));
    for (token, fd) in crowd.iter().enumerate() {
        waiter.remove(fd.as_fd(), token).unwrap();
    }
    assert!(ready(&mut waiter).is_empty());
}

fn room_to_write_is_seen<W: Waiter>() {
    let (streams, timers) = (pairs(2).unwrap(), silent(2).unwrap());
    let mut waiter = W::new(4).unwrap();
    waiter.add(streams[0].0.as_fd(), 0).unwrap();
    waiter.add(timers[0].as_fd(), 1).unwrap();
    waiter.add(streams[1].0.as_fd(), 2).unwrap();
    waiter.add(timers[1].as_fd(), 3).unwrap();
    assert!(ready(&mut waiter).is_empty());
    waiter.set(streams[0].0.as_fd(), 0, Wanted::Reading, Wanted::Writing).unwrap();
    waiter.set(timers[0].as_fd(), 1, Wanted::Reading, Wanted::Writing).unwrap();
    (&streams[1].1).write_all(b"x").unwrap();
    assert_eq!(ready(&mut waiter), [0, 2]);
}
