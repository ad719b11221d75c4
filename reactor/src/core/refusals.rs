//! Changes of an interest that the system refuses, and that are asked for again.

use std::collections::BTreeSet;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use log::warn;

use super::{Core, Due};
use crate::acceptor::Acceptor;
use crate::connection::Connection;
use crate::poller::{Key, Poller};
use crate::raw::Raw;
use crate::sources::Kind;
use crate::sys::fd::check_open;

/// How long to wait before they are asked for again, at first and at most.
const PAUSE: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// Sources of which an error was reported that nobody has found. It may say that the system had no room to
/// watch them again (ENOSPC, ENOMEM): that is told once, and then nothing is told of them any more.
#[derive(Debug)]
pub(super) struct Refusals {
    /// As long as there are any, a timer runs.
    keys: BTreeSet<Key>,
    /// How long to wait the next time.
    pause: Duration,
    /// When they were last asked for again.
    last: Option<Instant>,
}

impl Refusals {
    pub(super) fn new() -> Self {
        Self { keys: BTreeSet::new(), pause: PAUSE[0], last: None }
    }

    /// How long to wait this time: twice as long as the last time, unless that is long ago.
    fn back_off(&mut self, now: Instant) -> Duration {
        if self.last.is_none_or(|last| now.duration_since(last) > PAUSE[1]) {
            self.pause = PAUSE[0];
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE[1]);
        pause
    }
}

impl Core {
    /// The poller has told of an error, and it isn't known to be the descriptor's own. To ask again for
    /// what a poller holds costs nothing.
    #[cold]
    pub(crate) fn ask_again_later(&mut self, key: Key) {
        if let Some(connection) = self.sources.connection(key) {
            // An error that was found is the reason of an end, and who asks for nothing isn't refused.
            if connection.reason.is_some() || connection.interest().is_empty() {
                return;
            }
        }
        if self.refusals.keys.is_empty() {
            let pause = self.refusals.back_off(self.now);
            self.timers.insert(pause, Due::Refused);
        }
        self.refusals.keys.insert(key);
    }

    /// The time has come to ask again.
    pub(crate) fn ask_again(&mut self, poller: &mut impl Poller) {
        self.refusals.last = Some(self.now);
        for key in std::mem::take(&mut self.refusals.keys) {
            let interest = match self.sources.kind(key) {
                Some(Kind::Connection) => self.sources.connection(key).map(Connection::interest),
                // One that was closed behind the poller's back is told once.
                Some(Kind::Raw) => self
                    .sources
                    .raw(key)
                    .filter(|raw| check_open(raw.fd.as_raw_fd()).is_ok())
                    .map(Raw::asks_for),
                // One that holds back asks when that is over.
                Some(Kind::Acceptor) => self.sources.acceptor(key).and_then(Acceptor::asks_for),
                _ => None,
            };
            let Some(interest) = interest else { continue };
            if let Err(error) = poller.modify(key, interest) {
                warn!("{key:?}: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_there_was_room_for_long() {
        let (mut refusals, mut now) = (Refusals::new(), Instant::now());
        for millis in [10, 20, 40, 80, 160, 320, 640, 1000, 1000] {
            let pause = refusals.back_off(now);
            assert_eq!(pause, Duration::from_millis(millis));
            now += pause;
            refusals.last = Some(now);
        }
        assert_eq!(refusals.back_off(now + PAUSE[1] * 2), PAUSE[0]);
    }
}
