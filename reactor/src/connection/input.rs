//! What has come and wasn't taken yet.

use std::ops::Deref;

/// The unread bytes of a connection, those left behind and the new ones, in one slice.
///
/// What the handler doesn't take stays, and comes again together with what follows. Reads as a
/// `[u8]`.
#[derive(Debug)]
pub struct Input<'a> {
    bytes: &'a [u8],
    taken: usize,
}

impl<'a> Input<'a> {
    /// What a layer hands to the handler that it wraps, or a test to the one that it tries: bytes, none
    /// of which are taken yet.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, taken: 0 }
    }

    /// Takes everything.
    #[inline]
    pub fn take(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.taken..];
        self.taken = self.bytes.len();
        rest
    }

    /// Takes the first `count` bytes, or all if there are fewer.
    #[inline]
    pub fn take_first(&mut self, count: usize) -> &'a [u8] {
        let rest = &self.bytes[self.taken..];
        let first = &rest[..count.min(rest.len())];
        self.taken += first.len();
        first
    }

    /// How many bytes were taken.
    #[inline]
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken
    }
}

/// What isn't taken yet.
impl Deref for Input<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_gone() {
        let mut input = Input::new(b"abcdef");
        assert_eq!(input.take_first(2), b"ab");
        assert_eq!(&*input, b"cdef");
        assert_eq!(input.take_first(100), b"cdef");
        assert_eq!((input.take(), input.taken()), (&b""[..], 6));
    }
}
