//! select(2), on bitmaps that grow with the descriptor numbers.

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::deadline::ask_until;
use super::event::{Event, Events, Interest, Key, Readiness};
use super::table::Table;
use super::waker::Waker;
use super::{Backend, Capabilities, Cost, Poller, Trigger};
use crate::sys;
use crate::sys::select::Word;

/// The three sets of select(2), in its order, with what a bit in them means.
const SETS: [(Interest, Readiness); 3] = [
    (Interest::READABLE, Readiness::READABLE),
    (Interest::WRITABLE, Readiness::WRITABLE),
    (Interest::PRIORITY, Readiness::PRIORITY),
];

/// What select(2) takes on Apple's systems, unless a program is compiled for more.
const APPLE_LIMIT: usize = 1024;

/// Waits with select(2), on every Unix.
///
/// It takes any descriptor number (no FD_SETSIZE; 1,024 on Apple's systems), and costs by the highest
/// one. A hang-up is seen
/// only by who wants to read, an error by who wants to read or to write.
#[derive(Debug)]
pub struct SelectPoller {
    /// What is asked for.
    asked: [Bitmap; 3],
    /// What select(2) leaves of it.
    found: [Vec<Word>; 3],
    /// One above the highest descriptor asked for, or more.
    nfds: usize,
    /// Whose descriptor it is, by number.
    keys: Vec<Option<Key>>,
    table: Table<Watch>,
    /// The descriptor at which the next report begins, so that a full buffer doesn't always favour
    /// the same.
    next: usize,
    /// Descriptors that were found closed, and whose report is due.
    closed: VecDeque<Key>,
    /// Whether those have the room before the ready ones: in turns.
    closed_first: bool,
    waker: Waker,
}

/// What is known of a registered descriptor.
#[derive(Debug)]
struct Watch {
    /// Whether its interest is asked for: not any more if it was found closed.
    asked: bool,
    /// Whether it stands among the closed ones to report.
    listed: bool,
}

/// A set of descriptor numbers.
#[derive(Debug, Default)]
struct Bitmap {
    words: Vec<Word>,
    /// How many bits are set: select(2) needn't look at an empty set.
    len: usize,
}

impl Bitmap {
    fn set(&mut self, number: usize, on: bool) {
        let (word, bit) = place(number);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let was = self.words[word] & bit != 0;
        if on && !was {
            self.words[word] |= bit;
            self.len += 1;
        } else if !on && was {
            self.words[word] &= !bit;
            self.len -= 1;
        }
    }

    fn word(&self, index: usize) -> Word {
        self.words.get(index).copied().unwrap_or(0)
    }
}

/// The word of a descriptor number, and its bit in that.
fn place(number: usize) -> (usize, Word) {
    let bits = Word::BITS as usize;
    (number / bits, 1 << (number % bits))
}

impl SelectPoller {
    /// A poller without descriptors.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE: it needs one descriptor (two where there is no eventfd).
    pub fn new() -> io::Result<Self> {
        let waker = Waker::new()?;
        let mut poller = Self {
            asked: Default::default(),
            found: Default::default(),
            nfds: 0,
            keys: Vec::new(),
            table: Table::new(waker.fd()),
            next: 0,
            closed: VecDeque::new(),
            closed_first: false,
            waker,
        };
        poller.ask(poller.waker.fd(), Interest::READABLE);
        Ok(poller)
    }

    /// Asks for `interest` of `fd` and for nothing else.
    fn ask(&mut self, fd: RawFd, interest: Interest) {
        let number = index(fd);
        for (bitmap, (direction, _)) in self.asked.iter_mut().zip(SETS) {
            bitmap.set(number, interest.contains(direction));
        }
        if !interest.is_empty() {
            self.nfds = self.nfds.max(number + 1);
        }
    }

    /// Lowers `nfds` past the words in which nothing is asked for.
    fn trim(&mut self) {
        let bits = Word::BITS as usize;
        while self.nfds > 0 {
            let word = (self.nfds - 1) / bits;
            let used = self.asked.iter().fold(0, |all, bitmap| all | bitmap.word(word));
            if used != 0 {
                self.nfds = word * bits + bits - used.leading_zeros() as usize;
                return;
            }
            self.nfds = word * bits;
        }
    }

    /// Asks the kernel: the bits that it left stand in `found`; says how many there are.
    fn select(&mut self, millis: i32) -> io::Result<usize> {
        self.trim();
        let words = self.nfds.div_ceil(Word::BITS as usize);
        for (found, asked) in self.found.iter_mut().zip(&self.asked) {
            found.clear();
            if asked.len > 0 {
                let held = asked.words.len().min(words);
                found.extend_from_slice(&asked.words[..held]);
                found.resize(words, 0);
            }
        }
        let sets = self.found.each_mut().map(|set| (!set.is_empty()).then_some(set.as_mut_slice()));
        sys::select::select(RawFd::try_from(self.nfds).unwrap_or(RawFd::MAX), sets, millis)
    }

    /// Appends an event for each descriptor with a bit in `found`, as far as there is room.
    fn report(&mut self, events: &mut Events) {
        let words = self.nfds.div_ceil(Word::BITS as usize);
        let (first, bit) = place(self.next.min(self.nfds));
        self.next = 0;
        // From `next` to the end, then from the start to `next`; its word comes twice, in halves.
        let below = bit - 1;
        let parts = [(first, !below)]
            .into_iter()
            .chain((first + 1..words).map(|word| (word, Word::MAX)))
            .chain((0..first).map(|word| (word, Word::MAX)))
            .chain([(first, below)]);
        for (word, mask) in parts {
            let ready = mask
                & self.found.iter().fold(0, |all, set| all | set.get(word).copied().unwrap_or(0));
            if ready != 0 {
                if let Some(number) = self.report_word(word, ready, events) {
                    self.next = number;
                    return;
                }
            }
        }
    }

    /// Appends an event for each of a word's bits in `ready`; says for which descriptor there was no
    /// room any more.
    // On its own, the loop has all the registers that it needs.
    #[inline(never)]
    fn report_word(&self, word: usize, mut ready: Word, events: &mut Events) -> Option<usize> {
        let found = self.found.each_ref().map(|set| set.get(word).copied().unwrap_or(0));
        let first = word * Word::BITS as usize;
        let keys = self.keys.get(first..).unwrap_or_default();
        while ready != 0 {
            let index = ready.trailing_zeros() as usize;
            ready &= ready - 1;
            let Some(Some(key)) = keys.get(index) else { continue };
            if events.room() == 0 {
                return Some(first + index);
            }
            events.push(Event::new(*key, readiness(found, 1 << index)));
        }
        None
    }

    /// After EBADF: stops asking for the descriptors that are closed, and notes them for a report.
    ///
    /// # Errors
    ///
    /// EBADF if it is the waker's descriptor that is closed: then no wait can succeed any more.
    fn disarm_closed(&mut self) -> io::Result<()> {
        sys::fd::check_open(self.waker.fd())?;
        let mut numbers = Vec::new();
        for entry in self.table.iter_mut() {
            let asked = entry.state.asked && !entry.interest.is_empty();
            if asked && sys::fd::check_open(entry.fd).is_err() {
                entry.state.asked = false;
                numbers.push(entry.fd);
                if !std::mem::replace(&mut entry.state.listed, true) {
                    self.closed.push_back(entry.key);
                }
            }
        }
        numbers.into_iter().for_each(|fd| self.ask(fd, Interest::NONE));
        Ok(())
    }

    /// Reports closed descriptors, as far as there is room.
    fn report_closed(&mut self, events: &mut Events) {
        while events.room() > 0 {
            let Some(key) = self.closed.pop_front() else { return };
            // One that was removed or changed since is another matter.
            let Ok(entry) = self.table.get_mut(key) else { continue };
            entry.state.listed = false;
            if !entry.state.asked && !entry.interest.is_empty() {
                events.push(Event::new(key, Readiness::all(entry.interest) | Readiness::ERROR));
            }
        }
    }

    fn woken(&self) -> bool {
        let (word, bit) = place(index(self.waker.fd()));
        self.found[0].get(word).is_some_and(|word| word & bit != 0)
    }
}

impl Poller for SelectPoller {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        let vacancy = self.table.vacancy(fd, key)?;
        sys::fd::check_open(fd)?;
        let number = vacancy.number;
        if cfg!(target_vendor = "apple") && number >= APPLE_LIMIT {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("add descriptor {fd}: select here takes those below {APPLE_LIMIT}"),
            ));
        }
        self.table.insert(&vacancy, interest, Watch { asked: true, listed: false });
        if self.keys.len() <= number {
            self.keys.resize(number + 1, None);
        }
        self.keys[number] = Some(key);
        self.ask(fd, interest);
        Ok(())
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        let entry = self.table.get_mut(key)?;
        entry.interest = interest;
        entry.state.asked = true;
        let fd = entry.fd;
        self.ask(fd, interest);
        Ok(())
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        let fd = self.table.remove(key)?.fd;
        self.keys[index(fd)] = None;
        self.ask(fd, Interest::NONE);
        Ok(())
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        if events.room() == 0 {
            return Ok(());
        }
        let before = events.len();
        ask_until(timeout, |millis| {
            let count = loop {
                // With something to report already, the kernel is only asked.
                match self.select(if self.closed.is_empty() { millis } else { 0 }) {
                    Err(error) if error.raw_os_error() == Some(libc::EBADF) => {
                        self.disarm_closed()?;
                    }
                    answer => break answer?,
                }
            };
            let woken = count > 0 && self.woken();
            if woken {
                self.waker.reset();
            }
            self.closed_first = !self.closed_first;
            if self.closed_first {
                self.report_closed(events);
            }
            if count > 0 {
                self.report(events);
            }
            self.report_closed(events);
            Ok(woken || events.len() > before)
        })
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            backend: Backend::Select,
            trigger: Trigger::Level,
            sees_close: false,
            has_fd: false,
            cost: Cost::HighestFd,
        }
    }
}

/// What a word of each set says of `bit`.
#[inline]
fn readiness(found: [Word; 3], bit: Word) -> Readiness {
    if (found[1] | found[2]) & bit == 0 {
        // So it is nearly always: there is something to read.
        return Readiness::READABLE;
    }
    found
        .into_iter()
        .zip(SETS)
        .filter(|(word, _)| word & bit != 0)
        .fold(Readiness::default(), |all, (_, (_, meaning))| all | meaning)
}

/// The place of a descriptor number that was found to be open, and so isn't negative.
fn index(fd: RawFd) -> usize {
    usize::try_from(fd).unwrap_or(0)
}
