//! The trait that users implement.

use crate::connection::{CloseReason, Input};
use crate::context::Context;
use crate::ids::{ConnId, ListenerId, RawId, UdpId};
use crate::net::{ConnectError, Datagram, DatagramError};
use crate::poller::Readiness;
use crate::signal::Signal;
use crate::timer::TimerId;

/// What an application does with what happens.
///
/// The reactor owns the sockets and their buffers, the handler owns the application's state. Every
/// callback gets both at once, so that other connections' state, and the reactor, are plain borrows
/// away; keep the state per connection in a [`ConnMap`](crate::ConnMap). No callback ever runs inside
/// another one, nor inside a call of the handler's own: what a call causes comes later.
///
/// A callback may do anything at any time, closing itself and others included.
///
/// Only [`data`](Self::data) has no default. A panic in a callback unwinds through the loop: all
/// sockets are closed, and the reactor answers with errors for ever.
pub trait Handler {
    /// What a [`Mailbox`](crate::Mailbox) carries to this handler; `()` where there is none.
    type Message;

    /// A client has connected to `listener`. Everything that follows about it names `conn`, and the
    /// last is [`closed`](Self::closed).
    fn accepted(&mut self, ctx: &mut Context<'_>, conn: ConnId, listener: ListenerId) {
        let _ = (ctx, conn, listener);
    }

    /// What [`connect`](Context::connect) began has succeeded. Everything that follows about it names
    /// `conn`, and the last is [`closed`](Self::closed).
    ///
    /// For each connect there is either this or [`connect_failed`](Self::connect_failed), once.
    fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        let _ = (ctx, conn);
    }

    /// What [`connect`](Context::connect) began has failed, or was ended before it was connected: `error`
    /// says all about it, and `conn` names nothing any more. There is no `closed` for it.
    fn connect_failed(&mut self, ctx: &mut Context<'_>, conn: ConnId, error: ConnectError) {
        let _ = (ctx, conn, error);
    }

    /// Bytes have come: those left behind before and the new ones, as one slice. Of the new ones there
    /// are up to 256 KiB, what one read takes.
    ///
    /// What isn't taken from `input` stays, and comes again when more bytes came, the limits changed,
    /// [`resume`](Context::resume) was called, or the stream ended. With
    /// [`Limits::read_high`](crate::Limits::read_high) bytes left behind nothing more is read, not even
    /// the end: a handler that waits for a whole message should end a connection whose message is longer.
    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>);

    /// An urgent byte has come on a connection that [watches](Context::watch_urgent) for it.
    ///
    /// It comes ahead of bytes that were sent before it and weren't read yet, also while reading is
    /// [paused](Context::pause). [`at_mark`](Context::at_mark) tells when those are over.
    fn urgent(&mut self, ctx: &mut Context<'_>, conn: ConnId, byte: u8) {
        let _ = (ctx, conn, byte);
    }

    /// The peer will send no more, and all that it sent was delivered. By default the connection is
    /// closed once everything queued is sent.
    fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        ctx.close(conn);
    }

    /// The queue of a connection was above its high-water mark, and is back at the low one: sent, or
    /// given up because a write has failed.
    fn drained(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        let _ = (ctx, conn);
    }

    /// A connection has ended, and `conn` names nothing any more; where it came from is still told, by
    /// [`listener_of`](Context::listener_of) and [`peer_of`](Context::peer_of).
    ///
    /// Comes exactly once for each that [`accepted`](Self::accepted) or [`connected`](Self::connected)
    /// announced, whoever ended it, also when the loop stops; nothing about it follows.
    fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        let _ = (ctx, conn, reason);
    }

    /// A datagram has come, perhaps one of no bytes.
    fn datagram(&mut self, ctx: &mut Context<'_>, socket: UdpId, datagram: &Datagram<'_>) {
        let _ = (ctx, socket, datagram);
    }

    /// A UDP socket reports an error: mostly that ICMP has said of a datagram that it sent, and to whom,
    /// that it wasn't taken. The socket goes on.
    ///
    /// An error of the sending call itself is that call's answer, and doesn't come here.
    fn datagram_failed(&mut self, ctx: &mut Context<'_>, socket: UdpId, error: DatagramError) {
        let _ = (ctx, socket, error);
    }

    /// A timer is due: `timer` names it, `token` is what it was set with.
    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, token: u64) {
        let _ = (ctx, timer, token);
    }

    /// A message was posted to a [`Mailbox`](crate::Mailbox) of this reactor.
    fn message(&mut self, ctx: &mut Context<'_>, message: Self::Message) {
        let _ = (ctx, message);
    }

    /// A signal has come, once or more often since the last time.
    fn signal(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        let _ = (ctx, signal);
    }

    /// A descriptor that the handler registered itself is ready.
    fn ready(&mut self, ctx: &mut Context<'_>, raw: RawId, readiness: Readiness) {
        let _ = (ctx, raw, readiness);
    }
}
