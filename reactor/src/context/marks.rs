//! Low-water marks that are set one by one.

use std::io;

use super::Context;
use crate::ids::{ConnId, RawId};

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

    /// Sets the read low-water mark of a registered descriptor, in bytes: reading is told by
    /// [`ready`](crate::Handler::ready) only once so many can be read (FIONREAD, ioctl(2)), or when no
    /// more will come: at the end of the stream, at a hang-up, after an error, and with urgent data, at
    /// which a read stops. What has come already counts. Less than 1 is 1, and without a mark.
    ///
    /// A terminal in line mode shows its end (^D) only when no line is left before it: a mark could hide it
    /// there, and is for raw mode.
    ///
    /// Who takes urgent bytes from a TCP socket asks for [priority](crate::Interest::PRIORITY), too: what
    /// follows such a byte isn't counted before a read has passed its place, also if the byte was taken.
    /// From the first one on the kernel's word counts as well, and when its memory is short, reading may be
    /// told a few bytes early.
    ///
    /// On TCP, Linux keeps to the mark (SO_RCVLOWAT, socket(7)), but for moments when its memory is
    /// short. On pipes, Unix sockets and terminals no kernel does. There an edge-triggered mechanism tells
    /// of each arrival, and the loop counts at once; with a level-triggered one it looks again 1 ms after
    /// it found too little, and each time that nothing has come, after twice as long, up to 50 ms: so
    /// late it may notice that the mark is reached, or the end. Which it is, tells
    /// [`Capabilities::trigger`](crate::poller::Capabilities::trigger). Of pipes, Linux from 5.5 on told the
    /// first arrival alone, until 5.14 (and 5.10.56, 5.13.8) told each again: there, with edges, a mark above
    /// what comes first isn't noticed.
    ///
    /// [`unregister`](Self::unregister) takes the mark away. A reactor that is dropped closes its descriptor
    /// and no more: a duplicate of a TCP socket keeps the kernel's mark, which is for its owner to set back.
    ///
    /// The bytes wait in the kernel: a mark must be well below what that holds of them, or it is never
    /// reached, and the sender waits as well. A pipe holds 64 KiB on Linux (pipe(7)); a Unix socket some
    /// 200 KiB, and of single bytes only hundreds.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such descriptor; [`Unsupported`](io::ErrorKind::Unsupported) for files
    /// and for sockets of datagrams or packets; ENOTTY or EINVAL for what has no bytes to count, such as
    /// listeners and eventfds. Then the mark is what it was.
    pub fn set_raw_read_low(&mut self, raw: RawId, bytes: usize) -> io::Result<()> {
        self.core.set_raw_read_low(&mut *self.poller, raw.0, bytes)
    }
}
