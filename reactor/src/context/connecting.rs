//! Reaching out.

use super::Context;
use crate::connection::Origin;
use crate::ids::{ConnId, PeerId};
use crate::net::{ConnectOptions, Target};

impl Context<'_> {
    /// Connects to `target`: what comes of it is told by [`connected`](crate::Handler::connected) or
    /// [`connect_failed`](crate::Handler::connect_failed), one of them and once, never before this
    /// returns, and with the id that this returns.
    ///
    /// Several addresses are raced (RFC 8305): the families in turns, one attempt joining the others
    /// after [`attempt_delay`](ConnectOptions::attempt_delay), or at once when one fails. The first that
    /// succeeds wins. A host name is looked up on threads of the reactor's own, four at most, which
    /// exist only once there was a name to look up.
    ///
    /// Until it is connected, the id stands for nothing but that: [`send`](Self::send) is refused, since
    /// what is queued for somebody who may never be there would only have to be told of again. What is
    /// to be said belongs in `connected`. [`close`](Self::close) and [`abort`](Self::abort) cancel it.
    ///
    /// A connect that is begun while the loop [shuts down](Self::shut_down) fails when it stops; one
    /// that is begun by the callbacks of the stop itself has none of its own, as the loop is over.
    ///
    /// ```
    /// use reactor::{ConnId, ConnectError, ConnectOptions, Context, Handler, Input, Reactor};
    ///
    /// struct Client;
    ///
    /// impl Handler for Client {
    ///     type Message = ();
    ///
    ///     fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
    ///         ctx.send(conn, b"hello");
    ///     }
    ///
    ///     fn connect_failed(&mut self, ctx: &mut Context<'_>, _: ConnId, error: ConnectError) {
    ///         eprintln!("{error}");
    ///         ctx.stop();
    ///     }
    ///
    ///     fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
    ///         println!("{} bytes came", input.take().len());
    ///         ctx.close(conn);
    ///     }
    /// }
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut reactor = Reactor::new(Client)?;
    /// # // A port at which nobody listens.
    /// # let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    /// # let example = nobody;
    /// # if false {
    /// let example = "example.com:7007";
    /// # }
    /// reactor.context().connect(example, &ConnectOptions::default());
    /// reactor.run()
    /// # }
    /// ```
    pub fn connect(&mut self, target: impl Into<Target>, options: &ConnectOptions) -> ConnId {
        ConnId(self.core.connect(target.into(), options.clone(), None))
    }

    /// Connects to `target` as [`connect`](Self::connect) does, and again whenever that fails or the
    /// connection has ended, until the peer is [let go](Self::let_go).
    ///
    /// Each connection has an id of its own, with its own `connected` and `closed`;
    /// [`peer_of`](Self::peer_of) says of it which peer it is to. So does
    /// [`ConnectError::peer`](crate::ConnectError::peer) of each round that failed: one round is one
    /// `connect_failed`, and [`rounds`](ConnectOptions::rounds) doesn't count. Between two of them, and
    /// after a connection, is a wait as long as the [backoff](ConnectOptions::backoff) says, which is
    /// back at its first one after a connection that was
    /// [stable](ConnectOptions::stable_after).
    ///
    /// Whoever wants no more than one connection to end closes it: the next one follows.
    ///
    /// A target that names nothing, such as a host without a port, has one `connect_failed` of the kind
    /// [`InvalidInput`](std::io::ErrorKind::InvalidInput), and is let go. Everything else may be right one
    /// day, an unknown name included, and is tried again.
    pub fn keep_connected(
        &mut self,
        target: impl Into<Target>,
        options: &ConnectOptions,
    ) -> PeerId {
        self.core.keep_connected(target.into(), options.clone())
    }

    /// Connects to a peer no more. A connection to it goes on; a connect that is under way is cancelled.
    pub fn let_go(&mut self, peer: PeerId) {
        self.core.let_go(peer);
    }

    /// The peer that a connection is [kept](Self::keep_connected) to; also in its
    /// [`closed`](crate::Handler::closed).
    #[must_use]
    pub fn peer_of(&self, conn: ConnId) -> Option<PeerId> {
        match self.core.origin(conn.0)? {
            Origin::Peer(peer) => Some(peer),
            _ => None,
        }
    }
}
