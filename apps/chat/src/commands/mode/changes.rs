//! Changes that were made, to be told in as few lines as hold them.

use bstr::BString;

use crate::line::{Class, Line};
use crate::message::LINE;

/// Parameters of changes in one line: with what stands before them, no more than a message may have.
const PARAMS: usize = 12;

/// Changes, in the order in which they were made.
#[derive(Debug)]
pub(super) struct Changes {
    start: Line,
    /// Bytes that are left for changes in a line.
    room: usize,
    lines: Vec<Told>,
}

/// The changes of one line.
#[derive(Debug, Default)]
struct Told {
    on: Option<bool>,
    letters: String,
    params: Vec<BString>,
    length: usize,
}

impl Changes {
    /// None yet; `start` is how each line begins.
    pub(super) fn new(start: Line) -> Self {
        // A line that is rendered is finished: another one is measured.
        let length = start.clone().bytes(Class::PLAIN).len();
        // A space, and perhaps a sign, go before the letters.
        Self { start, room: LINE.saturating_sub(length + 2), lines: Vec::new() }
    }

    /// Adds a change.
    pub(super) fn push(&mut self, on: bool, letter: char, param: Option<&[u8]>) {
        // The letter with a sign, a space and the parameter.
        let length = 2 + param.map_or(0, |param| param.len() + 1);
        let room = self.room;
        let fits = |told: &&mut Told| told.length + length <= room && told.params.len() < PARAMS;
        let told = match self.lines.last_mut().filter(fits) {
            Some(told) => told,
            None => {
                self.lines.push(Told::default());
                let end = self.lines.len() - 1;
                &mut self.lines[end]
            }
        };
        if told.on != Some(on) {
            told.on = Some(on);
            told.letters.push(if on { '+' } else { '-' });
        }
        told.letters.push(letter);
        told.params.extend(param.map(BString::from));
        told.length =
            told.letters.len() + told.params.iter().map(|param| param.len() + 1).sum::<usize>();
    }

    /// The lines that tell them: none if there are none.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line> {
        self.lines.iter().map(|told| {
            let line = self.start.clone().param(&told.letters);
            told.params.iter().fold(line, Line::param)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Moment;

    #[test]
    fn changes_are_told_in_as_few_lines_as_hold_them() {
        let mut changes = Changes::new(Line::new(Moment::default(), b"a!u@h", "MODE").param("#c"));
        assert_eq!(changes.lines().count(), 0);
        changes.push(true, 'o', Some(b"a"));
        changes.push(true, 'i', None);
        changes.push(false, 'v', Some(b"b"));
        let lines: Vec<_> = changes.lines().collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(&lines[0].bytes(Class::PLAIN)[..], b":a!u@h MODE #c +oi-v a b\r\n");
    }

    #[test]
    fn no_line_is_too_long() {
        for length in 1..200 {
            let start = Line::new(Moment::default(), b"a!u@h", "MODE").param("#c");
            let mut changes = Changes::new(start);
            let param = vec![b'x'; length];
            (0..40).for_each(|at| changes.push(at % 2 == 0, 'b', Some(&param)));
            let mut told = 0;
            for line in changes.lines() {
                let bytes = line.bytes(Class::PLAIN);
                assert!(bytes.len() <= LINE);
                let words: Vec<_> = bytes[..bytes.len() - 2].split(|byte| *byte == b' ').collect();
                assert!(words.len() - 2 <= 15 && words.ends_with(&[&param]), "{length}");
                told += words.len() - 4;
            }
            assert_eq!(told, 40);
        }
    }
}
