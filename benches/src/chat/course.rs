//! The course of a chat load: register, join, warm up, measure.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use reactor::{AnyPoller, Options, Reactor, Signal};

use super::crowd::Crowd;
use super::plan::{Fanout, Target};
use super::report::{FanoutReport, RegisterReport, StuckReport};
use crate::load::clock::Clock;
use crate::load::progress::Progress;
use crate::load::{Interrupted, Memory, nanos};
use crate::{cpu, memory};

/// How long a wait lasts at most: as late is noticed that the patience is over.
const WAIT: Duration = Duration::from_millis(50);
/// How long a server may stay awake for more after its last line, whose CPU time is then read.
const REST: Duration = Duration::from_millis(1);
/// So many patiences may pass until the next client is welcome: a server whose backlog is full drops
/// handshakes, which begin anew after 1, 2, 4, 8 and 16 seconds.
const REGISTERING: u32 = 4;
/// How often is looked for what is overdue, and at the memory of a server with stuck members.
const LOOK: Duration = Duration::from_millis(100);

/// Registers so many clients.
///
/// # Errors
///
/// When the server can't be reached, refuses a client, loses one, or welcomes nobody for the patience; when
/// its CPU time or memory can't be read.
pub fn register(target: &Target, clients: usize) -> anyhow::Result<RegisterReport> {
    let mut course = Course::new(target, Crowd::of(target, clients), Duration::ZERO)?;
    let memory_before = course.memory()?;
    let (span, signal) = course.measure(Course::register)?;
    let memory_after = course.memory()?;
    Ok(RegisterReport {
        clients,
        connects: target.connects.get(),
        registered: course.reactor.handler().registered(),
        elapsed_ns: span.elapsed_ns,
        load_cpu_ns: span.load_cpu_ns,
        server_cpu_ns: span.server_cpu_ns,
        server_memory: memory_before
            .zip(memory_after)
            .map(|(before, after)| Memory { before, after }),
        interrupted: signal.map(Signal::number),
    })
}

/// Has a channel's members talk.
///
/// SIGINT and SIGTERM end it: with a report of what was measured so far, if that has begun.
///
/// # Errors
///
/// Those of [`register`]; when a line comes changed, twice, or to who has sent it; when a message has
/// been under way for longer than the patience: who lacks it. [`Interrupted`] if a signal came before the
/// measured time.
pub fn fanout(target: &Target, fanout: &Fanout) -> anyhow::Result<FanoutReport> {
    let duration = fanout.warmup + fanout.measured;
    let mut course = Course::new(target, Crowd::talking(target, fanout), duration)?;
    let memory_before = course.memory()?;
    unless_interrupted(course.register()?)?;
    unless_interrupted(course.join()?)?;
    let memory_after = course.memory()?;
    course.progress.begin();
    course.looks_at_memory = fanout.stuck > 0;
    let first = course.clock.now();
    unless_interrupted(course.talk(fanout.warmup)?)?;
    course.rest()?;
    course.reactor.handler_mut().tally.clear();
    let (span, signal) = course.measure(|course| course.talk(fanout.measured))?;
    let peak = course.peak;
    let crowd = course.reactor.handler();
    let messages = crowd.tally.messages;
    let receivers = crowd.messages.receivers() as u64;
    let dropped: Vec<_> = crowd.stuck.dropped().map(|at| at.saturating_sub(first)).collect();
    let stuck = StuckReport {
        members: fanout.stuck,
        dropped: dropped.len(),
        dropped_ns: dropped.iter().min().copied().zip(dropped.iter().max().copied()),
        server_peak: peak,
    };
    Ok(FanoutReport {
        members: fanout.members.get(),
        senders: fanout.senders.get(),
        outstanding: fanout.outstanding.get(),
        size: fanout.size,
        messages,
        deliveries: messages * receivers + crowd.messages.incomplete() as u64,
        elapsed_ns: span.elapsed_ns,
        latency_ns: crowd.tally.latency.summary(),
        load_cpu_ns: span.load_cpu_ns,
        server_cpu_ns: span.server_cpu_ns,
        server_memory: memory_before
            .zip(memory_after)
            .map(|(before, after)| Memory { before, after }),
        stuck: (fanout.stuck > 0).then_some(stuck),
        interrupted: signal.map(Signal::number),
    })
}

fn unless_interrupted(signal: Option<Signal>) -> anyhow::Result<()> {
    signal.map_or(Ok(()), |signal| Err(Interrupted(signal).into()))
}

/// What something has taken.
struct Span {
    elapsed_ns: u64,
    load_cpu_ns: Option<u64>,
    server_cpu_ns: Option<u64>,
}

struct Course<'a> {
    target: &'a Target,
    clock: Clock,
    reactor: Reactor<Crowd, AnyPoller>,
    progress: Progress,
    looked: Instant,
    looks_at_memory: bool,
    /// The most memory that the server was seen to have.
    peak: Option<u64>,
}

impl<'a> Course<'a> {
    fn new(target: &'a Target, crowd: Crowd, duration: Duration) -> anyhow::Result<Self> {
        let made = AnyPoller::new(target.backend)
            .and_then(|poller| Reactor::with_options(crowd, poller, Options::default()));
        let mut reactor = made.context("make the load's event loop")?;
        for signal in [Signal::INTERRUPT, Signal::TERMINATE] {
            reactor.context().watch_signal(signal).context("watch for signals")?;
        }
        Ok(Self {
            target,
            clock: Clock,
            reactor,
            progress: Progress::new(duration),
            looked: Instant::now(),
            looks_at_memory: false,
            peak: None,
        })
    }

    /// The server's memory, if it is to be read.
    fn memory(&self) -> anyhow::Result<Option<u64>> {
        self.target.pid.map(memory::anonymous).transpose()
    }

    /// Leaves the server the time to go to sleep, as its CPU time is exact only then.
    fn rest(&mut self) -> anyhow::Result<()> {
        self.reactor.turn(Some(REST)).context("the load's event loop")?;
        Ok(())
    }

    /// What a phase takes; and the signal that ended it.
    fn measure(
        &mut self,
        phase: impl FnOnce(&mut Self) -> anyhow::Result<Option<Signal>>,
    ) -> anyhow::Result<(Span, Option<Signal>)> {
        let pid = self.target.pid;
        let server_time = || pid.map(cpu::time_of).transpose();
        let (server_before, load_before) = (server_time()?, cpu::own_time());
        let began = Instant::now();
        let signal = phase(self)?;
        let elapsed_ns = nanos(began.elapsed()).max(1);
        let load_after = cpu::own_time();
        self.rest()?;
        let server_after = server_time()?;
        let between = |(before, after): (Duration, Duration)| nanos(after.saturating_sub(before));
        let load_cpu_ns = load_before.zip(load_after).map(between);
        let server_cpu_ns = server_before.zip(server_after).map(between);
        Ok((Span { elapsed_ns, load_cpu_ns, server_cpu_ns }, signal))
    }

    fn register(&mut self) -> anyhow::Result<Option<Signal>> {
        let (crowd, mut ctx) = self.reactor.parts();
        crowd.connect(&mut ctx);
        let patience = self.target.patience * REGISTERING;
        self.await_all("been welcomed", patience, Crowd::registered)
    }

    fn join(&mut self) -> anyhow::Result<Option<Signal>> {
        let (crowd, mut ctx) = self.reactor.parts();
        crowd.join(&mut ctx);
        self.await_all("joined", self.target.patience, Crowd::joined)
    }

    /// Waits until all have come as far as `count` counts, as long as one does within the patience.
    fn await_all(
        &mut self,
        what: &str,
        patience: Duration,
        count: impl Fn(&Crowd) -> usize,
    ) -> anyhow::Result<Option<Signal>> {
        let (mut before, mut since) = (0, Instant::now());
        let all = self.reactor.handler().all();
        self.turn_until(|crowd| {
            let count = count(crowd);
            if count > before {
                (before, since) = (count, Instant::now());
            } else if since.elapsed() > patience {
                return Err(anyhow!(
                    "{count} of {all} clients have {what}, and no more in {patience:?}"
                ));
            }
            Ok(count == all)
        })
    }

    /// Talks for so long, and until every message is complete.
    fn talk(&mut self, duration: Duration) -> anyhow::Result<Option<Signal>> {
        let until = self.clock.now().saturating_add(nanos(duration));
        let (crowd, mut ctx) = self.reactor.parts();
        crowd.talk(&mut ctx, until);
        let clock = self.clock;
        self.turn_until(|crowd| Ok(crowd.messages.under_way == 0 && clock.now() >= until))
    }

    fn turn_until(
        &mut self,
        mut is_done: impl FnMut(&Crowd) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Option<Signal>> {
        loop {
            if is_done(self.reactor.handler())? {
                return Ok(None);
            }
            self.reactor.turn(Some(WAIT)).context("the load's event loop")?;
            let crowd = self.reactor.handler_mut();
            if let Some(failure) = crowd.tally.take_failure() {
                return Err(failure);
            }
            if let Some(signal) = crowd.tally.signal() {
                return Ok(Some(signal));
            }
            let now = Instant::now();
            if now.saturating_duration_since(self.looked) >= LOOK {
                self.looked = now;
                self.look(now)?;
            }
        }
    }

    /// What needn't be looked at in each turn.
    fn look(&mut self, now: Instant) -> anyhow::Result<()> {
        self.progress.show(now);
        if self.looks_at_memory {
            self.peak = self.peak.max(self.memory()?);
        }
        self.reactor.handler().overdue().map_or(Ok(()), Err)
    }
}
