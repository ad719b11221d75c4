//! poll(2) for the busy descriptors, epoll(7) for the quiet ones.
//!
//! epoll pays for each descriptor that is ready, poll for each that is asked about: so who is ready at
//! nearly every wait is cheaper in poll's array. The epoll instance stands in that array as one more
//! entry, and a wait is one poll(2), with an epoll_wait(2) only when a quiet descriptor has something.

mod activity;

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;

use super::deadline::ask_until;
use super::epoll::EpollPoller;
use super::event::{Event, Events, Interest, Key};
use super::poll::PollSet;
use super::waker::Waker;
use super::{Backend, Capabilities, Cost, Poller, Trigger};
use crate::sys;
use activity::{Activity, Rates};

/// Waits with poll(2) for the descriptors that are busy and with epoll(7) for the rest, on Linux and
/// Android.
///
/// Who is busy is learnt from the waits; nothing is to be told. Each descriptor is in one of the two at
/// a time, and begins in epoll. It is at its best when hundreds are ready at each wait; with few busy ones, or
/// with more than three times as many ready as a wait's buffer holds, it is epoll and costs that.
///
/// In a buffer that is too small for all who are ready, nobody starves, and who is busy has no more turns for it:
/// of those that don't move meanwhile, nobody has a third one before each has had one. Files that are always
/// ready have theirs at every second wait.
#[derive(Debug)]
pub struct AdaptivePoller {
    /// The quiet ones, and the waker.
    cold: EpollPoller,
    /// The busy ones, and the descriptor of `cold`.
    hot: PollSet,
    activity: Activity,
    /// Whether the hot ones get the room in the buffer first.
    hot_first: bool,
    /// How many may be hot: as many as poll(2) takes, of which it is asked when it refuses.
    most: usize,
    /// Who is to move, kept for its memory.
    moving: Vec<Key>,
}

impl AdaptivePoller {
    /// A poller without descriptors.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE: it needs two descriptors.
    pub fn new() -> io::Result<Self> {
        Self::with_rates(Rates::default())
    }

    /// A poller that moves each descriptor when it is reported, and back when it isn't: for tests of what
    /// moving may lose.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    #[doc(hidden)]
    pub fn restless() -> io::Result<Self> {
        Self::with_rates(Rates { worth: u32::MAX, full: 1, crowd: 0, crowd_full: 0, moves: 2 })
    }

    fn with_rates(rates: Rates) -> io::Result<Self> {
        let cold = EpollPoller::new()?;
        let hot = PollSet::new(cold.as_fd().as_raw_fd());
        Ok(Self {
            cold,
            hot,
            activity: Activity::new(rates),
            hot_first: false,
            most: usize::MAX,
            moving: Vec::new(),
        })
    }

    /// Moves a descriptor from epoll to poll, if the kernel watches it there.
    fn heat(&mut self, key: Key) {
        let Some((fd, interest)) = self.cold.watched(key) else { return };
        let Ok(vacancy) = self.hot.vacancy(fd, key) else { return };
        if self.cold.remove(key).is_ok() {
            self.hot.insert(&vacancy, interest);
            self.activity.moved(key, true);
        }
    }

    /// Moves a descriptor from poll to epoll, and says whether it is there. One that epoll refuses stays,
    /// since poll can watch anything; so does one that was closed behind our back.
    fn cool(&mut self, key: Key) -> bool {
        let Some((fd, interest)) = self.hot.watched(key) else { return false };
        if self.cold.add(fd, key, interest).is_err() {
            self.activity.stays_hot(key);
            return false;
        }
        let _ = self.hot.remove(key);
        self.activity.moved(key, false);
        true
    }

    /// Moves to epoll whom poll(2) doesn't take, as RLIMIT_NOFILE was lowered, which epoll doesn't ask. Says
    /// whether it was anybody.
    fn shrink(&mut self) -> bool {
        let limit = sys::fd::open_limit().map_or(0, |limit| usize::try_from(limit).unwrap_or(0));
        // One entry is epoll's.
        self.most = limit.saturating_sub(1);
        let before = self.hot.keys().len();
        // From the end on: the last one, which was tried before, takes the place of who leaves.
        for place in (0..before).rev() {
            if self.hot.keys().len() <= self.most {
                break;
            }
            self.cool(self.hot.keys()[place]);
        }
        self.hot.keys().len() < before
    }

    /// Asks both sides once; says whether the wait is to end although nothing was reported.
    #[inline]
    fn ask(&mut self, events: &mut Events, millis: i32) -> io::Result<bool> {
        if events.room() == 0 {
            return Ok(true);
        }
        let marked = loop {
            if self.hot.keys().is_empty() {
                return self.cold.ask(events, millis);
            }
            match self.hot.ask(millis) {
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    if !self.shrink() {
                        return Err(error);
                    }
                }
                answer => break answer?,
            }
        };
        let hot_first = self.hot_first;
        if hot_first {
            self.hot.report(marked, events);
            self.end_turn(events);
        }
        // A call that doesn't wait isn't interrupted: nothing is reported twice.
        let woken = marked.own && self.cold.ask(events, 0)?;
        if !hot_first {
            self.end_turn(events);
            self.hot.report(marked, events);
        }
        Ok(woken)
    }

    /// Lets the other side be the first for the room, if all of this one have had their turn: there is room
    /// left, or the last in `events` has its second one.
    #[inline]
    fn end_turn(&mut self, events: &Events) {
        let is_over = events.room() > 0
            || events.as_slice().last().is_none_or(|last| self.activity.had_a_turn(last.key()));
        if is_over {
            self.hot_first = !self.hot_first;
            self.activity.begin_turns();
        }
    }

    /// Learns from what a wait has reported, and moves who is in the wrong place.
    fn learn(&mut self, reported: &[Event]) {
        let mut moving = std::mem::take(&mut self.moving);
        let room = self.most.saturating_sub(self.hot.keys().len());
        let can_move = |key| self.cold.watched(key).is_some();
        self.activity.book(reported, room, can_move, &mut moving);
        moving.drain(..).for_each(|key| self.heat(key));
        self.activity.look(self.hot.keys(), &mut moving);
        moving.drain(..).for_each(|key| {
            self.cool(key);
        });
        self.moving = moving;
    }
}

impl Poller for AdaptivePoller {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        self.hot.vacancy(fd, key)?;
        self.cold.add(fd, key, interest)?;
        self.activity.added(key);
        Ok(())
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        if self.activity.is_hot(key) {
            self.hot.modify(key, interest)
        } else {
            self.cold.modify(key, interest)
        }
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        if self.activity.is_hot(key) { self.hot.remove(key) } else { self.cold.remove(key) }
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let before = events.len();
        let ready = self.cold.registrations.begin(events);
        let asks = events.room() > 0;
        ask_until(if ready { Some(Duration::ZERO) } else { timeout }, |millis| {
            let is_over = self.ask(events, millis)?;
            Ok(is_over || events.len() > before)
        })?;
        self.cold.registrations.end(events);
        if asks {
            self.learn(&events.as_slice()[before..]);
        }
        Ok(())
    }

    fn waker(&self) -> Waker {
        self.cold.waker()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            backend: Backend::Adaptive,
            trigger: Trigger::Level,
            sees_close: true,
            has_fd: false,
            cost: Cost::Ready,
        }
    }
}

#[cfg(test)]
mod tests;
