//! The user's state per connection: a dense table, checked by generation.

use std::fmt;
use std::iter::{FusedIterator, Zip};
use std::ops::{Index, IndexMut, RangeFrom};
use std::slice;

use crate::ids::ConnId;
use crate::poller::Key;

/// A map from connections to the state that an application keeps for each.
///
/// An array that is indexed by the slot of the [`ConnId`]: a look-up is one bounds check and one
/// comparison, no hash. Slots are used again, so the array is as long as there were connections at
/// once, and each entry remembers whose it is: an id of the slot's former connection finds nothing.
/// Iteration is in the order of the slots.
///
/// Ids are [inserted](Self::insert) when a connection is announced and [removed](Self::remove) when
/// it is closed. The map isn't told of either.
///
/// # Broadcasting
///
/// The context and the map are borrowed apart, so there is no list of ids to collect first; and
/// [`retain`](Self::retain) removes on the way. The `closed` that follows for a connection that was
/// removed so finds nothing, and `remove` answers `None`.
///
/// ```
/// use reactor::{Bytes, ConnMap, Context};
///
/// struct Member {
///     is_guest: bool,
/// }
///
/// struct Chat {
///     members: ConnMap<Member>,
/// }
///
/// impl Chat {
///     fn say(&self, ctx: &mut Context<'_>, line: Bytes) {
///         for conn in self.members.keys() {
///             ctx.send_shared(conn, line.clone());
///         }
///     }
///
///     fn last_orders(&mut self, ctx: &mut Context<'_>) {
///         self.members.retain(|conn, member| {
///             ctx.send(conn, b"Guests, please leave.\n");
///             if member.is_guest {
///                 ctx.close(conn);
///             }
///             !member.is_guest
///         });
///     }
/// }
/// ```
#[derive(Clone)]
pub struct ConnMap<T> {
    slots: Vec<Slot<T>>,
    /// How many slots hold a value.
    len: usize,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    /// Whose the value is; without a value it says nothing.
    generation: u32,
    value: Option<T>,
}

impl<T> Slot<T> {
    const EMPTY: Self = Self { generation: 0, value: None };

    /// The value, if it is that of `conn`.
    #[inline]
    fn get(&self, conn: ConnId) -> Option<&T> {
        self.value.as_ref().filter(|_| self.generation == conn.0.generation())
    }

    /// The value, if it is that of `conn`.
    #[inline]
    fn get_mut(&mut self, conn: ConnId) -> Option<&mut T> {
        self.value.as_mut().filter(|_| self.generation == conn.0.generation())
    }

    /// Whether the value belongs to a connection that came after `conn`.
    fn is_newer_than(&self, conn: ConnId) -> bool {
        // Generations wrap around, so "after" means less than half the circle ahead.
        let ahead = self.generation.wrapping_sub(conn.0.generation());
        self.value.is_some() && ahead != 0 && ahead <= u32::MAX / 2
    }
}

/// The connection of a `generation` in the slot at `index`.
#[inline]
fn id(index: u32, generation: u32) -> ConnId {
    ConnId(Key::new(index, generation))
}

#[inline]
fn index(conn: ConnId) -> usize {
    conn.0.slot() as usize
}

impl<T> ConnMap<T> {
    /// An empty map, which has allocated nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: Vec::new(), len: 0 }
    }

    /// How many connections have a value.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no connection has a value.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `conn` has a value.
    #[inline]
    #[must_use]
    pub fn contains(&self, conn: ConnId) -> bool {
        self.get(conn).is_some()
    }

    /// The value of `conn`.
    #[inline]
    #[must_use]
    pub fn get(&self, conn: ConnId) -> Option<&T> {
        self.slots.get(index(conn))?.get(conn)
    }

    /// The value of `conn`.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self, conn: ConnId) -> Option<&mut T> {
        self.slots.get_mut(index(conn))?.get_mut(conn)
    }

    /// Sets the value of `conn`, and returns the one that it had.
    ///
    /// A slot holds one value. That of an earlier connection, which was never removed, is dropped:
    /// its id is dead. If a later connection already has a value there, then `conn` is the dead one
    /// (its answer came from another thread too late, say): `value` is dropped, and
    /// [`get`](Self::get) goes on to find nothing.
    pub fn insert(&mut self, conn: ConnId, value: T) -> Option<T> {
        let slot = claim(&mut self.slots, &mut self.len, conn)?;
        let previous = slot.value.replace(value);
        self.len += usize::from(previous.is_none());
        previous
    }

    /// The value of `conn`, made now if it has none.
    ///
    /// `None`, and nothing is made, if a later connection already has a value in the same slot, as
    /// told for [`insert`](Self::insert).
    pub fn get_or_insert_with(&mut self, conn: ConnId, make: impl FnOnce() -> T) -> Option<&mut T> {
        let slot = claim(&mut self.slots, &mut self.len, conn)?;
        if slot.value.is_none() {
            slot.value = Some(make());
            self.len += 1;
        }
        slot.value.as_mut()
    }

    /// Takes the value of `conn` out.
    pub fn remove(&mut self, conn: ConnId) -> Option<T> {
        let slot = self.slots.get_mut(index(conn))?;
        slot.get(conn)?;
        self.len -= 1;
        slot.value.take()
    }

    /// Removes all values, and keeps the memory for later ones.
    pub fn clear(&mut self) {
        self.len = 0;
        self.slots.clear();
    }

    /// Removes the values for which `keep` says `false`, asking in the order of the slots.
    pub fn retain(&mut self, mut keep: impl FnMut(ConnId, &mut T) -> bool) {
        for (index, slot) in (0..).zip(&mut self.slots) {
            let generation = slot.generation;
            if let Some(value) = &mut slot.value {
                if !keep(id(index, generation), value) {
                    self.len -= 1;
                    slot.value = None;
                }
            }
        }
    }

    /// The connections and their values.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { slots: (0..).zip(&self.slots), left: self.len }
    }

    /// The connections and their values, to be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_, T> {
        IterMut { slots: (0..).zip(&mut self.slots), left: self.len }
    }

    /// The connections that have a value.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = ConnId> + FusedIterator {
        self.iter().map(|(conn, _)| conn)
    }

    /// The values.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &T> + FusedIterator {
        self.iter().map(|(_, value)| value)
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut T> + FusedIterator {
        self.iter_mut().map(|(_, value)| value)
    }
}

/// The slot of `conn`, with its own value or none; `None` if a later connection holds it.
fn claim<'a, T>(
    slots: &'a mut Vec<Slot<T>>,
    len: &mut usize,
    conn: ConnId,
) -> Option<&'a mut Slot<T>> {
    let index = index(conn);
    if slots.len() <= index {
        slots.resize_with(index + 1, || Slot::EMPTY);
    }
    let slot = &mut slots[index];
    if slot.is_newer_than(conn) {
        return None;
    }
    if slot.generation != conn.0.generation() {
        slot.generation = conn.0.generation();
        if let Some(stale) = slot.value.take() {
            *len -= 1;
            drop(stale);
        }
    }
    Some(slot)
}

impl<T> Default for ConnMap<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for ConnMap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

/// The value of a connection that is known to have one.
///
/// # Panics
///
/// If it has none. [`get`](ConnMap::get) asks.
impl<T> Index<ConnId> for ConnMap<T> {
    type Output = T;

    #[inline]
    #[track_caller]
    fn index(&self, conn: ConnId) -> &T {
        match self.get(conn) {
            Some(value) => value,
            None => no_value(conn),
        }
    }
}

/// The value of a connection that is known to have one.
///
/// # Panics
///
/// If it has none. [`get_mut`](ConnMap::get_mut) asks.
impl<T> IndexMut<ConnId> for ConnMap<T> {
    #[inline]
    #[track_caller]
    fn index_mut(&mut self, conn: ConnId) -> &mut T {
        match self.get_mut(conn) {
            Some(value) => value,
            None => no_value(conn),
        }
    }
}

#[cold]
#[track_caller]
fn no_value(conn: ConnId) -> ! {
    panic!("no value for {conn:?}: it was removed, or never inserted")
}

impl<T> Extend<(ConnId, T)> for ConnMap<T> {
    fn extend<I: IntoIterator<Item = (ConnId, T)>>(&mut self, entries: I) {
        for (conn, value) in entries {
            self.insert(conn, value);
        }
    }
}

impl<T> FromIterator<(ConnId, T)> for ConnMap<T> {
    fn from_iter<I: IntoIterator<Item = (ConnId, T)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<'a, T> IntoIterator for &'a ConnMap<T> {
    type Item = (ConnId, &'a T);
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut ConnMap<T> {
    type Item = (ConnId, &'a mut T);
    type IntoIter = IterMut<'a, T>;

    fn into_iter(self) -> IterMut<'a, T> {
        self.iter_mut()
    }
}

/// The connections and values of a [`ConnMap`], by slot.
#[derive(Clone, Debug)]
pub struct Iter<'a, T> {
    slots: Zip<RangeFrom<u32>, slice::Iter<'a, Slot<T>>>,
    /// How many values are still to come; empty slots behind the last one are not walked.
    left: usize,
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = (ConnId, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        self.slots.find_map(|(index, slot)| {
            slot.value.as_ref().map(|value| (id(index, slot.generation), value))
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}
impl<T> FusedIterator for Iter<'_, T> {}

/// The connections and values of a [`ConnMap`], by slot, the values to be changed.
#[derive(Debug)]
pub struct IterMut<'a, T> {
    slots: Zip<RangeFrom<u32>, slice::IterMut<'a, Slot<T>>>,
    /// How many values are still to come.
    left: usize,
}

impl<'a, T> Iterator for IterMut<'a, T> {
    type Item = (ConnId, &'a mut T);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        self.slots.find_map(|(index, slot)| {
            let generation = slot.generation;
            slot.value.as_mut().map(|value| (id(index, generation), value))
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for IterMut<'_, T> {}
impl<T> FusedIterator for IterMut<'_, T> {}

#[cfg(test)]
mod tests;
