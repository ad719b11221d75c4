//! The bytes that a peer hasn't taken yet.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};
use socket2::Socket;

/// Bytes of the first block of a queue. Most queues never need another, and many may have one at the
/// same time.
const FIRST: usize = 1000;
/// Bytes of a pooled block: what small sends are gathered in.
const BLOCK: usize = 16 * 1024;
/// Blocks that the pool keeps; more than that go back to the allocator.
const POOLED: usize = 256;
/// First blocks, and queues, that the pool keeps: as many as have something to send in a turn of a
/// large broadcast, and together not more than 4 MiB.
const POOLED_SMALL: usize = 1024;
/// What a shared piece counts besides its bytes, for what it is to be remembered by, and the own piece
/// behind it.
pub(crate) const PIECE: usize = 64;
const _: () = assert!(PIECE >= 2 * size_of::<Piece>());
/// Pieces that one system call takes.
const PIECES: usize = 64;
/// Bytes of a piece that are copied sooner than the kernel takes in where one more piece is.
const SMALL: usize = 256;
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

/// Sends one urgent byte: zero if it would block.
pub(crate) fn send_urgent(socket: &Socket, byte: u8) -> io::Result<usize> {
    again(|| socket.send_with_flags(&[byte], FLAGS | libc::MSG_OOB))
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
    /// The bytes of all pieces of our own, one after the other.
    blocks: VecDeque<Block>,
    len: usize,
    /// Pieces that are remembered one by one: those that are shared, or urgent.
    alone: usize,
    /// Bytes that left before the end of the turn.
    early: usize,
}

#[derive(Debug)]
enum Piece {
    /// So many bytes of our own, which are all in one block. An urgent one is alone, and leaves in a
    /// call of its own.
    Own { len: usize, urgent: bool },
    /// Bytes that others hold, too.
    Shared(Bytes),
}

/// Memory that is filled once, and given back when all of it has left.
#[derive(Debug)]
struct Block {
    bytes: Vec<u8>,
    sent: usize,
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

    /// What the queue takes of a cap: its bytes, and what they are remembered by.
    pub(crate) fn cost(&self) -> usize {
        self.len + self.alone * PIECE
    }

    /// Queues a copy of `bytes`.
    pub(crate) fn push(&mut self, bytes: &[u8], pool: &mut Pool) {
        self.push_own(bytes, false, pool);
    }

    /// Queues one urgent byte.
    pub(crate) fn push_urgent(&mut self, byte: u8, pool: &mut Pool) {
        self.alone += 1;
        self.push_own(&[byte], true, pool);
    }

    fn push_own(&mut self, mut bytes: &[u8], urgent: bool, pool: &mut Pool) {
        self.len += bytes.len();
        if let Some(Block { bytes: last, .. }) = self.blocks.back_mut() {
            let (fits, rest) = bytes.split_at(bytes.len().min(last.capacity() - last.len()));
            last.extend_from_slice(fits);
            bytes = rest;
            if !fits.is_empty() {
                match self.pieces.back_mut() {
                    Some(Piece::Own { len, urgent: false }) if !urgent => *len += fits.len(),
                    _ => self.pieces.push_back(Piece::Own { len: fits.len(), urgent }),
                }
            }
        }
        if bytes.is_empty() {
            return;
        }
        let mut block = match bytes.len() {
            0..=FIRST if self.blocks.is_empty() => pool.take_first(),
            0..=BLOCK => pool.take(),
            more => Vec::with_capacity(more),
        };
        block.extend_from_slice(bytes);
        self.blocks.push_back(Block { bytes: block, sent: 0 });
        self.pieces.push_back(Piece::Own { len: bytes.len(), urgent });
    }

    /// Queues `bytes` without copying them.
    pub(crate) fn push_shared(&mut self, bytes: Bytes) {
        self.len += bytes.len();
        if !bytes.is_empty() {
            self.alone += 1;
            self.pieces.push_back(Piece::Shared(bytes));
        }
    }

    /// Sends before the end of the turn, unless `most` bytes did so already. Says how many bytes.
    pub(crate) fn flush_early(
        &mut self,
        socket: &Socket,
        pool: &mut Pool,
        most: usize,
    ) -> io::Result<usize> {
        let (before, early) = (self.len, self.early);
        if early >= most {
            return Ok(0);
        }
        self.flush(socket, pool)?;
        self.early = early + before - self.len;
        Ok(before - self.len)
    }

    /// Sends what the socket takes, gathered into as few calls as it takes.
    pub(crate) fn flush(&mut self, socket: &Socket, pool: &mut Pool) -> io::Result<Flushed> {
        self.early = 0;
        let mut budget = BUDGET;
        while !self.pieces.is_empty() {
            if budget == 0 {
                return Ok(Flushed::Budget);
            }
            let (asked, sent) = self.send(socket, pool)?;
            self.advance(sent, pool);
            if sent < asked {
                return Ok(Flushed::Blocked);
            }
            budget = budget.saturating_sub(sent);
        }
        Ok(Flushed::All)
    }

    /// One call: how many bytes it was asked to send, and how many it did.
    fn send(&self, socket: &Socket, pool: &mut Pool) -> io::Result<(usize, usize)> {
        if let (Some(Piece::Own { urgent: true, .. }), Some(block)) =
            (self.pieces.front(), self.blocks.front())
        {
            return Ok((1, send_urgent(socket, block.bytes[block.sent])?));
        }
        let first = self.slices().next().unwrap_or_default();
        // To fill a table takes longer than to send what most queues hold.
        match self.pieces.len() {
            1 => Ok((first.len(), again(|| socket.send_with_flags(first, FLAGS))?)),
            pieces if first.len() <= SMALL && self.len < pieces * SMALL => {
                self.send_copied(socket, pool)
            }
            2..=8 => self.send_gathered::<8>(socket),
            _ => self.send_gathered::<PIECES>(socket),
        }
    }

    /// One call for a block of small pieces, put one behind the other, up to the first that is larger.
    fn send_copied(&self, socket: &Socket, pool: &mut Pool) -> io::Result<(usize, usize)> {
        let mut block = pool.take();
        for bytes in self.slices().take_while(|bytes| bytes.len() <= SMALL) {
            let fits = bytes.len().min(BLOCK - block.len());
            block.extend_from_slice(&bytes[..fits]);
            if block.len() == BLOCK {
                break;
            }
        }
        let asked = block.len();
        let answer = again(|| socket.send_with_flags(&block, FLAGS));
        pool.give(block);
        Ok((asked, answer?))
    }

    /// One call for up to so many pieces.
    fn send_gathered<const MOST: usize>(&self, socket: &Socket) -> io::Result<(usize, usize)> {
        let mut slices = [IoSlice::new(&[]); MOST];
        let (mut asked, mut count) = (0, 0);
        for (slice, bytes) in slices.iter_mut().zip(self.slices()) {
            *slice = IoSlice::new(bytes);
            asked += bytes.len();
            count += 1;
        }
        let sent = again(|| socket.send_vectored_with_flags(&slices[..count], FLAGS))?;
        Ok((asked, sent))
    }

    /// The bytes of each piece that comes before an urgent one.
    fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let mut blocks = self.blocks.iter();
        let mut own: &[u8] = &[];
        self.pieces.iter().map_while(move |piece| match piece {
            Piece::Shared(bytes) => Some(&bytes[..]),
            Piece::Own { urgent: true, .. } => None,
            Piece::Own { len, .. } => {
                if own.is_empty() {
                    own = blocks.next().map_or(&[], |block| &block.bytes[block.sent..]);
                }
                let (piece, rest) = own.split_at(*len);
                own = rest;
                Some(piece)
            }
        })
    }

    /// The first `sent` bytes have left.
    fn advance(&mut self, mut sent: usize, pool: &mut Pool) {
        if sent == self.len {
            return self.clear(pool);
        }
        self.len -= sent;
        while let Some(piece) = self.pieces.front_mut() {
            let len = match piece {
                Piece::Own { len, .. } => *len,
                Piece::Shared(bytes) => bytes.len(),
            };
            let leaves = len.min(sent);
            match piece {
                Piece::Shared(bytes) => bytes.advance(leaves),
                Piece::Own { len, .. } => {
                    *len -= leaves;
                    self.advance_own(leaves, pool);
                }
            }
            if leaves < len {
                return;
            }
            if let Some(Piece::Shared(_) | Piece::Own { urgent: true, .. }) =
                self.pieces.pop_front()
            {
                self.alone -= 1;
            }
            sent -= leaves;
        }
    }

    /// The next `sent` bytes of our own have left, which are in one block.
    fn advance_own(&mut self, sent: usize, pool: &mut Pool) {
        let Some(block) = self.blocks.front_mut() else { return };
        block.sent += sent;
        if block.sent == block.bytes.len() {
            if let Some(block) = self.blocks.pop_front() {
                pool.give(block.bytes);
            }
        }
    }

    /// Nothing waits any more.
    fn clear(&mut self, pool: &mut Pool) {
        while let Some(block) = self.blocks.pop_front() {
            pool.give(block.bytes);
        }
        self.pieces.clear();
        (self.len, self.alone) = (0, 0);
    }

    /// Gives all memory back.
    pub(crate) fn discard(mut self: Box<Self>, pool: &mut Pool) {
        self.clear(pool);
        self.early = 0;
        pool.give_queue(self);
    }
}

/// Queues, and blocks of memory for them, used again by whoever needs one next.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    free: Vec<Vec<u8>>,
    firsts: Vec<Vec<u8>>,
    #[allow(clippy::vec_box, reason = "connections take the boxes as they are")]
    queues: Vec<Box<Outgoing>>,
}

impl Pool {
    /// An empty queue.
    pub(crate) fn queue(&mut self) -> Box<Outgoing> {
        self.queues.pop().unwrap_or_default()
    }

    /// Takes a queue back that is empty, unless it is large.
    pub(super) fn give_queue(&mut self, queue: Box<Outgoing>) {
        let is_small = queue.pieces.capacity() <= PIECES && queue.blocks.capacity() <= PIECES;
        if is_small && self.queues.len() < POOLED_SMALL {
            self.queues.push(queue);
        }
    }

    /// An empty first block.
    fn take_first(&mut self) -> Vec<u8> {
        self.firsts.pop().unwrap_or_else(|| Vec::with_capacity(FIRST))
    }

    /// An empty block.
    fn take(&mut self) -> Vec<u8> {
        self.free.pop().unwrap_or_else(|| Vec::with_capacity(BLOCK))
    }

    /// Takes a block back, if it is one, and if it has room for it.
    fn give(&mut self, mut block: Vec<u8>) {
        let (free, most) = match block.capacity() {
            BLOCK => (&mut self.free, POOLED),
            FIRST => (&mut self.firsts, POOLED_SMALL),
            _ => return,
        };
        if free.len() < most {
            block.clear();
            free.push(block);
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
            sends in prop::collection::vec((0_usize..40_000, 0_u8..3, any::<bool>()), 1..40),
        ) {
            let (near, mut far) = pair();
            far.set_out_of_band_inline(true).unwrap();
            let (mut queue, mut pool) = (Outgoing::default(), Pool::default());
            let (mut sent, mut got) = (Vec::new(), Vec::new());
            let mut buffer = vec![0; 50_000];
            for (number, (size, kind, flush)) in sends.into_iter().enumerate() {
                let size = if kind == 2 { 1 } else { size };
                let bytes: Vec<u8> = (0..size).map(|at| (at * 31 + number) as u8).collect();
                sent.extend_from_slice(&bytes);
                match kind {
                    0 => queue.push(&bytes, &mut pool),
                    1 => queue.push_shared(bytes.into()),
                    _ => queue.push_urgent(bytes[0], &mut pool),
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
            prop_assert_eq!((queue.len(), queue.cost()), (0, 0));
            prop_assert!(queue.blocks.is_empty() && queue.pieces.is_empty());
            prop_assert_eq!(queue.flush(&near, &mut pool).unwrap(), Flushed::All);
        }
    }

    /// Those that are put together for a call: more than a block holds, of both kinds, with one among
    /// them that is larger than a block.
    #[test]
    fn small_pieces_leave_in_order() {
        let (near, mut far) = pair();
        let (mut queue, mut pool) = (Outgoing::default(), Pool::default());
        let (mut sent, mut got) = (Vec::new(), Vec::new());
        for number in 0..1000_usize {
            let size = if number == 500 { 2 * BLOCK } else { number % 200 };
            let bytes: Vec<u8> = (0..size).map(|at| (at * 31 + number) as u8).collect();
            sent.extend_from_slice(&bytes);
            if number % 3 == 0 {
                queue.push(&bytes, &mut pool);
            } else {
                queue.push_shared(bytes.into());
            }
        }
        assert!(queue.len() < queue.pieces.len() * SMALL);
        let mut buffer = vec![0; 50_000];
        while got.len() < sent.len() {
            queue.flush(&near, &mut pool).unwrap();
            let count = far.read(&mut buffer).unwrap();
            got.extend_from_slice(&buffer[..count]);
        }
        assert!(got == sent);
        assert_eq!((queue.len(), queue.cost()), (0, 0));
        assert!(queue.blocks.is_empty() && queue.pieces.is_empty());
    }

    #[test]
    fn queues_are_used_again_empty() {
        let (near, _far) = pair();
        let mut pool = Pool::default();
        for size in [FIRST, 2 * FIRST] {
            let mut queue = pool.queue();
            assert_eq!((queue.len(), queue.cost()), (0, 0));
            queue.push(&[7; FIRST], &mut pool);
            queue.push_shared(vec![7; size].into());
            queue.flush_early(&near, &mut pool, 1).unwrap();
            queue.push(&[7; 2 * FIRST], &mut pool);
            queue.discard(&mut pool);
            assert_eq!((pool.queues.len(), pool.firsts.len()), (1, 1));
        }
        let mut queue = pool.queue();
        (0..=PIECES).for_each(|_| queue.push_shared(vec![7].into()));
        queue.discard(&mut pool);
        assert!(pool.queues.is_empty(), "a large one is kept");
    }

    #[test]
    fn blocks_are_used_again() {
        let (near, _far) = pair();
        let (mut queue, mut pool) = (Outgoing::default(), Pool::default());
        for _ in 0..3 {
            queue.push(&[7; 2 * FIRST], &mut pool);
            assert!(pool.free.is_empty());
            assert_eq!(queue.flush(&near, &mut pool).unwrap(), Flushed::All);
            assert_eq!(pool.free.len(), 1);
        }
    }
}
