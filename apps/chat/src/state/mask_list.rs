//! A list of masks with who set each: bans, and what goes before them.

use bstr::BString;

use crate::names;
use crate::time::Moment;

/// One mask of a list.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `nick!user@host`, with `*` and `?`.
    pub mask: BString,
    /// Who set it: `nick!user@host`.
    pub by: BString,
    /// When.
    pub at: Moment,
}

/// Masks, in the order in which they were set.
#[derive(Clone, Debug, Default)]
pub struct MaskList(Vec<Entry>);

impl MaskList {
    /// Every mask.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Whether any mask fits any of these names of one user; what it took is added to `steps`.
    #[must_use]
    pub fn fits<'a>(
        &self,
        names: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
        steps: &mut u64,
    ) -> bool {
        let names = names.into_iter();
        let mut fits = |mask: &[u8], name: &[u8]| names::fits_counting(mask, name, steps);
        self.0.iter().any(|entry| names.clone().any(|name| fits(&entry.mask, name)))
    }

    /// Whether a mask is there.
    #[must_use]
    pub fn has(&self, mask: &[u8]) -> bool {
        self.0.iter().any(|there| names::same(&there.mask, mask))
    }

    /// Adds a mask; not if it is there.
    pub fn add(&mut self, entry: Entry) -> bool {
        let new = !self.has(&entry.mask);
        if new {
            self.0.push(entry);
        }
        new
    }

    /// Takes a mask away, and gives it as it was set.
    pub fn remove(&mut self, mask: &[u8]) -> Option<BString> {
        let at = self.0.iter().position(|entry| names::same(&entry.mask, mask))?;
        Some(self.0.remove(at).mask)
    }
}

/// A mask in full: what is missing of `nick!user@host` is a star.
#[must_use]
pub fn full(mask: &[u8]) -> BString {
    let (nick, rest) = match mask.iter().position(|byte| *byte == b'!') {
        Some(at) => (&mask[..at], Some(&mask[at + 1..])),
        None if mask.contains(&b'@') => (&b"*"[..], Some(mask)),
        None => (mask, None),
    };
    let rest = rest.unwrap_or(b"*@*");
    let (user, host) = match rest.iter().position(|byte| *byte == b'@') {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &b"*"[..]),
    };
    let or_star = |part: &[u8]| if part.is_empty() { b"*".to_vec() } else { part.to_vec() };
    [or_star(nick), b"!".to_vec(), or_star(user), b"@".to_vec(), or_star(host)].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_made_full() {
        for (mask, wanted) in [
            ("a", "a!*@*"),
            ("a!b", "a!b@*"),
            ("b@c", "*!b@c"),
            ("a!b@c", "a!b@c"),
            ("@c", "*!*@c"),
            ("", "*!*@*"),
        ] {
            assert_eq!(full(mask.as_bytes()), wanted);
        }
    }

    #[test]
    fn a_mask_is_there_once() {
        let entry = |mask: &str| Entry { mask: mask.into(), by: "x".into(), at: Moment::default() };
        let mut list = MaskList::default();
        assert!(list.add(entry("A!*@*")));
        assert!(!list.add(entry("a!*@*")));
        assert!(list.fits([&b"x"[..], b"a!b@c"], &mut 0));
        assert_eq!(list.remove(b"a!*@*"), Some("A!*@*".into()));
        assert!(!list.fits([&b"a!b@c"[..]], &mut 0));
        assert_eq!(list.remove(b"a!*@*"), None);
    }
}
