//! A line of the protocol, taken apart.

use bstr::ByteSlice as _;

/// What a server says in a line (RFC 1459, section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Who says it: empty, a server's name, or `nick!user@host`.
    pub(super) source: &'a [u8],
    pub(super) command: &'a [u8],
    params: &'a [u8],
}

impl<'a> Line<'a> {
    /// Of a line without its end.
    pub(super) fn parse(line: &'a [u8]) -> Self {
        // Tags come before all else, from servers that were asked for some.
        let line = if line.starts_with(b"@") { split(line).1 } else { line };
        let (source, line) = match line.strip_prefix(b":") {
            Some(line) => split(line),
            None => (&b""[..], line),
        };
        let (command, params) = split(line);
        Self { source, command, params }
    }

    /// The nick of who says it.
    pub(super) fn nick(&self) -> &'a [u8] {
        self.source.split_once_str("!").map_or(self.source, |(nick, _)| nick)
    }

    /// The parameters, the last one whole.
    pub(super) fn params(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.params;
        std::iter::from_fn(move || {
            if let Some(last) = rest.strip_prefix(b":") {
                rest = b"";
                return Some(last);
            }
            let (param, more) = split(rest);
            rest = more;
            (!param.is_empty()).then_some(param)
        })
    }

    pub(super) fn param(&self, place: usize) -> &'a [u8] {
        self.params().nth(place).unwrap_or_default()
    }

    /// Its number, if it is a numeric reply.
    pub(super) fn numeric(&self) -> Option<u16> {
        let is_number = self.command.len() == 3 && self.command.iter().all(u8::is_ascii_digit);
        is_number
            .then(|| self.command.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit & 15)))
    }
}

/// Up to the first space, and after the last one of those that follow.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let (first, rest) = line.split_once_str(" ").unwrap_or((line, b""));
    (first, rest.trim_start_with(|c| c == ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_apart() {
        let table: [(&str, [&str; 3], &[&str]); 6] = [
            (":a!b@c PRIVMSG #x :d :e f", ["a!b@c", "PRIVMSG", "a"], &["#x", "d :e f"]),
            ("PING :x y", ["", "PING", ""], &["x y"]),
            ("PING x", ["", "PING", ""], &["x"]),
            ("@k=v :a  JOIN   #x", ["a", "JOIN", "a"], &["#x"]),
            (":s 376 m :", ["s", "376", "s"], &["m", ""]),
            ("", ["", "", ""], &[]),
        ];
        for (text, [source, command, nick], params) in table {
            let line = Line::parse(text.as_bytes());
            assert_eq!(line.source, source.as_bytes(), "{text}");
            assert_eq!(line.command, command.as_bytes(), "{text}");
            assert_eq!(line.nick(), nick.as_bytes(), "{text}");
            let found: Vec<_> = line.params().collect();
            assert_eq!(found, params.iter().map(|param| param.as_bytes()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn numerics_have_three_digits() {
        for (command, number) in [
            ("001", Some(1)),
            ("433", Some(433)),
            ("43", None),
            ("PING", None),
            ("4x3", None),
            ("PRIVMSG", None),
        ] {
            assert_eq!(Line::parse(command.as_bytes()).numeric(), number, "{command}");
        }
    }
}
