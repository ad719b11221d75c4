//! The limit of open files.

use std::io;

use anyhow::{Context as _, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard one, and returns it.
///
/// The usual soft limit of 1,024 exists for programs that call `select` with a fixed bitmap, and
/// is too low for a thousand connections.
///
/// # Errors
///
/// When the kernel refuses to tell or to change the limit.
pub fn raise_open_files() -> anyhow::Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("read the limit of open files")?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
        .with_context(|| format!("raise the limit of open files to {hard}"))?;
    Ok(hard)
}

/// Raises the soft limit, and makes sure that it allows for so many.
///
/// # Errors
///
/// Those of [`raise_open_files`]; when the hard limit is too low: what to do about it.
pub fn allow_open_files(count: usize) -> anyhow::Result<()> {
    let most = raise_open_files()?;
    ensure!(
        count as u64 <= most,
        "this needs {count} descriptors, and the limit is {most}: ask for fewer connections, or \
         raise it (ulimit -Hn {count})"
    );
    Ok(())
}

/// Tells what concerns a listener from what concerns one connection in its queue: accept(2) passes on the
/// error of one that broke while it waited.
///
/// # Errors
///
/// What concerns the listener, with what to do about it where something can be done.
pub fn survive_accept(error: &io::Error) -> io::Result<()> {
    let advice = match error.raw_os_error() {
        Some(
            libc::EINTR
            | libc::ECONNABORTED
            | libc::ENETDOWN
            | libc::EPROTO
            | libc::ENOPROTOOPT
            | libc::EHOSTDOWN
            | libc::ENONET
            | libc::EHOSTUNREACH
            | libc::EOPNOTSUPP
            | libc::ENETUNREACH,
        ) => return Ok(()),
        Some(libc::EMFILE) => "; raise the limit of this process (ulimit -n)",
        Some(libc::ENFILE) => "; raise the limit of the whole system (fs.file-max)",
        _ => "",
    };
    Err(io::Error::new(error.kind(), format!("accept a connection: {error}{advice}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_listener_is_told_from_what_ends_a_connection() {
        for errno in [libc::ECONNABORTED, libc::EINTR, libc::EPROTO] {
            assert!(survive_accept(&io::Error::from_raw_os_error(errno)).is_ok());
        }
        for (errno, words) in [(libc::EMFILE, "ulimit -n"), (libc::ENFILE, "fs.file-max")] {
            let error = survive_accept(&io::Error::from_raw_os_error(errno));
            assert!(error.unwrap_err().to_string().contains(words));
        }
        assert!(survive_accept(&io::Error::from_raw_os_error(libc::EBADF)).is_err());
    }
}
