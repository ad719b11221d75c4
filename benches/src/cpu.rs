//! Which core a process runs on, and how long it ran.

use std::fs;
use std::io;
use std::time::Duration;

use anyhow::{Context as _, bail};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The calling thread, in the calls that take a thread's number.
const THIS_THREAD: Pid = Pid::from_raw(0);

/// Keeps the calling thread, and every thread and process that it starts, on one core.
///
/// # Errors
///
/// When this process has no such core.
pub fn pin(core: usize) -> anyhow::Result<()> {
    let tried = || format!("pin to core {core}");
    let mut only = CpuSet::new();
    only.set(core).with_context(tried)?;
    sched_setaffinity(THIS_THREAD, &only).with_context(tried)
}

/// Calls `start` pinned to one core, so that a process started by it is born there, and then
/// lets the calling thread go back to where it may have run before.
///
/// # Errors
///
/// Those of [`pin`] and of `start`.
pub fn pinned<T>(core: usize, start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let before = sched_getaffinity(THIS_THREAD).context("ask which cores are free to use")?;
    pin(core)?;
    let started = start();
    sched_setaffinity(THIS_THREAD, &before).context("go back to all cores")?;
    started
}

/// The CPU time that all living threads of a process have used, in user space and in the kernel.
///
/// The kernel brings a thread's figure up to date when the thread goes to sleep and at each tick
/// (1 to 10 ms): it is exact for a process that sleeps.
///
/// # Errors
///
/// When there is no such process, or the kernel keeps no such figures.
pub fn time_of(pid: u32) -> anyhow::Result<Duration> {
    let folder = format!("/proc/{pid}/task");
    let threads = fs::read_dir(&folder).with_context(|| format!("read {folder}"))?;
    let mut total = None;
    for thread in threads {
        let path = thread.with_context(|| format!("read {folder}"))?.path().join("schedstat");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if has_ended(&error) => continue,
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        };
        let Some(time) = running_time(&text) else {
            bail!("read {}: {text:?} does not begin with nanoseconds", path.display());
        };
        total = Some(total.unwrap_or(Duration::ZERO) + time);
    }
    total.with_context(|| format!("no thread in {folder} has a schedstat file"))
}

/// Whether a thread's file can't be read because the thread ended since its folder was listed:
/// before the file was opened, or between that and the read.
fn has_ended(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

/// The first of the three fields of a `schedstat` file: the nanoseconds spent on a core
/// (the kernel's documentation, scheduler/sched-stats).
fn running_time(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::process::Command;

    use super::*;

    #[test]
    fn the_first_field_is_the_running_time() {
        assert_eq!(running_time("717247 12 1\n"), Some(Duration::from_nanos(717_247)));
        assert_eq!(running_time(""), None);
        assert_eq!(running_time("x 0 1"), None);
    }

    #[test]
    fn a_busy_process_uses_time() {
        let mut busy = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let mut times = iter::repeat_with(|| time_of(busy.id())).map_while(Result::ok);
        let advanced = times.any(|time| time > Duration::from_millis(20));
        busy.kill().unwrap();
        busy.wait().unwrap();
        assert!(advanced);
    }

    #[test]
    fn a_process_that_does_not_exist_is_an_error() {
        // Process numbers end at 2^22 (proc_sys_kernel_pid_max(5)).
        let error = time_of(1 << 23).unwrap_err();
        assert!(format!("{error:#}").contains("/proc/8388608/task"), "{error:#}");
    }

    #[test]
    fn a_core_that_does_not_exist_is_an_error() {
        assert!(pin(100_000).is_err());
    }

    #[test]
    fn pinned_gives_the_other_cores_back() {
        let before = sched_getaffinity(THIS_THREAD).unwrap();
        let core = (0..CpuSet::count()).find(|&core| before.is_set(core).unwrap()).unwrap();
        let during = pinned(core, || Ok(sched_getaffinity(THIS_THREAD)?)).unwrap();
        let mut only = CpuSet::new();
        only.set(core).unwrap();
        assert_eq!(during, only);
        assert_eq!(sched_getaffinity(THIS_THREAD).unwrap(), before);
    }
}
