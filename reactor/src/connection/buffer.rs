//! The bytes that a peer hasn't taken yet.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};
use socket2::Socket;

/// Bytes of a pooled block: what small sends are gathered in.
const BLOCK: usize = 16 * 1024;
/// Blocks that the pool keeps; more than that go back to the allocator.
const POOLED: usize = 256;
/// Pieces that one system call takes.
const PIECES: usize = 64;
/// Bytes that one flush sends at most, before the others have their turn.
const BUDGET: usize = 1024 * 1024;

/// A write to a closed stream is an error, not a signal (send(2)). Where there is no such flag, the
/// socket has the option instead.
#[cfg(not(any(target_os = "macos", target_os = "ios")))]
const FLAGS: i32 = libc::MSG_NOSIGNAL;
#[cfg(any(target_os = "macos", target_os = "ios"))]
const FLAGS: i32 = 0;

/// Sends as much of `bytes` as the socket takes: nothing if it would block, or was interrupted.
#[inline]
pub(crate) fn send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    match socket.send_with_flags(bytes, FLAGS) {
        Ok(sent) => Ok(sent),
        Err(error) => nothing(error),
    }
}

#[cold]
fn nothing(error: io::Error) -> io::Result<usize> {
    match error.kind() {
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => Ok(0),
        _ => Err(error),
    }
}

/// Repeats an interrupted call; one that would block has sent nothing.
fn again(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            answer => return answer,
        }
    }
}

/// The queue of one connection, in the order of its sends.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pieces: VecDeque<Piece>,
    len: usize,
}

#[derive(Debug)]
enum Piece {
    /// Bytes of our own, of which the first `sent` have left.
    Own { bytes: Vec<u8>, sent: usize },
    /// Bytes that others hold, too.
    Shared(Bytes),
}

impl Piece {
    fn rest(&self) -> &[u8] {
        match self {
            Self::Own { bytes, sent } => &bytes[*sent..],
            Self::Shared(bytes) => bytes,
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Own { sent, .. } => *sent += count,
            Self::Shared(bytes) => bytes.advance(count),
        }
    }
}

/// Where a flush has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// The queue is empty.
    All,
    /// The socket takes no more.
    Blocked,
    /// The others have their turn.
    Budget,
}

impl Outgoing {
    /// Bytes queued.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Queues a copy of `bytes`.
    pub(crate) fn push(&mut self, mut bytes: &[u8], pool: &mut Pool) {
        self.len += bytes.len();
        if let Some(Piece::Own { bytes: last, .. }) = self.pieces.back_mut() {
            let (fits, rest) = bytes.split_at(bytes.len().min(last.capacity() - last.len()));
            last.extend_from_slice(fits);
            bytes = rest;
        }
        if bytes.is_empty() {
            return;
        }
        let mut block = if bytes.len() < BLOCK { pool.take() } else { Vec::new() };
        block.extend_from_slice(bytes);
        self.pieces.push_back(Piece::Own { bytes: block, sent: 0 });
    }

    /// Queues `bytes` without copying them.
    pub(crate) fn push_shared(&mut self, bytes: Bytes) {
        self.len += bytes.len();
        if !bytes.is_empty() {
            self.pieces.push_back(Piece::Shared(bytes));
        }
    }

    /// Sends what the socket takes, gathered into as few calls as it takes.
    pub(crate) fn flush(&mut self, socket: &Socket, pool: &mut Pool) -> io::Result<Flushed> {
        let mut budget = BUDGET;
        while !self.pieces.is_empty() {
            if budget == 0 {
                return Ok(Flushed::Budget);
            }
            let (asked, sent) = self.send(socket)?;
            self.advance(sent, pool);
            if sent < asked {
                return Ok(Flushed::Blocked);
            }
            budget = budget.saturating_sub(sent);
        }
        Ok(Flushed::All)
    }

    /// One call: how many bytes it was asked to send, and how many it did.
    fn send(&self, socket: &Socket) -> io::Result<(usize, usize)> {
        if let [piece] = self.pieces.as_slices().0 {
            let rest = piece.rest();
            return Ok((rest.len(), again(|| socket.send_with_flags(rest, FLAGS))?));
        }
        let mut slices = [IoSlice::new(&[]); PIECES];
        let mut asked = 0;
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            *slice = IoSlice::new(piece.rest());
            asked += slice.len();
            count += 1;
        }
        let sent = again(|| socket.send_vectored_with_flags(&slices[..count], FLAGS))?;
        Ok((asked, sent))
    }

    fn advance(&mut self, mut sent: usize, pool: &mut Pool) {
        self.len -= sent;
        while let Some(piece) = self.pieces.front_mut() {
            let rest = piece.rest().len();
            if sent < rest {
                piece.advance(sent);
                return;
            }
            sent -= rest;
            if let Some(Piece::Own { bytes, .. }) = self.pieces.pop_front() {
                pool.give(bytes);
            }
        }
    }

    /// Gives all memory back.
    pub(crate) fn discard(self, pool: &mut Pool) {
        for piece in self.pieces {
            if let Piece::Own { bytes, .. } = piece {
                pool.give(bytes);
            }
        }
    }
}

/// Blocks of memory for the queues, used again by whoever needs one next.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    free: Vec<Vec<u8>>,
}

impl Pool {
    /// An empty block.
    fn take(&mut self) -> Vec<u8> {
        self.free.pop().unwrap_or_else(|| Vec::with_capacity(BLOCK))
    }

    /// Takes a block back, if it is one, and if it has room for it.
    fn give(&mut self, mut block: Vec<u8>) {
        if block.capacity() == BLOCK && self.free.len() < POOLED {
            block.clear();
            self.free.push(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;
    use socket2::{Domain, Type};

    use super::*;

    fn pair() -> (Socket, Socket) {
        let (near, far) = Socket::pair(Domain::UNIX, Type::STREAM, None).unwrap();
        near.set_nonblocking(true).unwrap();
        far.set_nonblocking(true).unwrap();
        (near, far)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever the sizes, the kinds, and the pauses between the flushes.
        #[test]
        fn the_peer_gets_what_was_queued_in_order(
            sends in prop::collection::vec((0_usize..40_000, any::<bool>(), any::<bool>()), 1..40),
        ) {
            let (near, mut far) = pair();
            let (mut queue, mut pool) = (Outgoing::default(), Pool::default());
            let (mut sent, mut got) = (Vec::new(), Vec::new());
            let mut buffer = vec![0; 50_000];
            for (number, (size, shared, flush)) in sends.into_iter().enumerate() {
                let bytes: Vec<u8> = (0..size).map(|at| (at * 31 + number) as u8).collect();
                sent.extend_from_slice(&bytes);
                if shared {
                    queue.push_shared(bytes.into());
                } else {
                    queue.push(&bytes, &mut pool);
                }
                if flush {
                    queue.flush(&near, &mut pool).unwrap();
                    if let Ok(count) = far.read(&mut buffer) {
                        got.extend_from_slice(&buffer[..count]);
                    }
                }
                prop_assert!(got.len() + queue.len() <= sent.len());
            }
            while got.len() < sent.len() {
                queue.flush(&near, &mut pool).unwrap();
                let count = far.read(&mut buffer).unwrap();
                got.extend_from_slice(&buffer[..count]);
            }
            prop_assert!(got == sent);
            prop_assert_eq!(queue.len(), 0);
            prop_assert_eq!(queue.flush(&near, &mut pool).unwrap(), Flushed::All);
        }
    }

    #[test]
    fn blocks_are_used_again() {
        let (near, _far) = pair();
        let (mut queue, mut pool) = (Outgoing::default(), Pool::default());
        for _ in 0..3 {
            queue.push(b"hello", &mut pool);
            assert!(pool.free.is_empty());
            assert_eq!(queue.flush(&near, &mut pool).unwrap(), Flushed::All);
            assert_eq!(pool.free.len(), 1);
        }
    }
}
