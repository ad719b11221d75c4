//! What a message says: its number, and a pattern that no other message and no other place has.

/// Bytes of the number at the front of a message, in network order.
pub(crate) const NUMBER: usize = 8;

/// Writes what stands in message `number` from the byte `at` on.
pub(super) fn fill(number: u64, at: usize, into: &mut [u8]) {
    for (byte, right) in into.iter_mut().zip(bytes(number, at)) {
        *byte = right;
    }
}

/// The place in `bytes`, which stand in message `number` from the byte `at` on, of the first that is
/// wrong.
pub(super) fn first_wrong(number: u64, at: usize, bytes: &[u8]) -> Option<usize> {
    bytes.iter().zip(self::bytes(number, at)).position(|(byte, right)| *byte != right)
}

/// The number that a message bears.
pub(super) fn number_of(message: &[u8]) -> Option<u64> {
    message.first_chunk().map(|number| u64::from_be_bytes(*number))
}

/// What stands in message `number` from the byte `at` on, without an end.
fn bytes(number: u64, at: usize) -> impl Iterator<Item = u8> {
    let word = move |place| match place {
        0 => number,
        place => mix(number.rotate_left(32) ^ place as u64),
    };
    (at / NUMBER..).flat_map(move |place| word(place).to_be_bytes()).skip(at % NUMBER)
}

/// Scatters the bits of a number: the last step of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_those_of_the_whole() {
        let mut whole = [0; 100];
        fill(7, 0, &mut whole);
        assert_eq!(number_of(&whole), Some(7));
        for at in 0..whole.len() {
            let mut rest = vec![0; whole.len() - at];
            fill(7, at, &mut rest);
            assert_eq!(rest, whole[at..]);
            assert_eq!(first_wrong(7, at, &whole[at..]), None);
        }
    }

    #[test]
    fn a_wrong_byte_is_found_wherever_it_is() {
        let mut message = [0; 100];
        fill(7, 0, &mut message);
        for at in 0..message.len() {
            message[at] ^= 1;
            assert_eq!(first_wrong(7, 0, &message), Some(at));
            message[at] ^= 1;
        }
        assert!(first_wrong(8, NUMBER, &message[NUMBER..]).is_some(), "another message");
        assert!(first_wrong(7, NUMBER, &message[2 * NUMBER..]).is_some(), "another place");
    }

    #[test]
    fn what_is_too_short_has_no_number() {
        assert_eq!(number_of(&[0; NUMBER - 1]), None);
    }
}
