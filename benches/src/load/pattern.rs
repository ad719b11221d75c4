//! What the messages say.

use std::num::NonZeroUsize;

use reactor::Bytes;

/// How many different messages there are. A prime, so that the steps between the messages of a
/// connection, and between those of its neighbours, lead through all of them.
const MESSAGES: u64 = 65_521;

/// How many messages in a row no other of 255 neighbouring connections has.
const STRIDE: u64 = 256;

/// Random bytes, of which each message is a window.
///
/// The window depends on the connection and on the message's number, so that an echo to the wrong
/// connection, one message late, or shifted by a byte is told from the right one; and as the
/// bytes are only looked at, sending and checking a message writes nothing.
pub(super) struct Pattern {
    bytes: Bytes,
    size: usize,
}

/// Where a message begins. The next one of its connection does so a byte further: so the way from one to
/// the next takes no division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window(usize);

impl Window {
    /// That of a connection's message of this number.
    #[inline]
    pub(super) fn new(connection: usize, number: u64) -> Self {
        let start = (connection as u64).wrapping_mul(STRIDE).wrapping_add(number) % MESSAGES;
        Self(start as usize)
    }

    /// The same, and goes on to that of the connection's next message.
    #[inline]
    pub(super) fn advance(&mut self) -> Self {
        let here = *self;
        self.0 = if here.0 + 1 == MESSAGES as usize { 0 } else { here.0 + 1 };
        here
    }
}

impl Pattern {
    pub(super) fn new(size: NonZeroUsize) -> Self {
        let size = size.get();
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let bytes: Vec<u8> =
            (0..MESSAGES as usize + size - 1).map(|_| next_random(&mut state)).collect();
        Self { bytes: bytes.into(), size }
    }

    /// Bytes of a message.
    #[inline]
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// What is said in a message.
    #[inline]
    pub(super) fn message(&self, window: Window) -> &[u8] {
        &self.bytes[window.0..window.0 + self.size]
    }

    /// The same, for a queue to hold.
    pub(super) fn shared(&self, window: Window) -> Bytes {
        self.bytes.slice(window.0..window.0 + self.size)
    }
}

/// Marsaglia's xorshift64: the same bytes in every run.
fn next_random(state: &mut u64) -> u8 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    state.to_be_bytes()[0]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn pattern(size: usize) -> Pattern {
        Pattern::new(NonZeroUsize::new(size).unwrap())
    }

    #[test]
    fn a_message_has_the_size_and_stays_the_same() {
        for size in [1, 64, 100_000] {
            let message = pattern(size).message(Window::new(3, 5)).to_vec();
            assert_eq!(message.len(), size);
            assert_eq!(message, pattern(size).message(Window::new(3, 5)));
        }
    }

    #[test]
    fn connections_and_numbers_differ() {
        let pattern = pattern(16);
        let all =
            || (0..200).flat_map(|connection| (0..200).map(move |number| (connection, number)));
        let messages: HashSet<_> = all().map(|(c, n)| pattern.message(Window::new(c, n))).collect();
        assert_eq!(messages.len(), all().count());
    }

    #[test]
    fn the_largest_numbers_are_within_the_pattern() {
        pattern(1).message(Window::new(usize::MAX, u64::MAX));
    }

    #[test]
    fn each_message_follows_the_one_before() {
        for connection in [0, 255, 256, 65_521] {
            let mut window = Window::new(connection, 1);
            for number in 1..=2 * MESSAGES {
                assert_eq!(window.advance(), Window::new(connection, number), "{number}");
            }
        }
    }
}
