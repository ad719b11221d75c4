//! poll(2).

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::bits;
use super::deadline::ask_until;
use super::event::{Event, Events, Interest, Key};
use super::table::{Table, Vacancy};
use super::waker::Waker;
use super::{Backend, Capabilities, Cost, Poller, Trigger};
use crate::sys;

/// Waits with poll(2), on every Unix.
///
/// The kernel looks at each registered descriptor at every wait: at its best when most of them are
/// ready.
#[derive(Debug)]
pub struct PollPoller {
    set: PollSet,
    waker: Waker,
}

/// What poll(2) is asked about: the registered descriptors, and one of the poller's own.
#[derive(Debug)]
pub(super) struct PollSet {
    /// What the kernel reads, without gaps. The poller's own comes last: the kernel queues itself at
    /// each descriptor that isn't ready until it meets one that is, and takes itself out again.
    entries: Vec<sys::poll::Entry>,
    /// Whose entry stands at the same place.
    keys: Vec<Key>,
    /// The place of each key's entry.
    table: Table<usize>,
    /// Where the next report begins, so that a full buffer doesn't always favour the same.
    next: usize,
}

/// How many entries the kernel has marked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marked {
    /// Of the registered descriptors.
    pub(super) registered: usize,
    /// Whether the poller's own.
    pub(super) own: bool,
}

impl PollSet {
    /// Nobody but the poller's `own` descriptor, which is asked whether it is readable.
    pub(super) fn new(own: RawFd) -> Self {
        let entry = sys::poll::Entry { fd: own, events: libc::POLLIN, revents: 0 };
        Self { entries: vec![entry], keys: Vec::new(), table: Table::new(own), next: 0 }
    }

    /// Where `fd` may be added under `key`; else as [`Poller::add`].
    pub(super) fn vacancy(&self, fd: RawFd, key: Key) -> io::Result<Vacancy> {
        self.table.vacancy(fd, key)
    }

    /// Adds a descriptor, open or not.
    pub(super) fn insert(&mut self, vacancy: &Vacancy, interest: Interest) {
        let place = self.keys.len();
        self.table.insert(vacancy, interest, place);
        self.entries.insert(place, ask(vacancy.fd, interest));
        self.keys.push(vacancy.key);
    }

    /// The descriptors that are asked about.
    #[cfg(adaptive)]
    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The descriptor of `key`, and what is wanted of it, unless it was closed and that was said.
    #[cfg(adaptive)]
    pub(super) fn watched(&self, key: Key) -> Option<(RawFd, Interest)> {
        let entry = self.table.get(key)?;
        let is_asked = self.entries[entry.state].fd == entry.fd;
        (is_asked || entry.interest.is_empty()).then_some((entry.fd, entry.interest))
    }

    pub(super) fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        let entry = self.table.get_mut(key)?;
        entry.interest = interest;
        self.entries[entry.state] = ask(entry.fd, interest);
        Ok(())
    }

    pub(super) fn remove(&mut self, key: Key) -> io::Result<()> {
        let place = self.table.remove(key)?.state;
        self.keys.swap_remove(place);
        // The one before the poller's own takes the place, and the own one its place.
        let last = self.keys.len();
        self.entries.swap(place, last);
        self.entries.remove(last);
        if let Some(moved) = self.keys.get(place) {
            self.table.get_mut(*moved)?.state = place;
        }
        Ok(())
    }

    /// poll(2): what the kernel says stays here until it is [reported](Self::report).
    #[inline]
    pub(super) fn ask(&mut self, millis: i32) -> io::Result<Marked> {
        let count = sys::poll::poll(&mut self.entries, millis)
            .map_err(|error| explain(error, self.entries.len()))?;
        let own = self.entries.last().is_some_and(|own| own.revents != 0);
        Ok(Marked { registered: count - usize::from(own), own })
    }

    /// Appends the events of the entries that the kernel marked, as far as there is room.
    #[inline]
    pub(super) fn report(&mut self, marked: Marked, events: &mut Events) {
        let marked = marked.registered;
        let most = marked.min(events.room());
        if most == 0 {
            return;
        }
        let mut left = most;
        let (mut first, mut end) = (self.next.min(self.keys.len()), self.keys.len());
        self.next = 0;
        // From `next` to the end, then from the start to `next`.
        while left > 0 && end > 0 {
            let part = first..end;
            let mut rest = self.entries[part.clone()].iter_mut().zip(&self.keys[part]);
            while let Some((entry, key)) = rest.find(|(entry, _)| entry.revents != 0) {
                events.push(event(entry, *key, &self.table));
                left -= 1;
                if left == 0 {
                    if most < marked {
                        self.next = end - rest.len();
                    }
                    return;
                }
            }
            (first, end) = (0, first);
        }
    }
}

impl PollPoller {
    /// A poller without descriptors.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE: it needs one descriptor (two where there is no eventfd).
    pub fn new() -> io::Result<Self> {
        let waker = Waker::new()?;
        Ok(Self { set: PollSet::new(waker.fd()), waker })
    }
}

/// What the kernel says of an entry.
#[inline]
fn event(entry: &mut sys::poll::Entry, key: Key, table: &Table<usize>) -> Event {
    let seen = u32::from(entry.revents as u16);
    let readiness = bits::readiness(seen, || {
        if seen & bits::NVAL != 0 {
            // Closed behind our back: said once, and not asked for again.
            *entry = ask(entry.fd, Interest::NONE);
        }
        table.get(key).map_or(Interest::NONE, |entry| entry.interest)
    });
    Event::new(key, readiness)
}

/// What to write for the kernel. It passes over negative numbers, which keeps an entry with nothing
/// to ask for from reporting HUP and ERR, and the array from gaps.
fn ask(fd: RawFd, interest: Interest) -> sys::poll::Entry {
    let events = bits::wanted(interest) as i16;
    let fd = if interest.is_empty() && fd >= 0 { !fd } else { fd };
    sys::poll::Entry { fd, events, revents: 0 }
}

/// EINVAL of poll(2) has one cause here: more entries than the process may have descriptors.
fn explain(error: io::Error, entries: usize) -> io::Error {
    if error.raw_os_error() != Some(libc::EINVAL) {
        return error;
    }
    let limit = sys::fd::open_limit().map_or("unknown".to_owned(), |limit| limit.to_string());
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!(
            "poll {entries} descriptors: more than the limit of open files (RLIMIT_NOFILE), which \
             is {limit}; raise it or remove some"
        ),
    )
}

impl Poller for PollPoller {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        let vacancy = self.set.vacancy(fd, key)?;
        sys::fd::check_open(fd)?;
        self.set.insert(&vacancy, interest);
        Ok(())
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        self.set.modify(key, interest)
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        self.set.remove(key)
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        if events.room() == 0 {
            return Ok(());
        }
        ask_until(timeout, |millis| {
            let marked = self.set.ask(millis)?;
            if marked.own {
                self.waker.reset();
            }
            self.set.report(marked, events);
            Ok(marked.own || marked.registered > 0)
        })
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            backend: Backend::Poll,
            trigger: Trigger::Level,
            sees_close: true,
            has_fd: false,
            cost: Cost::Registered,
        }
    }
}
