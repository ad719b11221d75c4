//! One connection of the load: how far its messages have come. It knows nothing of sockets.

use std::fmt;

use super::check::Wrong;
use super::pattern::{Pattern, Window};

/// What a connection is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It asks, and what it asks is counted.
    Active,
    /// It greets, and is silent.
    Idle,
    /// It sends as much as goes, and reads slowly.
    Slow,
}

/// The messages of one connection, which are numbered from 1 on.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) number: usize,
    pub(super) part: Part,
    /// Messages that were begun.
    pub(super) sent: u64,
    /// Messages whose echo is complete.
    pub(super) received: u64,
    /// The message after the last one that was begun.
    next: Window,
    /// The message whose echo comes next, and the bytes of it that have come.
    expected: Window,
    offset: usize,
    /// Whether more is queued than should be: it sends no more before that has left.
    pub(super) is_blocked: bool,
}

impl Connection {
    pub(super) fn new(number: usize, part: Part) -> Self {
        let first = Window::new(number, 1);
        Self {
            number,
            part,
            sent: 0,
            received: 0,
            next: first,
            expected: first,
            offset: 0,
            is_blocked: false,
        }
    }

    /// Begins the next message, which is this one.
    #[inline]
    pub(super) fn begin(&mut self) -> Window {
        self.sent += 1;
        self.next.advance()
    }

    /// Messages that are under way.
    #[inline]
    pub(super) fn under_way(&self) -> u64 {
        self.sent - self.received
    }

    /// Holds what came back against what was sent, and counts the messages that it completes.
    #[inline]
    pub(super) fn check(&mut self, pattern: &Pattern, bytes: &[u8]) -> Result<(), Wrong> {
        // Short messages mostly come whole and alone.
        let is_due = self.offset == 0 && self.received < self.sent;
        if is_due && bytes == pattern.message(self.expected) {
            self.complete();
            return Ok(());
        }
        self.check_pieces(pattern, bytes)
    }

    /// The echo of a message is complete.
    #[inline]
    fn complete(&mut self) {
        self.received += 1;
        self.expected.advance();
        self.offset = 0;
    }

    fn check_pieces(&mut self, pattern: &Pattern, mut bytes: &[u8]) -> Result<(), Wrong> {
        while !bytes.is_empty() {
            if self.received == self.sent {
                return Err(Wrong::Surplus(bytes.len()));
            }
            let expected = &pattern.message(self.expected)[self.offset..];
            let (piece, rest) = bytes.split_at(bytes.len().min(expected.len()));
            if piece != &expected[..piece.len()] {
                return Err(Wrong::byte(expected, piece, self.offset));
            }
            bytes = rest;
            self.offset += piece.len();
            if self.offset == pattern.size() {
                self.complete();
            }
        }
        Ok(())
    }
}

/// Names the message whose echo comes next, or else the last one.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = (self.received + 1).min(self.sent);
        write!(f, "connection {}, message {message}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    const SIZE: usize = 10;

    fn pattern() -> Pattern {
        Pattern::new(NonZeroUsize::new(SIZE).unwrap())
    }

    /// A connection that has sent this many messages, and their bytes.
    fn sent(pattern: &Pattern, count: u64) -> (Connection, Vec<u8>) {
        let mut connection = Connection::new(3, Part::Active);
        let bytes = (0..count).flat_map(|_| pattern.message(connection.begin()).to_vec()).collect();
        (connection, bytes)
    }

    #[test]
    fn pieces_of_any_length_are_put_together() {
        let pattern = pattern();
        for length in 1..=3 * SIZE {
            let (mut connection, bytes) = sent(&pattern, 6);
            for piece in bytes.chunks(length) {
                connection.check(&pattern, piece).unwrap();
            }
            assert_eq!((connection.received, connection.under_way()), (6, 0), "{length}");
        }
    }

    #[test]
    fn each_wrong_byte_is_named() {
        let pattern = pattern();
        for wrong in 0..3 * SIZE {
            for length in 1..=3 * SIZE {
                let (mut connection, mut bytes) = sent(&pattern, 3);
                bytes[wrong] ^= 1;
                let (came, sent) = (bytes[wrong], bytes[wrong] ^ 1);
                let mut pieces = bytes.chunks(length);
                let found = pieces.find_map(|piece| connection.check(&pattern, piece).err());
                assert_eq!(found, Some(Wrong::Byte { at: wrong % SIZE, sent, came }));
                let name = format!("connection 3, message {}", wrong / SIZE + 1);
                assert_eq!(connection.to_string(), name);
            }
        }
    }

    #[test]
    fn what_nobody_has_sent_is_surplus() {
        let pattern = pattern();
        let (mut connection, mut bytes) = sent(&pattern, 2);
        bytes.extend([0, 0, 0]);
        assert_eq!(connection.check(&pattern, &bytes), Err(Wrong::Surplus(3)));
        assert_eq!(connection.to_string(), "connection 3, message 2");
    }
}
