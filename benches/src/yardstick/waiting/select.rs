//! select(2) with bitmaps on the heap that grow with the highest descriptor.

use std::ffi::{c_int, c_ulong};
use std::io;
use std::os::fd::RawFd;
use std::ptr;

use super::super::index_of;
use super::{Patience, Wanted, uninterrupted};

/// Descriptors in one word of a bitmap.
const BITS: usize = c_ulong::BITS as usize;

/// Waits with select.
#[derive(Debug, Default)]
pub struct SelectWait {
    /// Who wants to read, and who wants to write; as long as the highest descriptor ever added needs.
    wanted: [Bitmap; 2],
    /// What select leaves of that.
    ready: [Vec<c_ulong>; 2],
    /// By descriptor.
    tokens: Vec<usize>,
}

#[derive(Debug, Default)]
struct Bitmap {
    words: Vec<c_ulong>,
    /// An empty set isn't given to select.
    count: usize,
}

impl Bitmap {
    fn set(&mut self, fd: usize, on: bool) {
        let (word, bit) = (&mut self.words[fd / BITS], 1 << (fd % BITS));
        if (*word & bit != 0) != on {
            *word ^= bit;
            if on { self.count += 1 } else { self.count -= 1 }
        }
    }
}

impl SelectWait {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Watches `fd` for reading.
    pub fn add(&mut self, fd: RawFd, token: usize) {
        let number = index_of(fd);
        if self.tokens.len() <= number {
            self.tokens.resize(number + 1, 0);
            for bitmap in &mut self.wanted {
                bitmap.words.resize((number + 1).div_ceil(BITS), 0);
            }
        }
        self.tokens[number] = token;
        self.set(fd, Wanted::Reading);
    }

    /// Watches a registered descriptor for something else.
    pub fn set(&mut self, fd: RawFd, wanted: Wanted) {
        let [reading, writing] = &mut self.wanted;
        reading.set(index_of(fd), wanted == Wanted::Reading);
        writing.set(index_of(fd), wanted == Wanted::Writing);
    }

    /// Forgets a descriptor.
    pub fn remove(&mut self, fd: RawFd) {
        self.set(fd, Wanted::Nothing);
    }

    /// Waits, and calls `ready` with the token of each descriptor that is.
    ///
    /// # Errors
    ///
    /// What select(2) says.
    #[inline]
    pub fn wait(&mut self, patience: Patience, mut ready: impl FnMut(usize)) -> io::Result<()> {
        let words = self.tokens.len().div_ceil(BITS);
        let nfds = c_int::try_from(self.tokens.len()).map_err(io::Error::other)?;
        let count = uninterrupted(|| {
            // select leaves its answer in the sets, so that they are made anew each time.
            for (ready, wanted) in self.ready.iter_mut().zip(&self.wanted) {
                if wanted.count > 0 {
                    ready.clone_from(&wanted.words);
                }
            }
            let [reading, writing] = self.ready.each_mut().map(|set| set.as_mut_ptr().cast());
            let [some_read, some_write] = self.wanted.each_ref().map(|set| set.count > 0);
            let mut time = libc::timeval { tv_sec: 0, tv_usec: 0 };
            // SAFETY: the kernel reads and writes the words that hold the bits below `nfds`, which both
            // sets have; the time lives as long as the call.
            unsafe {
                libc::select(
                    nfds,
                    if some_read { reading } else { ptr::null_mut() },
                    if some_write { writing } else { ptr::null_mut() },
                    ptr::null_mut(),
                    if patience == Patience::None { &raw mut time } else { ptr::null_mut() },
                )
            }
        })?;
        if count == 0 {
            return Ok(());
        }
        for word in 0..words {
            let mut bits = 0;
            for (ready, wanted) in self.ready.iter().zip(&self.wanted) {
                if wanted.count > 0 {
                    bits |= ready[word];
                }
            }
            while bits != 0 {
                ready(self.tokens[word * BITS + bits.trailing_zeros() as usize]);
                bits &= bits - 1;
            }
        }
        Ok(())
    }
}
