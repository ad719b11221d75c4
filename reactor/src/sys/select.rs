//! select(2) on bitmaps of our own.
//!
//! The libc's `fd_set` ends at 1,024 descriptors, and its macros abort beyond. The kernel itself
//! reads as many bits as `nfds` says, so a bitmap on the heap takes every descriptor that the
//! process may own (select(2), section "BUGS").

use std::io;
use std::os::fd::RawFd;
use std::ptr;

use super::check;

/// What the kernel reads and writes at a time: a `fd_set` is an array of these.
pub(crate) type Word = libc::c_ulong;

/// select(2) over descriptors below `nfds`; `None` for a set that is empty; `millis` −1 waits for
/// ever. Returns the number of bits left in the three sets.
///
/// Each set must hold `nfds` bits; one that is too short is answered with EINVAL.
pub(crate) fn select(
    nfds: RawFd,
    [read, write, except]: [Option<&mut [Word]>; 3],
    millis: i32,
) -> io::Result<usize> {
    let bits = usize::try_from(nfds).unwrap_or(usize::MAX);
    let words = bits.div_ceil(Word::BITS as usize);
    if [&read, &write, &except].into_iter().flatten().any(|set| set.len() < words) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let pointer = |set: Option<&mut [Word]>| match set {
        Some(words) => words.as_mut_ptr().cast::<libc::fd_set>(),
        None => ptr::null_mut(),
    };
    let mut left =
        libc::timeval { tv_sec: (millis / 1000).into(), tv_usec: (millis % 1000 * 1000).into() };
    let timeout = if millis < 0 { ptr::null_mut() } else { &raw mut left };
    // SAFETY: each pointer is null or that of a set of at least `nfds` bits, which is all that the
    // kernel reads and writes; `left` is live.
    let count = check(unsafe {
        libc::select(nfds, pointer(read), pointer(write), pointer(except), timeout)
    })?;
    Ok(usize::try_from(count).unwrap_or(0))
}
