use std::cell::RefCell;
use std::io;
use std::os::fd::RawFd;

use super::super::event::{Event, Events, Interest, Key, Readiness};
use super::{InterestList, Registrations};

const R: Interest = Interest::READABLE;
const W: Interest = Interest::WRITABLE;
const NONE: Interest = Interest::NONE;

/// A number that is open in every process here, for what is asked about a number itself.
const OPEN: RawFd = 1;
/// No process here has as many descriptors.
const NEVER_OPEN: RawFd = 1_000_000;
/// The poller's own descriptor.
const OWN: RawFd = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Add(RawFd, Interest),
    Modify(RawFd, Interest),
    Delete(RawFd),
}

/// A list that notes each call, and refuses what it is told to.
#[derive(Debug, Default)]
struct Fake {
    calls: RefCell<Vec<Call>>,
    /// Descriptors for which adding and modifying fail, and with what.
    refusals: RefCell<Vec<(RawFd, i32)>>,
}

impl Fake {
    fn call(&self, fd: RawFd, call: Call) -> io::Result<()> {
        self.calls.borrow_mut().push(call);
        match self.refusals.borrow().iter().find(|(refused, _)| *refused == fd) {
            Some((_, errno)) => Err(io::Error::from_raw_os_error(*errno)),
            None => Ok(()),
        }
    }

    fn refuse(&self, fd: RawFd, errno: i32) {
        self.refusals.borrow_mut().push((fd, errno));
    }
}

impl InterestList for Fake {
    fn add(&self, fd: RawFd, _: Key, interest: Interest) -> io::Result<()> {
        self.call(fd, Call::Add(fd, interest))
    }

    fn modify(&self, fd: RawFd, _: Key, interest: Interest) -> io::Result<()> {
        self.call(fd, Call::Modify(fd, interest))
    }

    fn delete(&self, fd: RawFd) -> io::Result<()> {
        self.call(fd, Call::Delete(fd))
    }
}

impl Registrations<Fake> {
    /// One wait of a poller, in which the kernel has nothing to say: the calls, and the events.
    fn turn(&mut self, room: usize) -> (Vec<Call>, Vec<Event>) {
        let mut events = Events::with_capacity(room);
        let ready = self.begin(&mut events);
        assert!(ready || events.is_empty(), "a wait would sleep with {events:?}");
        self.end(&mut events);
        assert!(events.len() <= room, "{events:?}");
        (self.list.calls.take(), events.iter().copied().collect())
    }
}

fn key(slot: u32) -> Key {
    Key::new(slot, 0)
}

/// Descriptors 10, 11, … in slots 0, 1, …, and no call of theirs to be seen.
fn registered(interests: &[Interest]) -> Registrations<Fake> {
    let mut registrations = Registrations::new(Fake::default(), OWN);
    for ((interest, fd), slot) in interests.iter().zip(10..).zip(0..) {
        registrations.add(fd, key(slot), *interest).unwrap();
    }
    registrations.list.calls.take();
    registrations
}

fn refused(slot: u32, interest: Interest) -> Event {
    Event::new(key(slot), Readiness::all(interest) | Readiness::ERROR)
}

#[test]
fn adding_and_removing_take_effect_at_once() {
    let mut registrations = Registrations::new(Fake::default(), OWN);
    registrations.add(10, key(0), R).unwrap();
    assert_eq!(registrations.list.calls.take(), [Call::Add(10, R)]);
    registrations.remove(key(0)).unwrap();
    assert_eq!(registrations.list.calls.take(), [Call::Delete(10)]);
    assert_eq!(registrations.turn(8), (vec![], vec![]));
}

#[test]
fn nothing_is_told_while_nothing_changes() {
    let mut registrations = registered(&[R, W, R | W]);
    for _ in 0..3 {
        assert_eq!(registrations.turn(8), (vec![], vec![]));
    }
}

#[test]
fn an_interest_that_is_back_where_it_was_costs_no_call() {
    let mut registrations = registered(&[R]);
    for interest in [R | W, NONE, W, R] {
        registrations.modify(key(0), interest).unwrap();
    }
    assert_eq!(registrations.turn(8), (vec![], vec![]));
    registrations.modify(key(0), R).unwrap();
    assert_eq!(registrations.turn(8), (vec![], vec![]));
}

#[test]
fn many_changes_cost_one_call() {
    let mut registrations = registered(&[R]);
    for interest in [R | W, NONE, W] {
        registrations.modify(key(0), interest).unwrap();
    }
    assert!(registrations.list.calls.borrow().is_empty(), "a change waits for the wait");
    assert_eq!(registrations.turn(8).0, [Call::Modify(10, W)]);
    assert_eq!(registrations.turn(8).0, []);
}

#[test]
fn an_empty_interest_leaves_the_list_and_comes_back() {
    let mut registrations = registered(&[R]);
    registrations.modify(key(0), NONE).unwrap();
    assert_eq!(registrations.turn(8).0, [Call::Delete(10)]);
    registrations.modify(key(0), R).unwrap();
    registrations.modify(key(0), NONE).unwrap();
    assert_eq!(registrations.turn(8).0, []);
    registrations.modify(key(0), W).unwrap();
    assert_eq!(registrations.turn(8).0, [Call::Add(10, W)]);
}

#[test]
fn what_the_list_does_not_hold_is_not_deleted() {
    let mut registrations = Registrations::new(Fake::default(), OWN);
    registrations.add(OPEN, key(0), NONE).unwrap();
    registrations.remove(key(0)).unwrap();
    assert_eq!(registrations.list.calls.take(), []);
}

#[test]
fn a_change_is_forgotten_with_its_key() {
    let mut registrations = registered(&[R]);
    registrations.modify(key(0), W).unwrap();
    registrations.remove(key(0)).unwrap();
    assert_eq!(registrations.turn(8), (vec![Call::Delete(10)], vec![]));
    // Another one in the slot isn't told of it, and its own changes are.
    registrations.add(11, Key::new(0, 1), R).unwrap();
    assert_eq!(registrations.turn(8).0, [Call::Add(11, R)]);
    registrations.modify(Key::new(0, 1), W).unwrap();
    assert_eq!(registrations.turn(8).0, [Call::Modify(11, W)]);
}

#[cfg(mio)]
#[test]
fn a_refresh_costs_one_call_with_the_interest_that_it_ends_with() {
    let mut registrations = registered(&[R, R]);
    registrations.refresh(key(0));
    registrations.refresh(key(0));
    assert_eq!(registrations.turn(8).0, [Call::Modify(10, R)]);
    registrations.refresh(key(1));
    registrations.modify(key(1), R | W).unwrap();
    assert_eq!(registrations.turn(8).0, [Call::Modify(11, R | W)]);
    registrations.refresh(key(1));
    registrations.modify(key(1), NONE).unwrap();
    assert_eq!(registrations.turn(8).0, [Call::Delete(11)]);
    // Neither a silent one nor a stranger is in the list.
    registrations.refresh(key(1));
    registrations.refresh(Key::new(0, 1));
    registrations.refresh(key(77));
    assert_eq!(registrations.turn(8).0, []);
}

#[test]
fn a_refused_change_is_an_error_once() {
    let mut registrations = registered(&[R]);
    registrations.list.refuse(10, libc::EBADF);
    registrations.modify(key(0), W).unwrap();
    assert_eq!(registrations.turn(8), (vec![Call::Modify(10, W)], vec![refused(0, W)]));
    assert_eq!(registrations.turn(8), (vec![], vec![]));
    // The next change tries again, from the start.
    registrations.modify(key(0), R).unwrap();
    assert_eq!(registrations.turn(8), (vec![Call::Add(10, R)], vec![refused(0, R)]));
    assert_eq!(registrations.turn(8), (vec![], vec![]));
    registrations.remove(key(0)).unwrap();
    assert_eq!(registrations.turn(8), (vec![], vec![]), "the list doesn't hold it");
}

#[test]
fn a_refused_add_registers_nothing() {
    let mut registrations = registered(&[]);
    registrations.list.refuse(10, libc::ENOSPC);
    let error = registrations.add(10, key(0), R).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
    assert_eq!(registrations.modify(key(0), R).unwrap_err().kind(), io::ErrorKind::NotFound);
    registrations.list.refusals.take();
    registrations.add(10, key(0), R).unwrap();
}

#[test]
fn refused_changes_wait_for_room() {
    let mut registrations = registered(&[R; 5]);
    for slot in 0..5 {
        registrations.list.refuse(10 + RawFd::try_from(slot).unwrap(), libc::EBADF);
        registrations.modify(key(slot), W).unwrap();
    }
    let mut seen = Vec::new();
    for wait in 0..3 {
        let (calls, events) = registrations.turn(2);
        assert_eq!(calls.len(), if wait == 0 { 5 } else { 0 }, "each is tried once");
        seen.extend(events.iter().map(|event| event.key().slot()));
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    assert_eq!(registrations.turn(2), (vec![], vec![]));
}

#[test]
fn changes_are_told_in_their_order() {
    let mut registrations = registered(&[R; 4]);
    registrations.list.refuse(11, libc::EBADF);
    registrations.list.refuse(13, libc::EBADF);
    for slot in [3, 0, 1, 2] {
        registrations.modify(key(slot), W).unwrap();
    }
    let (calls, events) = registrations.turn(8);
    assert_eq!(calls, [13, 10, 11, 12].map(|fd| Call::Modify(fd, W)));
    assert_eq!(events, [refused(3, W), refused(1, W)]);
}

#[test]
fn a_change_that_is_refused_again_before_it_is_told_is_told_once() {
    let mut registrations = registered(&[R; 3]);
    for fd in 10..13 {
        registrations.list.refuse(fd, libc::EBADF);
    }
    for interest in [W, R, W, R] {
        for slot in 0..3 {
            registrations.modify(key(slot), interest).unwrap();
        }
        registrations.turn(1);
    }
    let (_, events) = registrations.turn(8);
    let mut told: Vec<_> = events.iter().map(Event::key).collect();
    let len = told.len();
    told.sort_unstable();
    told.dedup();
    assert_eq!(len, told.len(), "no key twice in a batch: {events:?}");
    assert_eq!(registrations.turn(8), (vec![], vec![]));
}

#[test]
fn a_refused_change_that_was_taken_back_is_no_event() {
    let mut registrations = registered(&[R; 3]);
    for (fd, slot) in [(10, 0), (11, 1), (12, 2)] {
        registrations.list.refuse(fd, libc::EBADF);
        registrations.modify(key(slot), W).unwrap();
    }
    let (_, events) = registrations.turn(1);
    let told = events[0].key();
    for slot in (0..3).filter(|slot| key(*slot) != told) {
        registrations.modify(key(slot), NONE).unwrap();
    }
    assert_eq!(registrations.turn(8), (vec![], vec![]));
}

#[test]
fn what_the_list_cannot_watch_is_always_ready() {
    let mut registrations = registered(&[]);
    registrations.list.refuse(OPEN, libc::EPERM);
    registrations.add(OPEN, key(0), R | Interest::PRIORITY).unwrap();
    registrations.list.calls.take();
    let ready = |interest| vec![Event::new(key(0), Readiness::all(interest))];
    for _ in 0..3 {
        assert_eq!(registrations.turn(8), (vec![], ready(R)));
    }
    registrations.modify(key(0), W).unwrap();
    assert_eq!(registrations.turn(8), (vec![], ready(W)), "the kernel needn't hear of it");
    registrations.modify(key(0), NONE).unwrap();
    assert_eq!(registrations.turn(8), (vec![], vec![]));
    registrations.remove(key(0)).unwrap();
    assert_eq!(registrations.turn(8), (vec![], vec![]));
}

#[test]
fn a_closed_file_is_said_once() {
    let mut registrations = registered(&[]);
    registrations.list.refuse(NEVER_OPEN, libc::EPERM);
    registrations.add(NEVER_OPEN, key(0), R).unwrap();
    registrations.list.calls.take();
    assert_eq!(registrations.turn(8), (vec![], vec![refused(0, R)]));
    assert_eq!(registrations.turn(8), (vec![], vec![]));
}

#[test]
fn the_kernel_and_the_rest_come_first_in_turns() {
    let mut registrations = registered(&[]);
    registrations.list.refuse(OPEN, libc::EPERM);
    registrations.add(OPEN, key(0), R).unwrap();
    let mut first = Vec::new();
    for _ in 0..4 {
        let mut events = Events::with_capacity(1);
        assert!(registrations.begin(&mut events), "the kernel is asked and not waited for");
        first.push(events.is_empty());
        registrations.end(&mut events);
        assert_eq!(events.len(), 1);
    }
    assert!(first == [true, false, true, false] || first == [false, true, false, true]);
}

#[test]
fn the_own_descriptor_is_taken() {
    let mut registrations = registered(&[]);
    let error = registrations.add(OWN, key(0), R).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(registrations.list.calls.take(), []);
}
