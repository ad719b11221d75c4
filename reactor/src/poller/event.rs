//! The words of the contract: what a caller asks for, and what a poller answers.

use std::fmt;
use std::ops::{BitOr, BitOrAssign, Sub, SubAssign};

/// The caller's name for one registered descriptor: a slot in a dense table, and the generation
/// of that slot.
///
/// Pollers index their tables by the slot, so slots should be small and used again; whoever uses a
/// slot again gives it another generation, and an event of the old one reaches nobody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u64);

impl Key {
    /// The highest slot that a poller accepts: 16,777,214. The one above it is that of the wakers.
    pub const MAX_SLOT: u32 = Self::SLOT_MASK - 1;
    const SLOT_BITS: u32 = 24;
    const SLOT_MASK: u32 = (1 << Self::SLOT_BITS) - 1;

    /// The key of `generation` in `slot`.
    #[must_use]
    pub const fn new(slot: u32, generation: u32) -> Self {
        Self(((generation as u64) << u32::BITS) | slot as u64)
    }

    /// The index into a dense table.
    #[must_use]
    pub const fn slot(self) -> u32 {
        self.0 as u32
    }

    /// How often the slot was used before.
    #[must_use]
    pub const fn generation(self) -> u32 {
        (self.0 >> u32::BITS) as u32
    }

    /// The slot as an index.
    #[inline]
    pub(super) const fn index(self) -> usize {
        self.slot() as usize
    }

    /// The key in the eight bytes that a kernel carries for its caller.
    #[cfg(epoll)]
    #[inline]
    pub(super) const fn to_bits(self) -> u64 {
        self.0
    }

    /// The key that [`to_bits`](Self::to_bits) packed.
    #[cfg(epoll)]
    #[inline]
    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The key packed into a `usize`, slot first: where that has 32 bits, only the lowest eight of
    /// the generation remain, which are enough to tell an event of the turn before.
    #[cfg(mio)]
    #[inline]
    pub(super) const fn to_token(self) -> usize {
        ((self.generation() as usize) << Self::SLOT_BITS) | (self.slot() & Self::SLOT_MASK) as usize
    }

    /// The slot in what [`to_token`](Self::to_token) packed.
    #[cfg(mio)]
    #[inline]
    pub(super) const fn token_index(token: usize) -> usize {
        token & Self::SLOT_MASK as usize
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}.{})", self.slot(), self.generation())
    }
}

/// One of the two ways that bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the descriptor to the caller.
    Read,
    /// From the caller to the descriptor.
    Write,
}

/// Why a caller stopped before it had all that the descriptor could give or take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blocked {
    /// The call returned [`WouldBlock`](std::io::ErrorKind::WouldBlock).
    WouldBlock,
    /// The call moved fewer bytes than it was asked to, on a stream.
    Short,
}

/// What a caller wants to hear of: any mix of readable, writable and priority, also none.
///
// The bits of the two sets are those of poll(2), as far as they fit: so most of a kernel's report is
// taken over by one mask.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Interest(u8);

impl Interest {
    /// Nothing: the descriptor stays registered and silent, whatever happens to it.
    pub const NONE: Self = Self(0);
    /// Data, a new connection, or the end of the stream.
    pub const READABLE: Self = Self(1);
    /// Room for data, or the end of a connect.
    pub const WRITABLE: Self = Self(4);
    /// Urgent data (TCP), and what else poll(2) calls POLLPRI.
    pub const PRIORITY: Self = Self(2);

    /// What is wanted here or there: `|`, for constants.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is wanted.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is wanted.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// What is wanted here and not there.
impl Sub for Interest {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl SubAssign for Interest {
    fn sub_assign(&mut self, other: Self) {
        self.0 &= !other.0;
    }
}

impl From<Direction> for Interest {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Read => Self::READABLE,
            Direction::Write => Self::WRITABLE,
        }
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        names(f, "Interest", self.0)
    }
}

/// What a poller says of a descriptor.
///
/// `readable`, `writable` and `priority` are masked by the interest, and a hang-up or an error is
/// all of them that the interest holds: the next call in that direction tells. The rest are hints
/// that a mechanism may leave out.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Readiness(u8);

impl Readiness {
    /// A read would not block: it gives data, the end of the stream, or an error.
    pub const READABLE: Self = Self(1);
    /// A write would not block, or a connect is over.
    pub const WRITABLE: Self = Self(4);
    /// Urgent data is pending.
    pub const PRIORITY: Self = Self(2);
    /// Hint: the peer will send no more; what it has sent may still be unread.
    pub const READ_CLOSED: Self = Self(32);
    /// Hint: nothing can be sent any more.
    pub const WRITE_CLOSED: Self = Self(16);
    /// Hint: an error is pending, or the kernel refused a deferred change of the interest.
    pub const ERROR: Self = Self(8);

    /// All that `interest` holds, and nothing else.
    #[inline]
    #[must_use]
    pub const fn all(interest: Interest) -> Self {
        Self(interest.0)
    }

    /// Whether all of `other` is reported.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is reported.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// See [`READABLE`](Self::READABLE).
    #[inline]
    #[must_use]
    pub const fn is_readable(self) -> bool {
        self.contains(Self::READABLE)
    }

    /// See [`WRITABLE`](Self::WRITABLE).
    #[inline]
    #[must_use]
    pub const fn is_writable(self) -> bool {
        self.contains(Self::WRITABLE)
    }

    /// See [`PRIORITY`](Self::PRIORITY).
    #[inline]
    #[must_use]
    pub const fn is_priority(self) -> bool {
        self.contains(Self::PRIORITY)
    }

    /// See [`READ_CLOSED`](Self::READ_CLOSED).
    #[inline]
    #[must_use]
    pub const fn is_read_closed(self) -> bool {
        self.contains(Self::READ_CLOSED)
    }

    /// See [`WRITE_CLOSED`](Self::WRITE_CLOSED).
    #[inline]
    #[must_use]
    pub const fn is_write_closed(self) -> bool {
        self.contains(Self::WRITE_CLOSED)
    }

    /// See [`ERROR`](Self::ERROR).
    #[inline]
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.contains(Self::ERROR)
    }

    /// The directions of `interest` that are reported.
    #[inline]
    #[must_use]
    pub const fn directions(self, interest: Interest) -> Interest {
        Interest(self.0 & interest.0)
    }

    /// What is left of a report for an `interest` that has changed since: nothing, if that wants none
    /// of the directions that were reported. An error that came without any stays, as what became of a
    /// changed interest does.
    pub(crate) const fn within(self, interest: Interest) -> Self {
        const DIRECTIONS: u8 = 7;
        let unwanted = self.0 & DIRECTIONS != 0 && self.0 & interest.0 == 0;
        if unwanted || interest.is_empty() {
            return Self(0);
        }
        Self(self.0 & (interest.0 | !DIRECTIONS))
    }
}

impl BitOr for Readiness {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Readiness {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        names(f, "Readiness", self.0)
    }
}

/// Writes a set of bits by their names, in the order of the bits.
fn names(f: &mut fmt::Formatter<'_>, set: &str, bits: u8) -> fmt::Result {
    const NAMES: [&str; 6] =
        ["READABLE", "PRIORITY", "WRITABLE", "ERROR", "WRITE_CLOSED", "READ_CLOSED"];
    let held: Vec<_> = NAMES
        .iter()
        .enumerate()
        .filter(|(bit, _)| bits & (1 << bit) != 0)
        .map(|(_, n)| *n)
        .collect();
    write!(f, "{set}({})", held.join(" | "))
}

/// One descriptor's readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    key: Key,
    readiness: Readiness,
}

impl Event {
    /// Says `readiness` of `key`.
    #[inline]
    #[must_use]
    pub const fn new(key: Key, readiness: Readiness) -> Self {
        Self { key, readiness }
    }

    /// The key that the descriptor was added with.
    #[inline]
    #[must_use]
    pub const fn key(&self) -> Key {
        self.key
    }

    /// What is said of it.
    #[inline]
    #[must_use]
    pub const fn readiness(&self) -> Readiness {
        self.readiness
    }
}

/// The caller's buffer of events, of a capacity that it chooses once.
///
/// A wait appends at most as many events as there is room for; more ready descriptors than that
/// take turns. Clear the buffer between two waits.
#[derive(Debug)]
pub struct Events {
    list: Vec<Event>,
    capacity: usize,
}

impl Events {
    /// An empty buffer for `capacity` events, at least one.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { list: Vec::with_capacity(capacity), capacity }
    }

    /// A buffer that holds nothing, and owns no memory.
    pub(crate) const fn none() -> Self {
        Self { list: Vec::new(), capacity: 0 }
    }

    /// How many events fit in all.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many more events fit.
    #[inline]
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity.saturating_sub(self.list.len())
    }

    /// How many events there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Forgets all events and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Appends an event: for those who write a [`Poller`](super::Poller), who look at the
    /// [`room`](Self::room) first. Beyond the capacity the buffer grows.
    #[inline]
    pub fn push(&mut self, event: Event) {
        self.list.push(event);
    }

    /// The events, in the order of their report.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[Event] {
        &self.list
    }

    /// Adds to the last event of `key`.
    #[cfg(mio)]
    pub(super) fn merge(&mut self, key: Key, readiness: Readiness) {
        if let Some(event) = self.list.iter_mut().rfind(|event| event.key == key) {
            event.readiness |= readiness;
        }
    }

    /// The events, in the order of their report.
    #[inline]
    pub fn iter(&self) -> std::slice::Iter<'_, Event> {
        self.list.iter()
    }
}

/// Room for 1,024 events.
impl Default for Events {
    fn default() -> Self {
        Self::with_capacity(1024)
    }
}

impl<'a> IntoIterator for &'a Events {
    type Item = &'a Event;
    type IntoIter = std::slice::Iter<'a, Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_parts() {
        for (slot, generation) in [(0, 0), (1, 2), (Key::MAX_SLOT, u32::MAX), (u32::MAX, 7)] {
            let key = Key::new(slot, generation);
            assert_eq!((key.slot(), key.generation()), (slot, generation));
        }
    }

    #[test]
    fn interest_is_a_set() {
        let both = Interest::READABLE | Interest::WRITABLE;
        assert!(both.contains(Interest::READABLE) && !both.contains(Interest::PRIORITY));
        assert_eq!(both - Interest::READABLE, Interest::WRITABLE);
        assert_eq!(both - both, Interest::NONE);
        assert_eq!(format!("{both:?}"), "Interest(READABLE | WRITABLE)");
    }

    #[test]
    fn a_report_is_cut_to_the_interest() {
        let (read, write) = (Interest::READABLE, Interest::WRITABLE);
        let (readable, writable) = (Readiness::READABLE, Readiness::WRITABLE);
        let (closed, error) = (Readiness::READ_CLOSED, Readiness::ERROR);
        for (report, interest, left) in [
            (readable, read, readable),
            (readable | closed, read, readable | closed),
            (readable | writable | error, write, writable | error),
            (readable | closed, write, Readiness::default()),
            (readable | writable | error, Interest::NONE, Readiness::default()),
            (error, write, error),
            (error, Interest::NONE, Readiness::default()),
        ] {
            assert_eq!(report.within(interest), left, "{report:?} within {interest:?}");
        }
    }

    #[test]
    fn events_count_their_room() {
        let mut events = Events::with_capacity(0);
        assert_eq!((events.capacity(), events.room()), (1, 1));
        events.push(Event::new(Key::new(0, 0), Readiness::READABLE));
        assert_eq!((events.room(), events.len()), (0, 1));
        events.clear();
        assert_eq!((events.room(), events.is_empty()), (1, true));
    }
}
