//! Lines of text, or of anything else.

use super::TooLong;
use crate::connection::Input;

/// Lines that end with a newline, or with a carriage return and a newline; neither is a part of the
/// line. Bytes are bytes: no encoding is asked for.
///
/// A byte is looked at once, in however many pieces its line comes. So a codec belongs to one connection,
/// of whose input nobody else takes anything while a line is incomplete.
///
/// ```
/// use reactor::Input;
/// use reactor::codec::Lines;
///
/// let mut codec = Lines::new(100);
/// let mut input = Input::new(b"one\ntwo\r\nthr");
/// assert_eq!(codec.next(&mut input), Ok(Some(&b"one"[..])));
/// assert_eq!(codec.next(&mut input), Ok(Some(&b"two"[..])));
/// assert_eq!(codec.next(&mut input), Ok(None));
/// assert_eq!(&*input, b"thr");
/// ```
///
/// In a handler, with which lines may be longer than [`Limits::read_high`](crate::Limits::read_high):
///
/// ```
/// use reactor::codec::Lines;
/// use reactor::{ConnId, Context, Handler, Input};
///
/// struct Client {
///     lines: Lines,
/// }
///
/// impl Handler for Client {
///     type Message = ();
///
///     fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
///         loop {
///             match self.lines.next(input) {
///                 Ok(Some(line)) => println!("{}", String::from_utf8_lossy(line)),
///                 Ok(None) => return ctx.set_read_low(conn, self.lines.needs()),
///                 Err(_) => return ctx.abort(conn),
///             }
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Lines {
    max: usize,
    /// Unread bytes that have no newline among them.
    scanned: usize,
}

impl Lines {
    /// A codec for lines of at most `max` bytes, without their ends.
    ///
    /// Where `max` and a line's end are more than [`Limits::read_high`](crate::Limits::read_high), 1 MiB
    /// by default, a handler must tell [`needs`](Self::needs) to
    /// [`set_read_low`](crate::Context::set_read_low), or raise that mark: else reading pauses there for
    /// ever, and not even the peer's end comes.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max, scanned: 0 }
    }

    /// The next line, if its end is there; else nothing is taken.
    ///
    /// # Errors
    ///
    /// [`TooLong`] as soon as more bytes have come than a line may have, with or without its end. Nothing
    /// is taken.
    #[inline]
    pub fn next<'a>(&mut self, input: &mut Input<'a>) -> Result<Option<&'a [u8]>, TooLong> {
        let scanned = self.scanned.min(input.len());
        let found = input[scanned..].iter().position(|byte| *byte == b'\n');
        let end = found.map_or(input.len(), |at| scanned + at);
        let line = &input[..end];
        // One at the very end may belong to the line's end, of which the rest is still to come.
        let length = line.strip_suffix(b"\r").unwrap_or(line).len();
        if length > self.max {
            self.scanned = scanned;
            return Err(TooLong { length, max: self.max });
        }
        if found.is_none() {
            self.scanned = end;
            return Ok(None);
        }
        self.scanned = 0;
        let line = input.take_first(length);
        input.take_first(end + 1 - length);
        Ok(Some(line))
    }

    /// How many bytes must be unread before there can be a line that wasn't there before: one more than
    /// there are.
    #[inline]
    #[must_use]
    pub fn needs(&self) -> usize {
        self.scanned.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{cut, decode};
    use super::*;

    const MAX: usize = 20;

    fn all(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Result<Vec<u8>, TooLong>) {
        let mut codec = Lines::new(MAX);
        decode(&mut codec, pieces, Lines::next, Lines::needs)
    }

    #[test]
    fn both_ends_of_a_line_are_left_out() {
        let (lines, rest) = all(&[b"one\ntwo\r\n\n\r\n\ra\rb\r\r\n", b"end\r", b"\nnone\r"]);
        assert_eq!(lines, [&b"one"[..], b"two", b"", b"", b"\ra\rb\r", b"end"]);
        assert_eq!(rest, Ok(b"none\r".to_vec()));
    }

    #[test]
    fn the_longest_line_is_long_enough() {
        for end in ["\n", "\r\n"] {
            let line = "x".repeat(MAX);
            let text = format!("{line}{end}x{line}{end}");
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            for pieces in [&pieces[..], &[text.as_bytes()]] {
                let (lines, rest) = all(pieces);
                assert_eq!(lines, [line.as_bytes()]);
                assert_eq!(rest, Err(TooLong { length: MAX + 1, max: MAX }));
            }
        }
        // A return in the midst of a line is a byte of it.
        let text = format!("{}\rx", "x".repeat(MAX));
        assert_eq!(all(&[text.as_bytes()]).1, Err(TooLong { length: MAX + 2, max: MAX }));
    }

    #[test]
    fn no_byte_is_looked_at_twice() {
        let mut codec = Lines::new(MAX);
        assert_eq!(codec.next(&mut Input::new(b"abc")), Ok(None));
        assert_eq!((codec.scanned, codec.needs()), (3, 4));
        // Those that were are taken at their word.
        assert_eq!(codec.next(&mut Input::new(b"\n\n\nd\n")), Ok(Some(&b"\n\n\nd"[..])));
        assert_eq!((codec.scanned, codec.needs()), (0, 1));
    }

    #[test]
    fn an_input_that_has_become_shorter_is_no_danger() {
        let mut codec = Lines::new(MAX);
        assert_eq!(codec.next(&mut Input::new(b"abcdef")), Ok(None));
        assert_eq!(codec.next(&mut Input::new(b"abc")), Ok(None));
        assert_eq!(codec.needs(), 4);
    }

    proptest! {
        /// Against the standard library's splitting of the whole, however it is cut into pieces.
        #[test]
        fn lines_come_as_they_were_sent(
            bytes in prop::collection::vec(
                prop_oneof![1 => Just(b'\n'), 1 => Just(b'\r'), 8 => any::<u8>()], 0..200),
            places in prop::collection::vec(any::<usize>(), 0..20),
        ) {
            let mut expected: Vec<Vec<u8>> = bytes
                .split(|byte| *byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
            let tail = expected.pop().unwrap_or_default();
            for line in &mut expected {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
            }
            let short = expected.iter().take_while(|line| line.len() <= MAX).count();
            let (found, rest) = all(&cut(&bytes, &places));
            prop_assert_eq!(&found[..], &expected[..short]);
            let tail_is_long = tail.strip_suffix(b"\r").unwrap_or(&tail).len() > MAX;
            if short < expected.len() || tail_is_long {
                prop_assert!(rest.is_err_and(|error| error.length > MAX));
            } else {
                prop_assert_eq!(rest, Ok(tail));
            }
        }
    }
}
