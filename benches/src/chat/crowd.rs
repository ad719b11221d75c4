//! The handler: clients who register, join, and talk.

use std::time::Duration;

use anyhow::anyhow;
use bstr::{BStr, ByteSlice as _};
use reactor::{
    CloseReason, ConnId, ConnMap, ConnectError, ConnectOptions, Context, Handler, Input, Sent,
    Signal, SocketOptions,
};

use super::line::Line;
use super::messages::{self, CHANNEL, Messages};
use super::names::Names;
use super::plan::{Fanout, Target};
use super::stuck::Stuck;
use crate::load::clock::Clock;
use crate::load::ramp::{self, Ramp};
use crate::load::tally::Tally;

/// Joins that are asked for and not yet answered, at most.
const JOINS: usize = 64;
/// A server whose backlog is full has a connect try again after 1, 3, 7, 15 and 31 seconds.
const CONNECT: Duration = Duration::from_secs(60);
/// The longest line: 512 bytes, and tags (IRCv3, message-tags).
const LONGEST: usize = 512 + 8191;
/// The receive buffer of who never reads.
const STUCK_BUFFER: usize = 4096;

/// How far a client has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Registering,
    Registered,
    Joining,
    Joined,
}

struct Member {
    number: usize,
    stage: Stage,
}

/// All clients of a load.
pub(super) struct Crowd {
    target: Target,
    clock: Clock,
    names: Names,
    registering: Ramp,
    joining: Ramp,
    members: ConnMap<Member>,
    /// By their numbers.
    conns: Vec<ConnId>,
    pub(super) messages: Messages,
    pub(super) stuck: Stuck,
    /// Up to when messages are begun.
    until: u64,
    pub(super) tally: Tally,
}

impl Crowd {
    /// Of so many who register, and that is all.
    pub(super) fn of(target: &Target, clients: usize) -> Self {
        Self {
            target: *target,
            clock: Clock,
            names: Names::new(std::process::id(), clients),
            registering: Ramp::at_a_time(clients, target.connects.get()),
            joining: Ramp::at_a_time(0, JOINS),
            members: ConnMap::new(),
            conns: Vec::with_capacity(clients),
            messages: Messages::new(1, 0, 0, 0),
            stuck: Stuck::new(clients, 0),
            until: 0,
            tally: Tally::new(),
        }
    }

    /// Of those who talk.
    pub(super) fn talking(target: &Target, fanout: &Fanout) -> Self {
        let Fanout { members, senders, outstanding, size, stuck, .. } = *fanout;
        let members = members.get();
        Self {
            joining: Ramp::at_a_time(fanout.all(), JOINS),
            messages: Messages::new(members, senders.get(), outstanding.get(), size),
            stuck: Stuck::new(members, stuck),
            ..Self::of(target, fanout.all())
        }
    }

    /// Connects as many more as may be.
    pub(super) fn connect(&mut self, ctx: &mut Context<'_>) {
        while let Some(number) = self.registering.next() {
            let mut options = ConnectOptions::default().timeout(CONNECT).attempt_timeout(CONNECT);
            if let Some(source) = ramp::source(self.target.server, ramp::place(number)) {
                options = options.source(source);
            }
            if self.stuck.has(number) {
                options = options.socket(SocketOptions::default().receive_buffer(STUCK_BUFFER));
            }
            let conn = ctx.connect(self.target.server, &options);
            self.members.insert(conn, Member { number, stage: Stage::Registering });
            self.conns.push(conn);
        }
    }

    /// Has as many more join as may be.
    pub(super) fn join(&mut self, ctx: &mut Context<'_>) {
        while let Some(number) = self.joining.next() {
            let conn = self.conns[number];
            if let Some(member) = self.members.get_mut(conn) {
                member.stage = Stage::Joining;
                say(ctx, conn, format!("JOIN {CHANNEL}\r\n").as_bytes());
            }
        }
    }

    /// Begins to talk, up to a time of the clock.
    pub(super) fn talk(&mut self, ctx: &mut Context<'_>, until: u64) {
        self.until = until;
        for slot in 0..self.messages.slots() {
            let now = self.clock.now();
            self.begin(ctx, slot, now);
        }
    }

    #[inline]
    fn begin(&mut self, ctx: &mut Context<'_>, slot: usize, now: u64) {
        if now < self.until {
            let (sender, command) = self.messages.begin(slot, now);
            say(ctx, self.conns[sender], command);
        }
    }

    pub(super) fn registered(&self) -> usize {
        self.registering.greeted()
    }

    pub(super) fn joined(&self) -> usize {
        self.joining.greeted()
    }

    pub(super) fn all(&self) -> usize {
        self.registering.total()
    }

    /// The message that has been under way for longer than the patience, in words.
    pub(super) fn overdue(&self) -> Option<anyhow::Error> {
        let patience = self.target.patience;
        let since = self.clock.now().saturating_sub(crate::load::nanos(patience));
        let overdue = self.messages.overdue(since)?;
        let (sender, first) = (self.names.of(overdue.sender), self.names.of(overdue.first));
        Some(anyhow!("{overdue} after {patience:?}: {first} lacks it, which {sender} has sent"))
    }

    /// A message is complete: the next one.
    fn complete(&mut self, ctx: &mut Context<'_>, slot: usize) {
        let now = self.clock.now();
        self.tally.messages += 1;
        self.tally.latency.record(now.saturating_sub(self.messages.sent(slot)));
        self.begin(ctx, slot, now);
    }

    #[cold]
    fn fail(&mut self, ctx: &mut Context<'_>, member: usize, why: anyhow::Error) {
        let all = self.all();
        let name = self.names.of(member);
        self.tally.fail(ctx, why.context(format!("{name}, client {} of {all}", member + 1)));
    }

    /// A connection has ended.
    #[cold]
    fn lost(&mut self, ctx: &mut Context<'_>, conn: ConnId, why: anyhow::Error) {
        let Some(Member { number, .. }) = self.members.remove(conn) else { return };
        if self.stuck.has(number) {
            self.stuck.drop(number, self.clock.now());
        } else {
            self.fail(ctx, number, why);
        }
    }

    /// A line that isn't that of a message, or not quite.
    fn line(&mut self, ctx: &mut Context<'_>, conn: ConnId, bytes: &[u8]) {
        let Some(member) = self.members.get_mut(conn) else { return };
        let number = member.number;
        let line = Line::parse(bytes);
        match (line.command, line.numeric()) {
            (b"PRIVMSG", _) => self.said(ctx, number, &line),
            (b"PING", _) => {
                say(ctx, conn, &[b"PONG :", line.param(0), b"\r\n"].concat());
            }
            (b"JOIN", _) => {
                if let Some(who) = self.names.number(line.nick()) {
                    if who == number {
                        self.messages.learn(who, line.source);
                    }
                }
            }
            (b"QUIT" | b"KICK" | b"PART", _) => self.left(ctx, &line),
            (b"ERROR", _) => {
                self.fail(ctx, number, anyhow!("the server says {:?}", BStr::new(bytes)));
            }
            // The end of the message of the day, or that there is none.
            (_, Some(376 | 422)) if member.stage == Stage::Registering => {
                member.stage = Stage::Registered;
                self.registering.greeted_one();
                self.connect(ctx);
            }
            // The end of the names on the channel.
            (_, Some(366)) if member.stage == Stage::Joining => {
                member.stage = Stage::Joined;
                self.joining.greeted_one();
                if self.stuck.has(number) {
                    ctx.pause(conn);
                }
                self.join(ctx);
            }
            (_, Some(400..=599)) if line.numeric() != Some(422) => {
                self.fail(ctx, number, anyhow!("the server says {:?}", BStr::new(bytes)));
            }
            _ => {}
        }
    }

    /// Somebody has said something; what isn't said on our channel by one of ours is no matter.
    fn said(&mut self, ctx: &mut Context<'_>, number: usize, line: &Line<'_>) {
        let Some(sender) = self.names.number(line.nick()) else { return };
        if !line.param(0).eq_ignore_ascii_case(CHANNEL.as_bytes()) || self.stuck.has(number) {
            return;
        }
        match self.messages.examine(number, sender, line.source, line.param(1)) {
            Ok(None) => {}
            Ok(Some(slot)) => self.complete(ctx, slot),
            Err(wrong) => self.fail(ctx, number, wrong),
        }
    }

    /// Somebody is no longer there.
    fn left(&mut self, ctx: &mut Context<'_>, line: &Line<'_>) {
        let who = if line.command == b"KICK" { line.param(1) } else { line.nick() };
        match self.names.number(who) {
            Some(who) if self.stuck.has(who) => self.stuck.drop(who, self.clock.now()),
            Some(who) => {
                let command = BStr::new(line.command);
                let why = BStr::new(line.params().last().unwrap_or_default());
                let failure = anyhow!("the server has it gone by {command}: {why:?}");
                self.fail(ctx, who, failure);
            }
            None => {}
        }
    }
}

/// What is refused is lost with its connection, whose end is about to be told.
#[inline]
fn say(ctx: &mut Context<'_>, conn: ConnId, bytes: &[u8]) {
    let _: Sent = ctx.send(conn, bytes);
}

impl Handler for Crowd {
    type Message = ();

    fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        if let Some(member) = self.members.get(conn) {
            let nick = self.names.of(member.number);
            say(ctx, conn, format!("NICK {nick}\r\nUSER load 0 * :load\r\n").as_bytes());
        }
    }

    fn connect_failed(&mut self, ctx: &mut Context<'_>, conn: ConnId, error: ConnectError) {
        if let Some(Member { number, .. }) = self.members.remove(conn) {
            self.fail(ctx, number, anyhow!("{error}"));
        }
    }

    #[inline]
    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        let Some(&Member { number, .. }) = self.members.get(conn) else { return };
        // Mostly whole lines come.
        let end = match input.last() {
            Some(b'\n') => input.len(),
            _ => input.rfind_byte(b'\n').map_or(0, |at| at + 1),
        };
        if end == 0 && input.len() > LONGEST {
            let failure = anyhow!("a line of more than {LONGEST} bytes came");
            return self.fail(ctx, number, failure);
        }
        let mut lines = input.take_first(end);
        while !lines.is_empty() {
            match self.messages.deliver(number, lines) {
                messages::Line::Delivered(length) => lines = &lines[length..],
                messages::Line::Completed { length, slot } => {
                    lines = &lines[length..];
                    self.complete(ctx, slot);
                }
                messages::Line::Other => {
                    let end = lines.find_byte(b'\n').map_or(lines.len(), |at| at + 1);
                    let (line, rest) = lines.split_at(end);
                    lines = rest;
                    self.line(ctx, conn, line.trim_end_with(|c| matches!(c, '\r' | '\n')));
                }
            }
        }
    }

    fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        self.lost(ctx, conn, anyhow!("the server closed the connection"));
        ctx.close(conn);
    }

    fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        match reason {
            CloseReason::Stopped { .. } => {}
            reason => self.lost(ctx, conn, anyhow!("its connection was lost: {reason}")),
        }
    }

    fn signal(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        self.tally.interrupt(ctx, signal);
    }
}
