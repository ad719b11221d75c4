//! What the figures are of: the machine, the system, and how this program was built.

use std::fmt;
use std::fs;
use std::thread;

use nix::sys::utsname::uname;
use serde::{Deserialize, Serialize};

/// Where and of what the figures were taken. What the system doesn't tell is `unknown`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many cores there are to use.
    pub cores: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// The kernel's name and release.
    pub kernel: String,
    /// The target that this program was built for.
    pub target: String,
    /// Whether it was built with optimisations.
    pub optimised: bool,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let kernel = uname().map(|names| {
            format!("{} {}", names.sysname().to_string_lossy(), names.release().to_string_lossy())
        });
        Self {
            processor: processor(&read("/proc/cpuinfo")).unwrap_or_else(unknown),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory: memory(&read("/proc/meminfo")).unwrap_or(0),
            kernel: kernel.unwrap_or_else(|_| unknown()),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            optimised: !cfg!(debug_assertions),
        }
    }
}

/// One line.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory, kernel, target, optimised } = self;
        let gib = *memory as f64 / f64::from(1 << 30);
        write!(f, "{processor}, {cores} cores, {gib:.0} GiB, {kernel}, {target}")?;
        if *optimised { Ok(()) } else { f.write_str(", a debug build: its figures mean nothing") }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The first processor's name in `/proc/cpuinfo` (proc_cpuinfo(5)).
fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The whole memory in `/proc/meminfo` (proc_meminfo(5)), which counts in KiB.
fn memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_proc_are_understood() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nflags\t: fpu\n";
        assert_eq!(processor(cpuinfo), Some("Some CPU @ 2.00GHz".to_owned()));
        assert_eq!(memory("MemTotal:       1000 kB\nMemFree: 1 kB\n"), Some(1_024_000));
        assert_eq!((processor(""), memory("")), (None, None));
    }

    #[test]
    fn this_machine_has_a_kernel_and_a_core() {
        let machine = Machine::this();
        assert!(machine.cores >= 1);
        assert_ne!(machine.kernel, "unknown");
    }
}
