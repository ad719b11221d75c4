//! The handler of all loads whose connections stay.

use anyhow::anyhow;
use reactor::{
    CloseReason, ConnId, ConnMap, ConnectError, ConnectOptions, Context, Handler, Input, Sent,
    Signal,
};

use super::clock::Clock;
use super::connection::Connection;
use super::course::{Command, Load, Still};
use super::pace::Pace;
use super::pattern::Pattern;
use super::plan::Plan;
use super::ramp::{self, Ramp};
use super::tally::Tally;

/// From this length on a message is queued as it is, and not copied, if the socket doesn't take it.
const SHARED: usize = 16 * 1024;

/// Connections that send messages, as their pace allows, and check what comes back.
pub(super) struct Streams {
    plan: Plan,
    connect: ConnectOptions,
    ramp: Ramp,
    pattern: Pattern,
    pace: Pace,
    clock: Clock,
    connections: ConnMap<Connection>,
    /// Messages that are to come back before a phase is over.
    outstanding: u64,
    tally: Tally,
}

impl Streams {
    pub(super) fn new(plan: &Plan, clock: Clock) -> anyhow::Result<Self> {
        let options = ConnectOptions::default();
        Ok(Self {
            connect: options.timeout(plan.patience).attempt_timeout(plan.patience),
            ramp: Ramp::new(plan.all_connections()),
            pattern: Pattern::new(plan.size),
            pace: Pace::closed(plan.connections.get(), plan.depth.get()),
            clock,
            connections: ConnMap::new(),
            outstanding: 0,
            tally: Tally::new()?,
            plan: plan.clone(),
        })
    }

    fn connect_next(&mut self, ctx: &mut Context<'_>) {
        while let Some(number) = self.ramp.next() {
            let mut options = self.connect.clone();
            if let Some(source) = ramp::source(self.plan.server, number) {
                options = options.source(source);
            }
            let conn = ctx.connect(self.plan.server, &options);
            self.connections.insert(conn, Connection::new(number));
        }
    }

    /// Begins a phase: every connection sends what it may.
    fn send(&mut self, ctx: &mut Context<'_>, until: u64) {
        self.pace.begin(until);
        let all: Vec<_> = self.connections.keys().collect();
        let now = self.clock.now();
        for conn in all {
            self.go_on(ctx, conn, now);
        }
    }

    /// Sends what a connection may send now.
    #[inline]
    fn go_on(&mut self, ctx: &mut Context<'_>, conn: ConnId, now: u64) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        while !connection.is_blocked && self.pace.allows(connection, now) {
            connection.sent += 1;
            self.outstanding += 1;
            self.pace.sent(connection, now);
            send_message(ctx, conn, connection, &self.pattern);
        }
    }

    /// Messages of a connection have come back, those after the one numbered `before`.
    #[inline]
    fn answered(&mut self, ctx: &mut Context<'_>, conn: ConnId, before: u64) {
        let Some(connection) = self.connections.get(conn) else { return };
        if before == 0 {
            return self.greeted(ctx);
        }
        let now = self.clock.now();
        for message in before + 1..=connection.received {
            let sent = self.pace.time_of(connection, message);
            self.tally.latency.record(now.saturating_sub(sent));
        }
        let count = connection.received - before;
        self.tally.messages += count;
        self.outstanding -= count;
        self.go_on(ctx, conn, now);
    }

    #[cold]
    fn greeted(&mut self, ctx: &mut Context<'_>) {
        self.ramp.greeted_one();
        self.connect_next(ctx);
    }

    #[cold]
    fn lost(&mut self, ctx: &mut Context<'_>, conn: ConnId, why: anyhow::Error) {
        if let Some(connection) = self.connections.get(conn) {
            self.tally.fail(ctx, why.context(format!("{connection} was lost")));
        }
    }
}

/// Sends the message that was counted last.
#[inline]
fn send_message(
    ctx: &mut Context<'_>,
    conn: ConnId,
    connection: &mut Connection,
    pattern: &Pattern,
) {
    let (number, message) = (connection.number, connection.sent);
    let sent = if pattern.size() < SHARED {
        ctx.send(conn, pattern.message(number, message))
    } else {
        ctx.send_shared(conn, pattern.shared(number, message))
    };
    // What is refused is lost with its connection, whose end is about to be told.
    connection.is_blocked = sent != Sent::Queued;
}

impl Load for Streams {
    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn is_quiet(&self) -> bool {
        self.ramp.is_done() && self.outstanding == 0
    }

    fn greeted(&self) -> usize {
        self.ramp.greeted()
    }

    fn still(&self) -> Still {
        let waiting = self.connections.values().filter(|connection| connection.under_way() > 0);
        Still { waiting: waiting.count(), all: self.ramp.total() }
    }
}

impl Handler for Streams {
    type Message = Command;

    fn message(&mut self, ctx: &mut Context<'_>, command: Command) {
        match command {
            Command::Connect => self.connect_next(ctx),
            Command::Send { until } => self.send(ctx, until),
        }
    }

    fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.sent = 1;
        send_message(ctx, conn, connection, &self.pattern);
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
        if let Err(wrong) = connection.check(&self.pattern, input.take()) {
            let failure = anyhow!("{connection}: {wrong}");
            return self.tally.fail(ctx, failure);
        }
        if connection.received > before {
            self.answered(ctx, conn, before);
        }
    }

    fn drained(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        if let Some(connection) = self.connections.get_mut(conn) {
            connection.is_blocked = false;
            let now = self.clock.now();
            self.go_on(ctx, conn, now);
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
