//! Who is moved, who comes first, and what a wait sees.

mod moving;

use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::super::event::Readiness;
use super::*;

/// A poller that moves nobody by itself.
fn still() -> AdaptivePoller {
    AdaptivePoller::with_rates(Rates { moves: 0, ..Rates::default() }).unwrap()
}

fn add(poller: &mut AdaptivePoller, fd: &impl AsRawFd, slot: u32) {
    poller.add(fd.as_raw_fd(), Key::new(slot, 0), Interest::READABLE).unwrap();
}

/// Pairs whose near ends are watched, with these slots.
fn pairs(poller: &mut AdaptivePoller, slots: Range<u32>) -> Vec<(UnixStream, UnixStream)> {
    let pair = |slot| {
        let pair = UnixStream::pair().unwrap();
        add(poller, &pair.0, slot);
        pair
    };
    slots.map(pair).collect()
}

/// Makes their near ends ready.
fn send(pairs: &[(UnixStream, UnixStream)]) {
    pairs.iter().for_each(|(_, far)| (&*far).write_all(b"x").unwrap());
}

/// A wait for ever, begun by a thread, ends when the one that it waits for becomes ready, wherever that is.
#[test]
fn a_wait_sees_both_sides() {
    for hot in [false, true] {
        let mut poller = still();
        let pairs = pairs(&mut poller, 0..2);
        poller.heat(Key::new(0, 0));
        let which = usize::from(!hot);
        let mut far = pairs[which].1.try_clone().unwrap();
        let writer = std::thread::spawn(move || far.write_all(b"x").unwrap());
        let mut events = Events::default();
        poller.wait(&mut events, None).unwrap();
        writer.join().unwrap();
        let seen: Vec<_> = events.iter().map(|event| event.key().index()).collect();
        assert_eq!(seen, [which], "hot: {hot}");
    }
}

/// A buffer that is too small for all is shared by how many they are, not by halves.
#[test]
fn who_is_hot_has_no_more_turns_than_who_is_cold() {
    let mut poller = still();
    let pairs = pairs(&mut poller, 0..12);
    send(&pairs);
    for hot in 1..12 {
        poller.heat(Key::new(hot - 1, 0));
        let mut turns = [0; 12];
        for _ in 0..500 {
            let mut events = Events::with_capacity(2);
            poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
            assert_eq!(events.len(), 2);
            events.iter().for_each(|event| turns[event.key().index()] += 1);
        }
        // A side of one or two is through with each wait.
        let (most, least) = (turns.iter().max().unwrap(), turns.iter().min().unwrap());
        assert!(*most <= 2 * least, "{hot} are hot: {turns:?}");
    }
}

#[test]
fn who_is_ready_at_each_wait_becomes_hot_and_who_falls_silent_cold() {
    let mut poller = AdaptivePoller::new().unwrap();
    let pairs = pairs(&mut poller, 0..40);
    send(&pairs[..20]);
    let mut events = Events::default();
    let mut wait = |poller: &mut AdaptivePoller| {
        events.clear();
        poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
        let hot: std::collections::BTreeSet<_> =
            poller.hot.keys().iter().map(|key| key.index()).collect();
        (events.len(), hot)
    };
    for _ in 0..100 {
        assert_eq!(wait(&mut poller).0, 20);
    }
    assert_eq!(wait(&mut poller), (20, (0..20).collect()));
    for (near, _) in &pairs[..20] {
        (&*near).read_exact(&mut [0]).unwrap();
    }
    for _ in 0..1000 {
        assert_eq!(wait(&mut poller).0, 0);
    }
    assert_eq!(wait(&mut poller), (0, (0..0).collect()));
}

/// Files that are always ready look busy, and can't be: they open nothing, and take nobody's place.
#[test]
fn files_that_are_always_ready_make_nobody_hot() {
    let mut poller = AdaptivePoller::new().unwrap();
    let files: Vec<_> = (0..264).map(|_| File::open("/dev/null").unwrap()).collect();
    let one = pairs(&mut poller, 300..301);
    send(&one);
    files.iter().zip(0..200).for_each(|(file, slot)| add(&mut poller, file, slot));
    let wait = |poller: &mut AdaptivePoller| {
        let mut events = Events::default();
        poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
        (events.len(), poller.hot.keys().len())
    };
    for _ in 0..2000 {
        assert_eq!(wait(&mut poller), (201, 0));
    }
    let more = pairs(&mut poller, 400..420);
    send(&more);
    files[200..].iter().zip(200..).for_each(|(file, slot)| add(&mut poller, file, slot));
    for _ in 0..2000 {
        assert_eq!(wait(&mut poller).0, 264 + 21);
    }
    assert_eq!(wait(&mut poller), (264 + 21, 21));
}

/// What is in the buffer from before is no report of this wait, and doesn't end it.
#[test]
fn what_was_in_the_buffer_says_nothing() {
    let mut poller = AdaptivePoller::restless().unwrap();
    let pairs = pairs(&mut poller, 0..2);
    let mut events = Events::default();
    events.push(Event::new(Key::new(0, 0), Readiness::READABLE));
    let mut far = pairs[1].1.try_clone().unwrap();
    let writer = std::thread::spawn(move || far.write_all(b"x").unwrap());
    poller.wait(&mut events, None).unwrap();
    writer.join().unwrap();
    let seen: Vec<_> = events.iter().map(|event| event.key().index()).collect();
    let hot: Vec<_> = poller.hot.keys().iter().map(|key| key.index()).collect();
    assert_eq!((seen, hot), (vec![0, 1], vec![1]));
}

#[test]
fn no_more_are_hot_than_poll_takes() {
    let mut poller = AdaptivePoller::restless().unwrap();
    poller.most = 3;
    let pairs = pairs(&mut poller, 0..10);
    send(&pairs);
    for _ in 0..20 {
        let mut events = Events::default();
        poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.len(), 10);
    }
    assert_eq!(poller.hot.keys().len(), 3);
}
