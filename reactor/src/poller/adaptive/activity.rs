//! Who is busy: two accounts, of each descriptor and of all of them together.
//!
//! A hot descriptor costs something at each wait, ready or not, and saves something whenever it is
//! ready. Its account pays one for each wait and earns [`worth`](Rates::worth) with each report: full, it
//! is worth being hot; empty, it isn't. What lies between is the hysteresis. The account of all pays
//! what a second mechanism in one wait costs, and earns one with each report of somebody busy.

use super::super::event::{Event, Key};

/// What is earned, and how much an account holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    /// What a report earns, where a wait costs one.
    pub(super) worth: u32,
    /// What the account of a descriptor holds.
    pub(super) full: u32,
    /// What a wait on both mechanisms costs, where a report of a busy descriptor earns one.
    pub(super) crowd: u32,
    /// What the account of all holds.
    pub(super) crowd_full: u32,
    /// How many descriptors move after a wait, in each direction.
    pub(super) moves: usize,
}

/// From what the kernel took on one machine: ARCHITECTURE.md tells how they were found.
impl Default for Rates {
    fn default() -> Self {
        Self { worth: 3, full: 32, crowd: 6, crowd_full: 256, moves: 32 }
    }
}

/// What is on the account of a descriptor that epoll refused: so many waits pass before it is asked again.
const REFUSED: u32 = 1 << 16;

/// The accounts.
#[derive(Debug)]
pub(super) struct Activity {
    rates: Rates,
    slots: Vec<Slot>,
    /// The number of the last wait; it wraps.
    now: u32,
    /// The number of the one after which turns are counted.
    since: u32,
    /// The account of all.
    crowd: u32,
    /// Whether anybody may be hot.
    is_open: bool,
    /// The hot one that is looked at next.
    next: usize,
}

/// The account of the descriptor in one slot.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The wait that last reported it.
    last: u32,
    /// What there was after that.
    account: u32,
    is_hot: bool,
}

impl Activity {
    pub(super) fn new(rates: Rates) -> Self {
        // Soon to wrap: what can't stand that shows at once.
        let now = 100_u32.wrapping_neg();
        let is_open = rates.crowd_full == 0;
        Self { rates, slots: Vec::new(), now, since: now, crowd: 0, is_open, next: 0 }
    }

    /// A descriptor was added; nothing is known of it.
    pub(super) fn added(&mut self, key: Key) {
        if self.slots.len() <= key.index() {
            self.slots.resize(key.index() + 1, Slot::default());
        }
        self.slots[key.index()] = Slot { last: self.now, ..Slot::default() };
    }

    /// A descriptor has moved.
    pub(super) fn moved(&mut self, key: Key, is_hot: bool) {
        if let Some(slot) = self.slots.get_mut(key.index()) {
            slot.is_hot = is_hot;
        }
    }

    /// A descriptor can't become cold: its next try comes much later, or after its next report.
    pub(super) fn stays_hot(&mut self, key: Key) {
        if let Some(slot) = self.slots.get_mut(key.index()) {
            (slot.last, slot.account) = (self.now, REFUSED);
        }
    }

    /// Nobody has had a turn, from the present wait on.
    #[inline]
    pub(super) fn begin_turns(&mut self) {
        self.since = self.now;
    }

    /// Whether `key` was reported by an earlier wait since turns are counted. Who was added since stands behind
    /// all who were there, and counts as one who was.
    #[inline]
    pub(super) fn had_a_turn(&self, key: Key) -> bool {
        let ago = |wait| self.now.wrapping_sub(wait);
        self.slots.get(key.index()).is_none_or(|slot| ago(slot.last) < ago(self.since))
    }

    /// Whether the descriptor in the slot of `key` is hot.
    #[inline]
    pub(super) fn is_hot(&self, key: Key) -> bool {
        self.slots.get(key.index()).is_some_and(|slot| slot.is_hot)
    }

    /// Books a wait that has reported `events`, and appends who is to become hot, of those who can, if there is
    /// room.
    #[inline]
    pub(super) fn book(
        &mut self,
        events: &[Event],
        room: usize,
        can_move: impl Fn(Key) -> bool,
        heating: &mut Vec<Key>,
    ) {
        let Rates { worth, full, crowd, crowd_full, moves } = self.rates;
        let most = moves.min(room);
        self.now = self.now.wrapping_add(1);
        let mut busy = 0;
        for event in events {
            let Some(slot) = self.slots.get_mut(event.key().index()) else { continue };
            let cost = self.now.wrapping_sub(slot.last);
            slot.last = self.now;
            slot.account = slot.account.saturating_add(worth).saturating_sub(cost).min(full);
            if slot.is_hot {
                busy += 1;
            } else if slot.account == full {
                if !can_move(event.key()) {
                    // A file that is always ready: poll would have to look at it each time, too.
                    continue;
                }
                busy += 1;
                if self.is_open && heating.len() < most {
                    heating.push(event.key());
                }
            }
        }
        self.crowd = self.crowd.saturating_add(busy).saturating_sub(crowd).min(crowd_full);
        if self.crowd == crowd_full {
            self.is_open = true;
        } else if self.crowd == 0 {
            self.is_open = false;
        }
    }

    /// Appends who of the `hot` ones is to become cold. Each call looks at a part of them.
    #[inline]
    pub(super) fn look(&mut self, hot: &[Key], cooling: &mut Vec<Key>) {
        let part = hot.len().min(4 + hot.len() / 16);
        for _ in 0..part {
            if cooling.len() == self.rates.moves {
                return;
            }
            self.next = if self.next + 1 < hot.len() { self.next + 1 } else { 0 };
            let key = hot[self.next];
            let Some(slot) = self.slots.get(key.index()) else { continue };
            let is_empty = self.now.wrapping_sub(slot.last) >= slot.account;
            let is_asked = self.is_open || slot.account > self.rates.full;
            if is_empty || !is_asked {
                cooling.push(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::event::Readiness;
    use super::*;

    /// The accounts, and who is hot.
    struct World {
        activity: Activity,
        hot: Vec<Key>,
        /// How often somebody was moved.
        moves: usize,
        /// Of each descriptor, the waits that have reported it since it was cold, and all since it was hot.
        reports: Vec<u32>,
        waits: Vec<u32>,
    }

    fn key(n: u32) -> Key {
        Key::new(n, 0)
    }

    fn reports(ready: impl Iterator<Item = u32>) -> Vec<Event> {
        ready.map(|n| Event::new(key(n), Readiness::READABLE)).collect()
    }

    impl World {
        fn new(descriptors: u32, rates: Rates) -> Self {
            let mut activity = Activity::new(rates);
            (0..descriptors).for_each(|n| activity.added(key(n)));
            let none = vec![0; descriptors as usize];
            Self { activity, hot: Vec::new(), moves: 0, reports: none.clone(), waits: none }
        }

        fn wait(&mut self, ready: impl Iterator<Item = u32>) {
            let events = reports(ready);
            events.iter().for_each(|event| self.reports[event.key().index()] += 1);
            self.waits.iter_mut().for_each(|waits| *waits += 1);
            let (mut heating, mut cooling) = (Vec::new(), Vec::new());
            let Rates { worth, full, moves, .. } = self.activity.rates;
            self.activity.book(&events, usize::MAX, |_| true, &mut heating);
            for key in &heating {
                assert!(!self.activity.is_hot(*key));
                assert!(self.reports[key.index()] >= full / (worth - 1), "it has earned that");
                self.activity.moved(*key, true);
                self.waits[key.index()] = 0;
            }
            self.hot.extend(&heating);
            self.activity.look(&self.hot, &mut cooling);
            for key in &cooling {
                self.activity.moved(*key, false);
                self.reports[key.index()] = 0;
                let has_spent = self.waits[key.index()] >= full;
                assert!(has_spent || !self.activity.is_open, "it has spent what it had");
            }
            self.hot.retain(|key| !cooling.contains(key));
            assert!(heating.len().max(cooling.len()) <= moves);
            self.moves += heating.len() + cooling.len();
        }
    }

    #[test]
    fn who_is_ready_often_is_hot_for_good_and_who_is_not_never() {
        for (period, is_hot) in [(1, true), (2, true), (4, false), (8, false), (100, false)] {
            let mut world = World::new(100, Rates::default());
            for turn in 0..2000 {
                world.wait((0..100).filter(|n| (n + turn) % period == 0));
            }
            let expected = if is_hot { 100 } else { 0 };
            assert_eq!(world.hot.len(), expected, "each {period} waits");
            assert_eq!(world.moves, expected, "each {period} waits");
        }
    }

    #[test]
    fn a_few_are_not_worth_it() {
        let few = Rates::default().crowd;
        let mut world = World::new(100, Rates::default());
        (0..2000).for_each(|_| world.wait(0..few));
        assert_eq!((world.hot.len(), world.moves), (0, 0));
        // Nor is it worth going on with them for long.
        (0..2000).for_each(|_| world.wait(0..2 * few));
        assert_eq!(world.hot.len(), 2 * few as usize);
        (0..100).for_each(|_| world.wait(0..few - 1));
        assert_eq!(world.hot.len(), few as usize - 1);
        (0..2000).for_each(|_| world.wait(0..few - 1));
        assert_eq!(world.hot.len(), 0);
    }

    #[test]
    fn another_crowd_takes_the_place_of_the_last() {
        let mut world = World::new(1000, Rates::default());
        for crowd in 0..10 {
            (0..200).for_each(|_| world.wait(crowd * 100..crowd * 100 + 50));
            let mut hot: Vec<_> = world.hot.iter().map(|key| key.slot()).collect();
            hot.sort_unstable();
            assert!(hot.into_iter().eq(crowd * 100..crowd * 100 + 50));
        }
        assert_eq!(world.moves, 10 * 50 + 9 * 50);
    }

    #[test]
    fn no_more_become_hot_than_there_is_room_for() {
        let mut activity = World::new(100, Rates::default()).activity;
        let mut heating = Vec::new();
        for _ in 0..100 {
            heating.clear();
            activity.book(&reports(0..100), 3, |_| true, &mut heating);
        }
        assert_eq!(heating.len(), 3);
    }

    /// However many are hot, a wait looks at a part of them, and in the end at all.
    #[test]
    fn a_look_is_bounded() {
        let hot: Vec<_> = (0..1000).map(key).collect();
        for (moves, most) in [(usize::MAX, 4 + 1000 / 16), (32, 32)] {
            let mut activity = World::new(1000, Rates { moves, ..Rates::default() }).activity;
            let mut seen = std::collections::HashSet::new();
            for _ in 0..1000 / most + 1 {
                let mut cooling = Vec::new();
                activity.look(&hot, &mut cooling);
                assert_eq!(cooling.len(), most);
                seen.extend(cooling);
            }
            assert_eq!(seen.len(), 1000);
        }
    }

    #[test]
    fn whom_epoll_refuses_is_not_offered_again_for_long() {
        for is_open in [false, true] {
            let mut activity = World::new(1, Rates::default()).activity;
            activity.is_open = is_open;
            activity.crowd = u32::from(is_open);
            activity.rates.crowd = 0;
            activity.moved(key(0), true);
            activity.stays_hot(key(0));
            let mut cooling = Vec::new();
            let mut waits = 0;
            while cooling.is_empty() {
                activity.book(&[], usize::MAX, |_| true, &mut Vec::new());
                activity.look(&[key(0)], &mut cooling);
                waits += 1;
            }
            assert_eq!((waits, activity.is_open), (REFUSED, is_open));
        }
    }

    proptest! {
        /// Whoever is ready when: a descriptor that becomes hot has earned it since it last was, and one that
        /// becomes cold has spent that.
        #[test]
        fn nobody_flaps(runs in prop::collection::vec((any::<u8>(), 1..40), 0..40)) {
            let rates = Rates { crowd: 0, crowd_full: 0, ..Rates::default() };
            let mut world = World::new(8, rates);
            for (ready, waits) in runs {
                (0..waits).for_each(|_| world.wait((0..8).filter(|n| ready & (1 << n) != 0)));
            }
        }
    }
}
