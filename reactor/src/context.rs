//! What a handler may ask of the reactor.

mod connecting;
mod marks;
mod sockets;
mod udp;
mod urgent;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::acceptor::Acceptor;
use crate::connection::{Connection, Limits, Origin};
use crate::core::{Core, Due};
use crate::ids::{ConnId, ListenerId, RawId};
use crate::net::{Address, Failure, ListenOptions, Listener};
use crate::poller::{Blocked, Direction, Interest, Poller};
use crate::raw::Raw;
use crate::signal::{Signal, Signals};
use crate::sources::Source;
use crate::timer::TimerId;

/// What became of a `send`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The bytes are on their way: sent, or queued until the socket takes them.
    Queued,
    /// As `Queued`, and more than [`Limits::write_high`] is queued by now: a handler that goes on
    /// nevertheless should wait for [`drained`](crate::Handler::drained).
    AboveHighWater,
    /// Nothing was taken: the id is out of date, or not connected yet, or the connection sends no more.
    Refused,
}

/// The reactor, as far as a callback may touch it.
///
/// Nothing here blocks, but for the names that [`listen`](Self::listen) and
/// [`bind_udp`](Self::bind_udp) may have to look up, and a stale file that
/// [`listen_unix`](Self::listen_unix) replaces. Nothing calls back: what a call causes comes as a
/// callback of its own, later. A call with an id that is out of date does nothing, and says so where it answers.
pub struct Context<'a> {
    pub(crate) core: &'a mut Core,
    pub(crate) poller: &'a mut dyn Poller,
}

impl Context<'_> {
    /// Sends `bytes`, or queues what the socket doesn't take yet.
    ///
    /// The bytes of one callback to its own connection are gathered and go out when it returns; those
    /// to other connections go out at the end of the turn, or earlier if they come to more than
    /// [`Limits::write_high`]. So [`Sent::AboveHighWater`] means that a peer doesn't keep up.
    #[inline]
    pub fn send(&mut self, conn: ConnId, bytes: &[u8]) -> Sent {
        self.core.send(conn.0, bytes)
    }

    /// Sends bytes that others may hold, too, without copying them: for what goes to many.
    pub fn send_shared(&mut self, conn: ConnId, bytes: Bytes) -> Sent {
        self.core.send_shared(conn.0, bytes)
    }

    /// Ends a connection once all that is queued is sent, for at most [`Limits::drain_timeout`].
    ///
    /// Its input is dropped from now on. Once all is sent, the peer is told that no more comes, and waited
    /// for until it ends its side, too: an RST, which answers what comes for a socket that is gone, could
    /// overtake our last bytes. That lasts for what is left of the same time, and for 1 MiB of the peer's
    /// bytes: one that goes on sending is reset.
    ///
    /// A connect that is under way is cancelled: its callback is
    /// [`connect_failed`](crate::Handler::connect_failed).
    pub fn close(&mut self, conn: ConnId) {
        self.core.close(conn.0);
    }

    /// Ends a connection at once: what is queued is dropped, and the peer gets an RST (TCP). A connect
    /// that is under way is cancelled.
    pub fn abort(&mut self, conn: ConnId) {
        self.core.abort(conn.0);
    }

    /// Sends no more once all that is queued is sent (SHUT_WR), and goes on receiving.
    ///
    /// When the peer has finished, too, the connection is closed.
    pub fn finish(&mut self, conn: ConnId) {
        self.core.finish(conn.0);
    }

    /// Stops delivering, and reading: the peer is slowed down by its own full buffers.
    pub fn pause(&mut self, conn: ConnId) {
        self.core.pause(&mut *self.poller, conn.0);
    }

    /// Goes on reading. What was left behind is delivered again in the same turn.
    pub fn resume(&mut self, conn: ConnId) {
        self.core.resume(&mut *self.poller, conn.0);
    }

    /// Changes the limits of one connection. What was left behind is delivered again if it reaches the
    /// new low-water mark.
    pub fn set_limits(&mut self, conn: ConnId, limits: Limits) {
        self.core.set_limits(&mut *self.poller, conn.0, limits);
    }

    /// The limits of a connection, as they were last set all at once.
    #[must_use]
    pub fn limits(&self, conn: ConnId) -> Option<&Limits> {
        self.connection(conn).map(|connection| &*connection.limits)
    }

    /// Bytes that the socket of a connection hasn't taken yet, those included that this callback has
    /// just sent; zero if there is no such connection.
    #[must_use]
    pub fn queued(&self, conn: ConnId) -> usize {
        self.core.queued(conn.0)
    }

    /// The listener that accepted a connection; also in its [`closed`](crate::Handler::closed).
    #[must_use]
    pub fn listener_of(&self, conn: ConnId) -> Option<ListenerId> {
        match self.core.origin(conn.0)? {
            Origin::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    /// The address of a connection's peer. In [`accepted`](crate::Handler::accepted) it is known of
    /// every one; later the system forgets a peer that has reset the connection.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such connection; ENOTCONN if the peer is gone already.
    pub fn peer_address(&self, conn: ConnId) -> io::Result<Address> {
        let connection = self.connection(conn).ok_or_else(gone)?;
        if let Some((_, peer)) = self.core.newcomer.as_ref().filter(|(key, _)| *key == conn.0) {
            return Ok(peer.clone());
        }
        Address::peer_of(&connection.socket)
    }

    /// The address of a connection's own end.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such connection.
    pub fn local_address(&self, conn: ConnId) -> io::Result<Address> {
        let connection = self.connection(conn).ok_or_else(gone)?;
        Address::of(&connection.socket)
    }

    /// How many connections there are. A connect that is under way isn't one yet.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.core.connections
    }

    fn connection(&self, conn: ConnId) -> Option<&Connection> {
        self.core.sources.connection(conn.0)
    }

    /// Listens for TCP connections; see [`listen_with`](Self::listen_with).
    ///
    /// # Errors
    ///
    /// As `listen_with`.
    pub fn listen(&mut self, address: impl ToSocketAddrs) -> io::Result<ListenerId> {
        self.listen_with(address, &ListenOptions::default())
    }

    /// Listens for TCP connections at the first of the addresses at which that is possible.
    ///
    /// A host name is looked up, which blocks: names belong in the start-up.
    ///
    /// # Errors
    ///
    /// What was tried, on which address, and what the kernel said of the last one. A text that is no
    /// `host:port`, or a name that can't be looked up, is the error of [`ToSocketAddrs`], which doesn't
    /// repeat the text: who has it from a user names it himself.
    pub fn listen_with(
        &mut self,
        address: impl ToSocketAddrs,
        options: &ListenOptions,
    ) -> io::Result<ListenerId> {
        let listener = first(address, |address| Listener::tcp(address, options))?;
        self.add_listener(listener, options)
    }

    /// Listens for connections to a Unix stream socket at a path.
    ///
    /// A socket file that nobody listens at any more is replaced; the file is removed when the
    /// listener goes. Of several servers that find the same stale file one may replace it: that is
    /// decided under a lock of the directory (flock(2)). While another process holds that lock, this
    /// waits for it, for up to 50 ms; a path that is free needs no lock.
    ///
    /// # Errors
    ///
    /// What was tried, on which path, and what the kernel said.
    pub fn listen_unix(
        &mut self,
        path: impl AsRef<Path>,
        options: &ListenOptions,
    ) -> io::Result<ListenerId> {
        let listener = Listener::unix(path.as_ref(), options)?;
        self.add_listener(listener, options)
    }

    /// Listens for connections to a Unix stream socket with an abstract name, which has no file
    /// (Linux; unix(7)).
    ///
    /// # Errors
    ///
    /// What was tried, with which name, and what the kernel said; `Unsupported` where there are no
    /// such names.
    pub fn listen_abstract(
        &mut self,
        name: &[u8],
        options: &ListenOptions,
    ) -> io::Result<ListenerId> {
        let listener = Listener::unix_abstract(name, options)?;
        self.add_listener(listener, options)
    }

    fn add_listener(
        &mut self,
        listener: Listener,
        options: &ListenOptions,
    ) -> io::Result<ListenerId> {
        let acceptor = Acceptor::new(listener, options, self.core.limits.clone());
        let source = Source::Acceptor(Box::new(acceptor));
        self.core.watch(&mut *self.poller, source, Interest::READABLE).map(ListenerId)
    }

    /// The limits that the connections of one listener begin with, from now on: those that it has yet to
    /// accept. Until it is said they are the reactor's. Says whether there is such a listener.
    pub fn set_listener_limits(&mut self, listener: ListenerId, limits: Limits) -> bool {
        let acceptor = self.core.sources.acceptor_mut(listener.0);
        acceptor.map(|acceptor| acceptor.limits = Arc::new(limits)).is_some()
    }

    /// The address that a listener listens at: with port 0, the port that the kernel chose.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such listener.
    pub fn listener_address(&self, listener: ListenerId) -> io::Result<Address> {
        Ok(self.core.sources.acceptor(listener.0).ok_or_else(gone)?.local_address().clone())
    }

    /// Stops listening. Connections that were accepted go on; those that wait to be accepted are lost.
    pub fn close_listener(&mut self, listener: ListenerId) {
        self.core.close_listener(&mut *self.poller, listener.0);
    }

    /// Watches a descriptor that the handler reads and writes itself:
    /// [`ready`](crate::Handler::ready) says when. The reactor owns it until
    /// [`unregister`](Self::unregister) gives it back.
    ///
    /// # Errors
    ///
    /// What the poller says of the descriptor, which is closed then: who needs it afterwards registers
    /// a [duplicate](OwnedFd::try_clone).
    pub fn register(&mut self, fd: impl Into<OwnedFd>, interest: Interest) -> io::Result<RawId> {
        let source = Source::Raw(Raw::new(fd.into(), interest));
        self.core.watch(&mut *self.poller, source, interest).map(RawId)
    }

    /// A registered descriptor.
    #[must_use]
    pub fn raw(&self, raw: RawId) -> Option<BorrowedFd<'_>> {
        self.core.sources.raw(raw.0).map(|raw| raw.fd.as_fd())
    }

    /// Changes what [`ready`](crate::Handler::ready) is to tell of a registered descriptor, from now
    /// on: also of what this turn's wait has found already.
    ///
    /// Where the system has no room to watch it again after [`Interest::NONE`] (epoll_ctl(2): ENOSPC,
    /// ENOMEM), that is told as readiness with an [error](crate::poller::Readiness::is_error), as often as
    /// the loop has asked in vain: 10 ms later, and up to a second later each time. Below a
    /// [mark](Self::set_raw_read_low) the loop asks without a word.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such descriptor.
    pub fn set_interest(&mut self, raw: RawId, interest: Interest) -> io::Result<()> {
        self.core.set_raw_interest(&mut *self.poller, raw.0, interest)
    }

    /// Says that a call on a registered descriptor would have blocked, or came up short: a hint that
    /// saves an edge-triggered mechanism a system call.
    pub fn blocked(&mut self, raw: RawId, direction: Direction, why: Blocked) {
        self.poller.blocked(raw.0, direction, why);
    }

    /// Gives a registered descriptor back, without a read low-water mark.
    pub fn unregister(&mut self, raw: RawId) -> Option<OwnedFd> {
        self.core.sources.raw(raw.0)?;
        match self.core.unwatch(&mut *self.poller, raw.0) {
            Some(Source::Raw(mut raw)) => {
                // To take a mark away asks the kernel for nothing that it could refuse.
                let _ = raw.set_low(1);
                if let Some(timer) = raw.timer {
                    self.core.timers.cancel(timer);
                }
                Some(raw.fd)
            }
            _ => None,
        }
    }

    /// The turn's time: when its wait ended.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.core.now
    }

    /// Calls [`timer`](crate::Handler::timer) with `token` once, `after` the turn's time: never
    /// earlier, and up to a millisecond later, or as late as the loop is busy.
    pub fn after(&mut self, after: Duration, token: u64) -> TimerId {
        self.core.timers.insert(after, Due::User(token))
    }

    /// Puts a timer off, or brings it forward, to `after` the turn's time: also from its own callback.
    /// Says whether there is such a timer.
    pub fn rearm(&mut self, timer: TimerId, after: Duration) -> bool {
        self.core.timers.rearm(timer, after)
    }

    /// In a timer's own callback: again one `period` after it was due, so that a series of them
    /// doesn't drift. Periods that are over already are left out. Says whether there is such a timer.
    pub fn repeat(&mut self, timer: TimerId, period: Duration) -> bool {
        self.core.timers.repeat(timer, period)
    }

    /// Forgets a timer. Says whether there was one.
    pub fn cancel(&mut self, timer: TimerId) -> bool {
        self.core.timers.cancel(timer).is_some()
    }

    /// How many turns the loop has begun, this one included: waits that ended.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.core.turns
    }

    /// Has [`signal`](crate::Handler::signal) called when this signal comes, instead of what it does
    /// by default.
    ///
    /// # Errors
    ///
    /// For a signal that can't be caught; EMFILE or ENFILE.
    pub fn watch_signal(&mut self, signal: Signal) -> io::Result<()> {
        let key = match self.core.signals {
            Some(key) => key,
            None => {
                let source = Source::Signals(Box::new(Signals::new()?));
                self.core.watch(&mut *self.poller, source, Interest::READABLE)?
            }
        };
        self.core.signals = Some(key);
        match self.core.sources.signals_mut(key) {
            Some(signals) => signals.watch(signal),
            None => Err(gone()),
        }
    }

    /// Stops the loop at the end of the turn. Connections that there are get
    /// [`closed`](crate::Handler::closed), and what is queued is dropped; connects get
    /// [`connect_failed`](crate::Handler::connect_failed). Once the loop has stopped, to listen, bind
    /// or watch anything is an error.
    pub fn stop(&mut self) {
        self.core.stop();
    }

    /// Stops the loop in good order: listeners go at once, connects fail, connections are
    /// [closed](Self::close), and the loop stops when the last one is gone, or after `deadline`.
    ///
    /// Each connection has at most its own [`Limits::drain_timeout`] for that, 5 s by default: who wants
    /// to wait for longer raises it. Everything else goes on meanwhile: timers, datagrams, messages. Of a
    /// second call the later deadline counts for nothing: the first one holds.
    ///
    /// ```
    /// use std::time::Duration;
    /// use reactor::{ConnId, Context, Handler, Input, Signal};
    ///
    /// struct Server;
    ///
    /// impl Handler for Server {
    ///     type Message = ();
    ///
    ///     fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
    ///
    ///     // After `ctx.watch_signal(Signal::Interrupt)`.
    ///     fn signal(&mut self, ctx: &mut Context<'_>, _: Signal) {
    ///         ctx.shut_down(Duration::from_secs(5));
    ///     }
    /// }
    /// ```
    pub fn shut_down(&mut self, deadline: Duration) {
        self.core.shut_down(&mut *self.poller, deadline);
    }
}

/// The first of the addresses with which it works; else the last error.
fn first<T>(
    addresses: impl ToSocketAddrs,
    mut open: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = None;
    let addresses = addresses.to_socket_addrs().map_err(|error| {
        let advice = (error.kind() == io::ErrorKind::InvalidInput)
            .then_some("it is host:port, such as 127.0.0.1:80 or [::1]:80");
        Failure::wrap("find the address to bind to", error, advice)
    })?;
    for address in addresses {
        match open(address) {
            Ok(opened) => return Ok(opened),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no address to use")))
}

/// The answer to an id that is out of date.
pub(crate) fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the id is out of date")
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("connections", &self.core.connections)
            .finish_non_exhaustive()
    }
}
