//! The handler of all loads whose connections stay.

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::anyhow;
use reactor::{
    CloseReason, ConnId, ConnMap, ConnectError, ConnectOptions, Context, Handler, Input, RawId,
    Readiness, Sent, Signal, SocketOptions, TimerId,
};

use super::clock::Clock;
use super::connection::{Connection, Part};
use super::course::{Command, Load, Still};
use super::metronome::Metronome;
use super::pace::Pace;
use super::pattern::Pattern;
use super::plan::{Mode, Plan};
use super::ramp::{self, Ramp};
use super::rota::Rota;
use super::tally::Tally;

/// From this length on a message is queued as it is, and not copied, if the socket doesn't take it.
const SHARED: usize = 16 * 1024;
/// Bytes that a connection sends at once if it may send as much as goes: it must read, too.
const BURST: usize = 1024 * 1024;
/// How often a slow reader reads, and the most that it then finds: twice this buffer.
const SLOW_PERIOD: Duration = Duration::from_millis(100);
const SLOW_BUFFER: usize = 32 * 1024;
/// What it sends, so that the load isn't busy with it.
const SLOW_MESSAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(64 * 1024 - 1);

/// Connections that send messages, as their pace allows, and check what comes back.
pub(super) struct Streams {
    plan: Plan,
    ramp: Ramp,
    asking: Asking,
    slow_pattern: Pattern,
    metronome: Option<Metronome>,
    clock: Clock,
    connections: ConnMap<Connection>,
    /// Those that ask, in the order of their numbers.
    active: Vec<ConnId>,
    slow: Vec<ConnId>,
    /// Up to when slow readers send.
    until: u64,
    tally: Tally,
}

/// What the active connections say, and when.
struct Asking {
    pattern: Pattern,
    pace: Pace,
    /// Messages that are to come back before a phase is over.
    outstanding: u64,
}

impl Asking {
    /// Sends what a connection may send now.
    #[inline(always)]
    fn go_on(
        &mut self,
        ctx: &mut Context<'_>,
        conn: ConnId,
        connection: &mut Connection,
        now: u64,
    ) {
        let mut burst = 0;
        let mut allowed = self.pace.allows(connection, now);
        while allowed > 0 && !connection.is_blocked && burst < BURST {
            send_next(ctx, conn, connection, &self.pattern);
            self.outstanding += 1;
            self.pace.sent(connection, now);
            burst += self.pattern.size();
            allowed -= 1;
        }
    }
}

impl Streams {
    pub(super) fn new(plan: &Plan, clock: Clock) -> Self {
        let (connections, all) = (plan.connections.get(), plan.all_connections());
        let depth = plan.depth.get();
        let pace = match (plan.mode, plan.rate, plan.moving) {
            (Mode::Bulk, ..) => Pace::full(),
            (_, Some(rate), _) => Pace::open(connections, rate),
            (_, _, Some(_)) => Pace::moving(all, depth, Rota::new(connections, all)),
            _ => Pace::closed(connections, depth),
        };
        Self {
            ramp: Ramp::new(all),
            asking: Asking { pattern: Pattern::new(plan.size), pace, outstanding: 0 },
            slow_pattern: Pattern::new(SLOW_MESSAGE),
            metronome: None,
            clock,
            connections: ConnMap::new(),
            active: Vec::with_capacity(connections),
            slow: Vec::new(),
            until: 0,
            tally: Tally::new(),
            plan: plan.clone(),
        }
    }

    fn connect_next(&mut self, ctx: &mut Context<'_>) {
        while let Some(number) = self.ramp.next() {
            let patience = self.plan.patience;
            let part = self.part(number);
            let mut options = ConnectOptions::default().timeout(patience).attempt_timeout(patience);
            if let Some(source) = ramp::source(self.plan.server, ramp::place(number)) {
                options = options.source(source);
            }
            if part == Part::Slow {
                options = options.socket(SocketOptions::default().receive_buffer(SLOW_BUFFER));
            }
            let conn = ctx.connect(self.plan.server, &options);
            self.connections.insert(conn, Connection::new(number, part));
            match part {
                Part::Active => self.active.push(conn),
                Part::Slow => self.slow.push(conn),
                Part::Idle => {}
            }
        }
    }

    fn part(&self, number: usize) -> Part {
        match self.plan.mode {
            _ if number < self.plan.connections.get() => Part::Active,
            // Its turn will come.
            _ if self.plan.moving.is_some() => Part::Active,
            Mode::Slow => Part::Slow,
            _ => Part::Idle,
        }
    }

    /// Begins a phase: every connection sends what it may.
    fn send(&mut self, ctx: &mut Context<'_>, from: u64, until: u64) {
        self.asking.pace.begin(from, until, self.connections.values());
        self.until = until;
        if let Some(rate) = self.asking.pace.rate() {
            let since = Duration::from_nanos(self.clock.now().saturating_sub(from));
            match Metronome::begin(ctx, rate, since) {
                Ok(metronome) => self.metronome = Some(metronome),
                Err(error) => return self.tally.fail(ctx, error),
            }
            return self.tick(ctx);
        }
        for place in 0..self.active.len() {
            let now = self.clock.now();
            self.go_on(ctx, self.active[place], now);
        }
        for place in 0..self.slow.len() {
            let now = self.clock.now();
            self.go_on(ctx, self.slow[place], now);
        }
    }

    /// Sends the messages of an open loop that have become due.
    fn tick(&mut self, ctx: &mut Context<'_>) {
        let now = self.clock.now();
        for index in self.asking.pace.tick(now) {
            let Some((connection, due)) = self.asking.pace.turn(index) else { return };
            self.tally.delay.record(now.saturating_sub(due));
            self.go_on(ctx, self.active[connection], now);
        }
        if self.asking.pace.is_over(now) {
            if let Some(metronome) = self.metronome.take() {
                metronome.end(ctx);
            }
        }
    }

    /// Sends what a connection may send now.
    fn go_on(&mut self, ctx: &mut Context<'_>, conn: ConnId, now: u64) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if connection.part == Part::Active {
            self.asking.go_on(ctx, conn, connection, now);
        } else {
            self.flood(ctx, conn, now);
        }
    }

    /// Sends as much as a slow reader's socket takes.
    fn flood(&mut self, ctx: &mut Context<'_>, conn: ConnId, now: u64) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let mut burst = 0;
        let floods = connection.part == Part::Slow && now < self.until;
        while floods && !connection.is_blocked && burst < BURST {
            send_next(ctx, conn, connection, &self.slow_pattern);
            burst += self.slow_pattern.size();
        }
    }

    /// Bytes have come for a connection that doesn't ask, or of a greeting.
    #[cold]
    fn heard(&mut self, ctx: &mut Context<'_>, conn: ConnId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let before = connection.received;
        let is_slow = connection.part == Part::Slow;
        let pattern = if is_slow { &self.slow_pattern } else { &self.asking.pattern };
        if let Err(wrong) = connection.check(pattern, bytes) {
            let failure = anyhow!("{connection}: {wrong}");
            return self.tally.fail(ctx, failure);
        }
        let came = connection.received > before;
        if is_slow && before > 0 {
            ctx.pause(conn);
        }
        if came && before == 0 {
            self.greeted(ctx);
        } else if came {
            let now = self.clock.now();
            self.flood(ctx, conn, now);
        }
    }

    #[cold]
    fn greeted(&mut self, ctx: &mut Context<'_>) {
        self.ramp.greeted_one();
        self.connect_next(ctx);
        if self.ramp.is_done() {
            if let Some(period) = self.period() {
                ctx.after(period, 0);
            }
        }
    }

    /// How often the timer comes, if there is one: slow readers read, or it is the turn of others.
    fn period(&self) -> Option<Duration> {
        self.plan.moving.or((!self.slow.is_empty()).then_some(SLOW_PERIOD))
    }

    /// It is the turn of others in a crowd.
    fn move_on(&mut self, ctx: &mut Context<'_>) {
        let Some(numbers) = self.asking.pace.move_on() else { return };
        for number in numbers {
            let now = self.clock.now();
            if let Some(&conn) = self.active.get(number) {
                self.go_on(ctx, conn, now);
            }
        }
    }

    #[cold]
    fn lost(&mut self, ctx: &mut Context<'_>, conn: ConnId, why: anyhow::Error) {
        if let Some(connection) = self.connections.get(conn) {
            self.tally.fail(ctx, why.context(format!("{connection} was lost")));
        }
    }
}

/// Sends the next message.
#[inline(always)]
fn send_next(ctx: &mut Context<'_>, conn: ConnId, connection: &mut Connection, pattern: &Pattern) {
    let message = connection.begin();
    let sent = if pattern.size() < SHARED {
        ctx.send(conn, pattern.message(message))
    } else {
        ctx.send_shared(conn, pattern.shared(message))
    };
    // What is refused is lost with its connection, whose end is about to be told.
    connection.is_blocked = sent != Sent::Queued;
}

impl Load for Streams {
    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn is_quiet(&self) -> bool {
        self.ramp.is_done() && self.asking.outstanding == 0 && self.metronome.is_none()
    }

    fn greeted(&self) -> usize {
        self.ramp.greeted()
    }

    fn still(&self) -> Still {
        let waiting = self.connections.values().filter(|connection| connection.under_way() > 0);
        Still { waiting: waiting.count(), all: self.ramp.total() }
    }

    fn unanswered(&self) -> Option<u64> {
        Some(self.asking.pace.total()?.saturating_sub(self.tally.messages))
    }
}

impl Handler for Streams {
    type Message = Command;

    fn message(&mut self, ctx: &mut Context<'_>, command: Command) {
        match command {
            Command::Connect => self.connect_next(ctx),
            Command::Send { from, until } => self.send(ctx, from, until),
        }
    }

    fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let is_slow = connection.part == Part::Slow;
        let pattern = if is_slow { &self.slow_pattern } else { &self.asking.pattern };
        send_next(ctx, conn, connection, pattern);
    }

    fn connect_failed(&mut self, ctx: &mut Context<'_>, conn: ConnId, error: ConnectError) {
        if let Some(connection) = self.connections.remove(conn) {
            let (number, all) = (connection.number + 1, self.ramp.total());
            self.tally.fail(ctx, anyhow!("connection {number} of {all}: {error}"));
        }
    }

    #[inline]
    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let before = connection.received;
        if before == 0 || connection.part != Part::Active {
            return self.heard(ctx, conn, input.take());
        }
        if let Err(wrong) = connection.check(&self.asking.pattern, input.take()) {
            let failure = anyhow!("{connection}: {wrong}");
            return self.tally.fail(ctx, failure);
        }
        let count = connection.received - before;
        if count == 0 {
            return;
        }
        let now = self.clock.now();
        let latency = &mut self.tally.latency;
        self.asking.pace.each_answered(connection, before, |sent| {
            latency.record(now.saturating_sub(sent));
        });
        self.tally.messages += count;
        self.asking.outstanding -= count;
        self.asking.go_on(ctx, conn, connection, now);
    }

    fn drained(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        if let Some(connection) = self.connections.get_mut(conn) {
            connection.is_blocked = false;
            let now = self.clock.now();
            self.go_on(ctx, conn, now);
        }
    }

    fn ready(&mut self, ctx: &mut Context<'_>, _: RawId, _: Readiness) {
        if let Some(metronome) = &self.metronome {
            metronome.clear(ctx);
            self.tick(ctx);
        }
    }

    /// The slow readers read once more, or it is the turn of others.
    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, _: u64) {
        for &conn in &self.slow {
            ctx.resume(conn);
        }
        self.move_on(ctx);
        if let Some(period) = self.period() {
            ctx.repeat(timer, period);
        }
    }

    fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        self.lost(ctx, conn, anyhow!("the server closed it"));
    }

    fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        match reason {
            CloseReason::Stopped { .. } => {}
            reason => self.lost(ctx, conn, anyhow!("{reason}")),
        }
    }

    fn signal(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        self.tally.interrupt(ctx, signal);
    }
}
