//! Who is registered: the table behind the errors that every mechanism shares.

use std::io;
use std::os::fd::RawFd;

use super::event::{Interest, Key};

/// The registered descriptors by slot, with a mechanism's own `state` for each.
#[derive(Debug)]
pub(super) struct Table<S> {
    slots: Vec<Option<Entry<S>>>,
    /// Whether a descriptor number is registered.
    taken: Vec<bool>,
}

/// One registered descriptor.
#[derive(Debug)]
pub(super) struct Entry<S> {
    pub(super) key: Key,
    pub(super) fd: RawFd,
    pub(super) interest: Interest,
    pub(super) state: S,
}

/// A descriptor that may be registered.
#[derive(Debug)]
pub(super) struct Vacancy {
    /// The descriptor's number as an index.
    pub(super) number: usize,
    pub(super) fd: RawFd,
    pub(super) key: Key,
}

impl<S> Table<S> {
    /// A table in which the poller's own descriptor is taken.
    pub(super) fn new(own: RawFd) -> Self {
        let mut table = Self { slots: Vec::new(), taken: Vec::new() };
        if let Ok(number) = usize::try_from(own) {
            table.take(number);
        }
        table
    }

    fn take(&mut self, number: usize) {
        if self.taken.len() <= number {
            self.taken.resize(number + 1, false);
        }
        self.taken[number] = true;
    }

    /// Where `fd` is to be filed if it may be added under `key`; else `AlreadyExists`,
    /// `InvalidInput`, or EBADF for what can't be a descriptor.
    pub(super) fn vacancy(&self, fd: RawFd, key: Key) -> io::Result<Vacancy> {
        let Ok(number) = usize::try_from(fd) else {
            return Err(io::Error::from_raw_os_error(libc::EBADF));
        };
        if key.slot() > Key::MAX_SLOT {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("add descriptor {fd}: {key:?} is above slot {}", Key::MAX_SLOT),
            ));
        }
        let other = self.slots.get(key.index()).and_then(Option::as_ref);
        if other.is_some() || self.taken.get(number).copied().unwrap_or(false) {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                match other {
                    Some(other) => format!(
                        "add descriptor {fd}: the slot of {key:?} is taken by descriptor {}",
                        other.fd
                    ),
                    None => format!("add descriptor {fd}: it is registered already"),
                },
            ));
        }
        Ok(Vacancy { number, fd, key })
    }

    /// Registers a descriptor where [`vacancy`](Self::vacancy) has found room for it.
    pub(super) fn insert(&mut self, vacancy: &Vacancy, interest: Interest, state: S) {
        let &Vacancy { number, fd, key } = vacancy;
        if self.slots.len() <= key.index() {
            self.slots.resize_with(key.index() + 1, || None);
        }
        self.take(number);
        self.slots[key.index()] = Some(Entry { key, fd, interest, state });
    }

    /// The entry of `key`.
    #[cfg(any(poll, epoll, mio))]
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<&Entry<S>> {
        self.at(key.index()).filter(|entry| entry.key == key)
    }

    /// The entry of `key`, or `NotFound`.
    pub(super) fn get_mut(&mut self, key: Key) -> io::Result<&mut Entry<S>> {
        self.at_mut(key.index()).filter(|entry| entry.key == key).ok_or_else(|| stranger(key))
    }

    /// The entry in a slot, whatever its generation.
    #[cfg(any(poll, epoll, mio))]
    #[inline]
    pub(super) fn at(&self, index: usize) -> Option<&Entry<S>> {
        self.slots.get(index).and_then(Option::as_ref)
    }

    /// The entry in a slot, whatever its generation.
    pub(super) fn at_mut(&mut self, index: usize) -> Option<&mut Entry<S>> {
        self.slots.get_mut(index).and_then(Option::as_mut)
    }

    /// Takes the entry of `key` out, or `NotFound`.
    pub(super) fn remove(&mut self, key: Key) -> io::Result<Entry<S>> {
        let entry = self
            .slots
            .get_mut(key.index())
            .and_then(|slot| slot.take_if(|entry| entry.key == key))
            .ok_or_else(|| stranger(key))?;
        if let Some(taken) = usize::try_from(entry.fd).ok().and_then(|n| self.taken.get_mut(n)) {
            *taken = false;
        }
        Ok(entry)
    }

    /// All entries, by slot.
    #[cfg(any(select, epoll))]
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry<S>> {
        self.slots.iter_mut().flatten()
    }
}

fn stranger(key: Key) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{key:?} is not registered"))
}
