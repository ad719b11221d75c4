//! Whether strace(1) is there, which counts system calls.

use std::io;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// Asks at the beginning: strace is started only when the load has measured all else.
///
/// # Errors
///
/// When it isn't installed: how to get it. When it can't be started.
pub fn check() -> anyhow::Result<()> {
    let mut strace = Command::new("strace");
    strace.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match strace.status() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "to count system calls takes strace, which isn't installed: install the package strace, or leave \
             --syscalls out"
        ),
        started => {
            started.context("start strace")?;
            Ok(())
        }
    }
}
