//! The lines in a client's bytes.

use reactor::Input;
use reactor::codec::Lines;

use crate::message::{CLIENT_TAGS, LINE};

/// Bytes of the longest line that is looked at, without its end.
const LONGEST: usize = CLIENT_TAGS + LINE - 2;

/// Where in its lines a client is. Of a line that has no end yet, no more is kept than the longest may have.
pub(super) struct Incoming {
    lines: Lines,
    /// Within a line that is too long, and was refused already.
    skipping: bool,
}

/// What is next in a client's bytes.
pub(super) enum Next<'a> {
    Line(&'a [u8]),
    /// A line that is too long for anything; its bytes are dropped.
    TooLong,
    /// Nothing that has an end yet.
    Nothing,
}

impl Incoming {
    pub(super) fn new() -> Self {
        Self { lines: Lines::new(LONGEST), skipping: false }
    }

    /// Whether a whole line is next, or one that is too long already. What is left of one that was refused
    /// is taken, and isn't.
    pub(super) fn has_next(&mut self, input: &mut Input<'_>) -> bool {
        self.skip(input);
        // Where `next` has looked already there is none: a byte that comes alone costs no look at all before it.
        let scanned = (self.lines.needs() - 1).min(input.len());
        input[scanned..].contains(&b'\n') || input.len() > LONGEST
    }

    fn skip(&mut self, input: &mut Input<'_>) {
        if self.skipping {
            let end = input.iter().position(|byte| *byte == b'\n');
            input.take_first(end.map_or(input.len(), |at| at + 1));
            self.skipping = end.is_none();
        }
    }

    /// Takes the next line.
    pub(super) fn next<'a>(&mut self, input: &mut Input<'a>) -> Next<'a> {
        self.skip(input);
        match self.lines.next(input) {
            Ok(Some(line)) => Next::Line(line),
            Ok(None) => Next::Nothing,
            Err(_) => {
                self.lines = Lines::new(LONGEST);
                self.skipping = true;
                Next::TooLong
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of these pieces, with `None` for each that is too long.
    fn lines(pieces: &[&[u8]]) -> Vec<Option<usize>> {
        let mut client = Incoming::new();
        let (mut left, mut found) = (Vec::new(), Vec::new());
        for piece in pieces {
            left.extend_from_slice(piece);
            let mut input = Input::new(&left);
            loop {
                match client.next(&mut input) {
                    Next::Line(line) => found.push(Some(line.len())),
                    Next::TooLong => found.push(None),
                    Next::Nothing => break,
                }
            }
            let taken = input.taken();
            left.drain(..taken);
            assert!(left.len() <= LONGEST + 1, "{} bytes are kept", left.len());
        }
        found
    }

    #[test]
    fn a_line_that_comes_byte_by_byte_is_seen_with_its_end() {
        let mut client = Incoming::new();
        let text = b"one\r\n\ntwo\nthree";
        let mut begin = 0;
        for end in 1..=text.len() {
            let mut input = Input::new(&text[begin..end]);
            let is_end = text[end - 1] == b'\n';
            // Also when it is asked twice, as of a client that has to wait.
            assert_eq!(client.has_next(&mut input), is_end, "{end}");
            assert_eq!(client.has_next(&mut input), is_end, "{end}");
            assert_eq!(matches!(client.next(&mut input), Next::Line(_)), is_end, "{end}");
            begin += input.taken();
        }
        assert_eq!(client.lines.needs(), b"three".len() + 1);
    }

    #[test]
    fn a_line_without_an_end_is_refused_once_and_not_kept() {
        let long = vec![b'x'; LONGEST];
        assert_eq!(lines(&[&long, b"\r\n", b"y\n"]), [Some(LONGEST), Some(1)]);
        assert_eq!(lines(&[&long, b"x\r\ny\n"]), [None, Some(1)]);
        assert_eq!(
            lines(&[&[b'x'; 100_000][..], &[b'x'; 100_000], b"x", b"\n", b"y\n"]),
            [None, Some(1)]
        );
        assert_eq!(lines(&[b"a", b"b\r", b"\nc\n"]), [Some(2), Some(1)]);
    }
}
