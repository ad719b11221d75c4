//! The bytes that a handler left behind.

/// With fewer bytes left than this fraction of the memory that they are in, they move to less of it.
const SPARSE: usize = 4;
/// Memory that is too little to be worth moving for.
const SMALL: usize = 4 * 1024;

/// What was read and not taken. To take some from the front moves nothing: the rest moves only when
/// more comes, and then only if it is less than what was taken, so that each byte costs the same however
/// many wait behind it.
#[derive(Debug)]
pub(crate) struct Left {
    bytes: Vec<u8>,
    /// How many of `bytes` were taken.
    taken: usize,
}

impl Left {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), taken: 0 }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// More has come.
    pub(crate) fn append(&mut self, more: &[u8]) {
        if self.taken >= self.len() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(more);
    }

    /// Takes `count` bytes from the front. A long frame that is taken, but for the first byte of the
    /// next one, gives its memory back.
    pub(crate) fn take(&mut self, count: usize) {
        self.taken += count;
        let memory = self.bytes.capacity();
        if memory > SMALL && self.len() < memory / SPARSE {
            *self = Self::new(self.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a plain vector, and never in much more memory than the bytes need.
        #[test]
        fn keeps_what_was_not_taken(
            steps in prop::collection::vec((0_usize..20_000, 0_usize..40_000), 1..40),
        ) {
            let (mut left, mut model) = (Left::new(&[]), Vec::new());
            for (number, (more, take)) in steps.into_iter().enumerate() {
                let more: Vec<u8> = (0..more).map(|at| (at * 7 + number) as u8).collect();
                left.append(&more);
                model.extend_from_slice(&more);
                let take = take.min(model.len());
                left.take(take);
                model.drain(..take);
                prop_assert_eq!(left.bytes(), &model[..]);
                prop_assert_eq!(left.len(), model.len());
                prop_assert!(left.bytes.capacity() <= SMALL.max(SPARSE * (model.len() + 1)));
            }
        }
    }
}
