//! The members who never read, and when the server has had enough of each.

/// Those who are numbered from `first` on. Who doesn't read isn't told that its connection has ended: the
/// others on the channel are.
#[derive(Debug)]
pub(super) struct Stuck {
    first: usize,
    dropped: Vec<Option<u64>>,
}

impl Stuck {
    pub(super) fn new(first: usize, count: usize) -> Self {
        Self { first, dropped: vec![None; count] }
    }

    pub(super) fn has(&self, member: usize) -> bool {
        member >= self.first
    }

    /// The server has dropped one: the first to say so counts.
    pub(super) fn drop(&mut self, member: usize, now: u64) {
        let place = member.checked_sub(self.first);
        if let Some(dropped) = place.and_then(|place| self.dropped.get_mut(place)) {
            dropped.get_or_insert(now);
        }
    }

    /// When each was dropped that was.
    pub(super) fn dropped(&self) -> impl Iterator<Item = u64> {
        self.dropped.iter().filter_map(|dropped| *dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_dropped_once() {
        let mut stuck = Stuck::new(10, 3);
        assert!(stuck.has(10) && !stuck.has(9));
        for (member, now) in [(11, 5), (11, 6), (12, 7), (9, 8), (13, 9)] {
            stuck.drop(member, now);
        }
        assert_eq!(stuck.dropped().collect::<Vec<_>>(), [5, 7]);
    }
}
