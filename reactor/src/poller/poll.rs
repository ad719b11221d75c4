//! poll(2).

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::bits;
use super::deadline::ask_until;
use super::event::{Event, Events, Interest, Key};
use super::table::Table;
use super::waker::Waker;
use super::{Backend, Capabilities, Cost, Poller, Trigger};
use crate::sys;

/// Waits with poll(2), on every Unix.
///
/// The kernel looks at each registered descriptor at every wait: at its best when most of them are
/// ready.
#[derive(Debug)]
pub struct PollPoller {
    /// What the kernel reads, without gaps. The waker comes last: the kernel queues itself at each
    /// descriptor that isn't ready until it meets one that is, and takes itself out again.
    entries: Vec<sys::poll::Entry>,
    /// Whose entry stands at the same place.
    keys: Vec<Key>,
    /// The place of each key's entry.
    table: Table<usize>,
    /// Where the next report begins, so that a full buffer doesn't always favour the same.
    next: usize,
    waker: Waker,
}

impl PollPoller {
    /// A poller without descriptors.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE: it needs one descriptor (two where there is no eventfd).
    pub fn new() -> io::Result<Self> {
        let waker = Waker::new()?;
        let entry = sys::poll::Entry { fd: waker.fd(), events: libc::POLLIN, revents: 0 };
        Ok(Self {
            entries: vec![entry],
            keys: Vec::new(),
            table: Table::new(waker.fd()),
            next: 0,
            waker,
        })
    }

    /// Appends the events of the `marked` entries that the kernel marked, as far as there is room.
    #[inline]
    fn report(&mut self, marked: usize, events: &mut Events) {
        let most = marked.min(events.room());
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
        let vacancy = self.table.vacancy(fd, key)?;
        sys::fd::check_open(fd)?;
        let place = self.keys.len();
        self.table.insert(&vacancy, interest, place);
        self.entries.insert(place, ask(fd, interest));
        self.keys.push(key);
        Ok(())
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        let entry = self.table.get_mut(key)?;
        entry.interest = interest;
        self.entries[entry.state] = ask(entry.fd, interest);
        Ok(())
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        let place = self.table.remove(key)?.state;
        self.keys.swap_remove(place);
        // The one before the waker takes the place, and the waker its place.
        let last = self.keys.len();
        self.entries.swap(place, last);
        self.entries.remove(last);
        if let Some(moved) = self.keys.get(place) {
            self.table.get_mut(*moved)?.state = place;
        }
        Ok(())
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        if events.room() == 0 {
            return Ok(());
        }
        ask_until(timeout, |millis| {
            let count = sys::poll::poll(&mut self.entries, millis)
                .map_err(|error| explain(error, self.entries.len()))?;
            let woken = self.entries.last().is_some_and(|waker| waker.revents != 0);
            if woken {
                self.waker.reset();
            }
            self.report(count - usize::from(woken), events);
            Ok(count > 0)
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
