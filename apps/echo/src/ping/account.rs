//! Which messages are out, and what became of the others.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many of the last messages it knows: so many may be out, and later answers can't be told apart.
const KNOWN: usize = 65_536;

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The first one, after so long.
    InTime(Duration),
    /// The first one, after so long, to a message that was given up.
    Late(Duration),
    /// One more.
    Duplicate,
    /// To a message so old that nothing is known of it any more.
    Old,
    /// To a message that never was.
    Unasked,
}

/// How many messages there were of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) answered: u64,
    /// Given up.
    pub(super) lost: u64,
    /// Those of the lost that still came.
    pub(super) late: u64,
    pub(super) duplicates: u64,
}

#[derive(Clone, Copy)]
enum State {
    /// Since it was sent.
    Out(Instant),
    Answered,
    /// Sent then, and given up.
    Lost(Instant),
}

/// The messages by their numbers, which count from 1. It takes the time as an argument, and does
/// nothing itself.
pub(super) struct Account {
    timeout: Duration,
    /// The last messages, the newest at the back.
    known: VecDeque<State>,
    /// How many at the front of them are no longer out.
    settled: usize,
    tally: Tally,
}

impl Account {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, known: VecDeque::new(), settled: 0, tally: Tally::default() }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// How many messages are out.
    pub(super) fn out(&self) -> u64 {
        self.tally.sent - self.tally.answered - self.tally.lost
    }

    /// The number of the next message; `None` while too many are out.
    pub(super) fn next(&self) -> Option<u64> {
        let full = self.known.len() == KNOWN && self.settled == 0;
        (!full).then_some(self.tally.sent + 1)
    }

    /// The [next](Self::next) message was sent.
    pub(super) fn send(&mut self, now: Instant) {
        if self.known.len() == KNOWN {
            self.known.pop_front();
            self.settled = self.settled.saturating_sub(1);
        }
        self.known.push_back(State::Out(now));
        self.tally.sent += 1;
    }

    /// Takes an answer to message `number` into account.
    pub(super) fn answered(&mut self, number: u64, now: Instant) -> Answer {
        if number == 0 || number > self.tally.sent {
            return Answer::Unasked;
        }
        let newer = self.tally.sent - number;
        let place =
            usize::try_from(newer).ok().and_then(|newer| self.known.len().checked_sub(newer + 1));
        let Some(place) = place else { return Answer::Old };
        let state = std::mem::replace(&mut self.known[place], State::Answered);
        let answer = match state {
            State::Out(sent) => {
                self.tally.answered += 1;
                Answer::InTime(now.saturating_duration_since(sent))
            }
            State::Lost(sent) => {
                self.tally.late += 1;
                Answer::Late(now.saturating_duration_since(sent))
            }
            State::Answered => {
                self.tally.duplicates += 1;
                Answer::Duplicate
            }
        };
        self.pass_settled();
        answer
    }

    /// When the oldest message that is out will be given up.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.known.get(self.settled)? {
            State::Out(sent) => Some(*sent + self.timeout),
            State::Answered | State::Lost(_) => None,
        }
    }

    /// Gives up the oldest message that is out, if its time is over, and says its number.
    pub(super) fn give_up(&mut self, now: Instant) -> Option<u64> {
        let State::Out(sent) = *self.known.get(self.settled)? else { return None };
        if sent + self.timeout > now {
            return None;
        }
        let newer = (self.known.len() - 1 - self.settled) as u64;
        self.known[self.settled] = State::Lost(sent);
        self.tally.lost += 1;
        self.pass_settled();
        Some(self.tally.sent - newer)
    }

    fn pass_settled(&mut self) {
        while let Some(State::Answered | State::Lost(_)) = self.known.get(self.settled) {
            self.settled += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn send(account: &mut Account, now: Instant) -> Option<u64> {
        let number = account.next()?;
        account.send(now);
        Some(number)
    }

    #[test]
    fn answers_are_told_apart() {
        let start = Instant::now();
        let mut account = Account::new(SECOND);
        assert_eq!((account.due(), account.give_up(start + SECOND)), (None, None));
        for number in 1..=4 {
            assert_eq!(send(&mut account, start + number as u32 * SECOND / 10), Some(number));
        }
        let now = start + SECOND;
        assert_eq!(account.answered(3, now), Answer::InTime(SECOND * 7 / 10));
        assert_eq!(account.answered(3, now), Answer::Duplicate);
        assert_eq!(account.answered(0, now), Answer::Unasked);
        assert_eq!(account.answered(5, now), Answer::Unasked);
        assert_eq!(account.answered(u64::MAX, now), Answer::Unasked);
        assert_eq!((account.out(), account.give_up(now)), (3, None));

        let now = account.due().unwrap();
        assert_eq!(now, start + SECOND * 11 / 10);
        assert_eq!((account.give_up(now), account.give_up(now)), (Some(1), None));
        assert_eq!(account.answered(1, now), Answer::Late(SECOND));
        assert_eq!(account.answered(1, now), Answer::Duplicate);

        let now = start + 2 * SECOND;
        assert_eq!(account.give_up(now), Some(2));
        assert_eq!(account.give_up(now), Some(4), "the one between them has its answer");
        assert_eq!((account.give_up(now), account.due(), account.out()), (None, None, 0));
        let tally = Tally { sent: 4, answered: 1, lost: 3, late: 1, duplicates: 2 };
        assert_eq!(account.tally(), tally);
    }

    #[test]
    fn it_knows_no_more_than_it_may() {
        let now = Instant::now();
        let mut account = Account::new(SECOND);
        for number in 1..=KNOWN as u64 {
            assert_eq!(send(&mut account, now), Some(number));
        }
        assert_eq!(send(&mut account, now), None, "all of them are out");
        assert_eq!(account.answered(2, now), Answer::InTime(Duration::ZERO));
        assert_eq!(send(&mut account, now), None, "the oldest is still out");
        account.answered(1, now);
        let next = KNOWN as u64 + 1;
        assert_eq!(
            (send(&mut account, now), send(&mut account, now)),
            (Some(next), Some(next + 1))
        );
        assert_eq!(send(&mut account, now), None);
        assert_eq!(account.answered(1, now), Answer::Old);
        assert_eq!(account.answered(2, now), Answer::Old);
        assert_eq!(account.give_up(now + SECOND), Some(3));
        assert_eq!(account.answered(next + 1, now), Answer::InTime(Duration::ZERO));
    }
}
