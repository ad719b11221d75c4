//! A handler that remembers what it saw, and does what a script says.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use reactor::{
    CloseReason, ConnId, ConnectError, Context, Datagram, DatagramError, Handler, Input,
    ListenerId, RawId, Readiness, Signal, TimerId, UdpId,
};

/// One callback, for a script.
#[derive(Debug)]
#[allow(missing_docs, reason = "they are the methods of `Handler`, with their arguments")]
pub enum Call<'a, 'b> {
    Accepted(ConnId, ListenerId),
    Connected(ConnId),
    ConnectFailed(ConnId, &'a ConnectError),
    Data(ConnId, &'a mut Input<'b>),
    Urgent(ConnId, u8),
    PeerFinished(ConnId),
    Drained(ConnId),
    Closed(ConnId, &'a CloseReason),
    Timer(TimerId, u64),
    Message(u64),
    Signal(Signal),
    Datagram(UdpId, &'a Datagram<'b>),
    DatagramFailed(UdpId, &'a DatagramError),
    Ready(RawId, Readiness),
}

/// What a handler does in each of its callbacks.
pub type Script = Box<dyn FnMut(&mut Context<'_>, Call<'_, '_>)>;

/// Takes what comes, and closes when the peer has finished.
pub fn sink(ctx: &mut Context<'_>, call: Call<'_, '_>) {
    match call {
        Call::Data(_, input) => drop(input.take()),
        Call::PeerFinished(conn) => ctx.close(conn),
        _ => {}
    }
}

/// Sends back what comes, and closes when the peer has finished.
pub fn echo(ctx: &mut Context<'_>, call: Call<'_, '_>) {
    match call {
        Call::Data(conn, input) => drop(ctx.send(conn, input.take())),
        Call::PeerFinished(conn) => ctx.close(conn),
        _ => {}
    }
}

/// One callback, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the methods of `Handler`, with their arguments")]
pub enum Seen {
    Accepted(ConnId),
    Connected(ConnId),
    /// [`Recorder::errors`] has the error.
    ConnectFailed(ConnId),
    /// With all the bytes that were shown, taken or not.
    Data(ConnId, Vec<u8>),
    Urgent(ConnId, u8),
    PeerFinished(ConnId),
    Drained(ConnId),
    Closed(ConnId, End),
    Timer(u64),
    Message(u64),
    Signal(Signal),
    Datagram(Vec<u8>, SocketAddr),
    /// With the peer that it is about.
    DatagramFailed(io::ErrorKind, Option<SocketAddr>),
    Ready(RawId),
}

/// A [`CloseReason`] that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are those of `CloseReason`")]
pub enum End {
    Finished,
    Aborted,
    Error(io::ErrorKind),
    Overflow,
    Idle,
    Undelivered { unsent: usize },
    Stopped { unsent: usize },
    Other,
}

impl From<&CloseReason> for End {
    fn from(reason: &CloseReason) -> Self {
        match reason {
            CloseReason::Finished => Self::Finished,
            CloseReason::Aborted => Self::Aborted,
            CloseReason::Error(error) => Self::Error(error.kind()),
            CloseReason::Overflow => Self::Overflow,
            CloseReason::Idle => Self::Idle,
            CloseReason::Undelivered { unsent } => Self::Undelivered { unsent: *unsent },
            CloseReason::Stopped { unsent } => Self::Stopped { unsent: *unsent },
            _ => Self::Other,
        }
    }
}

/// The handler. It also checks, in every case, what must hold in all: nothing comes for a connection
/// before it is announced, and nothing after its end, which comes once; and a connect that has failed is
/// heard of no more.
pub struct Recorder {
    /// What came, in order.
    pub seen: Vec<Seen>,
    /// Why connects failed.
    pub errors: Vec<(ConnId, ConnectError)>,
    script: Script,
    open: HashSet<ConnId>,
}

impl Recorder {
    /// A handler that does what `script` says.
    pub fn new(script: impl FnMut(&mut Context<'_>, Call<'_, '_>) + 'static) -> Self {
        Self {
            seen: Vec::new(),
            errors: Vec::new(),
            script: Box::new(script),
            open: HashSet::new(),
        }
    }

    /// The connections that were announced and not closed.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Why a connect failed, if it did.
    #[must_use]
    pub fn error_of(&self, conn: ConnId) -> Option<&ConnectError> {
        self.errors.iter().find_map(|(failed, error)| (*failed == conn).then_some(error))
    }

    fn announce(&mut self, conn: ConnId) {
        assert!(self.open.insert(conn), "{conn:?} was announced before");
        assert!(self.error_of(conn).is_none(), "{conn:?} has failed before");
    }

    fn is_open(&self, conn: ConnId) {
        assert!(self.open.contains(&conn), "{conn:?} isn't open: {:?}", self.seen.last());
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Handler for Recorder {
    type Message = u64;

    fn accepted(&mut self, ctx: &mut Context<'_>, conn: ConnId, listener: ListenerId) {
        self.announce(conn);
        self.seen.push(Seen::Accepted(conn));
        (self.script)(ctx, Call::Accepted(conn, listener));
    }

    fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        self.announce(conn);
        self.seen.push(Seen::Connected(conn));
        (self.script)(ctx, Call::Connected(conn));
    }

    fn connect_failed(&mut self, ctx: &mut Context<'_>, conn: ConnId, error: ConnectError) {
        assert!(!self.open.contains(&conn), "{conn:?} is connected");
        assert!(self.error_of(conn).is_none(), "{conn:?} has failed before");
        self.seen.push(Seen::ConnectFailed(conn));
        (self.script)(ctx, Call::ConnectFailed(conn, &error));
        self.errors.push((conn, error));
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        self.seen.push(Seen::Data(conn, input.to_vec()));
        self.is_open(conn);
        (self.script)(ctx, Call::Data(conn, input));
    }

    fn urgent(&mut self, ctx: &mut Context<'_>, conn: ConnId, byte: u8) {
        self.seen.push(Seen::Urgent(conn, byte));
        self.is_open(conn);
        (self.script)(ctx, Call::Urgent(conn, byte));
    }

    fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        self.seen.push(Seen::PeerFinished(conn));
        self.is_open(conn);
        (self.script)(ctx, Call::PeerFinished(conn));
    }

    fn drained(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        self.seen.push(Seen::Drained(conn));
        self.is_open(conn);
        (self.script)(ctx, Call::Drained(conn));
    }

    fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        self.seen.push(Seen::Closed(conn, End::from(&reason)));
        assert!(self.open.remove(&conn), "{conn:?} was closed before, or never announced");
        (self.script)(ctx, Call::Closed(conn, &reason));
    }

    fn datagram(&mut self, ctx: &mut Context<'_>, socket: UdpId, datagram: &Datagram<'_>) {
        self.seen.push(Seen::Datagram(datagram.bytes().to_vec(), datagram.peer()));
        (self.script)(ctx, Call::Datagram(socket, datagram));
    }

    fn datagram_failed(&mut self, ctx: &mut Context<'_>, socket: UdpId, error: DatagramError) {
        self.seen.push(Seen::DatagramFailed(error.error().kind(), error.peer()));
        (self.script)(ctx, Call::DatagramFailed(socket, &error));
    }

    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, token: u64) {
        self.seen.push(Seen::Timer(token));
        (self.script)(ctx, Call::Timer(timer, token));
    }

    fn message(&mut self, ctx: &mut Context<'_>, message: u64) {
        self.seen.push(Seen::Message(message));
        (self.script)(ctx, Call::Message(message));
    }

    fn signal(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        self.seen.push(Seen::Signal(signal));
        (self.script)(ctx, Call::Signal(signal));
    }

    fn ready(&mut self, ctx: &mut Context<'_>, raw: RawId, readiness: Readiness) {
        self.seen.push(Seen::Ready(raw));
        (self.script)(ctx, Call::Ready(raw, readiness));
    }
}
