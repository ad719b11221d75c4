//! The handler of the load that connects again and again.

use anyhow::anyhow;
use reactor::{
    CloseReason, ConnId, ConnMap, ConnectError, ConnectOptions, Context, Handler, Input, Sent,
    Signal,
};

use super::clock::Clock;
use super::connection::{Connection, Part};
use super::course::{Command, Load, Still};
use super::pattern::Pattern;
use super::plan::Plan;
use super::ramp;
use super::tally::Tally;

/// From so many addresses the visits come in turns. A port that was used rests for a second at least
/// before it is used again from the same address (tcp_tw_reuse), and each address has some 28,000.
const SOURCES: usize = 16;

/// Visits to the server, so many at a time: connect, one message, its echo, and a close in good order.
pub(super) struct Visits {
    plan: Plan,
    pattern: Pattern,
    clock: Clock,
    visits: ConnMap<Visit>,
    /// How many have begun, ever.
    begun: usize,
    until: u64,
    tally: Tally,
}

struct Visit {
    connection: Connection,
    /// When it began to connect.
    began: u64,
}

impl Visits {
    pub(super) fn new(plan: &Plan, clock: Clock) -> Self {
        Self {
            pattern: Pattern::new(plan.size),
            clock,
            visits: ConnMap::new(),
            begun: 0,
            until: 0,
            tally: Tally::new(),
            plan: plan.clone(),
        }
    }

    fn begin(&mut self, ctx: &mut Context<'_>, now: u64) {
        let patience = self.plan.patience;
        let mut options = ConnectOptions::default().timeout(patience).attempt_timeout(patience);
        if let Some(source) = ramp::source(self.plan.server, self.begun % SOURCES) {
            options = options.source(source);
        }
        let conn = ctx.connect(self.plan.server, &options);
        let connection = Connection::new(self.begun, Part::Active);
        self.visits.insert(conn, Visit { connection, began: now });
        self.begun += 1;
    }

    #[cold]
    fn lost(&mut self, ctx: &mut Context<'_>, visit: &Visit, why: anyhow::Error) {
        self.tally.fail(ctx, why.context(format!("{} was lost", visit.connection)));
    }
}

impl Load for Visits {
    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn is_quiet(&self) -> bool {
        self.visits.is_empty()
    }

    fn greeted(&self) -> usize {
        self.begun
    }

    fn still(&self) -> Still {
        Still { waiting: self.visits.len(), all: self.plan.connections.get() }
    }
}

impl Handler for Visits {
    type Message = Command;

    fn message(&mut self, ctx: &mut Context<'_>, command: Command) {
        let Command::Send { until, .. } = command else { return };
        self.until = until;
        let now = self.clock.now();
        let first = if now < until { self.plan.connections.get() } else { 0 };
        for _ in 0..first {
            self.begin(ctx, now);
        }
    }

    fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        let Some(Visit { connection, .. }) = self.visits.get_mut(conn) else { return };
        let first = connection.begin();
        // What is refused is lost with its connection, whose end is about to be told; and nothing is to
        // follow for which there might be no room.
        let _: Sent = ctx.send(conn, self.pattern.message(first));
    }

    fn connect_failed(&mut self, ctx: &mut Context<'_>, conn: ConnId, error: ConnectError) {
        if let Some(Visit { connection, .. }) = self.visits.remove(conn) {
            let number = connection.number + 1;
            self.tally.fail(ctx, anyhow!("connection {number}: {error}"));
        }
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        let Some(Visit { connection, began }) = self.visits.get_mut(conn) else { return };
        if let Err(wrong) = connection.check(&self.pattern, input.take()) {
            let failure = anyhow!("{connection}: {wrong}");
            return self.tally.fail(ctx, failure);
        }
        if connection.received == 1 {
            self.tally.latency.record(self.clock.now().saturating_sub(*began));
            ctx.close(conn);
        }
    }

    fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        if let Some(visit) = self.visits.remove(conn) {
            self.lost(ctx, &visit, anyhow!("the server closed it"));
        }
    }

    fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        let Some(visit) = self.visits.remove(conn) else { return };
        match reason {
            CloseReason::Stopped { .. } => {}
            CloseReason::Finished if visit.connection.received == 1 => {
                self.tally.messages += 1;
                let now = self.clock.now();
                if now < self.until {
                    self.begin(ctx, now);
                }
            }
            reason => self.lost(ctx, &visit, anyhow!("{reason}")),
        }
    }

    fn signal(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        self.tally.interrupt(ctx, signal);
    }
}
