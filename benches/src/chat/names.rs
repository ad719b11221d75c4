//! What the members are called.

/// Digits of the number in a nick, unless there are more members.
const DIGITS: usize = 5;

/// Nicks of one length, so that all lines are of one length, and of at most nine characters (RFC 1459,
/// section 1.2) up to ten million members.
#[derive(Clone, Debug)]
pub(super) struct Names {
    letters: String,
    digits: usize,
}

impl Names {
    /// Two letters say which load it is: one may begin while the server still takes leave of the last
    /// one's members.
    pub(super) fn new(load: u32, members: usize) -> Self {
        let letter = |number: u32| char::from(b'a' + (number % 26) as u8);
        let digits = members.saturating_sub(1).to_string().len().max(DIGITS);
        Self { letters: [letter(load / 26), letter(load)].iter().collect(), digits }
    }

    pub(super) fn of(&self, number: usize) -> String {
        format!("{}{number:0width$}", self.letters, width = self.digits)
    }

    /// Whose nick that is.
    pub(super) fn number(&self, nick: &[u8]) -> Option<usize> {
        let digits = nick.strip_prefix(self.letters.as_bytes())?;
        let is_ours = digits.len() == self.digits && digits.iter().all(u8::is_ascii_digit);
        is_ours.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit & 15)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicks_are_of_one_length_and_known_again() {
        for (members, first, last) in
            [(1000, "bd00000", "bd00999"), (1_000_000, "bd000000", "bd999999")]
        {
            let names = Names::new(29, members);
            assert_eq!((names.of(0), names.of(members - 1)), (first.into(), last.into()));
            assert_eq!(names.number(last.as_bytes()), Some(members - 1));
            for stranger in ["", "bd", "bd0", "be00000", "bd0000x", "bd99999999999999999999999"] {
                assert_eq!(names.number(stranger.as_bytes()), None, "{stranger}");
            }
        }
    }
}
