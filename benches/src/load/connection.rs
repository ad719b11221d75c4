//! One connection of the load, and how far its message has come.

use std::fmt;
use std::io::{self, Read as _, Write as _};

use anyhow::{anyhow, bail};
use mio::net::TcpStream;

use super::pattern::Pattern;

/// A connected socket with at most one message under way.
pub(super) struct Connection {
    stream: TcpStream,
    number: usize,
    /// The number of the message under way, or of the last one.
    message: usize,
    /// How many of the message's bytes have left, and how many came back.
    sent: usize,
    received: usize,
}

/// What an advance has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing that asks for an answer.
    Wait,
    /// The last byte of the message came back.
    Complete,
}

impl Connection {
    /// A connection with nothing under way, for messages of the pattern's size.
    pub(super) fn new(stream: TcpStream, number: usize, pattern: &Pattern) -> Self {
        let size = pattern.size();
        Self { stream, number, message: 0, sent: size, received: size }
    }

    /// Begins the next message.
    pub(super) fn send_next(&mut self, pattern: &Pattern) -> anyhow::Result<()> {
        self.message += 1;
        (self.sent, self.received) = (0, 0);
        self.send(pattern)
    }

    /// Goes on with the message after a report of the socket.
    ///
    /// `ending` says that the report told of an end or an error. Then a read that came up short
    /// isn't the last one: the edge that told of the end won't come again.
    pub(super) fn advance(
        &mut self,
        pattern: &Pattern,
        scratch: &mut [u8],
        ending: bool,
    ) -> anyhow::Result<Step> {
        if self.sent < pattern.size() {
            self.send(pattern)?;
        }
        let was_under_way = self.received < pattern.size();
        loop {
            let count = match self.stream.read(scratch) {
                Ok(0) => bail!("{self} was lost: the server closed it"),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(self.lost(error)),
            };
            self.check(pattern, &scratch[..count])?;
            if count < scratch.len() && !ending {
                break;
            }
        }
        let complete = was_under_way && self.received == pattern.size();
        Ok(if complete { Step::Complete } else { Step::Wait })
    }

    /// Sends as much of the message as the socket takes.
    fn send(&mut self, pattern: &Pattern) -> anyhow::Result<()> {
        let message = pattern.message(self.number, self.message);
        loop {
            match self.stream.write(&message[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(self.lost(error)),
            }
            return Ok(());
        }
    }

    /// Holds what came back against what was sent.
    #[inline]
    fn check(&mut self, pattern: &Pattern, bytes: &[u8]) -> anyhow::Result<()> {
        let expected = &pattern.message(self.number, self.message)[self.received..];
        if expected.get(..bytes.len()) != Some(bytes) {
            return Err(self.wrong(expected, bytes));
        }
        self.received += bytes.len();
        Ok(())
    }

    #[cold]
    fn wrong(&self, expected: &[u8], bytes: &[u8]) -> anyhow::Error {
        match expected.iter().zip(bytes).position(|(expected, byte)| expected != byte) {
            Some(at) => {
                let (offset, came, sent) = (self.received + at, bytes[at], expected[at]);
                anyhow!("{self}: byte {offset} came back as {came:#04x} instead of {sent:#04x}")
            }
            None => {
                let surplus = bytes.len() - expected.len();
                anyhow!("{self}: {surplus} bytes more came back than were sent")
            }
        }
    }

    #[cold]
    fn lost(&self, error: io::Error) -> anyhow::Error {
        anyhow::Error::new(error).context(format!("{self} was lost"))
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}, message {}", self.number, self.message)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::num::NonZeroUsize;

    use mio::{Events, Interest, Poll, Token};

    use super::*;

    #[test]
    fn an_end_that_came_with_the_last_bytes_is_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let mut poll = Poll::new().unwrap();
        poll.registry().register(&mut stream, Token(0), Interest::READABLE).unwrap();

        let pattern = Pattern::new(NonZeroUsize::new(64).unwrap());
        let mut connection = Connection::new(stream, 0, &pattern);
        connection.send_next(&pattern).unwrap();
        let mut message = [0; 64];
        server.read_exact(&mut message).unwrap();
        server.write_all(&message).unwrap();
        drop(server);

        let mut events = Events::with_capacity(1);
        while !events.iter().any(mio::event::Event::is_read_closed) {
            poll.poll(&mut events, None).unwrap();
        }
        let error = connection.advance(&pattern, &mut [0; 1024], true).unwrap_err();
        assert_eq!(error.to_string(), "connection 0, message 1 was lost: the server closed it");
    }
}
