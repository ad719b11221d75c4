//! Who is busy in a crowd where that changes.

/// Connections that ask now: so many in the order of their numbers, where the first follows the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rota {
    first: usize,
    busy: usize,
    all: usize,
}

impl Rota {
    /// `busy` of `all` connections, from number 0 on.
    pub(super) fn new(busy: usize, all: usize) -> Self {
        Self { first: 0, busy: busy.min(all), all }
    }

    /// Whether it is this connection's turn.
    #[inline]
    pub(super) fn has(&self, number: usize) -> bool {
        let before = if number < self.first { self.all } else { 0 };
        number + before - self.first < self.busy
    }

    /// Goes on to those that follow. Where they are more than half, some stay.
    pub(super) fn advance(&mut self) {
        self.first += self.busy;
        if self.first >= self.all {
            self.first -= self.all;
        }
    }

    /// Those whose turn it is.
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> + use<> {
        let &Self { first, busy, all } = self;
        (first..first + busy).map(move |place| if place < all { place } else { place - all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_it_lists_are_those_it_has() {
        for all in 1..8 {
            for busy in 1..=all {
                let mut rota = Rota::new(busy, all);
                for _ in 0..3 * all {
                    let mut listed: Vec<_> = rota.numbers().collect();
                    listed.sort_unstable();
                    let had: Vec<_> = (0..all).filter(|&number| rota.has(number)).collect();
                    assert_eq!(listed, had);
                    assert_eq!(had.len(), busy, "{rota:?}");
                    rota.advance();
                }
            }
        }
    }

    #[test]
    fn it_goes_on_by_as_many_as_are_busy() {
        let mut rota = Rota::new(2, 5);
        let mut turns = Vec::new();
        for _ in 0..4 {
            turns.push(rota.numbers().collect::<Vec<_>>());
            rota.advance();
        }
        assert_eq!(turns, [[0, 1], [2, 3], [4, 0], [1, 2]]);
    }
}
