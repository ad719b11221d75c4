//! Who wants to know when somebody comes and goes (IRCv3 *MONITOR*).

use std::collections::HashMap;

use bstr::{BStr, BString};

use super::UserId;
use crate::names::{self, Folded};

/// The nicks that users watch for.
#[derive(Clone, Debug, Default)]
pub struct Monitors {
    watchers: HashMap<Folded, Vec<UserId>>,
    /// By who watches, as they have spelt it.
    watched: HashMap<UserId, Vec<BString>>,
}

impl Monitors {
    /// Whom `user` watches for.
    pub fn of(&self, user: UserId) -> impl ExactSizeIterator<Item = &BStr> {
        self.watched
            .get(&user)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(std::convert::AsRef::as_ref)
    }

    /// Who watches for this nick.
    #[must_use]
    pub fn watchers(&self, nick: &[u8]) -> &[UserId] {
        self.watchers.get(&Folded::new(nick)).map_or(&[], Vec::as_slice)
    }

    /// Makes `user` watch for a nick; not if it does.
    pub fn add(&mut self, user: UserId, nick: &[u8]) -> bool {
        let watchers = self.watchers.entry(Folded::new(nick)).or_default();
        if watchers.contains(&user) {
            return false;
        }
        watchers.push(user);
        self.watched.entry(user).or_default().push(nick.into());
        true
    }

    /// Makes `user` watch for a nick no more.
    pub fn remove(&mut self, user: UserId, nick: &[u8]) {
        let Some(watched) = self.watched.get_mut(&user) else { return };
        let Some(at) = watched.iter().position(|other| names::same(other, nick)) else { return };
        watched.remove(at);
        if watched.is_empty() {
            self.watched.remove(&user);
        }
        self.unwatch(user, nick);
    }

    fn unwatch(&mut self, user: UserId, nick: &[u8]) {
        let folded = Folded::new(nick);
        if let Some(watchers) = self.watchers.get_mut(&folded) {
            watchers.retain(|other| *other != user);
            if watchers.is_empty() {
                self.watchers.remove(&folded);
            }
        }
    }

    /// Makes `user` watch for nobody.
    pub fn forget(&mut self, user: UserId) {
        for nick in self.watched.remove(&user).unwrap_or_default() {
            self.unwatch(user, &nick);
        }
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    #[test]
    fn watching_is_forgotten_without_a_trace() {
        let mut ids: SlotMap<UserId, ()> = SlotMap::with_key();
        let (one, other) = (ids.insert(()), ids.insert(()));
        let mut monitors = Monitors::default();
        assert!(monitors.add(one, b"A") && !monitors.add(one, b"a") && monitors.add(other, b"a"));
        assert_eq!(monitors.watchers(b"a"), [one, other]);
        assert_eq!(monitors.of(one).collect::<Vec<_>>(), ["A"]);
        monitors.remove(other, b"b");
        assert_eq!(monitors.watchers(b"a"), [one, other]);
        monitors.remove(other, b"A");
        assert_eq!((monitors.watchers(b"a"), monitors.of(other).len()), (&[one][..], 0));
        monitors.forget(one);
        assert!(monitors.watchers.is_empty() && monitors.watched.is_empty());
    }
}
