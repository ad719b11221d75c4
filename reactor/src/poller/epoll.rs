//! epoll(7), level-triggered: what was chosen over its edges, and why, stands in ARCHITECTURE.md.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::time::Duration;

use super::bits;
use super::deadline::ask_until;
use super::event::{Event, Events, Interest, Key};
use super::registrations::{Held, InterestList, Registrations};
use super::waker::Waker;
use super::{Backend, Capabilities, Cost, Poller, Trigger};
use crate::sys::epoll::{self, Epoll};

/// What the kernel carries for the waker; no key has its slot.
const WAKER: u64 = u64::MAX;
/// The waker is reported by its edge: nobody needs to read it empty.
const WAKER_EVENTS: u32 = (libc::EPOLLIN | libc::EPOLLET) as u32;

// The two families share their bits, and `bits` serves both.
const _: () = assert!(
    bits::IN == libc::EPOLLIN as u32
        && bits::OUT == libc::EPOLLOUT as u32
        && bits::PRI == libc::EPOLLPRI as u32
        && bits::ERR == libc::EPOLLERR as u32
        && bits::HUP == libc::EPOLLHUP as u32
        && bits::RDHUP == libc::EPOLLRDHUP as u32
);

/// Waits with epoll(7), on Linux and Android.
///
/// The cost of a wait grows with the ready descriptors alone. It is ready in another loop when one
/// of its own descriptors is: see its [`AsFd`].
#[derive(Debug)]
pub struct EpollPoller {
    pub(super) registrations: Registrations<Epoll>,
    buffer: Vec<epoll::Event>,
    waker: Waker,
}

impl EpollPoller {
    /// A poller without descriptors.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE: it needs two descriptors.
    pub fn new() -> io::Result<Self> {
        let epoll = Epoll::new()?;
        let waker = Waker::new()?;
        epoll.add(waker.fd(), WAKER_EVENTS, WAKER)?;
        Ok(Self { registrations: Registrations::new(epoll, waker.fd()), buffer: Vec::new(), waker })
    }

    /// The descriptor of `key`, and what is wanted of it, if the kernel watches it.
    #[cfg(adaptive)]
    pub(super) fn watched(&self, key: Key) -> Option<(RawFd, Interest)> {
        let interest = self.registrations.listed(key)?;
        self.registrations.table.get(key).map(|entry| (entry.fd, interest))
    }

    /// epoll_wait(2) between [`begin`](Registrations::begin) and [`end`](Registrations::end), as far as
    /// there is room. Says whether the wait is to end although nothing was reported.
    #[inline]
    pub(super) fn ask(&mut self, events: &mut Events, millis: i32) -> io::Result<bool> {
        let room = events.room();
        if room == 0 {
            return Ok(false);
        }
        if self.buffer.len() < room {
            self.buffer.resize(room, epoll::Event { events: 0, u64: 0 });
        }
        let count = self.registrations.list.wait(&mut self.buffer[..room], millis)?;
        let mut reported = self.report(count, events);
        if reported.waker {
            self.waker.rearm();
        }
        if reported.orphan {
            // Without a descriptor for another instance this wait ends early, and a later one
            // tries again: no single descriptor may make a wait fail.
            reported.waker |= self.rebuild().unwrap_or(true);
        }
        Ok(reported.waker)
    }

    /// Appends what the kernel has put into the buffer. Says whether the waker was there, and
    /// whether an entry that nobody owns.
    #[inline]
    fn report(&self, count: usize, events: &mut Events) -> Reported {
        let mut reported = Reported { waker: false, orphan: false };
        for raw in &self.buffer[..count] {
            let (seen, data) = (raw.events, raw.u64);
            let key = Key::from_bits(data);
            if let Some(interest) = self.registrations.listed(key) {
                events.push(Event::new(key, bits::readiness(seen, || interest)));
            } else if data == WAKER {
                reported.waker = true;
            } else {
                reported.orphan = true;
            }
        }
        reported
    }

    /// Starts afresh with a new epoll instance under the old number. Says whether the waker was
    /// signalled meanwhile.
    ///
    /// A descriptor that was closed before it was removed, while a duplicate keeps its file open,
    /// leaves an entry that no call can name any more, and that is reported for ever.
    fn rebuild(&mut self) -> io::Result<bool> {
        let fresh = Epoll::new()?;
        // The new instance would report the wakes of the past.
        let woken = self.waker.reset();
        fresh.add(self.waker.fd(), WAKER_EVENTS, WAKER)?;
        let mut refused = Vec::new();
        for entry in self.registrations.table.iter_mut() {
            if let Held::Listed(interest) = entry.state {
                if InterestList::add(&fresh, entry.fd, entry.key, interest).is_err() {
                    entry.state = Held::Absent;
                    refused.push(entry.key.index());
                }
            }
        }
        // Tried again before the next wait, and reported if it fails again.
        refused.into_iter().for_each(|index| self.registrations.queue(index));
        fresh.replace(&self.registrations.list)?;
        Ok(woken)
    }
}

struct Reported {
    waker: bool,
    orphan: bool,
}

impl InterestList for Epoll {
    fn add(&self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        self.add(fd, bits::wanted(interest), key.to_bits())
    }

    fn modify(&self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        self.modify(fd, bits::wanted(interest), key.to_bits())
    }

    fn delete(&self, fd: RawFd) -> io::Result<()> {
        self.delete(fd)
    }
}

/// For embedding in another loop: readable when the kernel has something to report, or the poller was
/// woken.
///
/// What waits in user space shows with a wait alone: changed interests, and files that are always
/// ready. So let a wait of zero length come before each wait of the outer loop. An outer epoll, which
/// watches files and not numbers, loses sight of the poller when that has to rebuild its instance
/// (after a descriptor was closed before its removal); poll(2) and select(2) don't.
impl AsFd for EpollPoller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.registrations.list.as_fd()
    }
}

impl Poller for EpollPoller {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        self.registrations.add(fd, key, interest)
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        self.registrations.modify(key, interest)
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        self.registrations.remove(key)
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let before = events.len();
        let ready = self.registrations.begin(events);
        ask_until(if ready { Some(Duration::ZERO) } else { timeout }, |millis| {
            let woken = self.ask(events, millis)?;
            Ok(woken || events.room() == 0 || events.len() > before)
        })?;
        self.registrations.end(events);
        Ok(())
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            backend: Backend::Epoll,
            trigger: Trigger::Level,
            sees_close: true,
            has_fd: true,
            cost: Cost::Ready,
        }
    }
}
