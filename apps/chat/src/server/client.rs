//! What the server knows of a connection: its lines, how fast they come, and when the last one came.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use reactor::codec::Lines;
use reactor::{Input, TimerId};

use crate::config::Limits;
use crate::flood::Allowance;
use crate::message::{CLIENT_TAGS, LINE};
use crate::state::UserId;

/// Bytes of the longest line that is looked at, without its end.
const LONGEST: usize = CLIENT_TAGS + LINE - 2;

/// A connection.
pub(super) struct Client {
    pub(super) user: UserId,
    /// The address for which it counts, if it does.
    pub(super) counted: Option<IpAddr>,
    /// When to look whether it is still there, and whether it has registered.
    pub(super) watch: TimerId,
    /// When it is read from again.
    pub(super) held: Option<TimerId>,
    /// Its password is being compared: what it says next comes after the answer.
    pub(super) checking: bool,
    pub(super) allowance: Allowance,
    lines: Lines,
    /// Within a line that is too long, and was refused already.
    skipping: bool,
    since: Instant,
    /// When it last said anything.
    heard: Instant,
    /// It was asked whether it is there, and hasn't said anything since.
    asked: bool,
}

/// What is next in a client's bytes.
pub(super) enum Next<'a> {
    Line(&'a [u8]),
    /// A line that is too long for anything; its bytes are dropped.
    TooLong,
    /// Nothing that has an end yet.
    Nothing,
}

/// What a client's silence means.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Silence {
    /// Nothing, until so much later.
    Bearable(Duration),
    /// It has to be asked whether it is there; and what it says by so much later is looked at.
    Asked(Duration),
    /// It is over, with this reason.
    Over(String),
}

impl Client {
    pub(super) fn new(user: UserId, counted: Option<IpAddr>, watch: TimerId, now: Instant) -> Self {
        Self {
            user,
            counted,
            watch,
            held: None,
            checking: false,
            allowance: Allowance::new(now),
            lines: Lines::new(LONGEST),
            skipping: false,
            since: now,
            heard: now,
            asked: false,
        }
    }

    /// It has said something.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = false;
    }

    /// Takes the next line.
    pub(super) fn next<'a>(&mut self, input: &mut Input<'a>) -> Next<'a> {
        if self.skipping {
            let end = input.iter().position(|byte| *byte == b'\n');
            input.take_first(end.map_or(input.len(), |at| at + 1));
            self.skipping = end.is_none();
            if self.skipping {
                return Next::Nothing;
            }
        }
        match self.lines.next(input) {
            Ok(Some(line)) => Next::Line(line),
            Ok(None) => Next::Nothing,
            Err(_) => {
                self.lines = Lines::new(LONGEST);
                self.skipping = true;
                Next::TooLong
            }
        }
    }

    /// Looks whether the client has registered in time, and whether it is there.
    pub(super) fn silence(&mut self, now: Instant, registered: bool, limits: &Limits) -> Silence {
        let seconds = Duration::from_secs;
        if !registered {
            let left = seconds(limits.registration_seconds).saturating_sub(now - self.since);
            return match left {
                Duration::ZERO => Silence::Over("Registration timed out".into()),
                left => Silence::Bearable(left),
            };
        }
        let silent = now - self.heard;
        let (ping, drop) = (seconds(limits.ping_seconds), seconds(limits.drop_seconds));
        if silent >= drop {
            Silence::Over(format!("Ping timeout: {} seconds", silent.as_secs()))
        } else if silent < ping {
            Silence::Bearable(ping - silent)
        } else if self.asked {
            Silence::Bearable(drop - silent)
        } else {
            self.asked = true;
            Silence::Asked(drop - silent)
        }
    }
}
