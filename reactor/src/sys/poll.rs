//! poll(2).

use std::io;
use std::os::fd::RawFd;

use super::check;

pub(crate) use libc::pollfd as Entry;

/// Fills `revents` of each entry and says how many have any; `millis` −1 waits for ever.
pub(crate) fn poll(entries: &mut [Entry], millis: i32) -> io::Result<usize> {
    let length = libc::nfds_t::try_from(entries.len())
        .map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    // SAFETY: the pointer and the length are those of `entries`.
    let count = check(unsafe { libc::poll(entries.as_mut_ptr(), length, millis) })?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// The bits among `events` that `fd` shows at this moment, and HUP, ERR and NVAL where they hold.
pub(crate) fn now(fd: RawFd, events: i16) -> io::Result<i16> {
    let mut entry = [Entry { fd, events, revents: 0 }];
    poll(&mut entry, 0)?;
    Ok(entry[0].revents)
}
