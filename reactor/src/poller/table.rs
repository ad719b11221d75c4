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

impl<S> Table<S> {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new(), taken: Vec::new() }
    }

    /// Whether `fd` may be added under `key`: `AlreadyExists`, `InvalidInput` or EBADF if not.
    ///
    /// The index of a descriptor number that can be open at all.
    pub(super) fn check_vacant(&self, fd: RawFd, key: Key) -> io::Result<usize> {
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
                    None => format!("add descriptor {fd}: it is registered under another key"),
                },
            ));
        }
        Ok(number)
    }

    /// Registers what [`check_vacant`](Self::check_vacant) has found to be free.
    pub(super) fn insert(&mut self, entry: Entry<S>) -> io::Result<()> {
        let number = self.check_vacant(entry.fd, entry.key)?;
        let index = entry.key.index();
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        if self.taken.len() <= number {
            self.taken.resize(number + 1, false);
        }
        self.taken[number] = true;
        self.slots[index] = Some(entry);
        Ok(())
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
