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
    /// The compiler's name and version; older reports don't have it.
    #[serde(default = "unknown")]
    pub rustc: String,
}

/// Bytes in a GiB.
const GIB: u64 = 1 << 30;

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
            rustc: env!("BENCHES_RUSTC").to_owned(),
        }
    }

    /// Whether figures of the two can be compared: what is known of them both is the same. From start to start
    /// a kernel keeps a little more or less memory to itself, so half a GiB makes no other machine.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let (one, another) = (&self.rustc, &other.rustc);
        let is_same_rustc = one == another || [one, another].contains(&&unknown());
        let rest = |machine: &Self| Self { memory: 0, rustc: unknown(), ..machine.clone() };
        let is_same_memory = self.memory.abs_diff(other.memory) <= GIB / 2;
        is_same_rustc && is_same_memory && rest(self) == rest(other)
    }
}

/// One line.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory, kernel, target, optimised, rustc } = self;
        let gib = *memory as f64 / GIB as f64;
        write!(f, "{processor}, {cores} cores, {gib:.0} GiB, {kernel}, {target}")?;
        if *rustc != unknown() {
            write!(f, ", {rustc}")?;
        }
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
    fn machines_are_alike_to_half_a_gib_and_where_the_compiler_is_known() {
        // A little more than 23.5 GiB.
        let this = Machine { memory: 25_276_502_016, ..Machine::this() };
        let with = |change: fn(&mut Machine)| {
            let mut other = this.clone();
            change(&mut other);
            assert_eq!(this.is_like(&other), other.is_like(&this));
            this.is_like(&other)
        };
        assert!(with(|_| ()));
        assert!(with(|other| other.memory -= 50_000_000));
        assert!(!with(|other| other.memory -= GIB));
        assert!(!with(|other| other.cores += 1));
        assert!(!with(|other| other.kernel.push('1')));
        assert!(with(|other| other.rustc = unknown()));
        assert!(!with(|other| other.rustc.push_str("-nightly")));
    }

    #[test]
    fn the_compiler_is_told_where_it_is_known() {
        let mut machine = Machine::this();
        assert!(machine.rustc.starts_with("rustc 1."), "{}", machine.rustc);
        assert!(machine.to_string().contains(&machine.rustc), "{machine}");
        machine.rustc = unknown();
        assert!(!machine.to_string().contains("rustc"), "{machine}");
        let mut json = serde_json::to_value(&machine).unwrap();
        json.as_object_mut().unwrap().remove("rustc").unwrap();
        assert_eq!(serde_json::from_value::<Machine>(json).unwrap(), machine);
    }

    #[test]
    fn this_machine_has_a_kernel_and_a_core() {
        let machine = Machine::this();
        assert!(machine.cores >= 1);
        assert_ne!(machine.kernel, "unknown");
    }
}
