//! Turns of the library's loop.

use std::hint::spin_loop;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::sys::timerfd::TimerFd;
use reactor::{ConnId, Context, Handler, Input, Interest, ListenerId, Reactor, TimerId};

use super::super::crowd::client;
use super::super::mechanisms::{self, Mechanism, PerMechanism};
use super::super::stopwatch::Stopwatch;
use super::MESSAGE;

type Run = fn(&[TimerFd], u64) -> io::Result<Duration>;

/// What is measured of a loop.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) empty: Run,
    pub(super) timer: Run,
    pub(super) message: Run,
    pub(super) echo: Run,
}

impl PerMechanism for Contender {
    fn of<P: Mechanism>() -> Self {
        Self {
            name: P::NAME,
            empty: empty::<P>,
            timer: timer::<P>,
            message: message::<P>,
            echo: echo::<P>,
        }
    }
}

pub(super) fn contenders() -> Vec<Contender> {
    mechanisms::each()
}

/// Echoes, and counts what happens.
#[derive(Default)]
struct Counter {
    accepted: u64,
    echoed: usize,
    timers: u64,
    messages: u64,
}

impl Handler for Counter {
    type Message = u64;

    fn accepted(&mut self, _: &mut Context<'_>, _: ConnId, _: ListenerId) {
        self.accepted += 1;
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        let bytes = input.take();
        self.echoed += bytes.len();
        ctx.send(conn, bytes);
    }

    fn timer(&mut self, _: &mut Context<'_>, _: TimerId, _: u64) {
        self.timers += 1;
    }

    fn message(&mut self, _: &mut Context<'_>, _: u64) {
        self.messages += 1;
    }
}

/// A loop that watches what `crowd` names.
fn reactor<P: Mechanism>(crowd: &[TimerFd]) -> io::Result<Reactor<Counter, P>> {
    let mut reactor = Reactor::with_poller(Counter::default(), P::new()?)?;
    for fd in crowd {
        let own = fd.as_fd().try_clone_to_owned()?;
        reactor.context().register(own, Interest::READABLE)?;
    }
    Ok(reactor)
}

fn empty<P: Mechanism>(crowd: &[TimerFd], turns: u64) -> io::Result<Duration> {
    let mut reactor = reactor::<P>(crowd)?;
    let start = Instant::now();
    for _ in 0..turns {
        reactor.turn(Some(Duration::ZERO))?;
    }
    Ok(start.elapsed())
}

fn timer<P: Mechanism>(crowd: &[TimerFd], turns: u64) -> io::Result<Duration> {
    let mut reactor = reactor::<P>(crowd)?;
    let mut stopwatch = Stopwatch::new();
    for turn in 0..turns {
        reactor.context().after(Duration::ZERO, turn);
        // Deadlines are rounded up to the wheel's next millisecond.
        let due = Instant::now() + Duration::from_millis(1);
        while Instant::now() <= due {
            spin_loop();
        }
        stopwatch.time(|| reactor.turn(None))?;
        if reactor.handler().timers != turn + 1 {
            return Err(io::Error::other("a due timer did not come"));
        }
    }
    Ok(stopwatch.total())
}

fn message<P: Mechanism>(crowd: &[TimerFd], turns: u64) -> io::Result<Duration> {
    let mut reactor = reactor::<P>(crowd)?;
    let mailbox = reactor.mailbox();
    let start = Instant::now();
    for turn in 0..turns {
        mailbox.post(turn).map_err(|error| io::Error::other(error.to_string()))?;
        reactor.turn(None)?;
    }
    let took = start.elapsed();
    let messages = reactor.handler().messages;
    if messages == turns {
        Ok(took)
    } else {
        Err(io::Error::other(format!("{messages} messages in {turns} turns")))
    }
}

fn echo<P: Mechanism>(crowd: &[TimerFd], turns: u64) -> io::Result<Duration> {
    let mut reactor = reactor::<P>(crowd)?;
    let listener = reactor.listen("127.0.0.1:0")?;
    let address = reactor.context().listener_address(listener)?;
    let unexpected = || io::Error::other("listening at no internet address");
    let mut client = client(address.as_ip().ok_or_else(unexpected)?)?;
    while reactor.handler().accepted == 0 {
        reactor.turn(None)?;
    }
    let mut message = [7; MESSAGE];
    let mut expected = 0;
    let start = Instant::now();
    for _ in 0..turns {
        client.write_all(&message)?;
        expected += MESSAGE;
        while reactor.handler().echoed < expected {
            reactor.turn(None)?;
        }
        client.read_exact(&mut message)?;
    }
    Ok(start.elapsed())
}
