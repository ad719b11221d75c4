//! How many system calls a process makes, counted by strace(1).

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// An strace that is attached to a process, until this is finished or dropped.
pub(super) struct SystemCalls {
    strace: Child,
    stderr: BufReader<ChildStderr>,
}

impl SystemCalls {
    /// Attaches to all threads of a process.
    ///
    /// # Errors
    ///
    /// When strace isn't installed, or mayn't attach: what is to be done about it.
    pub(super) fn begin(pid: u32) -> anyhow::Result<Self> {
        let spawned = Command::new("strace")
            .args(["-c", "-f", "-p", &pid.to_string()])
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut strace = match spawned {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("to count system calls takes strace, which isn't installed")
            }
            spawned => spawned.context("start strace")?,
        };
        let stderr = strace.stderr.take().context("its stderr is not a pipe")?;
        let mut calls = Self { strace, stderr: BufReader::new(stderr) };
        let mut line = String::new();
        calls.stderr.read_line(&mut line).context("read what strace says")?;
        if !line.contains(" attached") {
            bail!("attach strace to process {pid}, to count system calls: {}", line.trim_end());
        }
        Ok(calls)
    }

    /// Detaches, and says how many there were.
    pub(super) fn finish(mut self) -> anyhow::Result<u64> {
        let pid = i32::try_from(self.strace.id()).context("the number of strace's process")?;
        kill(Pid::from_raw(pid), Signal::SIGINT).context("end strace")?;
        let mut text = String::new();
        self.stderr.read_to_string(&mut text).context("read what strace says")?;
        Ok(count(&text))
    }
}

/// One that is killed lets its process go on, too.
impl Drop for SystemCalls {
    fn drop(&mut self) {
        // Both fail only for a child that has ended and was waited for.
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}

/// The sum over the rows of the summary, which have `% time`, `seconds`, `usecs/call`, `calls`, perhaps
/// `errors`, and the call's name.
fn count(summary: &str) -> u64 {
    summary.lines().filter_map(row).sum()
}

fn row(line: &str) -> Option<u64> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (name, figures) = fields.split_last()?;
    let is_row = matches!(figures.len(), 4 | 5)
        && *name != "total"
        && figures.iter().all(|figure| figure.parse::<f64>().is_ok());
    if is_row { figures[3].parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = "\
strace: Process 4711 detached
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 54.19    0.003162           3       900           sendto
 31.15    0.001818           2       901         1 recvfrom
 14.66    0.000856           9        94           epoll_wait
------ ----------- ----------- --------- --------- ----------------
100.00    0.005836           3      1895         1 total
";

    #[test]
    fn the_rows_are_added_up() {
        assert_eq!(count(SUMMARY), 900 + 901 + 94);
        assert_eq!(count("strace: Process 4711 detached\n"), 0);
    }
}
