//! The messages that are under way, and who has them. It knows nothing of sockets.

use std::fmt;
use std::ops::RangeInclusive;

use anyhow::{anyhow, bail};

/// Where all meet.
pub(super) const CHANNEL: &str = "#load";

/// How many bytes a message's text may have: its slot and number must have room, and a line that the
/// longest source goes before ends at 512 (RFC 1459, section 2.3).
pub const SIZES: RangeInclusive<usize> = MARK + DIGITS..=350;

/// Bytes that name the slot, six bits each.
const MARK: usize = 2;
/// Hexadecimal digits of the message's number.
const DIGITS: usize = 8;
/// Messages that can be under way.
pub(super) const SLOTS: usize = 1 << (6 * MARK);
/// Six bits are a character from here on: none of them means anything in a text.
const FIRST: u8 = b'0';

/// All messages that are under way: the one with number *n* is in slot *n* mod slots, and it is sender
/// *n* mod senders who says it.
pub(super) struct Messages {
    slots: Vec<Slot>,
    members: usize,
    size: usize,
    /// As the server presents them.
    sources: Vec<Vec<u8>>,
    /// Where the text begins in the lines of the first sender, and mostly of all.
    text_at: usize,
    /// The number of the last message that each member has had of each slot: a row for a member.
    seen: Vec<u32>,
    /// Slots with a message that somebody has yet to get.
    pub(super) under_way: usize,
}

/// A place for one message after the other.
struct Slot {
    number: u32,
    sender: usize,
    /// Members who don't have it.
    missing: usize,
    sent: u64,
    /// The line that each of them is to get.
    line: Vec<u8>,
    /// Where the sender's command begins in it, and where the text does.
    command_at: usize,
    text_at: usize,
}

impl Slot {
    fn text(&self) -> &[u8] {
        self.line.get(self.text_at..self.line.len() - 2).unwrap_or_default()
    }
}

/// What one line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The line of a message, of so many bytes.
    Delivered(usize),
    /// The same, and it was the last that was missing.
    Completed { length: usize, slot: usize },
    /// Something else, or not at the usual place.
    Other,
}

impl Messages {
    pub(super) fn new(members: usize, senders: usize, slots: usize, size: usize) -> Self {
        let slot = |number| Slot {
            number: number as u32,
            sender: 0,
            missing: 0,
            sent: 0,
            line: Vec::new(),
            command_at: 0,
            text_at: 0,
        };
        Self {
            slots: (0..slots.min(SLOTS)).map(slot).collect(),
            members,
            size,
            sources: vec![Vec::new(); senders],
            text_at: usize::MAX - MARK,
            seen: vec![0; members * slots],
            under_way: 0,
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// How many members each message goes to.
    pub(super) fn receivers(&self) -> usize {
        self.members - 1
    }

    /// The server presents a member so.
    pub(super) fn learn(&mut self, member: usize, source: &[u8]) {
        if let Some(known) = self.sources.get_mut(member) {
            known.clear();
            known.extend_from_slice(source);
            if member == 0 {
                self.text_at = text_at(source);
            }
        }
    }

    /// Puts the next message into a slot: who is to say it, and the command for that.
    pub(super) fn begin(&mut self, place: usize, now: u64) -> (usize, &[u8]) {
        let slots = self.slots.len();
        let slot = &mut self.slots[place];
        slot.number = slot.number.wrapping_add(slots as u32);
        slot.sender = slot.number as usize % self.sources.len();
        slot.missing = self.members - 1;
        slot.sent = now;
        let source = &self.sources[slot.sender];
        slot.line.clear();
        slot.line.push(b':');
        slot.line.extend_from_slice(source);
        slot.line.push(b' ');
        slot.command_at = slot.line.len();
        slot.line.extend_from_slice(b"PRIVMSG ");
        slot.line.extend_from_slice(CHANNEL.as_bytes());
        slot.line.extend_from_slice(b" :");
        slot.text_at = slot.line.len();
        write_text(&mut slot.line, place, slot.number, self.size);
        slot.line.extend_from_slice(b"\r\n");
        // So that its sender isn't counted, should the server send it back.
        self.seen[slot.sender * slots + place] = slot.number;
        self.under_way += 1;
        let slot = &self.slots[place];
        (slot.sender, &slot.line[slot.command_at..])
    }

    /// Counts the line that `lines` begin with, if it is one of a message, at the usual place.
    #[inline]
    pub(super) fn deliver(&mut self, member: usize, lines: &[u8]) -> Line {
        let Some(mark) = lines.get(self.text_at..self.text_at + MARK) else { return Line::Other };
        let place = slot_of(mark);
        let slots = self.slots.len();
        let Some(slot) = self.slots.get_mut(place) else { return Line::Other };
        if slot.line.is_empty() || !lines.starts_with(&slot.line) {
            return Line::Other;
        }
        let Some(seen) = self.seen.get_mut(member * slots + place) else { return Line::Other };
        if *seen == slot.number {
            return Line::Other;
        }
        *seen = slot.number;
        slot.missing -= 1;
        let length = slot.line.len();
        if slot.missing > 0 {
            return Line::Delivered(length);
        }
        self.under_way -= 1;
        Line::Completed { length, slot: place }
    }

    /// The same of a line on the channel that is at another place, or wrong: from whom it is said to be,
    /// and its text. Gives the slot that it completes.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    #[cold]
    pub(super) fn examine(
        &mut self,
        member: usize,
        sender: usize,
        source: &[u8],
        text: &[u8],
    ) -> anyhow::Result<Option<usize>> {
        let slots = self.slots.len();
        let place = text.get(..MARK).map_or(slots, slot_of);
        // One that came before, where the next one is under way already.
        let last = self.seen.get(member * slots + place).copied().filter(|_| place < slots);
        if let Some(last) = last.filter(|last| *last != self.slots[place].number) {
            let mut before = Vec::new();
            write_text(&mut before, place, last, self.size);
            if text == before {
                bail!("message {last} came twice");
            }
        }
        let said =
            self.slots.get(place).filter(|slot| !slot.line.is_empty() && slot.sender == sender);
        let Some(slot) = said else { bail!("nobody has said {:?}", bstr::BStr::new(text)) };
        let number = slot.number;
        if text != slot.text() {
            return Err(
                anyhow!("{}", difference(slot.text(), text)).context(format!("message {number}"))
            );
        }
        if self.seen[member * slots + place] == number {
            let to_itself = member == sender;
            let what = if to_itself { "came back to its sender" } else { "came twice" };
            bail!("message {number} {what}");
        }
        self.learn(sender, source);
        self.seen[member * slots + place] = number;
        let slot = &mut self.slots[place];
        slot.missing -= 1;
        let is_complete = slot.missing == 0;
        self.under_way -= usize::from(is_complete);
        Ok(is_complete.then_some(place))
    }

    /// When the message of a slot was sent.
    pub(super) fn sent(&self, slot: usize) -> u64 {
        self.slots[slot].sent
    }

    /// Lines that have come of messages that aren't complete.
    pub(super) fn incomplete(&self) -> usize {
        let pending = self.slots.iter().filter(|slot| slot.missing > 0);
        pending.map(|slot| self.receivers() - slot.missing).sum()
    }

    /// A message that was sent before `time` and is still under way.
    pub(super) fn overdue(&self, time: u64) -> Option<Overdue> {
        let place = self.slots.iter().position(|slot| slot.missing > 0 && slot.sent < time)?;
        let slot = &self.slots[place];
        let row = |member: usize| self.seen.get(member * self.slots.len() + place);
        let first = (0..self.members).find(|&member| row(member) != Some(&slot.number))?;
        Some(Overdue {
            number: slot.number,
            sender: slot.sender,
            reached: self.receivers() - slot.missing,
            receivers: self.receivers(),
            first,
        })
    }
}

/// A message that has been under way for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overdue {
    number: u32,
    pub(super) sender: usize,
    reached: usize,
    receivers: usize,
    /// The first member who doesn't have it.
    pub(super) first: usize,
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, reached, receivers, .. } = self;
        write!(f, "message {number} has reached {reached} of {receivers} members")
    }
}

/// Where the text begins in a line from `source`.
fn text_at(source: &[u8]) -> usize {
    ": ".len() + source.len() + "PRIVMSG ".len() + CHANNEL.len() + " :".len()
}

/// The slot that a text names; perhaps one that isn't there.
#[inline]
fn slot_of(mark: &[u8]) -> usize {
    mark.iter().rev().fold(0, |slot, byte| slot << 6 | usize::from(byte.wrapping_sub(FIRST)))
}

/// The slot, the number, and letters that differ from message to message.
fn write_text(line: &mut Vec<u8>, slot: usize, number: u32, size: usize) {
    let end = line.len() + size;
    line.extend((0..MARK).map(|place| FIRST + (slot >> (6 * place) & 63) as u8));
    line.extend(
        (0..DIGITS).rev().map(|place| b"0123456789abcdef"[(number >> (4 * place) & 15) as usize]),
    );
    let first = number % 26;
    let letters = (b'a'..=b'z').cycle().skip(first as usize);
    line.extend(letters.take(end.saturating_sub(line.len())));
}

fn difference(sent: &[u8], came: &[u8]) -> String {
    match sent.iter().zip(came).position(|(sent, came)| sent != came) {
        Some(at) => {
            let (sent, came) = (char::from(sent[at]), char::from(came[at]));
            format!("byte {at} of its text came as {came:?} instead of {sent:?}")
        }
        None => format!("its text came with {} bytes instead of {}", came.len(), sent.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &[u8] = b"aa00000!~load@127.0.0.1";

    fn messages(members: usize, senders: usize, slots: usize) -> Messages {
        let mut messages = Messages::new(members, senders, slots, 64);
        for sender in 0..senders {
            messages.learn(sender, SOURCE);
        }
        messages
    }

    /// Has the next message said in a slot: the line that comes of it.
    fn say(messages: &mut Messages, slot: usize) -> Vec<u8> {
        let (_, command) = messages.begin(slot, 5);
        [b":", SOURCE, b" ", command].concat()
    }

    #[test]
    fn a_message_is_complete_when_all_others_have_it() {
        let mut messages = messages(4, 1, 2);
        for slot in [0, 1, 0, 1] {
            let line = say(&mut messages, slot);
            let length = line.len();
            assert_eq!(messages.deliver(1, &line), Line::Delivered(length));
            assert_eq!((messages.under_way, messages.incomplete()), (1, 1));
            assert_eq!(
                messages.deliver(3, &[&line[..], b":and more"].concat()),
                Line::Delivered(length)
            );
            assert_eq!(messages.deliver(2, &line), Line::Completed { length, slot });
            assert_eq!((messages.under_way, messages.incomplete()), (0, 0));
        }
    }

    #[test]
    fn a_line_that_comes_twice_is_known_when_the_next_is_under_way() {
        let mut messages = messages(2, 1, 1);
        let line = say(&mut messages, 0);
        assert!(matches!(messages.deliver(1, &line), Line::Completed { .. }));
        say(&mut messages, 0);
        let text = &line[messages.text_at..line.len() - 2];
        let error = messages.examine(1, 0, SOURCE, text).expect_err("it came twice");
        assert_eq!(error.to_string(), "message 1 came twice");
    }

    #[test]
    fn every_slot_is_known_by_its_text() {
        let mut messages = messages(2, 2, SLOTS);
        for slot in 0..SLOTS {
            let line = say(&mut messages, slot);
            assert!(line.is_ascii() && line.iter().filter(|byte| **byte < b' ').count() == 2);
            let receiver = (slot + 1) % 2;
            assert_eq!(
                messages.deliver(receiver, &line),
                Line::Completed { length: line.len(), slot }
            );
        }
    }

    #[test]
    fn senders_take_turns() {
        let mut few = messages(5, 3, 1);
        let said: Vec<_> = (0..6).map(|_| few.begin(0, 0).0).collect();
        assert_eq!(said, [1, 2, 0, 1, 2, 0]);
        let mut own = messages(5, 2, 4);
        for (slot, sender) in [(0, 0), (1, 1), (2, 0), (3, 1), (1, 1)] {
            assert_eq!(own.begin(slot, 0).0, sender);
        }
    }

    #[test]
    fn what_comes_twice_or_back_is_wrong() {
        let mut messages = messages(3, 1, 1);
        let line = say(&mut messages, 0);
        let text = &line[line.len() - 66..line.len() - 2];
        assert_eq!(messages.deliver(0, &line), Line::Other);
        let error = messages.examine(0, 0, SOURCE, text).unwrap_err();
        assert_eq!(error.to_string(), "message 1 came back to its sender");
        assert_eq!(messages.deliver(1, &line), Line::Delivered(line.len()));
        assert_eq!(messages.deliver(1, &line), Line::Other);
        let error = messages.examine(1, 0, SOURCE, text).unwrap_err();
        assert_eq!(error.to_string(), "message 1 came twice");
    }

    #[test]
    fn each_wrong_byte_is_found() {
        let mut messages = messages(3, 1, 1);
        let line = say(&mut messages, 0);
        let begin = line.len() - 66;
        for at in begin..line.len() - 2 {
            let mut wrong = line.clone();
            wrong[at] ^= 1;
            assert_eq!(messages.deliver(1, &wrong), Line::Other);
            let error = messages.examine(1, 0, SOURCE, &wrong[begin..line.len() - 2]).unwrap_err();
            let error = format!("{error:#}");
            let byte = format!("message 1: byte {} of its text came as", at - begin);
            assert!(error.starts_with(&byte) || error.starts_with("nobody has said"), "{error}");
        }
        let error = messages.examine(1, 0, SOURCE, &line[begin..line.len() - 3]).unwrap_err();
        assert_eq!(format!("{error:#}"), "message 1: its text came with 63 bytes instead of 64");
    }

    #[test]
    fn a_line_from_elsewhere_counts_by_its_text() {
        let mut messages = messages(3, 1, 1);
        let line = say(&mut messages, 0);
        let text = line[line.len() - 66..line.len() - 2].to_vec();
        let other = b"aa00000!~load@a.host.elsewhere";
        assert_eq!(messages.examine(1, 0, other, &text).unwrap(), None);
        assert_eq!(messages.examine(2, 0, other, &text).unwrap(), Some(0));
        let (_, command) = messages.begin(0, 0);
        let line = [&b":"[..], other, b" ", command].concat();
        assert_eq!(messages.deliver(1, &line), Line::Delivered(line.len()));
    }

    #[test]
    fn who_lacks_a_message_is_named() {
        let mut messages = messages(4, 1, 1);
        let line = say(&mut messages, 0);
        messages.deliver(1, &line);
        messages.deliver(3, &line);
        assert_eq!(messages.overdue(5), None);
        let overdue = messages.overdue(6).unwrap();
        assert_eq!((overdue.first, overdue.sender), (2, 0));
        assert_eq!(overdue.to_string(), "message 1 has reached 2 of 3 members");
    }
}
