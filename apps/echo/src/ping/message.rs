//! What a message says: its number, and a pattern that no other message and no other place has.

/// Bytes of the number at the front of a message, in network order.
pub(crate) const NUMBER: usize = WORD;

const WORD: usize = 8;

/// Writes what stands in message `number` from the byte `at` on.
pub(super) fn fill(number: u64, at: usize, into: &mut [u8]) {
    let (first, rest) = into.split_at_mut(to_next_word(at, into.len()));
    first.copy_from_slice(&word(number, at / WORD)[at % WORD..][..first.len()]);
    let next = (at + first.len()) / WORD;
    for (place, bytes) in rest.chunks_mut(WORD).enumerate() {
        bytes.copy_from_slice(&word(number, next + place)[..bytes.len()]);
    }
}

/// The place in `bytes`, which stand in message `number` from the byte `at` on, of the first that is
/// wrong.
pub(super) fn first_wrong(number: u64, at: usize, bytes: &[u8]) -> Option<usize> {
    let mut right = [0; 64 * WORD];
    bytes.chunks(right.len()).enumerate().find_map(|(piece, bytes)| {
        let start = piece * right.len();
        let right = &mut right[..bytes.len()];
        fill(number, at + start, right);
        if bytes == right {
            return None;
        }
        bytes.iter().zip(right).position(|(byte, right)| byte != right).map(|place| start + place)
    })
}

/// The number that a message bears.
pub(super) fn number_of(message: &[u8]) -> Option<u64> {
    message.first_chunk().map(|number| u64::from_be_bytes(*number))
}

/// How many of `count` bytes at `at` belong to a word that has begun before them.
fn to_next_word(at: usize, count: usize) -> usize {
    (at.next_multiple_of(WORD) - at).min(count)
}

/// A message is made up of words, of which the first is its number.
fn word(number: u64, place: usize) -> [u8; WORD] {
    let word = if place == 0 { number } else { mix(number.rotate_left(32) ^ place as u64) };
    word.to_be_bytes()
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
            for end in at..=whole.len() {
                let mut piece = vec![0; end - at];
                fill(7, at, &mut piece);
                assert_eq!(piece, whole[at..end]);
                assert_eq!(first_wrong(7, at, &piece), None);
            }
        }
    }

    #[test]
    fn a_wrong_byte_is_found_wherever_it_is() {
        // Longer than what is compared at a time.
        let mut message = [0; 1100];
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
