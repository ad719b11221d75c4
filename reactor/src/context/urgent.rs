//! Urgent data: one byte that overtakes the others (RFC 9293, section 3.8.5; RFC 6093).

use std::io;

use super::{Context, Sent, gone};
use crate::ids::ConnId;
use crate::net::control;

impl Context<'_> {
    /// Sends one urgent byte, behind all that was sent before.
    ///
    /// The peer learns of it ahead of those bytes, and reads it apart from them: over TCP, and over Unix
    /// streams where the kernel has that (Linux since 5.15). TCP has one urgent byte at a time: where a
    /// second one comes before the first was read, the first becomes an ordinary byte of the stream, or
    /// is lost (RFC 6093, section 3).
    ///
    /// It counts as one byte for the marks of [`Limits`](crate::Limits), and as 65 for its cap. What the kernel says against it ends the
    /// connection's writing, as for [`send`](Self::send): EOPNOTSUPP where there is no such thing.
    pub fn send_urgent(&mut self, conn: ConnId, byte: u8) -> Sent {
        self.core.send_urgent(conn.0, byte)
    }

    /// Has [`urgent`](crate::Handler::urgent) called when an urgent byte comes on a connection, or no
    /// longer.
    ///
    /// By default nobody is told, and the byte is lost. Who asks in
    /// [`accepted`](crate::Handler::accepted) misses none. With
    /// [`SO_OOBINLINE`](crate::options::SO_OOBINLINE) set on the socket the byte is one among the others,
    /// and nothing is told.
    ///
    /// It costs a system call with each read, and a turn reads at most 256 KiB of the connection.
    pub fn watch_urgent(&mut self, conn: ConnId, wanted: bool) {
        self.core.watch_urgent(&mut *self.poller, conn.0, wanted);
    }

    /// Whether a connection was read up to the place of its last urgent byte (SIOCATMARK): in
    /// [`urgent`](crate::Handler::urgent), whether no byte before it is still to come; in
    /// [`data`](crate::Handler::data), whether it follows the last byte of this input. No input reaches
    /// across that place, unless the handler leaves bytes behind.
    ///
    /// So a handler that wants to drop what was sent before the urgent byte drops in `data` until this
    /// says yes. It costs a system call.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such connection; EINVAL or EOPNOTSUPP where the kernel has no urgent
    /// data for its kind.
    pub fn at_mark(&self, conn: ConnId) -> io::Result<bool> {
        let connection = self.connection(conn).ok_or_else(gone)?;
        Ok(connection.unread() == 0 && control::at_mark(&connection.socket)?)
    }
}
