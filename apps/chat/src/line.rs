//! A line as others are told it: rendered once for each class of clients, and then shared.

use std::cell::OnceCell;

use bstr::ByteSlice;
use bytes::Bytes;

use crate::message::LINE;
use crate::time::Moment;

/// What of the tags of a line a client is told: nothing that it hasn't asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Class(u8);

impl Class {
    /// What a client with none of the capabilities is told.
    pub const PLAIN: Self = Self(0);
    const TIME: u8 = 1;
    const TAGS: u8 = 2;
    const COUNT: usize = 4;

    /// The class of a client that has *server-time*, *message-tags*, both, or neither.
    #[must_use]
    pub fn new(server_time: bool, message_tags: bool) -> Self {
        let time = if server_time { Self::TIME } else { 0 };
        let tags = if message_tags { Self::TAGS } else { 0 };
        Self(time | tags)
    }

    /// Whether the time is told.
    #[must_use]
    pub fn has_time(self) -> bool {
        self.0 & Self::TIME != 0
    }

    /// Whether message IDs, and the tags that clients send to each other, are told.
    #[must_use]
    pub fn has_tags(self) -> bool {
        self.0 & Self::TAGS != 0
    }
}

/// A line for clients.
///
/// ```
/// use chat::line::{Class, Line};
/// use chat::time::Moment;
///
/// let line = Line::new(Moment::default(), b"a!u@h", "PRIVMSG").param(b"#c").last(b"hello");
/// assert_eq!(&line.bytes(Class::PLAIN)[..], b":a!u@h PRIVMSG #c :hello\r\n");
/// ```
#[derive(Clone, Debug)]
pub struct Line {
    moment: Moment,
    /// Tags for those with *message-tags*, without `@`: `key=value;key`.
    tags: Vec<u8>,
    /// The rest, without its end.
    body: Vec<u8>,
    rendered: [OnceCell<Bytes>; Class::COUNT],
}

impl Line {
    /// A line by `source` that says `command`.
    #[must_use]
    pub fn new(moment: Moment, source: &[u8], command: &str) -> Self {
        let mut line = Self::sourceless(moment, command);
        line.body.splice(..0, [b":", source, b" "].concat());
        line
    }

    /// A line that doesn't say whose it is; clients take it for the server's.
    #[must_use]
    pub fn sourceless(moment: Moment, command: &str) -> Self {
        let body = command.as_bytes().to_vec();
        Self { moment, tags: Vec::new(), body, rendered: Default::default() }
    }

    /// Adds a parameter that has no space in it, isn't empty and doesn't begin with a colon; one that
    /// isn't so has to be the [`last`](Self::last).
    #[must_use]
    pub fn param(mut self, param: impl AsRef<[u8]>) -> Self {
        let param = param.as_ref();
        debug_assert!(
            param.first().is_some_and(|first| *first != b':') && !param.contains(&b' '),
            "{:?} in the middle of a line",
            param.as_bstr()
        );
        self.body.push(b' ');
        self.body.extend_from_slice(param);
        self.changed()
    }

    /// Adds the last parameter, of any bytes.
    #[must_use]
    pub fn last(mut self, param: impl AsRef<[u8]>) -> Self {
        self.body.extend_from_slice(b" :");
        self.body.extend_from_slice(param.as_ref());
        self.changed()
    }

    /// Adds a tag whose value is escaped already.
    #[must_use]
    pub fn tag(mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        if !self.tags.is_empty() {
            self.tags.push(b';');
        }
        self.tags.extend_from_slice(key.as_ref());
        if !value.as_ref().is_empty() {
            self.tags.push(b'=');
            self.tags.extend_from_slice(value.as_ref());
        }
        self.changed()
    }

    /// What was rendered before is another line.
    fn changed(mut self) -> Self {
        self.rendered = Default::default();
        self
    }

    /// The whole line, as clients of a class are told it.
    #[must_use]
    pub fn bytes(&self, class: Class) -> &Bytes {
        self.rendered[usize::from(class.0)].get_or_init(|| {
            let mut bytes = Vec::with_capacity(self.tags.len() + self.body.len() + 40);
            self.write(class, &[], &mut bytes);
            bytes.into()
        })
    }

    /// Bytes that it is at most, for whomever, in a batch or not.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        // Beside what it has itself: the time, the ID of a batch, what divides them, and the end.
        self.tags.len() + self.body.len().min(LINE - 2) + 80
    }

    /// Writes the whole line, with `more` tags in front, which the client has asked for.
    pub fn write(&self, class: Class, more: &[(&str, &[u8])], to: &mut Vec<u8>) {
        let mut separator = b'@';
        let mut begin = |to: &mut Vec<u8>| to.push(std::mem::replace(&mut separator, b';'));
        for (key, value) in more {
            begin(to);
            to.extend_from_slice(key.as_bytes());
            to.push(b'=');
            to.extend_from_slice(value);
        }
        if class.has_time() {
            begin(to);
            to.extend_from_slice(b"time=");
            to.extend_from_slice(self.moment.iso8601().as_bytes());
        }
        if class.has_tags() && !self.tags.is_empty() {
            begin(to);
            to.extend_from_slice(&self.tags);
        }
        if separator == b';' {
            to.push(b' ');
        }
        to.extend_from_slice(whole_characters(&self.body, LINE - 2));
        to.extend_from_slice(b"\r\n");
    }
}

/// The first `most` bytes of a text, or less where those would end within a character (UTF-8).
#[must_use]
pub fn whole_characters(text: &[u8], most: usize) -> &[u8] {
    if text.len() <= most {
        return text;
    }
    // What isn't UTF-8 is cut anywhere: no character has more than three bytes that continue it.
    let continues = |at: usize| text[at] & 0b1100_0000 == 0b1000_0000;
    let end = (most.saturating_sub(3)..=most).rev().find(|at| !continues(*at)).unwrap_or(most);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &Line, class: Class) -> String {
        String::from_utf8_lossy(line.bytes(class)).into_owned()
    }

    #[test]
    fn nobody_is_told_a_tag_that_they_did_not_ask_for() {
        let moment = Moment::from_unix_ms(1_500);
        let line =
            Line::new(moment, b"s", "NOTICE").param("a").last("b").tag("msgid", "7").tag("+x", "");
        assert_eq!(text(&line, Class::new(false, false)), ":s NOTICE a :b\r\n");
        assert_eq!(
            text(&line, Class::new(true, false)),
            "@time=1970-01-01T00:00:01.500Z :s NOTICE a :b\r\n"
        );
        assert_eq!(text(&line, Class::new(false, true)), "@msgid=7;+x :s NOTICE a :b\r\n");
        let both = text(&line, Class::new(true, true));
        assert_eq!(both, "@time=1970-01-01T00:00:01.500Z;msgid=7;+x :s NOTICE a :b\r\n");
    }

    #[test]
    fn a_line_that_goes_on_is_rendered_anew() {
        let line = Line::new(Moment::default(), b"s", "NOTICE").param("a");
        assert_eq!(text(&line, Class::PLAIN), ":s NOTICE a\r\n");
        assert_eq!(text(&line.last("b"), Class::PLAIN), ":s NOTICE a :b\r\n");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_between_characters() {
        for odd in 0..4 {
            let long = "ä€😀".repeat(100);
            let line =
                Line::new(Moment::default(), &b"abcd"[..odd], "PRIVMSG").param("#c").last(&long);
            let bytes = line.bytes(Class::PLAIN);
            assert!(bytes.len() <= LINE && bytes.len() > LINE - 4, "{}", bytes.len());
            assert!(std::str::from_utf8(bytes).is_ok());
        }
        assert_eq!(whole_characters(&[0x80; 9], 5).len(), 5);
    }
}
