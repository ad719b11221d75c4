//! poll(2) with one array of entries without holes.

use std::io;
use std::os::fd::RawFd;

use super::{Patience, Wanted, uninterrupted};

/// Waits with poll.
#[derive(Debug, Default)]
pub struct PollWait {
    entries: Vec<libc::pollfd>,
    /// Whose entry stands at the same place.
    tokens: Vec<usize>,
    /// The place of each token's entry.
    places: Vec<usize>,
}

impl PollWait {
    /// Nobody, with room for `capacity` descriptors.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            entries: Vec::with_capacity(capacity),
            tokens: Vec::with_capacity(capacity),
            places: vec![0; capacity],
        }
    }

    /// Watches `fd` for reading.
    pub fn add(&mut self, fd: RawFd, token: usize) {
        if self.places.len() <= token {
            self.places.resize(token + 1, 0);
        }
        self.places[token] = self.entries.len();
        self.entries.push(libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
        self.tokens.push(token);
    }

    /// Watches a registered descriptor for something else.
    pub fn set(&mut self, fd: RawFd, token: usize, wanted: Wanted) {
        let entry = &mut self.entries[self.places[token]];
        // The kernel passes over negative numbers.
        (entry.fd, entry.events) = match wanted {
            Wanted::Nothing => (!fd, 0),
            Wanted::Reading => (fd, libc::POLLIN),
            Wanted::Writing => (fd, libc::POLLOUT),
        };
    }

    /// Forgets a descriptor: the last entry moves to its place.
    pub fn remove(&mut self, token: usize) {
        let place = self.places[token];
        self.entries.swap_remove(place);
        self.tokens.swap_remove(place);
        if let Some(moved) = self.tokens.get(place) {
            self.places[*moved] = place;
        }
    }

    /// Waits, and calls `ready` with the token of each descriptor that is.
    ///
    /// # Errors
    ///
    /// What poll(2) says.
    #[inline]
    pub fn wait(&mut self, patience: Patience, mut ready: impl FnMut(usize)) -> io::Result<()> {
        let (entries, count) = (self.entries.as_mut_ptr(), self.entries.len() as libc::nfds_t);
        // SAFETY: the pointer and the length are those of one vector, which stays as it is.
        let mut left = uninterrupted(|| unsafe { libc::poll(entries, count, patience.millis()) })?;
        let mut place = 0;
        while left > 0 {
            if self.entries[place].revents != 0 {
                left -= 1;
                ready(self.tokens[place]);
            }
            place += 1;
        }
        Ok(())
    }
}
