//! The limit of open files.

use anyhow::Context as _;
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
