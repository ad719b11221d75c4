//! What the server does with what comes, and how it ends.

use std::process::ExitCode;
use std::time::Duration;

use log::debug;
use reactor::{
    CloseReason, ConnId, Context, Datagram, DatagramError, Handler, Input, ListenerId, Sent,
    Signal, TimerId, UdpId,
};

use crate::stats::{Counters, Reports, say};

/// Ports below are those of the system's services.
const FIRST_OF_CLIENTS: u16 = 1024;

pub(crate) struct Echo {
    counters: Counters,
    reports: Option<Reports>,
    /// The UDP sockets and their ports.
    udp: Vec<(UdpId, u16)>,
    drain_timeout: Duration,
    course: Course,
}

/// How far the end of the server has come.
enum Course {
    Serving,
    /// A signal asked for the end.
    Draining(Dropped),
    /// A second one asked for it at once.
    Killed(Signal),
}

/// What clients didn't get.
#[derive(Default)]
struct Dropped {
    connections: usize,
    bytes: usize,
}

impl Echo {
    pub(crate) fn new(drain_timeout: Duration) -> Self {
        Self {
            counters: Counters::default(),
            reports: None,
            udp: Vec::new(),
            drain_timeout,
            course: Course::Serving,
        }
    }

    /// Tells what exists only once there is a reactor.
    pub(crate) fn begin(&mut self, udp: Vec<(UdpId, u16)>, reports: Option<Reports>) {
        self.udp = udp;
        self.reports = reports;
    }

    /// Says what the end has cost, and with what the process exits.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match &self.course {
            Course::Serving => ExitCode::SUCCESS,
            Course::Draining(Dropped { connections: 0, .. }) => {
                say("stopped; nothing was dropped");
                ExitCode::SUCCESS
            }
            Course::Draining(Dropped { connections, bytes }) => {
                say(&format!(
                    "stopped; dropped {connections} {}, with {bytes} bytes unsent",
                    connections_word(*connections)
                ));
                ExitCode::SUCCESS
            }
            // As shells tell of a process that a signal has ended.
            Course::Killed(signal) => {
                u8::try_from(128 + signal.number()).map_or(ExitCode::FAILURE, ExitCode::from)
            }
        }
    }
}

/// Whether a datagram from `port` gets an answer from a server with these ports of its `own`.
///
/// One with a forged sender would keep two services that answer whatever comes busy with each other
/// for ever, or one with itself (CERT advisory CA-1996-01). Those of other kinds, such as chargen
/// (RFC 864), have ports below 1024, which no ordinary client is given (RFC 6335, section 6).
fn is_answered(port: u16, own: &[(UdpId, u16)]) -> bool {
    port >= FIRST_OF_CLIENTS && own.iter().all(|(_, own)| *own != port)
}

impl Handler for Echo {
    type Message = ();

    fn accepted(&mut self, ctx: &mut Context<'_>, conn: ConnId, listener: ListenerId) {
        debug!("{conn:?}: accepted by {listener:?} from {:?}", ctx.peer_address(conn));
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        let bytes = input.take();
        self.counters.add(bytes.len());
        // A client that sends without reading is not read from either, until it has read.
        if ctx.send(conn, bytes) == Sent::AboveHighWater {
            ctx.pause(conn);
        }
    }

    fn drained(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        ctx.resume(conn);
    }

    /// All that was sent comes back, however slowly it is read: so this isn't `close`, which has a
    /// deadline. An idle timeout applies as before.
    fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        ctx.finish(conn);
    }

    fn closed(&mut self, _ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        debug!("{conn:?}: {reason}");
        // With nothing unsent, the system has the rest, and goes on to deliver it.
        if let (Course::Draining(dropped), CloseReason::Stopped { unsent: unsent @ 1.. }) =
            (&mut self.course, reason)
        {
            dropped.connections += 1;
            dropped.bytes += unsent;
        }
    }

    fn datagram(&mut self, ctx: &mut Context<'_>, socket: UdpId, datagram: &Datagram<'_>) {
        if !is_answered(datagram.peer().port(), &self.udp) {
            debug!("{socket:?}: no answer to {}: servers have such ports", datagram.peer());
            return;
        }
        self.counters.add(datagram.bytes().len());
        if let Err(error) = ctx.reply(socket, datagram, datagram.bytes()) {
            debug!("{socket:?}: answer {}: {error}", datagram.peer());
        }
    }

    fn datagram_failed(&mut self, _ctx: &mut Context<'_>, socket: UdpId, error: DatagramError) {
        debug!("{socket:?}: {error}");
    }

    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, _token: u64) {
        if let Some(reports) = &mut self.reports {
            // Not every system counts them.
            let drops = self.udp.iter().filter_map(|(socket, _)| ctx.udp_drops(*socket).ok());
            let drops = drops.map(u64::from).sum();
            reports.report(ctx, timer, &self.counters, drops);
        }
    }

    fn signal(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        if matches!(self.course, Course::Serving) {
            let (count, limit) = (ctx.connections(), self.drain_timeout);
            say(&format!("{signal}: {count} {} to drain in {limit:?}", connections_word(count)));
            self.course = Course::Draining(Dropped::default());
            for (socket, _) in self.udp.drain(..) {
                ctx.close_udp(socket);
            }
            ctx.shut_down(limit);
        } else {
            self.course = Course::Killed(signal);
            ctx.stop();
        }
    }
}

fn connections_word(count: usize) -> &'static str {
    if count == 1 { "connection" } else { "connections" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_services_get_no_answer() {
        for (port, answered) in
            [(0, false), (7, false), (19, false), (1023, false), (1024, true), (u16::MAX, true)]
        {
            assert_eq!(is_answered(port, &[]), answered, "{port}");
        }
    }
}
