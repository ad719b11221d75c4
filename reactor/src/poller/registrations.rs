//! What a mechanism that keeps its interest list in the kernel must remember: epoll and mio.
//!
//! A changed interest is queued and written once before the wait. An empty interest leaves the
//! kernel's list, since the kernel would report HUP and ERR all the same. What the kernel refuses to
//! watch with EPERM is ready at all times, as it is for poll(2).

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;

use super::event::{Event, Events, Interest, Key, Readiness};
use super::table::{Entry, Table};
use crate::sys::fd::check_open;

/// A list of descriptors that the kernel watches.
pub(super) trait InterestList {
    fn add(&self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()>;
    fn modify(&self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()>;
    fn delete(&self, fd: RawFd) -> io::Result<()>;
}

/// Where a registered descriptor stands in the kernel's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It isn't there: nothing is wanted of it, or the kernel refused it.
    Absent,
    /// It isn't there, and that the kernel refused it is still to be told.
    Refused,
    /// It is there with this interest; an empty one means that it must be written again, to make
    /// the kernel look at the descriptor anew.
    Listed(Interest),
    /// The kernel can't watch it: it is always ready.
    Always,
}

/// The registered descriptors, and the changes that the kernel hasn't heard of.
#[derive(Debug)]
pub(super) struct Registrations<L> {
    pub(super) list: L,
    pub(super) table: Table<Held>,
    /// Slots whose interest may differ from what the kernel holds.
    changed: Vec<usize>,
    /// Whether a slot is among `changed`: by slot, so that the queue never outgrows the table.
    queued: Vec<bool>,
    /// Keys whose change the kernel refused, and which aren't reported yet.
    refused: VecDeque<Key>,
    /// Slots that are always ready.
    always: Vec<usize>,
    /// The one of `always` whose turn it is.
    next_always: usize,
    /// Whether the kernel's events get the room before those of `refused` and `always`: in turns, so
    /// that neither takes all of it for ever.
    kernel_first: bool,
}

impl<L: InterestList> Registrations<L> {
    /// Nobody, on a list that holds the poller's `own` descriptor.
    pub(super) fn new(list: L, own: RawFd) -> Self {
        Self {
            list,
            table: Table::new(own),
            changed: Vec::new(),
            refused: VecDeque::new(),
            queued: Vec::new(),
            always: Vec::new(),
            next_always: 0,
            kernel_first: false,
        }
    }

    pub(super) fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        let vacancy = self.table.vacancy(fd, key)?;
        let mut entry = Entry { key, fd, interest, state: Held::Absent };
        if interest.is_empty() {
            check_open(fd)?;
        } else {
            entry.state = write(&self.list, &entry)?;
        }
        if entry.state == Held::Always {
            self.always.push(key.index());
        }
        self.table.insert(&vacancy, interest, entry.state);
        if self.queued.len() <= key.index() {
            self.queued.resize(key.index() + 1, false);
        }
        Ok(())
    }

    /// The interest of `key`, if it is in the kernel's list.
    #[cfg(epoll)]
    #[inline]
    pub(super) fn listed(&self, key: Key) -> Option<Interest> {
        match self.table.at(key.index()) {
            Some(Entry { key: known, state: Held::Listed(_), interest, .. }) if *known == key => {
                Some(*interest)
            }
            _ => None,
        }
    }

    pub(super) fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        let entry = self.table.get_mut(key)?;
        entry.interest = interest;
        if entry.state != Held::Listed(interest) && entry.state != Held::Always {
            self.queue(key.index());
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, key: Key) -> io::Result<()> {
        let entry = self.table.remove(key)?;
        match entry.state {
            Held::Absent | Held::Refused => {}
            // A descriptor that was closed meanwhile has left the list by itself (epoll(7), Q6).
            Held::Listed(_) => drop(self.list.delete(entry.fd)),
            Held::Always => self.always.retain(|index| *index != key.index()),
        }
        Ok(())
    }

    /// Makes the kernel report `key` again before the next wait if it is still ready.
    #[cfg(mio)]
    pub(super) fn refresh(&mut self, key: Key) {
        if let Ok(entry) = self.table.get_mut(key) {
            if matches!(entry.state, Held::Listed(_)) {
                entry.state = Held::Listed(Interest::NONE);
                self.queue(key.index());
            }
        }
    }

    /// Has the slot looked at before the next wait.
    pub(super) fn queue(&mut self, index: usize) {
        if !std::mem::replace(&mut self.queued[index], true) {
            self.changed.push(index);
        }
    }

    /// Begins a wait: tells the kernel of all changes, and says whether something is ready already,
    /// so that the kernel is only to be asked, not to be waited for.
    #[inline]
    pub(super) fn begin(&mut self, events: &mut Events) -> bool {
        self.apply();
        if self.always.is_empty() && self.refused.is_empty() {
            return false;
        }
        // One that was removed or changed since is another matter.
        let table = &self.table;
        self.refused.retain(|key| {
            let entry = table.get(*key);
            entry.is_some_and(|entry| entry.state == Held::Refused)
        });
        self.kernel_first = !self.kernel_first;
        let ready = !self.refused.is_empty()
            || self.always.iter().any(|index| self.always_event(*index).is_some());
        if !self.kernel_first {
            self.report_own(events);
        }
        ready
    }

    /// Ends a wait: what isn't the kernel's to report takes the room that is left, if it wasn't its
    /// turn to come first.
    #[inline]
    pub(super) fn end(&mut self, events: &mut Events) {
        if self.kernel_first {
            self.report_own(events);
        }
    }

    /// Tells the kernel of all changes.
    #[inline]
    fn apply(&mut self) {
        for index in self.changed.drain(..) {
            self.queued[index] = false;
            let Some(entry) = self.table.at_mut(index) else { continue };
            match write(&self.list, entry) {
                Ok(held) => {
                    if held == Held::Always && entry.state != Held::Always {
                        self.always.push(index);
                    }
                    entry.state = held;
                }
                Err(_) if entry.state == Held::Refused => {}
                Err(_) => {
                    entry.state = Held::Refused;
                    self.refused.push_back(entry.key);
                }
            }
        }
    }

    /// Reports the changes that the kernel refused, and what is always ready.
    fn report_own(&mut self, events: &mut Events) {
        while events.room() > 0 {
            let Some(key) = self.refused.pop_front() else { break };
            if let Ok(entry) = self.table.get_mut(key) {
                entry.state = Held::Absent;
                events.push(Event::new(key, Readiness::all(entry.interest) | Readiness::ERROR));
            }
        }
        for _ in 0..self.always.len() {
            if events.room() == 0 || self.always.is_empty() {
                return;
            }
            self.next_always = (self.next_always + 1) % self.always.len();
            let index = self.always[self.next_always];
            let Some(event) = self.always_event(index) else { continue };
            if self.table.at(index).is_some_and(|entry| check_open(entry.fd).is_ok()) {
                events.push(event);
            } else {
                // Closed early: said once, and not claimed again.
                events.push(Event::new(event.key(), event.readiness() | Readiness::ERROR));
                self.forget_always(index);
            }
        }
    }

    fn forget_always(&mut self, index: usize) {
        self.always.retain(|always| *always != index);
        if let Some(entry) = self.table.at_mut(index) {
            entry.state = Held::Absent;
        }
    }

    fn always_event(&self, index: usize) -> Option<Event> {
        let entry = self.table.at(index)?;
        let ready = entry.interest - Interest::PRIORITY;
        (!ready.is_empty()).then(|| Event::new(entry.key, Readiness::all(ready)))
    }
}

/// Writes the interest of `entry` to the kernel's list if that holds another; says what it holds.
fn write(list: &impl InterestList, entry: &Entry<Held>) -> io::Result<Held> {
    let &Entry { key, fd, interest, state } = entry;
    match state {
        Held::Always => Ok(Held::Always),
        Held::Absent | Held::Refused if interest.is_empty() => Ok(Held::Absent),
        Held::Absent | Held::Refused => match list.add(fd, key, interest) {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => Ok(Held::Always),
            answer => answer.map(|()| Held::Listed(interest)),
        },
        Held::Listed(_) if interest.is_empty() => {
            // A descriptor that was closed meanwhile has left the list by itself.
            let _ = list.delete(fd);
            Ok(Held::Absent)
        }
        Held::Listed(held) if held == interest => Ok(state),
        Held::Listed(_) => list.modify(fd, key, interest).map(|()| Held::Listed(interest)),
    }
}

#[cfg(test)]
mod tests;
