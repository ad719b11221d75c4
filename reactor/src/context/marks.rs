//! Low-water marks that are set one by one.

use super::Context;
use crate::ids::ConnId;

impl Context<'_> {
    /// Sets the read low-water mark of a connection alone, in bytes: [`data`](crate::Handler::data) comes
    /// once so many are unread, or at the end of the stream. What was left behind is delivered again if
    /// it reaches the new mark. Less than 1 is 1.
    ///
    /// That is cheap enough for each message: a mark that stays what it is costs nothing, another one no
    /// memory, and a system call only where the kernel is to keep silent until much more has come; see
    /// [`Limits::read_low`](crate::Limits::read_low), whose place it takes until
    /// [`set_limits`](Self::set_limits) sets all of them. With a mark above
    /// [`Limits::read_high`](crate::Limits::read_high), reading goes on up to the mark.
    ///
    /// Who finds out the length of a message from its first bytes sets the mark to that, and isn't called
    /// again before the message is there: the module [`codec`](crate::codec) says how much that is.
    pub fn set_read_low(&mut self, conn: ConnId, bytes: usize) {
        self.core.set_read_low(conn.0, bytes);
    }

    /// The read low-water mark of a connection, in bytes.
    #[must_use]
    pub fn read_low(&self, conn: ConnId) -> Option<usize> {
        self.connection(conn).map(|connection| connection.read_low)
    }
}
