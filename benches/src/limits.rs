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

/// What takes more descriptors than this process may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shortage {
    what: Vec<String>,
    needed: u64,
}

impl Shortage {
    /// Notes something that needs so many; once if it comes again.
    pub fn add(&mut self, what: String, needed: u64) {
        if !self.what.contains(&what) {
            self.what.push(what);
        }
        self.needed = self.needed.max(needed);
    }

    /// Notes all that another has.
    pub fn append(&mut self, other: Self) {
        let needed = other.needed;
        other.what.into_iter().for_each(|what| self.add(what, needed));
    }

    /// One line of all, if there is any, where a process may have `open_files`.
    pub fn line(&self, open_files: u64) -> Option<String> {
        let Self { what, needed } = self;
        (!what.is_empty()).then(|| {
            format!(
                "{}: up to {needed} open files are needed, and this process may have {open_files}; raise the limit \
                 (ulimit -Hn {needed})",
                what.join("; ")
            )
        })
    }
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
