//! One connection, for libraries that tell of readiness and leave the reading and writing to their users.

use std::io::{self, Read, Write};

/// A nonblocking stream with the bytes that its peer has yet to take.
pub(super) struct Connection<S> {
    pub(super) stream: S,
    /// Bytes that the stream refused; empty nearly always.
    unsent: Vec<u8>,
    /// How many of `unsent` have left since.
    sent: usize,
}

/// What a connection waits for after it did all that it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// More bytes from the peer.
    Input,
    /// Room for the unsent bytes.
    Output,
    /// Nothing: the stream ended or broke.
    Close,
}

/// When to stop reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadUntil {
    /// At a read that didn't fill the buffer: the next wait reports whatever there still is.
    Short,
    /// At `WouldBlock` or at the end: what isn't taken now is never reported again.
    WouldBlock,
}

impl<S: Read + Write> Connection<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, unsent: Vec::new(), sent: 0 }
    }

    /// Echoes until the input or the room for output is used up. An error ends the connection, as the
    /// end of its stream does: there is nobody to tell.
    pub(super) fn echo(&mut self, buffer: &mut [u8], until: ReadUntil) -> Next {
        self.try_echo(buffer, until).unwrap_or(Next::Close)
    }

    fn try_echo(&mut self, buffer: &mut [u8], until: ReadUntil) -> io::Result<Next> {
        if !self.unsent.is_empty() && !self.flush()? {
            return Ok(Next::Output);
        }
        loop {
            let received = match retry(|| self.stream.read(buffer))? {
                None => return Ok(Next::Input),
                Some(0) => return Ok(Next::Close),
                Some(received) => received,
            };
            let sent = retry(|| self.stream.write(&buffer[..received]))?.unwrap_or(0);
            if sent < received {
                self.unsent.extend_from_slice(&buffer[sent..received]);
                // An edge tells of room only after a write that found none.
                if !self.flush()? {
                    return Ok(Next::Output);
                }
            }
            if received < buffer.len() && until == ReadUntil::Short {
                return Ok(Next::Input);
            }
        }
    }

    /// Writes what is unsent until all of it left, which it says, or there is no room.
    fn flush(&mut self) -> io::Result<bool> {
        while self.sent < self.unsent.len() {
            match retry(|| self.stream.write(&self.unsent[self.sent..]))? {
                Some(sent) => self.sent += sent,
                None => return Ok(false),
            }
        }
        self.unsent.clear();
        self.sent = 0;
        Ok(true)
    }
}

/// Repeats a call that a signal interrupted; `None` when the stream isn't ready.
fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match call() {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock => return Ok(None),
                _ => return Err(error),
            },
        }
    }
}

/// Accepts what waits, and hands each stream to `take`.
///
/// # Errors
///
/// Those of `take`, and when no connection can be accepted any more, with what to do.
pub(super) fn accept_all<S>(
    mut accept: impl FnMut() -> io::Result<S>,
    mut take: impl FnMut(S) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        match accept() {
            Ok(stream) => take(stream)?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => crate::limits::survive_accept(&error)?,
        }
    }
}

/// Connections by descriptor: the kernel hands out the lowest free number, so the table is dense.
pub(super) struct Table<S>(Vec<Option<Connection<S>>>);

impl<S: Read + Write> Table<S> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn insert(&mut self, index: usize, stream: S) {
        if self.0.len() <= index {
            self.0.resize_with(index + 1, || None);
        }
        self.0[index] = Some(Connection::new(stream));
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Connection<S>> {
        self.0.get_mut(index)?.as_mut()
    }

    pub(super) fn remove(&mut self, index: usize) {
        if let Some(place) = self.0.get_mut(index) {
            *place = None;
        }
    }
}
