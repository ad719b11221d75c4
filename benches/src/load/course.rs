//! The course of a load: connect, warm up, measure; and what ends it early.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use reactor::{AnyPoller, Handler, Limits, Mailbox, Options, Reactor, Signal, Status};

use super::clock::Clock;
use super::datagrams::Datagrams;
use super::plan::{Mode, Plan};
use super::progress::Progress;
use super::report::{Memory, Report, SystemCallCount};
use super::streams::Streams;
use super::system_calls::SystemCalls;
use super::tally::Tally;
use super::visits::Visits;
use crate::{cpu, memory};

/// How long a wait lasts at most: as late is noticed that the patience is over.
const WAIT: Duration = Duration::from_millis(50);
/// How long a server may stay awake for more after its last echo, whose CPU time is then read.
const REST: Duration = Duration::from_millis(1);
/// So many patiences a server that an open loop outruns has to catch up, as long as echoes still come.
const CATCHING_UP: u32 = 6;
/// How long system calls are counted.
const COUNTING: Duration = Duration::from_millis(250);

/// What a load is told to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    /// To make its connections.
    Connect,
    /// To send from one time of its clock up to before another.
    Send { from: u64, until: u64 },
}

/// A handler that carries commands out.
pub(super) trait Load: Handler<Message = Command> {
    fn tally(&mut self) -> &mut Tally;

    /// Whether nothing is under way any more.
    fn is_quiet(&self) -> bool;

    /// How many connections have come so far that the server has answered them.
    fn greeted(&self) -> usize;

    /// Who still waits for an answer.
    fn still(&self) -> Still;

    /// How many messages of an open loop were to be sent in this phase and haven't come back.
    fn unanswered(&self) -> Option<u64> {
        None
    }
}

/// How many connections wait, of how many.
pub(super) struct Still {
    pub(super) waiting: usize,
    pub(super) all: usize,
}

/// A signal has ended a load before it had anything to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted(pub Signal);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "interrupted by {} before there was anything to report", self.0)
    }
}

impl Error for Interrupted {}

/// Carries out a plan.
///
/// SIGINT and SIGTERM end it: with a report of what was measured so far, if that has begun.
///
/// # Errors
///
/// When the server can't be reached, when one byte comes back wrong or one too many, when a
/// connection is lost, when echoes are still missing after the plan's patience (but of an open loop's
/// measured time the report says how many), or when the server's CPU time can't be read. The error says on which connection, and where in which message. [`Interrupted`]
/// if a signal came before the measured time.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    let clock = Clock;
    match plan.mode {
        Mode::Connect => Course::new(plan, clock, Visits::new(plan, clock))?.run(),
        Mode::Udp => Course::new(plan, clock, Datagrams::new(plan, clock))?.run(),
        _ => Course::new(plan, clock, Streams::new(plan, clock))?.run(),
    }
}

struct Course<'a, L: Load> {
    plan: &'a Plan,
    clock: Clock,
    reactor: Reactor<L, AnyPoller>,
    mailbox: Mailbox<Command>,
    progress: Progress,
}

/// How a phase ended.
enum Ended {
    /// Everything has come back.
    Quiet,
    /// So many messages of an open loop have not; this was the last that did.
    Unanswered {
        count: u64,
        last: Instant,
    },
    By(Signal),
}

impl Ended {
    /// Of a phase that isn't reported: nothing may be missing.
    fn quietly(self) -> anyhow::Result<()> {
        match self {
            Self::Quiet => Ok(()),
            Self::Unanswered { count, .. } => {
                bail!(
                    "{count} messages beside the measured time were never answered: ask for a lower rate"
                )
            }
            Self::By(signal) => Err(Interrupted(signal).into()),
        }
    }
}

impl<'a, L: Load> Course<'a, L> {
    fn new(plan: &'a Plan, clock: Clock, load: L) -> anyhow::Result<Self> {
        let mut limits = Limits::default();
        // A message may have any length, and is queued as a whole.
        limits.write_cap = usize::MAX;
        let mut options = Options::default();
        options.limits = limits;
        let made = AnyPoller::new(plan.backend)
            .and_then(|poller| Reactor::with_options(load, poller, options));
        let mut reactor = made.context("make the load's event loop")?;
        for signal in [Signal::INTERRUPT, Signal::TERMINATE] {
            reactor.context().watch_signal(signal).context("watch for signals")?;
        }
        let mailbox = reactor.mailbox();
        let progress = Progress::new(plan.warmup + plan.measured);
        Ok(Self { plan, clock, reactor, mailbox, progress })
    }

    fn run(mut self) -> anyhow::Result<Report> {
        let plan = self.plan;
        let resident = || plan.pid.map(memory::anonymous).transpose();
        let memory_before = resident()?;
        self.go_through(Command::Connect)?;
        self.progress.begin();
        self.send_for(plan.warmup)?;
        let cpu_time = || plan.pid.map(cpu::time_of).transpose();
        self.rest()?;
        let (time_before, started) = (cpu_time()?, Instant::now());
        let load_before = cpu::own_time();
        let ended = self.send(plan.measured)?;
        let load_time = cpu::own_time().zip(load_before);
        let load_time = load_time.map(|(after, before)| after.saturating_sub(before));
        let elapsed = match ended {
            // A server that has fallen silent has had the rest of the time, too.
            Ended::Unanswered { last, .. } => {
                last.saturating_duration_since(started).max(plan.measured)
            }
            Ended::Quiet | Ended::By(_) => started.elapsed(),
        };
        self.rest()?;
        let time_after = cpu_time()?;
        let server_time =
            time_before.zip(time_after).map(|(before, after)| after.saturating_sub(before));
        let server_memory =
            memory_before.zip(resident()?).map(|(before, after)| Memory { before, after });
        let is_udp = plan.mode == Mode::Udp;
        let tally = self.reactor.handler_mut().tally();
        let mut report = Report {
            mode: plan.mode,
            connections: plan.connections.get(),
            others: plan.others,
            moving_ns: plan.moving.map(nanos),
            asked_rate: plan.rate.map(NonZeroU64::get),
            depth: plan.depth.get(),
            size: plan.size.get(),
            messages: tally.messages,
            bytes: tally.messages * plan.size.get() as u64,
            elapsed_ns: nanos(elapsed),
            lost: is_udp.then_some(tally.lost),
            late: is_udp.then_some(tally.late),
            latency_ns: tally.latency.summary(),
            delay_ns: tally.delay.summary(),
            unanswered: None,
            load_cpu_ns: load_time.map(nanos),
            server_cpu_ns: server_time.map(nanos),
            server_memory,
            server_calls: None,
            interrupted: None,
        };
        match ended {
            Ended::By(signal) => report.interrupted = Some(signal.number()),
            Ended::Unanswered { count, .. } => report.unanswered = Some(count),
            Ended::Quiet if report.messages == 0 && !plan.measured.is_zero() => {
                bail!("nothing came back from {}", plan.server);
            }
            Ended::Quiet => report.server_calls = self.count_system_calls()?,
        }
        Ok(report)
    }

    /// Leaves the server the time to go to sleep, as its CPU time is exact only then. It isn't counted.
    fn rest(&mut self) -> anyhow::Result<()> {
        self.reactor.turn(Some(REST)).context("the load's event loop")?;
        Ok(())
    }

    /// Counts the server's system calls, if they are asked for.
    fn count_system_calls(&mut self) -> anyhow::Result<Option<SystemCallCount>> {
        let pid = self.plan.pid.filter(|_| self.plan.system_calls);
        let Some(pid) = pid else { return Ok(None) };
        let counter = SystemCalls::begin(pid)?;
        self.send_for(COUNTING)?;
        let calls = counter.finish()?;
        let messages = self.reactor.handler_mut().tally().messages;
        Ok(Some(SystemCallCount { calls, messages }))
    }

    /// Sends for this long, and until everything has come back.
    fn send(&mut self, duration: Duration) -> anyhow::Result<Ended> {
        self.reactor.handler_mut().tally().clear();
        let (begin, from) = (Instant::now(), self.clock.now());
        let until = from.saturating_add(nanos(duration));
        self.carry_out(Command::Send { from, until }, begin + duration)
    }

    fn send_for(&mut self, duration: Duration) -> anyhow::Result<()> {
        self.send(duration)?.quietly()
    }

    fn go_through(&mut self, command: Command) -> anyhow::Result<()> {
        self.carry_out(command, Instant::now())?.quietly()
    }

    /// Has a command carried out, which takes up to `end`, and awaits all that has yet to come back.
    fn carry_out(&mut self, command: Command, end: Instant) -> anyhow::Result<Ended> {
        // The mailbox has no bound, and the loop is still there.
        let _ = self.mailbox.post(command);
        let mut deadline = end + self.plan.patience;
        let latest = end + self.plan.patience * CATCHING_UP;
        let (mut greeted, mut messages) = (0, 0);
        let mut last = Instant::now();
        loop {
            let now = Instant::now();
            self.progress.show(now);
            if now >= deadline {
                let unanswered = self.reactor.handler().unanswered();
                if let Some(count) = unanswered.filter(|_| messages > 0) {
                    return Ok(Ended::Unanswered { count, last });
                }
                let Still { waiting, all } = self.reactor.handler().still();
                let patience = self.plan.patience;
                bail!("{waiting} of {all} connections still await an echo, after {patience:?}");
            }
            let before_end = end.saturating_duration_since(now);
            let wait = if before_end.is_zero() { deadline - now } else { before_end };
            let status =
                self.reactor.turn(Some(wait.min(WAIT))).context("the load's event loop")?;
            let load = self.reactor.handler_mut();
            if let Some(failure) = load.tally().take_failure() {
                return Err(failure);
            }
            if let (Status::Stopped, Some(signal)) = (status, load.tally().signal()) {
                return Ok(Ended::By(signal));
            }
            // By the time after the turn: the last echo may have come in one that began before the end, and
            // the next one would wait for nothing.
            if load.is_quiet() && Instant::now() >= end {
                return Ok(Ended::Quiet);
            }
            if load.greeted() > greeted {
                greeted = load.greeted();
                deadline = deadline.max(now + self.plan.patience);
            }
            if load.tally().messages > messages {
                messages = load.tally().messages;
                last = Instant::now();
                // A server that was outrun catches up.
                if load.unanswered().is_some() {
                    deadline = deadline.max(last + self.plan.patience).min(latest);
                }
            }
        }
    }
}

/// In nanoseconds, as the load counts time.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
