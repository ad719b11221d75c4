//! A poller under test, and what the tests ask of it.

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::{Duration, Instant};

use reactor::{Event, Events, Interest, Key, Poller, Readiness};

use rustix::time::{ClockId, clock_gettime};

use crate::Subject;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long a test looks whether anything comes that must not.
pub const SILENCE: Duration = Duration::from_millis(25);

/// A poller under test with a buffer of events.
#[derive(Debug)]
pub struct Rig<P> {
    /// The poller.
    pub poller: P,
    /// What the last wait appended.
    pub events: Events,
}

impl<P: Subject> Rig<P> {
    /// A new poller, and room for 64 events.
    #[must_use]
    pub fn new() -> Self {
        Self::with_room(64)
    }

    /// A new poller, and room for `room` events.
    #[must_use]
    pub fn with_room(room: usize) -> Self {
        let poller = P::create().expect("a poller can be made");
        Self { poller, events: Events::with_capacity(room) }
    }
}

impl<P: Subject> Default for Rig<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Poller> Rig<P> {
    /// Registers `fd` in `slot`, generation 0.
    pub fn add(&mut self, fd: &impl AsFd, slot: u32, interest: Interest) -> Key {
        let key = Key::new(slot, 0);
        self.poller.add(number(fd), key, interest).expect("a new descriptor can be added");
        key
    }

    /// Changes the interest of a registered key.
    pub fn modify(&mut self, key: Key, interest: Interest) {
        self.poller.modify(key, interest).expect("a registered key can be modified");
    }

    /// Removes a registered key.
    pub fn remove(&mut self, key: Key) {
        self.poller.remove(key).expect("a registered key can be removed");
    }

    /// Clears the buffer and waits once.
    ///
    /// # Panics
    ///
    /// If the wait fails, or reports more than there was room for.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Vec<Event> {
        self.events.clear();
        self.poller.wait(&mut self.events, timeout).expect("a wait succeeds");
        let (len, capacity) = (self.events.len(), self.events.capacity());
        assert!(len <= capacity, "{len} events where there was room for {capacity}");
        self.events.iter().copied().collect()
    }

    /// What is ready at this moment.
    pub fn now(&mut self) -> Vec<Event> {
        self.wait(Some(Duration::ZERO))
    }

    /// Waits until `key`, and nobody else, is reported.
    ///
    /// # Panics
    ///
    /// If another key is reported, or none in time.
    pub fn expect(&mut self, key: Key) -> Readiness {
        let events = self.wait(Some(PATIENCE));
        assert_eq!(events.len(), 1, "exactly {key:?} is reported: {events:?}");
        assert_eq!(events[0].key(), key, "exactly {key:?} is reported: {events:?}");
        events[0].readiness()
    }

    /// Waits until `key`, and nobody else, is reported with all of `wanted`.
    ///
    /// # Panics
    ///
    /// If another key is reported, or it doesn't come in time.
    pub fn expect_until(&mut self, key: Key, wanted: Readiness) -> Readiness {
        let end = Instant::now() + PATIENCE;
        loop {
            let readiness = self.expect(key);
            if readiness.contains(wanted) {
                return readiness;
            }
            assert!(Instant::now() < end, "{wanted:?} never came: {readiness:?}");
        }
    }

    /// Waits for a while and sees nothing.
    ///
    /// # Panics
    ///
    /// If there is an event, or the wait ended early, or it burnt the processor: each time that it is
    /// tried, since a busy machine may charge a thread for what others do.
    pub fn silent(&mut self) {
        let mut burnt = Duration::ZERO;
        for _ in 0..5 {
            let (start, cpu) = (Instant::now(), thread_cpu());
            let events = self.wait(Some(SILENCE));
            let elapsed = start.elapsed();
            burnt = thread_cpu().saturating_sub(cpu);
            assert!(events.is_empty(), "silence was expected: {events:?}");
            assert!(elapsed >= SILENCE, "the wait ended early, after {elapsed:?}");
            if burnt < SILENCE / 2 {
                return;
            }
        }
        panic!("a wait of {SILENCE:?} spun for {burnt:?}");
    }
}

/// The number of a descriptor.
pub fn number(fd: &impl AsFd) -> RawFd {
    fd.as_fd().as_raw_fd()
}

/// The processor time of this thread.
///
/// # Panics
///
/// If it were negative.
#[must_use]
pub fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a clock that counts up")
}
