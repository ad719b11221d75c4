//! Messages that begin with their length.

use super::TooLong;
use crate::connection::Input;

/// Bytes of a length.
const PREFIX: usize = 4;

/// Messages, each behind its length: four bytes, the highest first (network byte order, RFC 1700), which
/// count the bytes that follow them. A message may be empty.
///
/// ```
/// use reactor::Input;
/// use reactor::codec::LengthPrefixed;
///
/// let mut codec = LengthPrefixed::new(1000);
/// let mut input = Input::new(b"\0\0\0\x02hi\0\0\0\x05hel");
/// assert_eq!(codec.next(&mut input), Ok(Some(&b"hi"[..])));
/// assert_eq!(codec.next(&mut input), Ok(None));
/// assert_eq!(codec.needs(), 9);
/// ```
#[derive(Clone, Debug)]
pub struct LengthPrefixed {
    max: usize,
    needs: usize,
}

impl LengthPrefixed {
    /// A codec for messages of at most `max` bytes, without their prefix: as many may have to wait in
    /// memory for the last one.
    ///
    /// Where `max` and the prefix are more than [`Limits::read_high`](crate::Limits::read_high), 1 MiB by
    /// default, a handler must tell [`needs`](Self::needs) to
    /// [`set_read_low`](crate::Context::set_read_low), or raise that mark: else reading pauses there for
    /// ever, and not even the peer's end comes.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max, needs: PREFIX }
    }

    /// The next message, if all of it is there; else nothing is taken.
    ///
    /// # Errors
    ///
    /// [`TooLong`] as soon as a length says so, before its message has come. Nothing is taken.
    #[inline]
    pub fn next<'a>(&mut self, input: &mut Input<'a>) -> Result<Option<&'a [u8]>, TooLong> {
        self.needs = PREFIX;
        let Some(prefix) = input.first_chunk::<PREFIX>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > self.max {
            return Err(TooLong { length, max: self.max });
        }
        let whole = length.saturating_add(PREFIX);
        if input.len() < whole {
            self.needs = whole;
            return Ok(None);
        }
        input.take_first(PREFIX);
        Ok(Some(input.take_first(length)))
    }

    /// How many bytes must be unread before there can be a message that wasn't there before: those of
    /// the prefix, or once that has come, of all.
    #[inline]
    #[must_use]
    pub fn needs(&self) -> usize {
        self.needs
    }

    /// What to send before a message.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if it is longer than this codec allows, or than four bytes can say.
    pub fn prefix(&self, message: &[u8]) -> Result<[u8; PREFIX], TooLong> {
        let length = message.len();
        match u32::try_from(length) {
            Ok(short) if length <= self.max => Ok(short.to_be_bytes()),
            Ok(_) => Err(TooLong { length, max: self.max }),
            Err(_) => Err(TooLong { length, max: self.max.min(u32::MAX as usize) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{cut, decode};
    use super::*;

    const MAX: usize = 1000;

    fn all(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Result<Vec<u8>, TooLong>) {
        let mut codec = LengthPrefixed::new(MAX);
        decode(&mut codec, pieces, LengthPrefixed::next, LengthPrefixed::needs)
    }

    #[test]
    fn a_length_is_judged_at_once() {
        let mut codec = LengthPrefixed::new(MAX);
        let error = TooLong { length: 1001, max: MAX };
        for _ in 0..2 {
            let mut input = Input::new(&[0, 0, 3, 0xe9]);
            assert_eq!(codec.next(&mut input), Err(error));
            assert_eq!(input.taken(), 0);
        }
        assert_eq!(codec.prefix(&[0; 1001]), Err(error));
        assert_eq!(codec.prefix(&[0; 1000]), Ok([0, 0, 3, 0xe8]));
        assert_eq!(codec.next(&mut Input::new(&[0xff; 4])).unwrap_err().length, u32::MAX as usize);
    }

    #[test]
    fn the_longest_that_can_be_said_overflows_nothing() {
        let mut codec = LengthPrefixed::new(usize::MAX);
        assert_eq!(codec.next(&mut Input::new(&[0xff; 100])), Ok(None));
        assert_eq!(codec.needs(), (u32::MAX as usize).saturating_add(PREFIX));
    }

    #[test]
    fn a_codec_that_was_asked_too_early_needs_what_it_did() {
        let mut codec = LengthPrefixed::new(MAX);
        assert_eq!(codec.next(&mut Input::new(&[0, 0, 0, 9, 1])), Ok(None));
        assert_eq!(codec.next(&mut Input::new(&[0, 0, 0, 9, 1, 2])), Ok(None));
        assert_eq!(codec.needs(), 13);
        assert_eq!(codec.next(&mut Input::new(&[0, 0])), Ok(None));
        assert_eq!(codec.needs(), 4);
    }

    proptest! {
        /// However they are cut into pieces.
        #[test]
        fn messages_come_as_they_were_sent(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6),
            places in prop::collection::vec(any::<usize>(), 0..20),
            tail in 0..PREFIX,
        ) {
            let codec = LengthPrefixed::new(MAX);
            let mut bytes = Vec::new();
            for message in &messages {
                bytes.extend_from_slice(&codec.prefix(message).unwrap());
                bytes.extend_from_slice(message);
            }
            bytes.extend_from_slice(&[7; PREFIX][..tail]);
            let (found, rest) = all(&cut(&bytes, &places));
            prop_assert_eq!(found, messages);
            prop_assert_eq!(rest, Ok(vec![7; tail]));
        }

        /// Whatever comes: all messages are short enough, and all bytes are accounted for.
        #[test]
        fn noise_is_no_danger(
            bytes in prop::collection::vec(prop_oneof![3 => Just(0), 1 => any::<u8>()], 0..300),
            places in prop::collection::vec(any::<usize>(), 0..20),
        ) {
            let (found, rest) = all(&cut(&bytes, &places));
            let taken: usize = found.iter().map(|message| message.len() + PREFIX).sum();
            prop_assert!(found.iter().all(|message| message.len() <= MAX));
            match rest {
                Ok(rest) => prop_assert_eq!(taken + rest.len(), bytes.len()),
                Err(error) => prop_assert!(error.length > MAX),
            }
        }
    }
}
