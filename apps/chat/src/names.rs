//! Names of people and channels: what is one, which are the same, and which fit a mask.
//!
//! CASEMAPPING is `ascii`: A to Z are a to z, and nothing else is the same as anything else.

use bstr::BString;

use crate::config::MASK;

/// A name by which things are found: those that differ in case alone are one.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Folded(BString);

impl Folded {
    /// Folds a name.
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        Self(name.to_ascii_lowercase().into())
    }

    /// The folded name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Whether two names are one.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Whether `name` can be a nick: letters, digits and ``[]\`_^{|}-``, not a digit or `-` first (RFC 2812,
/// section 2.3.1), at most `most` bytes.
#[must_use]
pub fn is_nick(name: &[u8], most: usize) -> bool {
    let first = |byte: &u8| byte.is_ascii_alphabetic() || b"[]\\`_^{|}".contains(byte);
    let further = |byte: &u8| first(byte) || byte.is_ascii_digit() || *byte == b'-';
    name.len() <= most && name.first().is_some_and(first) && name.iter().all(further)
}

/// Whether `name` can be a channel: `#`, then neither space, comma, BEL nor other control characters, at
/// most `most` bytes in all (RFC 2812, section 1.3).
#[must_use]
pub fn is_channel(name: &[u8], most: usize) -> bool {
    let fits = |byte: &u8| !matches!(byte, 0..=b' ' | b',' | 0x7f);
    name.len() <= most && looks_like_channel(name) && name.len() > 1 && name.iter().all(fits)
}

/// Whether `name` is meant for a channel, whether or not it can be one.
#[must_use]
pub fn looks_like_channel(name: &[u8]) -> bool {
    name.first() == Some(&b'#')
}

/// Wildcards of a mask at most that may cost something. What follows a star may be tried at every place of a
/// name, and each `?` makes such a try longer, so that a mask full of them is only there to be slow.
const WILDCARDS: usize = 8;

/// Whether a mask is one that it takes little to compare: not too long, and with few wildcards. A `?` before
/// the first star doesn't count, nor one that stands for itself.
#[must_use]
pub fn is_cheap(mask: &[u8]) -> bool {
    mask.len() <= MASK && wildcards(mask) <= WILDCARDS
}

fn wildcards(mask: &[u8]) -> usize {
    let (mut rest, mut starred, mut count) = (mask, false, 0);
    loop {
        rest = match rest {
            [b'\\', b'*' | b'?', after @ ..] => after,
            [byte, after @ ..] => {
                starred |= *byte == b'*';
                count += usize::from(starred && b"*?".contains(byte));
                after
            }
            [] => return count,
        };
    }
}

/// Whether `text` fits `mask`, in which `*` stands for any bytes and `?` for any one; `\*` and `\?` for
/// themselves. Case doesn't count.
#[must_use]
pub fn fits(mask: &[u8], text: &[u8]) -> bool {
    fits_counting(mask, text, &mut 0)
}

/// The same, and adds to `steps` how many bytes it had to compare: for whoever has to account for it.
#[must_use]
pub fn fits_counting(mask: &[u8], text: &[u8], steps: &mut u64) -> bool {
    // Where the last `*` was, and from where on of the text it stands no more for it: on a mismatch it
    // takes one byte more. The last one alone has to be tried again, so that the cost is bounded by the
    // product of the lengths.
    let (mut m, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        *steps += 1;
        let (wanted, length) = match mask.get(m) {
            Some(b'*') => {
                star = Some((m + 1, t));
                m += 1;
                continue;
            }
            Some(b'?') => (None, 1),
            Some(b'\\') if matches!(mask.get(m + 1), Some(b'*' | b'?')) => (Some(mask[m + 1]), 2),
            Some(byte) => (Some(*byte), 1),
            None => (Some(0), 0),
        };
        let fits = length > 0 && wanted.is_none_or(|byte| byte.eq_ignore_ascii_case(&text[t]));
        match star {
            _ if fits => (m, t) = (m + length, t + 1),
            Some((after, from)) => {
                star = Some((after, from + 1));
                (m, t) = (after, from + 1);
            }
            None => return false,
        }
    }
    mask[m..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicks() {
        for good in ["a", "A-1", "[x]", "_", "`^{|}\\"] {
            assert!(is_nick(good.as_bytes(), 30), "{good}");
        }
        for bad in ["", "1a", "-a", "a b", "a!", "#a", "ä", "a\0", "a*", "a@b"] {
            assert!(!is_nick(bad.as_bytes(), 30), "{bad}");
        }
        assert!(!is_nick(b"abcd", 3));
    }

    #[test]
    fn channels() {
        for good in ["#a", "##", "#ä:!"] {
            assert!(is_channel(good.as_bytes(), 64), "{good}");
        }
        for bad in ["", "#", "a", "&a", "#a,b", "#a b", "#\x07"] {
            assert!(!is_channel(bad.as_bytes(), 64), "{bad}");
        }
    }

    #[test]
    fn masks() {
        for (mask, text) in [
            ("*", ""),
            ("*!*@*", "a!b@c"),
            ("A*c", "abbC"),
            ("a?c", "abc"),
            ("*a*b*c", "xxaxbxbxc"),
            ("a\\*", "a*"),
            ("\\x", "\\x"),
        ] {
            assert!(fits(mask.as_bytes(), text.as_bytes()), "{mask} {text}");
        }
        for (mask, text) in [
            ("", "a"),
            ("a", ""),
            ("a?c", "ac"),
            ("a*b", "abc"),
            ("a\\*", "ab"),
            ("?", ""),
            ("a", "ab"),
        ] {
            assert!(!fits(mask.as_bytes(), text.as_bytes()), "{mask} {text}");
        }
    }

    /// The steps of a mask that doesn't fit.
    fn steps(mask: &str, text: &str) -> u64 {
        let mut steps = 0;
        assert!(!fits_counting(mask.as_bytes(), text.as_bytes(), &mut steps), "{mask}");
        steps
    }

    #[test]
    fn an_evil_mask_ends_soon() {
        assert!(steps(&"*a".repeat(100), &"a".repeat(99)) <= 200);
        // The worst there is: what follows the star fits nearly to its end, at every place.
        let text = "a".repeat(100);
        for (mask, most) in [
            (format!("*{}Z", "?".repeat(50)), 50 * 100),
            (format!("*{}Z", "a".repeat(50)), 50 * 100),
            (format!("*a*a*a*{}Z", "a".repeat(50)), 50 * 100),
            (format!("*{}Z", "?".repeat(7)), 8 * 100),
            (format!("{}Z", "*?".repeat(4)), 4 * 100),
        ] {
            let steps = steps(&mask, &text);
            assert!(steps <= most + 200, "{mask}: {steps}");
        }
    }

    #[test]
    fn cheap_masks_are_short_and_have_few_wildcards() {
        let escaped = "\\*\\?".repeat(50);
        for cheap in [
            "",
            "*!*@*",
            "a*!?b?@*.c.?.*",
            &"a".repeat(200),
            &"?".repeat(200),
            "guest???????!*@*",
            &escaped,
        ] {
            assert!(is_cheap(cheap.as_bytes()), "{cheap}");
        }
        for dear in [
            &format!("*{}Z", "?".repeat(39)),
            &format!("??*{}", "?".repeat(8)),
            &"a*".repeat(9),
            &"a".repeat(201),
        ] {
            assert!(!is_cheap(dear.as_bytes()), "{dear}");
        }
    }
}
