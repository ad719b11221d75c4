//! The handler of the load over UDP.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use reactor::{ConnId, Context, Datagram, DatagramError, Handler, Input, Signal, TimerId, UdpId};

use super::check::Wrong;
use super::clock::Clock;
use super::course::{Command, Load, Still};
use super::pattern::{Pattern, Window};
use super::plan::Plan;
use super::tally::Tally;

/// The number of a message, at its beginning: by it answers are told apart that are late, or double.
const NUMBER: usize = 8;
/// How often in a timeout is looked for datagrams that are lost.
const LOOKS: u32 = 8;

/// A datagram that holds a message at all.
pub(super) const SHORTEST: usize = NUMBER;
/// The most that a datagram holds over IPv4: 65,535 bytes less the headers of IP and UDP.
pub(super) const LONGEST: usize = 65_507;

/// Sockets that each have so many datagrams under way. One that isn't answered in time is lost, and
/// another one takes its place.
pub(super) struct Datagrams {
    plan: Plan,
    pattern: Pattern,
    clock: Clock,
    sockets: Vec<UdpId>,
    numbers: HashMap<UdpId, usize>,
    /// `depth` places for each socket.
    places: Vec<Place>,
    timeout: u64,
    until: u64,
    outstanding: usize,
    looks: bool,
    buffer: Vec<u8>,
    tally: Tally,
}

/// The messages that share a place are those whose numbers leave the same remainder by `depth`.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The message that is under way, or was the last.
    message: u64,
    sent: u64,
    is_out: bool,
}

impl Datagrams {
    pub(super) fn new(plan: &Plan, clock: Clock) -> Self {
        let depth = plan.depth.get();
        let first = (0..plan.connections.get() * depth).map(|place| Place {
            message: (place % depth) as u64,
            sent: 0,
            is_out: false,
        });
        Self {
            pattern: Pattern::new(plan.size),
            clock,
            sockets: Vec::new(),
            numbers: HashMap::new(),
            places: first.collect(),
            timeout: u64::try_from(plan.timeout.as_nanos()).unwrap_or(u64::MAX),
            until: 0,
            outstanding: 0,
            looks: false,
            buffer: vec![0; plan.size.get()],
            tally: Tally::new(),
            plan: plan.clone(),
        }
    }

    fn open(&mut self, ctx: &mut Context<'_>) -> anyhow::Result<()> {
        let server = self.plan.server;
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        for number in 0..self.plan.connections.get() {
            let socket = ctx.bind_udp((any, 0))?;
            ctx.connect_udp(socket, server)
                .with_context(|| format!("connect a UDP socket to {server}"))?;
            self.sockets.push(socket);
            self.numbers.insert(socket, number);
        }
        Ok(())
    }

    /// Sends the next message of a place, unless the phase is over.
    fn send_next(&mut self, ctx: &mut Context<'_>, place: usize, now: u64) {
        if now >= self.until {
            return;
        }
        let depth = self.plan.depth.get();
        let number = place / depth;
        let under_way = &mut self.places[place];
        under_way.message += depth as u64;
        (under_way.sent, under_way.is_out) = (now, true);
        self.outstanding += 1;
        let message = under_way.message;
        self.buffer[..NUMBER].copy_from_slice(&message.to_be_bytes());
        self.buffer[NUMBER..]
            .copy_from_slice(&self.pattern.message(Window::new(number, message))[NUMBER..]);
        if let Err(error) = ctx.send_connected(self.sockets[number], &self.buffer) {
            // It is lost, as others are on their way.
            let is_full = error.kind() == io::ErrorKind::WouldBlock
                || error.raw_os_error() == Some(libc::ENOBUFS);
            if !is_full {
                self.refused(ctx, &error);
            }
        }
    }

    #[cold]
    fn refused(&mut self, ctx: &mut Context<'_>, error: &io::Error) {
        self.tally.fail(ctx, anyhow!("UDP to {}: {error}", self.plan.server));
    }

    /// Gives up what wasn't answered in time.
    fn look(&mut self, ctx: &mut Context<'_>) {
        let now = self.clock.now();
        for place in 0..self.places.len() {
            let Place { sent, is_out, .. } = self.places[place];
            if is_out && now.saturating_sub(sent) >= self.timeout {
                self.places[place].is_out = false;
                self.outstanding -= 1;
                self.tally.lost += 1;
                self.send_next(ctx, place, now);
            }
        }
    }

    fn period(&self) -> Duration {
        (self.plan.timeout / LOOKS).max(Duration::from_millis(1))
    }

    /// What is wrong with an answer: of which message, and what.
    fn check(&self, number: usize, bytes: &[u8]) -> Result<u64, String> {
        let size = self.pattern.size();
        if bytes.len() != size {
            let length = bytes.len();
            return Err(format!("connection {number}: {length} bytes came back instead of {size}"));
        }
        let (first, rest) = bytes.split_at(NUMBER);
        let message = first.iter().fold(0, |message, &byte| message << 8 | u64::from(byte));
        let place = self.place(number, message);
        if message > self.places[place].message || message < self.plan.depth.get() as u64 {
            return Err(format!("connection {number}: message {message} was never sent"));
        }
        let expected = &self.pattern.message(Window::new(number, message))[NUMBER..];
        if rest != expected {
            let wrong = Wrong::byte(expected, rest, NUMBER);
            return Err(format!("connection {number}, message {message}: {wrong}"));
        }
        Ok(message)
    }

    fn place(&self, number: usize, message: u64) -> usize {
        let depth = self.plan.depth.get();
        number * depth + (message % depth as u64) as usize
    }
}

impl Load for Datagrams {
    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn is_quiet(&self) -> bool {
        self.outstanding == 0
    }

    fn greeted(&self) -> usize {
        self.sockets.len()
    }

    fn still(&self) -> Still {
        Still { waiting: self.outstanding, all: self.places.len() }
    }
}

impl Handler for Datagrams {
    type Message = Command;

    fn message(&mut self, ctx: &mut Context<'_>, command: Command) {
        match command {
            Command::Connect => {
                if let Err(error) = self.open(ctx) {
                    self.tally.fail(ctx, error);
                }
            }
            Command::Send { until, .. } => {
                self.until = until;
                for place in 0..self.places.len() {
                    let now = self.clock.now();
                    self.send_next(ctx, place, now);
                }
                if !std::mem::replace(&mut self.looks, true) {
                    ctx.after(self.period(), 0);
                }
            }
        }
    }

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}

    fn datagram(&mut self, ctx: &mut Context<'_>, socket: UdpId, datagram: &Datagram<'_>) {
        let Some(&number) = self.numbers.get(&socket) else { return };
        let message = match self.check(number, datagram.bytes()) {
            Ok(message) => message,
            Err(wrong) => return self.tally.fail(ctx, anyhow!(wrong)),
        };
        let place = self.place(number, message);
        let under_way = &mut self.places[place];
        if !under_way.is_out || under_way.message != message {
            self.tally.late += 1;
            return;
        }
        under_way.is_out = false;
        let now = self.clock.now();
        self.tally.latency.record(now.saturating_sub(under_way.sent));
        self.tally.messages += 1;
        self.outstanding -= 1;
        self.send_next(ctx, place, now);
    }

    fn datagram_failed(&mut self, ctx: &mut Context<'_>, _: UdpId, error: DatagramError) {
        self.refused(ctx, error.error());
    }

    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, _: u64) {
        self.look(ctx);
        ctx.repeat(timer, self.period());
    }

    fn signal(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        self.tally.interrupt(ctx, signal);
    }
}
