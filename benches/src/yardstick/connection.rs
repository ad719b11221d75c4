//! One connection, and what to do when its socket is ready.

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsRawFd as _, RawFd};

use super::socket;

/// A connected socket with the bytes that its peer has yet to take.
pub(super) struct Connection {
    stream: TcpStream,
    /// Bytes that the socket refused; empty nearly always.
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

/// When to believe that a socket has no more input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadUntil {
    /// At a read that didn't fill the buffer. Saves a call that would say EAGAIN; the wait will
    /// report whatever comes later.
    Short,
    /// At EAGAIN or at the end. An edge that already told of the end won't tell of it again.
    End,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, unsent: Vec::new(), sent: 0 }
    }

    pub(super) fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Echoes until the input or the room for output is used up. An error ends the connection, as
    /// the end of its stream does: there is nobody to tell.
    #[inline]
    pub(super) fn echo(&mut self, scratch: &mut [u8], until: ReadUntil) -> Next {
        match self.try_echo(scratch, until) {
            Ok(next) => next,
            Err(_) => Next::Close,
        }
    }

    #[inline]
    fn try_echo(&mut self, scratch: &mut [u8], until: ReadUntil) -> io::Result<Next> {
        if !self.unsent.is_empty() && !self.flush()? {
            return Ok(Next::Output);
        }
        loop {
            let received = match retry(|| socket::receive(self.fd(), scratch))? {
                None => return Ok(Next::Input),
                Some(0) => return Ok(Next::Close),
                Some(received) => received,
            };
            let sent = retry(|| socket::send(self.fd(), &scratch[..received]))?.unwrap_or(0);
            if sent < received {
                self.unsent.extend_from_slice(&scratch[sent..received]);
                return Ok(Next::Output);
            }
            if received < scratch.len() && until == ReadUntil::Short {
                return Ok(Next::Input);
            }
        }
    }

    /// Sends what is unsent, and says whether all of it left.
    #[cold]
    fn flush(&mut self) -> io::Result<bool> {
        self.sent += retry(|| socket::send(self.fd(), &self.unsent[self.sent..]))?.unwrap_or(0);
        if self.sent < self.unsent.len() {
            return Ok(false);
        }
        // The memory stays for the next time: a peer that was slow once will be slow again.
        self.unsent.clear();
        self.sent = 0;
        Ok(true)
    }
}

/// Repeats a call that a signal interrupted; `None` when the socket isn't ready.
#[inline]
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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener};

    use super::*;
    use crate::yardstick::SCRATCH;

    /// A connection and its peer, whose reads don't block.
    fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let connection = socket::accept(&listener).unwrap().unwrap();
        peer.set_nonblocking(true).unwrap();
        (Connection::new(connection), peer)
    }

    /// Returns when there is something to receive: bytes, the end, or an error.
    fn await_input(connection: &Connection) {
        connection.stream.set_nonblocking(false).unwrap();
        let _ = connection.stream.peek(&mut [0]);
        connection.stream.set_nonblocking(true).unwrap();
    }

    #[test]
    fn a_socket_without_input_waits_for_it() {
        let (mut connection, _peer) = pair();
        let next = connection.echo(&mut [0; SCRATCH], ReadUntil::Short);
        assert_eq!(next, Next::Input);
    }

    #[test]
    fn a_short_read_hides_the_end_unless_told_to_read_on() {
        let (mut connection, mut peer) = pair();
        peer.write_all(b"last words").unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        await_input(&connection);
        assert_eq!(connection.echo(&mut [0; SCRATCH], ReadUntil::Short), Next::Input);
        await_input(&connection);
        assert_eq!(connection.echo(&mut [0; SCRATCH], ReadUntil::End), Next::Close);
        let mut echoed = Vec::new();
        drop(connection);
        peer.set_nonblocking(false).unwrap();
        peer.read_to_end(&mut echoed).unwrap();
        assert_eq!(echoed, b"last words");
    }

    #[test]
    fn a_peer_that_takes_nothing_stops_the_reading_until_it_takes_something() {
        let (mut connection, mut peer) = pair();
        let mut scratch = [0; SCRATCH];
        let (mut written, mut echoed) = (Vec::new(), Vec::new());
        let mut number = 0_u32;
        while connection.echo(&mut scratch, ReadUntil::Short) != Next::Output {
            let chunk = number.to_ne_bytes().repeat(SCRATCH / 4);
            number += 1;
            match peer.write(&chunk) {
                Ok(bytes) => written.extend_from_slice(&chunk[..bytes]),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        assert!(!connection.unsent.is_empty());
        while echoed.len() < written.len() {
            match peer.read(&mut scratch) {
                Ok(bytes) => echoed.extend_from_slice(&scratch[..bytes]),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            assert_ne!(connection.echo(&mut scratch, ReadUntil::Short), Next::Close);
        }
        assert!(echoed == written, "the echo differs from what was sent");
    }

    #[test]
    fn a_reset_closes() {
        let (mut connection, peer) = pair();
        (&connection.stream).write_all(b"never read").unwrap();
        // Closing with unread input makes the kernel send a reset.
        drop(peer);
        await_input(&connection);
        assert_eq!(connection.echo(&mut [0; SCRATCH], ReadUntil::Short), Next::Close);
    }
}
