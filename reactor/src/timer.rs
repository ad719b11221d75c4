//! Timers: a hierarchical wheel that is told the time and never reads a clock.
//!
//! Insert, cancel and re-arm are O(1) with any number of timers alive, and allocate only while the
//! wheel grows. It counts ticks of 1 ms from the instant it was made at; deadlines are kept to the
//! nanosecond and rounded *up* to a tick.
//!
//! What it promises:
//! - Never early: a timer is due only once [`TimerWheel::advance`] was told a time at or past its
//!   deadline. The wheel makes it late by less than a tick.
//! - Order: due timers come by tick. Within one tick they come in the order in which they were
//!   armed, except for those that were re-armed while they waited, which come anywhere among them.
//! - No timer is due in the turn that armed it: one that re-arms itself can't hold the loop.
//! - A due timer that wasn't popped yet is like any other: it can be cancelled or re-armed.
//! - An id that is out of date reaches no timer.
//!
//! # How it works
//!
//! Six levels of 256 slots cover every deadline. A slot of level *n* is 256ⁿ ticks wide and holds
//! a doubly linked list of timers; a timer is filed in the finest level that reaches as far as its
//! deadline. When the cursor comes to where a coarse slot begins, its timers are filed anew, in
//! finer levels. The cursor goes from occupied slot to occupied slot, never from tick to tick, so a
//! jump over years costs no more than the timers that it passes. (Varghese and Lauck, "Hashed and
//! Hierarchical Timing Wheels", SOSP 1987, scheme 7.)
//!
//! A timer that is put off stays in its slot with its new deadline, and is filed where it belongs
//! only when the slot comes up. For with a million timers nearly all of the price of an operation
//! is cache misses, and re-arming has one so, where moving a timer between lists has up to five.

#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

const NANOS_PER_TICK: u64 = 1_000_000;
const SLOT_BITS: u32 = 8;
const SLOTS: usize = 1 << SLOT_BITS;
/// 2⁶⁴ ns are fewer than 2⁴⁵ ticks: six levels of eight bits hold every deadline.
const LEVELS: usize = 6;
const LISTS: usize = LEVELS * SLOTS;

/// Where durations without end saturate to. Rounded up, it is one tick further than the wheel's
/// time, rounded down, can ever come.
const NEVER: u64 = u64::MAX;
/// Up to how many timers of a slot are looked at to find the earliest one.
const FEW: usize = 64;
/// The slot of a timer that was popped and not re-armed since, and of a vacant node.
const UNFILED: u16 = u16::MAX;
/// No timer's node, as the first nodes are the heads of lists.
const NOBODY: u32 = 0;

/// Names one timer from when it is set until it was cancelled or has finished.
///
/// Later it is recognised as out of date, whatever its place in memory is used for by then.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimerId {
    node: u32,
    generation: NonZeroU32,
}

/// The timers of one loop, each with a payload that says what it is for.
///
/// A turn of the loop tells the time by [`advance`](Self::advance), takes as many due timers as it
/// likes by [`pop_due`](Self::pop_due), and asks [`next_wait`](Self::next_wait) how long to sleep.
#[derive(Debug)]
pub(crate) struct TimerWheel<T> {
    start: Instant,
    /// The turn's time, in nanoseconds since `start`.
    now: u64,
    /// The tick up to which timers were popped and coarse slots were emptied. It is behind `now`
    /// while due timers are left.
    cursor: u64,
    /// The nodes of circular lists: first the heads of the slots' lists, those of the finest level
    /// before the others, and then one node for each timer.
    links: Vec<Link>,
    /// The timer of node `LISTS + i` is at `i`. Timers are apart from the links since linking and
    /// unlinking touches the links of neighbours, but never more than one timer.
    timers: Vec<Timer<T>>,
    /// The first vacant node, or `NOBODY`. They are chained by `Link::next`.
    vacant: u32,
    earliest: Vec<Earliest>,
    occupied: [Occupied; LEVELS],
}

#[derive(Clone, Copy, Debug)]
struct Link {
    prev: u32,
    next: u32,
}

#[derive(Debug)]
struct Timer<T> {
    /// In nanoseconds since the wheel's start: ticks would make a periodic timer drift.
    deadline: u64,
    /// That of the id that is valid now, or that will be the next.
    generation: NonZeroU32,
    slot: u16,
    payload: T,
}

/// A tick before which nothing in a slot is due, and the timer that is due then. If that one has
/// left or was put off, another must be found, and if that is too costly, there is `NOBODY`.
#[derive(Clone, Copy, Debug)]
struct Earliest {
    tick: u64,
    node: u32,
}

/// Where in a slot's list a timer goes.
#[derive(Clone, Copy)]
enum End {
    Front,
    Back,
}

impl<T: Copy> TimerWheel<T> {
    /// Makes an empty wheel, whose time is `start`.
    #[must_use]
    pub(crate) fn new(start: Instant) -> Self {
        Self {
            start,
            now: 0,
            cursor: 0,
            links: (0..LISTS as u32).map(|head| Link { prev: head, next: head }).collect(),
            timers: Vec::new(),
            vacant: NOBODY,
            earliest: vec![Earliest::NONE; LISTS],
            occupied: [Occupied::default(); LEVELS],
        }
    }

    /// Whether no timer waits, so that there is no time to tell and no wait to bound.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.occupied.iter().all(Occupied::is_empty)
    }

    /// Whether `id` names a timer that is alive: set, and neither cancelled nor finished.
    #[must_use]
    pub(crate) fn contains(&self, id: TimerId) -> bool {
        let timer = self.timers.get(id.node as usize - LISTS);
        timer.is_some_and(|timer| timer.generation == id.generation)
    }

    /// Sets a timer that is due `after` the turn's time, which [`advance`](Self::advance) was told
    /// last.
    ///
    /// A zero duration counts as one nanosecond. One that ends more than 584 years after the
    /// wheel's start counts as endless: the timer is alive, and never due.
    ///
    /// # Panics
    ///
    /// When 2³² − 1,537 timers are alive.
    pub(crate) fn insert(&mut self, after: Duration, payload: T) -> TimerId {
        // A new node is the last of the vacant ones, as none was left.
        let node = if self.vacant == NOBODY { self.add_node(payload) } else { self.vacant };
        self.vacant = self.links[node as usize].next;
        self.timer_mut(node).payload = payload;
        self.arm(node, self.deadline(after));
        TimerId { node, generation: self.timer(node).generation }
    }

    /// Sets the deadline of a timer that is alive anew, whether it waits, is due, or was popped.
    /// Answers `false` if `id` is out of date.
    pub(crate) fn rearm(&mut self, id: TimerId, after: Duration) -> bool {
        let alive = self.contains(id);
        if alive {
            self.arm(id.node, self.deadline(after));
        }
        alive
    }

    /// Sets the deadline of a timer that is alive to its last one plus a `period`, or as many
    /// periods as it takes to pass the turn's time: a late turn is followed neither by a burst nor
    /// by a drift. Answers `false` if `id` is out of date.
    pub(crate) fn repeat(&mut self, id: TimerId, period: Duration) -> bool {
        let alive = self.contains(id);
        if alive {
            let last = self.timer(id.node).deadline;
            let period = nanos(period).max(1);
            let missed = self.now.saturating_sub(last) / period;
            self.arm(id.node, (last + missed * period).saturating_add(period));
        }
        alive
    }

    /// Ends a timer, due or not, and gives its payload back. Answers `None` if `id` is out of date.
    pub(crate) fn cancel(&mut self, id: TimerId) -> Option<T> {
        self.contains(id).then(|| {
            self.unfile(id.node);
            self.vacate(id.node);
            self.timer(id.node).payload
        })
    }

    /// Tells the turn's time. One that is before the last is ignored.
    pub(crate) fn advance(&mut self, now: Instant) {
        self.now = self.now.max(self.since_start(now));
    }

    /// Takes the first of the due timers. The others stay due, for this turn or a later one.
    ///
    /// The timer remains alive, so that whoever handles it can still re-arm it under the same id;
    /// [`finish`](Self::finish) ends it after that.
    pub(crate) fn pop_due(&mut self) -> Option<(TimerId, T)> {
        let now = self.now / NANOS_PER_TICK;
        loop {
            let slot = slot_of(0, self.cursor);
            while let Some(node) = self.first_in(slot) {
                self.unfile(node);
                let timer = self.timer(node);
                let tick = timer.tick();
                if tick <= self.cursor {
                    return Some((TimerId { node, generation: timer.generation }, timer.payload));
                }
                self.file(node, tick, End::Back);
            }
            match self.next_stop() {
                Some(tick) if tick <= now => self.move_cursor(tick),
                _ => {
                    self.cursor = now;
                    return None;
                }
            }
        }
    }

    /// Ends a timer that was popped and not re-armed since. Does nothing to any other, or if `id`
    /// is out of date.
    pub(crate) fn finish(&mut self, id: TimerId) {
        if self.contains(id) && self.timer(id.node).slot == UNFILED {
            self.vacate(id.node);
        }
    }

    /// How long from `now` until the next timer is due: zero if one is due already, `None` if none
    /// ever will be.
    ///
    /// The answer is exact with one exception. Where the earliest of more than 64 timers in one
    /// slot was cancelled or re-armed, it may be the time at which that slot begins. A wait that
    /// ends there finds nothing due, and [`pop_due`](Self::pop_due) moves those timers to finer
    /// slots: so this comes once for each slot, not once for each timer.
    pub(crate) fn next_wait(&mut self, now: Instant) -> Option<Duration> {
        let never = tick_from(NEVER);
        let next = (0..LEVELS).fold(never, |next, level| next.min(self.next_tick(level, next)));
        let deadline = (next < never).then(|| next * NANOS_PER_TICK)?;
        Some(Duration::from_nanos(deadline.saturating_sub(self.since_start(now))))
    }

    fn since_start(&self, at: Instant) -> u64 {
        nanos(at.saturating_duration_since(self.start))
    }

    /// Later than the turn's time, and so is its tick: `file` relies on that.
    fn deadline(&self, after: Duration) -> u64 {
        self.now.saturating_add(nanos(after).max(1))
    }

    fn timer(&self, node: u32) -> &Timer<T> {
        &self.timers[node as usize - LISTS]
    }

    fn timer_mut(&mut self, node: u32) -> &mut Timer<T> {
        &mut self.timers[node as usize - LISTS]
    }

    fn add_node(&mut self, payload: T) -> u32 {
        let node = u32::try_from(self.links.len()).expect("fewer than 2^32 timers are alive");
        self.links.push(Link { prev: NOBODY, next: NOBODY });
        self.timers.push(Timer {
            deadline: NEVER,
            generation: NonZeroU32::MIN,
            slot: UNFILED,
            payload,
        });
        node
    }

    fn vacate(&mut self, node: u32) {
        let vacant = self.vacant;
        let timer = self.timer_mut(node);
        timer.generation = timer.generation.saturating_add(1);
        // The last generation is given to nobody, or else ids would begin to repeat.
        if timer.generation < NonZeroU32::MAX {
            self.links[node as usize].next = vacant;
            self.vacant = node;
        }
    }

    fn arm(&mut self, node: u32, deadline: u64) {
        let timer = self.timer_mut(node);
        let put_off = timer.slot != UNFILED && deadline >= timer.deadline;
        if put_off {
            timer.deadline = deadline;
        } else {
            self.unfile(node);
            self.timer_mut(node).deadline = deadline;
            self.file(node, tick_from(deadline), End::Back);
        }
    }

    /// Puts a timer into the slot of a tick.
    fn file(&mut self, node: u32, tick: u64, end: End) {
        let level = (((tick - self.cursor) | 1).ilog2() / SLOT_BITS) as usize;
        let slot = slot_of(level, tick);
        self.timer_mut(node).slot = slot as u16;
        if tick < self.earliest[slot].tick {
            self.earliest[slot] = Earliest { tick, node };
        }
        self.occupied[level].insert(slot % SLOTS);

        let head = slot as u32;
        let Link { prev: last, next: first } = self.links[slot];
        let (prev, next) = match end {
            End::Front => (head, first),
            End::Back => (last, head),
        };
        self.links[node as usize] = Link { prev, next };
        self.links[prev as usize].next = node;
        self.links[next as usize].prev = node;
    }

    /// Takes a timer out of its slot, if it is in one.
    fn unfile(&mut self, node: u32) {
        let slot = std::mem::replace(&mut self.timer_mut(node).slot, UNFILED);
        if slot == UNFILED {
            return;
        }
        let Link { prev, next } = self.links[node as usize];
        self.links[prev as usize].next = next;
        self.links[next as usize].prev = prev;
        if prev == next {
            self.clear(slot.into());
        }
    }

    fn first_in(&self, slot: usize) -> Option<u32> {
        let first = self.links[slot].next;
        (first as usize != slot).then_some(first)
    }

    /// Notes that a slot is empty.
    fn clear(&mut self, slot: usize) {
        self.occupied[slot / SLOTS].remove(slot % SLOTS);
        self.earliest[slot] = Earliest::NONE;
    }

    /// The tick at which the first occupied slot of a level begins.
    fn next_slot(&self, level: usize) -> Option<u64> {
        let shift = SLOT_BITS * level as u32;
        // A coarse slot was emptied when the cursor came to its beginning: what is in the slot that
        // the cursor is in came later, and belongs to the next round.
        let from = (self.cursor >> shift) + u64::from(level > 0);
        let distance = self.occupied[level].distance(from as usize % SLOTS)?;
        Some((from + distance) << shift)
    }

    /// The first tick, from the cursor's on, at which a slot begins that isn't empty.
    fn next_stop(&self) -> Option<u64> {
        (0..LEVELS).filter_map(|level| self.next_slot(level)).min()
    }

    /// Moves the cursor to a stop, and all timers of the coarse slots that begin there to finer
    /// ones.
    fn move_cursor(&mut self, stop: u64) {
        self.cursor = stop;
        for level in 1..LEVELS {
            if stop % (1 << (SLOT_BITS * level as u32)) != 0 {
                break;
            }
            self.refine(slot_of(level, stop));
        }
    }

    /// Moves the timers of a slot to finer ones.
    ///
    /// They go to the front there, and the last one first. For the time that is left to a tick only
    /// shrinks, so what is in a coarse slot was armed before what is in a finer one; and the finest
    /// slot is emptied first, so that the oldest timers come last, to the very front.
    fn refine(&mut self, slot: usize) {
        let head = slot as u32;
        let mut node = self.links[slot].prev;
        self.links[slot] = Link { prev: head, next: head };
        self.clear(slot);
        while node != head {
            let prev = self.links[node as usize].prev;
            self.file(node, self.timer(node).tick(), End::Front);
            node = prev;
        }
    }

    /// The earliest tick for which a level has a timer, or a limit if that is earlier.
    fn next_tick(&mut self, level: usize, limit: u64) -> u64 {
        while let Some(begin) = self.next_slot(level).filter(|begin| *begin < limit) {
            let slot = slot_of(level, begin);
            let Earliest { tick, node } = self.earliest[slot];
            if node == NOBODY || self.is_filed(node, slot, tick) {
                return tick.min(limit);
            }
            self.search(slot, begin, begin + (1 << (SLOT_BITS * level as u32)));
        }
        limit
    }

    /// Whether a timer is in a slot and due at a tick.
    fn is_filed(&self, node: u32, slot: usize, tick: u64) -> bool {
        let timer = self.timer(node);
        usize::from(timer.slot) == slot && timer.tick() == tick
    }

    /// Finds the earliest timer of a slot, and files those that were put off to beyond its end.
    fn search(&mut self, slot: usize, begin: u64, end: u64) {
        let mut earliest = Earliest::NONE;
        let mut node = self.links[slot].next;
        for _ in 0..FEW {
            if node as usize == slot {
                break;
            }
            let next = self.links[node as usize].next;
            let tick = self.timer(node).tick();
            if tick >= end {
                self.unfile(node);
                self.file(node, tick, End::Back);
            } else if tick < earliest.tick {
                earliest = Earliest { tick, node };
            }
            node = next;
        }
        if node as usize != slot {
            earliest = Earliest { tick: begin, node: NOBODY };
        }
        self.earliest[slot] = earliest;
    }
}

impl<T> Timer<T> {
    fn tick(&self) -> u64 {
        tick_from(self.deadline)
    }
}

impl Earliest {
    /// That of an empty slot.
    const NONE: Self = Self { tick: u64::MAX, node: NOBODY };
}

/// Which of a level's slots are occupied.
#[derive(Clone, Copy, Default, Debug)]
struct Occupied([u64; SLOTS / 64]);

impl Occupied {
    fn insert(&mut self, slot: usize) {
        self.0[slot / 64] |= 1 << (slot % 64);
    }

    fn remove(&mut self, slot: usize) {
        self.0[slot / 64] &= !(1 << (slot % 64));
    }

    fn is_empty(&self) -> bool {
        self.0 == [0; SLOTS / 64]
    }

    /// How far the first occupied slot is from a given one, going round.
    fn distance(&self, from: usize) -> Option<u64> {
        let (word, bit) = (from / 64, from % 64);
        let here = self.0[word] >> bit;
        if here != 0 {
            return Some(u64::from(here.trailing_zeros()));
        }
        // The last step comes round to the slots of the same word that are before `from`.
        (1..=self.0.len()).find_map(|step| {
            let bits = self.0[(word + step) % self.0.len()];
            let distance = 64 * step - bit + bits.trailing_zeros() as usize;
            (bits != 0).then_some(distance as u64)
        })
    }
}

/// Which of all slots a tick belongs to.
fn slot_of(level: usize, tick: u64) -> usize {
    level * SLOTS + (tick >> (SLOT_BITS * level as u32)) as usize % SLOTS
}

/// The first tick at or after a time since the wheel's start.
fn tick_from(nanos: u64) -> u64 {
    nanos.div_ceil(NANOS_PER_TICK)
}

/// Saturates to [`NEVER`].
fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_secs().saturating_mul(1_000_000_000);
    nanos.saturating_add(u64::from(duration.subsec_nanos()))
}
