//! Low-water marks that are set one by one.

use std::io;
use std::os::fd::AsRawFd;

use log::warn;

use super::{Core, Due};
use crate::context::gone;
use crate::poller::{Blocked, Direction, Interest, Key, Poller, Readiness};

impl Core {
    /// Sets the read low-water mark of a connection alone: for each message, if need be.
    pub(crate) fn set_read_low(&mut self, key: Key, bytes: usize) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        if connection.set_read_low(bytes) {
            self.deliver_again(key);
        }
    }

    /// Sets what is to be told of a registered descriptor.
    pub(crate) fn set_raw_interest(
        &mut self,
        poller: &mut (impl Poller + ?Sized),
        key: Key,
        interest: Interest,
    ) -> io::Result<()> {
        let raw = self.sources.raw_mut(key).ok_or_else(gone)?;
        raw.interest = interest;
        if !interest.contains(Interest::READABLE) {
            if let Some(timer) = raw.timer.take() {
                self.timers.cancel(timer);
            }
        }
        poller.modify(key, raw.asks_for())
    }

    /// Sets the read low-water mark of a registered descriptor.
    pub(crate) fn set_raw_read_low(
        &mut self,
        poller: &mut (impl Poller + ?Sized),
        key: Key,
        bytes: usize,
    ) -> io::Result<()> {
        let raw = self.sources.raw_mut(key).ok_or_else(gone)?;
        raw.set_low(bytes)?;
        // What is there already may be enough now: the next wait asks again.
        if let Some(timer) = raw.timer.take() {
            self.timers.cancel(timer);
            poller.modify(key, raw.interest)?;
        }
        if raw.awaits_arrival && raw.is_enough() {
            raw.awaits_arrival = false;
            // One that is new to the poller is told as it is. What is only changed, and not added, is
            // asked for again where the system has no room to watch it.
            poller.remove(key)?;
            poller.add(raw.fd.as_raw_fd(), key, Interest::NONE)?;
            poller.modify(key, raw.interest)?;
        }
        Ok(())
    }

    /// What is to be told of a registered descriptor with a mark: of reading only what reaches that.
    pub(crate) fn above_raw_mark(
        &mut self,
        poller: &mut impl Poller,
        key: Key,
        readiness: Readiness,
    ) -> Readiness {
        let Some(raw) = self.sources.raw_mut(key) else { return readiness };
        if !readiness.is_readable() {
            return readiness;
        }
        if raw.timer.is_none() && raw.is_enough() {
            raw.awaits_arrival = false;
            return readiness;
        }
        let rest = readiness.within(raw.interest - Interest::READABLE);
        self.look_later(poller, key);
        rest
    }

    /// The time has come to look again whether a registered descriptor's mark is reached.
    pub(crate) fn look_at_raw(&mut self, poller: &mut impl Poller, key: Key) {
        let Some(raw) = self.sources.raw_mut(key) else { return };
        raw.timer = None;
        if !raw.is_enough() {
            return self.look_later(poller, key);
        }
        if let Err(error) = poller.modify(key, raw.interest) {
            warn!("{key:?}: {error}");
        }
    }

    fn look_later(&mut self, poller: &mut impl Poller, key: Key) {
        let Some(raw) = self.sources.raw_mut(key) else { return };
        if raw.hears_arrivals(poller.capabilities().trigger) {
            raw.awaits_arrival = true;
            return poller.blocked(key, Direction::Read, Blocked::WouldBlock);
        }
        if raw.timer.is_none() {
            let pause = raw.next_pause();
            raw.timer = Some(self.timers.insert(pause, Due::RawMark(key)));
        }
        if let Err(error) = poller.modify(key, raw.asks_for()) {
            warn!("{key:?}: {error}");
        }
    }
}
