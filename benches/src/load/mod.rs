//! A closed loop of messages against an echo server, every byte checked.
//!
//! Each connection sends one message, awaits the whole echo, and sends the next. So the server is
//! never flooded: it is asked as fast as it answers, by as many clients as there are connections.
//!
//! Before the measured time there is a warm-up, and at the end of both every echo is awaited. The
//! server's CPU time is read while nothing is under way: the kernel's figure is exact then, and
//! each message is in it from beginning to end.
//!
//! The sockets are driven by the `mio` crate itself. Nothing of the library takes part, so that
//! what is measured doesn't measure itself.

mod connection;
mod pattern;
mod report;

pub use report::Report;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use mio::{Events, Interest, Poll, Token};

use crate::cpu;
use connection::{Connection, Step};
use pattern::Pattern;

/// How many reports one wait takes.
const EVENTS: usize = 1024;

/// The most bytes that one read takes.
const SCRATCH: usize = 256 * 1024;

/// What to send, to whom, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The echo server.
    pub server: SocketAddr,
    /// How many connections ask at the same time.
    pub connections: NonZeroUsize,
    /// Bytes of a message.
    pub size: NonZeroUsize,
    /// How long to send before the measurement begins.
    pub warmup: Duration,
    /// How long to send while measuring.
    pub measured: Duration,
    /// How long to wait for a connection, and for the last echoes, before giving up.
    pub patience: Duration,
    /// The server's process, whose CPU time is to be read.
    pub pid: Option<u32>,
}

/// Carries out a plan.
///
/// # Errors
///
/// When the server can't be reached, when one byte comes back wrong or one too many, when a
/// connection is lost, when echoes are still missing after the plan's patience, or when the
/// server's CPU time can't be read. The error says on which connection, and where in which message.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    let mut load = Load::connect(plan)?;
    load.send_for(plan.warmup)?;
    let cpu_time = || plan.pid.map(cpu::time_of).transpose();
    let (time_before, started) = (cpu_time()?, Instant::now());
    let messages = load.send_for(plan.measured)?;
    let (elapsed, time_after) = (started.elapsed(), cpu_time()?);
    let server_time =
        time_before.zip(time_after).map(|(before, after)| after.saturating_sub(before));
    Ok(Report { messages, elapsed, server_time })
}

/// All connections, and what they share.
struct Load {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    pattern: Pattern,
    scratch: Vec<u8>,
    patience: Duration,
}

impl Load {
    /// One connection after the other, so that the server's backlog never overflows.
    fn connect(plan: &Plan) -> anyhow::Result<Self> {
        let poll = Poll::new().context("create a mio poll")?;
        let deadline = Instant::now() + plan.patience;
        let pattern = Pattern::new(plan.size);
        let mut connections = Vec::with_capacity(plan.connections.get());
        for number in 0..plan.connections.get() {
            let left = deadline.saturating_duration_since(Instant::now());
            let connection = connect(plan.server, left)
                .and_then(|stream| {
                    let mut stream = mio::net::TcpStream::from_std(stream);
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(number), interest)?;
                    Ok(Connection::new(stream, number, &pattern))
                })
                .with_context(|| {
                    let of = plan.connections;
                    format!("connect to {}, connection {} of {of}", plan.server, number + 1)
                })?;
            connections.push(connection);
        }
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS),
            connections,
            pattern,
            scratch: vec![0; SCRATCH],
            patience: plan.patience,
        })
    }

    /// Has every connection send messages for this long, and returns how many came back, once all
    /// have.
    fn send_for(&mut self, duration: Duration) -> anyhow::Result<u64> {
        let end = Instant::now() + duration;
        let deadline = end + self.patience;
        let mut waiting = self.connections.len();
        let mut messages = 0;
        for connection in &mut self.connections {
            connection.send_next(&self.pattern)?;
        }
        while waiting > 0 {
            let now = Instant::now();
            if now >= deadline {
                let all = self.connections.len();
                bail!(
                    "{waiting} of {all} connections still await an echo, {:?} after the end",
                    self.patience
                );
            }
            match self.poll.poll(&mut self.events, Some(deadline - now)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    return Err(error).context("wait for the sockets");
                }
                _ => {}
            }
            let more = Instant::now() < end;
            for event in &self.events {
                let connection = &mut self.connections[event.token().0];
                let ending = event.is_read_closed() || event.is_error();
                match connection.advance(&self.pattern, &mut self.scratch, ending)? {
                    Step::Wait => {}
                    Step::Complete => {
                        messages += 1;
                        if more {
                            connection.send_next(&self.pattern)?;
                        } else {
                            waiting -= 1;
                        }
                    }
                }
            }
        }
        Ok(messages)
    }
}

/// Connects within the time that is left, which must not be zero for the call to be allowed.
fn connect(server: SocketAddr, left: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&server, left.max(Duration::from_millis(1)))?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
