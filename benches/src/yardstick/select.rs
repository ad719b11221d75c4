//! `select` with bitmaps on the heap that grow with the highest descriptor.
//!
//! The kernel takes bitmaps of any length; only the C library's `fd_set` ends at 1,024, and
//! `FD_SET` beyond it is an overrun. So the bits are set here, word by word.

use std::convert::Infallible;
use std::ffi::{c_int, c_ulong};
use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::ptr;

use super::connection::{Connection, Next, ReadUntil};
use super::{SCRATCH, index_of, socket};

/// Descriptors in one word of a bitmap.
const BITS: usize = c_ulong::BITS as usize;

pub(super) fn run(listener: &TcpListener) -> io::Result<Infallible> {
    let door = index_of(listener.as_raw_fd());
    // Indexed by descriptor. No hole at the end, so that its length bounds what select looks at.
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut wanted = Sets::default();
    let mut ready = Sets::default();
    let mut scratch = vec![0; SCRATCH];
    wanted.grow(door + 1);
    wanted.set(door, Next::Input);
    loop {
        ready.copy_from(&wanted);
        ready.wait(connections.len().max(door + 1))?;
        for word in 0..ready.input.len() {
            let mut bits = ready.bits(word);
            while bits != 0 {
                let fd = word * BITS + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let Some(Some(connection)) = connections.get_mut(fd) else {
                    // Only the listener has a bit without being a connection.
                    accept(listener, &mut connections, &mut wanted)?;
                    continue;
                };
                let next = connection.echo(&mut scratch, ReadUntil::Short);
                wanted.set(fd, next);
                if next == Next::Close {
                    connections[fd] = None;
                }
            }
        }
        while let Some(None) = connections.last() {
            connections.pop();
        }
    }
}

/// Takes all connections that wait.
fn accept(
    listener: &TcpListener,
    connections: &mut Vec<Option<Connection>>,
    wanted: &mut Sets,
) -> io::Result<()> {
    while let Some(stream) = socket::accept(listener)? {
        let connection = Connection::new(stream);
        let fd = index_of(connection.fd());
        if connections.len() <= fd {
            connections.resize_with(fd + 1, || None);
            wanted.grow(fd + 1);
        }
        connections[fd] = Some(connection);
        wanted.set(fd, Next::Input);
    }
    Ok(())
}

/// Two bitmaps of one length, with a bit for each descriptor.
#[derive(Default)]
struct Sets {
    input: Vec<c_ulong>,
    output: Vec<c_ulong>,
    /// Bits in `output`: mostly none, and then select isn't given it.
    outputs: usize,
}

impl Sets {
    /// Makes room for the descriptors below `count`.
    fn grow(&mut self, count: usize) {
        let words = count.div_ceil(BITS).max(self.input.len());
        self.input.resize(words, 0);
        self.output.resize(words, 0);
    }

    /// Puts a descriptor into the one set that it belongs to, if any.
    fn set(&mut self, fd: usize, next: Next) {
        let (word, bit) = (fd / BITS, 1 << (fd % BITS));
        self.outputs -= usize::from(self.output[word] & bit != 0);
        self.input[word] &= !bit;
        self.output[word] &= !bit;
        match next {
            Next::Input => self.input[word] |= bit,
            Next::Output => {
                self.output[word] |= bit;
                self.outputs += 1;
            }
            Next::Close => {}
        }
    }

    fn copy_from(&mut self, other: &Self) {
        self.input.clone_from(&other.input);
        self.outputs = other.outputs;
        if self.outputs > 0 {
            self.output.clone_from(&other.output);
        }
    }

    /// The bits of one word in either set.
    fn bits(&self, word: usize) -> c_ulong {
        self.input[word] | if self.outputs > 0 { self.output[word] } else { 0 }
    }

    /// Waits until something is ready, and leaves the bits of that which is. Looks at the
    /// descriptors below `count`, for which there must be room.
    fn wait(&mut self, count: usize) -> io::Result<()> {
        let words = count.div_ceil(BITS);
        assert!(words <= self.input.len() && (self.outputs == 0 || words <= self.output.len()));
        let nfds = c_int::try_from(count).map_err(io::Error::other)?;
        let output = match self.outputs {
            0 => ptr::null_mut(),
            _ => self.output.as_mut_ptr().cast(),
        };
        loop {
            // SAFETY: the kernel reads and writes the words that hold the bits below `nfds`, and the bitmaps
            // that it is given have them (asserted above).
            let result = unsafe {
                libc::select(
                    nfds,
                    self.input.as_mut_ptr().cast(),
                    output,
                    ptr::null_mut(),
                    ptr::null_mut(),
                )
            };
            if result >= 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            // select(2): the sets are left as they were after an error.
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_in_one_set_at_most() {
        let mut sets = Sets::default();
        sets.grow(BITS + 2);
        for fd in [0, BITS - 1, BITS, BITS + 1] {
            let (word, bit) = (fd / BITS, 1 << (fd % BITS));
            for (next, expected) in
                [(Next::Input, (bit, 0)), (Next::Output, (0, bit)), (Next::Close, (0, 0))]
            {
                sets.set(fd, next);
                assert_eq!((sets.input[word], sets.output[word]), expected, "{fd} {next:?}");
                assert_eq!(sets.outputs, usize::from(next == Next::Output));
            }
        }
    }

    #[test]
    fn growing_keeps_what_is_set() {
        let mut sets = Sets::default();
        sets.grow(1);
        sets.set(0, Next::Input);
        sets.grow(5000);
        assert_eq!(sets.input.len(), 5000_usize.div_ceil(BITS));
        assert_eq!(sets.input[0], 1);
        sets.grow(1);
        assert_eq!(sets.input.len(), 5000_usize.div_ceil(BITS));
    }
}
