//! A line that a client sent, taken apart: tags, command, parameters. Bytes, not strings.
//!
//! The format is that of RFC 1459, section 2.3.1, with the tags of IRCv3's *message-tags*. A [`Message`]
//! holds pieces of the line, and copies nothing.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Deref;

/// Bytes of a line without its tags, with CR and LF (RFC 1459, section 2.3).
pub const LINE: usize = 512;

/// Bytes of the tags that a client may send, with `@` and the space that ends them (*message-tags*).
pub const CLIENT_TAGS: usize = 4096;

/// Parameters that a message has at most; the last one takes what is left of the line.
const MOST: usize = 15;

/// Why a line is no message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Malformed {
    /// There is no command in it.
    Empty,
    /// It has CR, LF or NUL in it, or a tag's value stands for one that has: that is this server's choice,
    /// for *message-tags* allows such escapes. So whoever unescapes a tag never finds the end of a line.
    Forbidden,
    /// The tags, or the rest, have more bytes than they may.
    TooLong,
}

/// A line that a client sent.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The tags, as they were sent.
    pub tags: Tags<'a>,
    /// The command's word, in whatever case it came.
    pub command: &'a [u8],
    /// What follows it.
    pub params: Params<'a>,
}

impl<'a> Message<'a> {
    /// Takes a line apart, which comes without its end.
    ///
    /// A source is read over: who speaks is known by the connection.
    ///
    /// # Errors
    ///
    /// See [`Malformed`].
    pub fn parse(line: &'a [u8]) -> Result<Self, Malformed> {
        let (tags, rest) = match line.strip_prefix(b"@") {
            Some(tagged) => word(tagged),
            None => (&line[..0], line),
        };
        // '@' and the space belong to the tags, CR and LF to the rest.
        if tags.len() + 2 > CLIENT_TAGS || rest.len() + 2 > LINE {
            return Err(Malformed::TooLong);
        }
        let tags = Tags(tags);
        if line.iter().any(forbidden) || tags.iter().any(|(_, value)| stands_for_forbidden(value)) {
            return Err(Malformed::Forbidden);
        }
        let mut rest = spaceless(rest);
        if rest.starts_with(b":") {
            rest = spaceless(word(rest).1);
        }
        let (command, rest) = word(rest);
        if command.is_empty() {
            return Err(Malformed::Empty);
        }
        Ok(Self { tags, command, params: Params::parse(rest) })
    }

    /// Whether all of it is UTF-8.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        let pieces = [self.tags.0, self.command];
        pieces.iter().chain(self.params.iter()).all(|piece| std::str::from_utf8(piece).is_ok())
    }

    /// The parameter at `at`, if it is there and isn't empty.
    #[must_use]
    pub fn param(&self, at: usize) -> Option<&'a [u8]> {
        self.params.get(at).copied().filter(|param| !param.is_empty())
    }
}

/// The parameters of a message, as a slice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Params<'a> {
    all: [&'a [u8]; MOST],
    count: usize,
}

impl<'a> Params<'a> {
    fn parse(rest: &'a [u8]) -> Self {
        let mut params = Self::default();
        let mut rest = spaceless(rest);
        while !rest.is_empty() {
            let (param, after) = match rest.strip_prefix(b":") {
                Some(trailing) => (trailing, &rest[..0]),
                None if params.count + 1 == MOST => (rest, &rest[..0]),
                None => word(rest),
            };
            params.all[params.count] = param;
            params.count += 1;
            rest = spaceless(after);
        }
        params
    }
}

impl<'a> Deref for Params<'a> {
    type Target = [&'a [u8]];

    fn deref(&self) -> &Self::Target {
        &self.all[..self.count]
    }
}

/// The tags of a message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tags<'a>(&'a [u8]);

impl<'a> Tags<'a> {
    /// Each tag's key, and its value as it was sent: escaped, and empty where there is none.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let tags = self.0.split(|byte| *byte == b';').filter(|tag| !tag.is_empty());
        tags.map(|tag| match tag.iter().position(|byte| *byte == b'=') {
            Some(at) => (&tag[..at], &tag[at + 1..]),
            None => (tag, &tag[tag.len()..]),
        })
    }

    /// The value of a tag, unescaped: of several by this key the last one's.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Cow<'a, [u8]>> {
        let (_, value) = self.iter().filter(|(found, _)| *found == key.as_bytes()).last()?;
        Some(unescape(value))
    }

    /// The tags that clients send to each other, as they were sent: those with a `+`, and of several by one
    /// key the last one.
    pub fn of_clients(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let is_tag = |key: &[u8]| key.len() > 1 && key[0] == b'+' && key[1..].iter().all(of_key);
        let mut tags: Vec<_> = self.iter().filter(|(key, _)| is_tag(key)).collect();
        let mut seen = HashSet::new();
        tags.reverse();
        tags.retain(|(key, _)| seen.insert(*key));
        tags.into_iter().rev()
    }
}

/// What the value of a tag stands for (*message-tags*, "Escaping values").
#[must_use]
pub fn unescape(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => plain.extend(bytes.next().map(|escaped| match escaped {
                b':' => b';',
                b's' => b' ',
                b'r' => b'\r',
                b'n' => b'\n',
                other => *other,
            })),
            plainly => plain.push(*plainly),
        }
    }
    Cow::Owned(plain)
}

/// Writes a tag's value so that [`unescape`] gives it back.
pub fn escape(value: &[u8], to: &mut Vec<u8>) {
    for byte in value {
        match byte {
            b';' => to.extend(b"\\:"),
            b' ' => to.extend(b"\\s"),
            b'\\' => to.extend(b"\\\\"),
            b'\r' => to.extend(b"\\r"),
            b'\n' => to.extend(b"\\n"),
            plain => to.push(*plain),
        }
    }
}

/// Up to the next space, and what is behind it.
fn word(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b' ') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &bytes[bytes.len()..]),
    }
}

fn spaceless(bytes: &[u8]) -> &[u8] {
    let spaces = bytes.iter().take_while(|byte| **byte == b' ').count();
    &bytes[spaces..]
}

fn forbidden(byte: &u8) -> bool {
    matches!(byte, 0 | b'\r' | b'\n')
}

fn stands_for_forbidden(value: &[u8]) -> bool {
    unescape(value).iter().any(forbidden)
}

fn of_key(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-./+".contains(byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(line: &str) -> Vec<String> {
        let message = Message::parse(line.as_bytes()).expect(line);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        std::iter::once(text(message.command))
            .chain(message.params.iter().map(|p| text(p)))
            .collect()
    }

    #[test]
    fn a_line_is_taken_apart() {
        assert_eq!(parts("PING"), ["PING"]);
        assert_eq!(parts("NICK a"), ["NICK", "a"]);
        assert_eq!(parts("  PRIVMSG  #c   :two  words "), ["PRIVMSG", "#c", "two  words "]);
        assert_eq!(parts(":me!u@h PRIVMSG #c ::)"), ["PRIVMSG", "#c", ":)"]);
        assert_eq!(parts("JOIN :"), ["JOIN", ""]);
        assert_eq!(parts("JOIN a:b"), ["JOIN", "a:b"]);
        assert_eq!(parts("@a=b;+c :x  AWAY  "), ["AWAY"]);
    }

    #[test]
    fn the_fifteenth_parameter_takes_the_rest() {
        let found = parts("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16  17");
        assert_eq!((found.len(), found[15].as_str()), (16, "15 16  17"));
    }

    #[test]
    fn what_is_no_message_says_why() {
        for (line, why) in [
            (&b""[..], Malformed::Empty),
            (b"   ", Malformed::Empty),
            (b":source", Malformed::Empty),
            (b"@a=b", Malformed::Empty),
            (b"PRIVMSG a :b\0c", Malformed::Forbidden),
            (b"PRIVMSG a :b\rc", Malformed::Forbidden),
            (b"@+a=\\n PRIVMSG a :b", Malformed::Forbidden),
            (&[b'a'; LINE - 1], Malformed::TooLong),
            (&[&b"@"[..], &[b'a'; CLIENT_TAGS - 1], b" PING"].concat(), Malformed::TooLong),
        ] {
            assert_eq!(Message::parse(line).err(), Some(why), "{line:?}");
        }
        assert!(Message::parse(&[b'a'; LINE - 2]).is_ok());
        let tagged = [&b"@"[..], &[b'a'; CLIENT_TAGS - 2], b" PING"].concat();
        assert!(Message::parse(&tagged).is_ok());
    }

    #[test]
    fn what_is_not_utf8_is_known() {
        let is_utf8 = |line: &[u8]| Message::parse(line).expect("a message").is_utf8();
        assert!(is_utf8("@+a=ä PRIVMSG #ä :ä".as_bytes()));
        for line in [&b"@+a=\xe4 PING x"[..], b"P\xe4", b"PING \xe4 x", b"PING x :\xe4"] {
            assert!(!is_utf8(line), "{line:?}");
        }
    }

    #[test]
    fn tags_are_told_apart() {
        let message = Message::parse(
            b"@label=a\\sb;+typing=paused;+typing=active;+;+a/b;x;+no!=1;label=c\\ PING",
        )
        .expect("tagged");
        assert_eq!(message.tags.get("label").as_deref(), Some(&b"c"[..]));
        assert_eq!(message.tags.get("x").as_deref(), Some(&b""[..]));
        assert_eq!(message.tags.get("y"), None);
        let mut of_clients = message.tags.of_clients();
        assert_eq!(of_clients.next(), Some((&b"+typing"[..], &b"active"[..])));
        assert_eq!(of_clients.next(), Some((&b"+a/b"[..], &b""[..])));
        assert_eq!(of_clients.next(), None);
    }

    proptest! {
        #[test]
        fn any_value_survives_its_escape(value in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut escaped = Vec::new();
            escape(&value, &mut escaped);
            prop_assert!(!escaped.iter().any(|byte| b" ;\r\n".contains(byte)));
            prop_assert_eq!(&*unescape(&escaped), &value[..]);
        }

        #[test]
        fn any_line_is_a_message_or_not(line in proptest::collection::vec(any::<u8>(), 0..700)) {
            if let Ok(message) = Message::parse(&line) {
                prop_assert!(!message.command.is_empty());
                prop_assert!(message.params.len() <= MOST);
            }
        }
    }
}
