//! The client: it sends what an echo server sends back, and tells how long that takes.

mod account;
mod message;
mod report;
mod times;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use log::debug;
use reactor::{
    AnyPoller, Backend, CloseReason, ConnId, ConnectError, ConnectOptions, Context, Datagram,
    DatagramError, Handler, Input, Reactor, Sent, Signal, TimerId, UdpId,
};

use crate::cli::{PingOptions, Server};
use crate::sockets::look_up;
use account::Account;
use report::Report;

pub(crate) use message::NUMBER;

/// Bytes that a stream is given at a time.
const PIECE: usize = 64 * 1024;

/// The timer of the next message.
const SEND: u64 = 0;
/// The timer of the oldest message that is out.
const GIVE_UP: u64 = 1;

/// Pings until all is answered or lost, or a signal comes.
pub(crate) fn run(backend: Backend, options: PingOptions) -> io::Result<ExitCode> {
    // Looked up before a signal is watched for: it blocks, and can be interrupted so.
    let addresses = match &options.server {
        Server::Datagrams(name) => look_up(name)?,
        Server::Stream(_) => Vec::new(),
    };
    let ping = Ping::new(options);
    let mut reactor =
        Reactor::with_options(ping, AnyPoller::new(backend)?, reactor::Options::default())?;
    for signal in [Signal::INTERRUPT, Signal::TERMINATE] {
        reactor.context().watch_signal(signal)?;
    }
    if let Server::Stream(target) = &reactor.handler().options.server {
        let (target, timeout) = (target.clone(), reactor.handler().options.timeout);
        let connecting = ConnectOptions::default().timeout(timeout).attempt_timeout(None);
        reactor.context().connect(target, &connecting);
    } else {
        let mut ctx = reactor.context();
        let socket = open_udp(&mut ctx, &addresses)?;
        ctx.after(Duration::ZERO, SEND);
        reactor.handler_mut().line = Line::Datagrams(socket);
    }
    reactor.run()?;
    Ok(reactor.handler().end())
}

/// A socket that is connected to the first of the addresses to which there is a route.
fn open_udp(ctx: &mut Context<'_>, addresses: &[SocketAddr]) -> io::Result<UdpId> {
    let mut failure = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for address in addresses {
        let any = match address {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = ctx.bind_udp(any)?;
        match ctx.connect_udp(socket, *address) {
            Ok(()) => return Ok(socket),
            Err(error) => failure = error,
        }
        ctx.close_udp(socket);
    }
    Err(failure)
}

struct Ping {
    options: PingOptions,
    line: Line,
    account: Account,
    report: Report,
    /// Whether the timer that gives up is set.
    giving_up: bool,
    /// The message that is being sent, or a piece of it.
    buffer: Vec<u8>,
    /// What ended it before its time.
    failure: Option<String>,
}

/// How the server is reached.
enum Line {
    /// Not yet.
    Connecting,
    Stream(Stream),
    Datagrams(UdpId),
}

struct Stream {
    conn: ConnId,
    /// The message that is being sent, and how much of it is.
    sending: Option<(u64, usize)>,
    /// The message that comes next, or whose rest does, and how much of it has come.
    coming: (u64, usize),
}

impl Ping {
    fn new(options: PingOptions) -> Self {
        let name = match &options.server {
            Server::Stream(target) => target.to_string(),
            Server::Datagrams(name) => name.clone(),
        };
        Self {
            line: Line::Connecting,
            account: Account::new(options.timeout),
            report: Report::new(name, options.size),
            giving_up: false,
            buffer: vec![0; options.size.min(PIECE)],
            failure: None,
            options,
        }
    }

    fn fail(&mut self, ctx: &mut Context<'_>, failure: String) {
        self.failure.get_or_insert(failure);
        ctx.stop();
    }

    /// Does `write`, and ends if nobody reads it any more.
    fn say(&mut self, ctx: &mut Context<'_>, write: impl FnOnce(&mut Report) -> io::Result<()>) {
        if let Err(error) = write(&mut self.report) {
            self.fail(ctx, format!("stdout: {error}"));
        }
    }

    /// The summary, and what the process exits with.
    fn end(&self) -> ExitCode {
        if let Some(failure) = &self.failure {
            eprintln!("echo: {failure}");
        }
        let mut tally = self.account.tally();
        tally.lost += if self.failure.is_some() { self.account.out() } else { self.hopeless() };
        if !matches!(self.line, Line::Connecting) {
            if let Err(error) = self.report.summary(tally) {
                debug!("the summary: {error}");
            }
        }
        let came = tally.answered + tally.late > 0;
        if came && self.report.changed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// How many messages are out that get no answer: each error is about one that is out, or was until
    /// it was given up.
    fn hopeless(&self) -> u64 {
        let about_others = self.account.tally().lost;
        self.report.errors().saturating_sub(about_others).min(self.account.out())
    }

    fn all_are_sent(&self) -> bool {
        self.options.count.is_some_and(|count| self.account.tally().sent >= count)
    }

    /// After something has come, or won't come any more: ends, if that was the last; sends the next
    /// message, if that isn't a timer's business.
    fn go_on(&mut self, ctx: &mut Context<'_>) {
        if self.failure.is_some() {
            return;
        }
        // An error is as good as a timeout.
        if self.account.out() != self.hopeless() {
            return;
        }
        if self.all_are_sent() {
            ctx.stop();
        } else if self.options.interval.is_zero() {
            self.send_next(ctx);
        }
    }

    /// Sends a message, unless those before take so long that it had better wait for another turn.
    fn send_next(&mut self, ctx: &mut Context<'_>) {
        let backlog = match &self.line {
            Line::Connecting => true,
            Line::Stream(stream) => stream.sending.is_some() || ctx.queued(stream.conn) > 0,
            Line::Datagrams(_) => false,
        };
        if backlog || self.all_are_sent() {
            return;
        }
        let Some(number) = self.account.next() else { return };
        // Before the clock is read: to make it up is no part of its way.
        message::fill(number, 0, &mut self.buffer);
        self.account.send(Instant::now());
        if !self.giving_up {
            self.await_oldest(ctx);
        }
        match &mut self.line {
            Line::Connecting => {}
            Line::Stream(stream) => {
                stream.sending = Some((number, 0));
                self.send_pieces(ctx);
            }
            Line::Datagrams(socket) => {
                let socket = *socket;
                self.send_datagram(ctx, socket);
            }
        }
    }

    fn send_pieces(&mut self, ctx: &mut Context<'_>) {
        let Line::Stream(stream) = &mut self.line else { return };
        while let Some((number, at)) = stream.sending {
            let piece = (self.options.size - at).min(PIECE);
            let bytes = &mut self.buffer[..piece];
            if at > 0 {
                message::fill(number, at, bytes);
            }
            let at = at + piece;
            stream.sending = (at < self.options.size).then_some((number, at));
            // Refused: the connection's end is about to be told.
            if ctx.send(stream.conn, bytes) != Sent::Queued {
                return;
            }
        }
    }

    fn send_datagram(&mut self, ctx: &mut Context<'_>, socket: UdpId) {
        let mut answer = ctx.send_connected(socket, &self.buffer);
        // Only ICMP says that, of a datagram before this one, which wasn't sent therefore.
        if let Err(error) = &answer {
            if error.kind() == io::ErrorKind::ConnectionRefused {
                self.say(ctx, |report| report.error(error));
                answer = ctx.send_connected(socket, &self.buffer);
            }
        }
        if let Err(error) = answer {
            self.say(ctx, |report| report.error(&error));
        }
    }

    /// Sets the timer for the oldest message that is out.
    fn await_oldest(&mut self, ctx: &mut Context<'_>) {
        self.giving_up = self.account.due().is_some();
        if let Some(due) = self.account.due() {
            ctx.after(due.saturating_duration_since(ctx.now()), GIVE_UP);
        }
    }

    /// The whole of message `number` is back.
    fn answered(&mut self, ctx: &mut Context<'_>, number: u64, now: Instant) {
        let answer = self.account.answered(number, now);
        self.say(ctx, |report| report.answer(number, answer));
    }
}

impl Handler for Ping {
    type Message = ();

    fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        debug!("connected to {:?}", ctx.peer_address(conn));
        self.line = Line::Stream(Stream { conn, sending: None, coming: (1, 0) });
        ctx.after(Duration::ZERO, SEND);
    }

    fn connect_failed(&mut self, ctx: &mut Context<'_>, _conn: ConnId, error: ConnectError) {
        self.fail(ctx, error.to_string());
    }

    fn data(&mut self, ctx: &mut Context<'_>, _conn: ConnId, input: &mut Input<'_>) {
        let now = Instant::now();
        let mut bytes = input.take();
        while !bytes.is_empty() && self.failure.is_none() {
            let Line::Stream(stream) = &mut self.line else { return };
            let (number, at) = stream.coming;
            let (piece, rest) = bytes.split_at(bytes.len().min(self.options.size - at));
            let failure = if number > self.account.tally().sent {
                Some(self.report.never_sent(number))
            } else {
                message::first_wrong(number, at, piece)
                    .map(|place| self.report.stream_changed(number, at + place))
            };
            if let Some(failure) = failure {
                return self.fail(ctx, failure);
            }
            let at = at + piece.len();
            bytes = rest;
            if at < self.options.size {
                stream.coming.1 = at;
            } else {
                stream.coming = (number + 1, 0);
                self.answered(ctx, number, now);
            }
        }
        self.go_on(ctx);
    }

    fn drained(&mut self, ctx: &mut Context<'_>, _conn: ConnId) {
        self.send_pieces(ctx);
    }

    fn closed(&mut self, ctx: &mut Context<'_>, _conn: ConnId, reason: CloseReason) {
        match reason {
            CloseReason::Stopped { .. } => {}
            CloseReason::Finished => {
                self.fail(ctx, "the server has closed the connection".to_owned());
            }
            reason => self.fail(ctx, format!("the connection has ended: {reason}")),
        }
    }

    fn datagram(&mut self, ctx: &mut Context<'_>, _socket: UdpId, datagram: &Datagram<'_>) {
        let now = Instant::now();
        let bytes = datagram.bytes();
        let number = message::number_of(bytes).filter(|number| {
            let asked = (1..=self.account.tally().sent).contains(number);
            asked && bytes.len() == self.options.size
        });
        match number.map(|number| (number, message::first_wrong(number, 0, bytes))) {
            Some((number, None)) => self.answered(ctx, number, now),
            Some((number, Some(place))) => {
                self.say(ctx, |report| report.datagram_changed(number, place));
            }
            None => self.say(ctx, |report| report.no_message(bytes.len())),
        }
        self.go_on(ctx);
    }

    fn datagram_failed(&mut self, ctx: &mut Context<'_>, _socket: UdpId, error: DatagramError) {
        self.say(ctx, |report| report.error(error.error()));
        self.go_on(ctx);
    }

    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, token: u64) {
        if token == SEND {
            self.send_next(ctx);
            if !self.options.interval.is_zero() && !self.all_are_sent() {
                ctx.repeat(timer, self.options.interval);
            }
        } else {
            let now = ctx.now();
            while let Some(number) = self.account.give_up(now) {
                let timeout = self.options.timeout;
                self.say(ctx, |report| report.lost(number, timeout));
            }
            self.await_oldest(ctx);
        }
        self.go_on(ctx);
    }

    fn signal(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        if matches!(self.line, Line::Connecting) {
            self.failure = Some(format!("{signal}, before there was a connection"));
        }
        ctx.stop();
    }
}
