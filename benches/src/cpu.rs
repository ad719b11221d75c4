//! Which core a process runs on, how long it ran, and with whom it ends.

use std::fs;
use std::io;
use std::os::unix;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::time::{ClockId, clock_gettime};
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

/// The cores that the calling thread may run on.
///
/// # Errors
///
/// When the system doesn't tell.
pub fn usable() -> anyhow::Result<Vec<usize>> {
    let set = sched_getaffinity(THIS_THREAD).context("ask which cores can be used")?;
    Ok((0..CpuSet::count()).filter(|&core| set.is_set(core) == Ok(true)).collect())
}

/// Has this process killed when the thread of `parent` that started it ends.
///
/// # Errors
///
/// When the system refuses, or `parent` has ended already.
pub fn end_with(parent: u32) -> anyhow::Result<()> {
    set_pdeathsig(Signal::SIGKILL).context("ask to end with the parent")?;
    ensure!(unix::process::parent_id() == parent, "the parent {parent} has ended already");
    Ok(())
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

/// The CPU time that this process has used, in user space and in the kernel, if the system tells: exact at
/// any time.
pub fn own_time() -> Option<Duration> {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).ok().map(Duration::from)
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
    fn a_busy_thread_uses_time_of_its_own() {
        let before = own_time().unwrap();
        let mut times = iter::repeat_with(own_time).map_while(|time| time);
        assert!(times.any(|time| time > before + Duration::from_millis(2)));
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
    fn some_core_can_be_used() {
        assert!(!usable().unwrap().is_empty());
    }
}
