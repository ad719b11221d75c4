//! The limit of open files, and how many there are, for tests in a process of their own.

use std::fs::read_dir;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sets the soft limit, which is one above the highest number that a new descriptor can have.
///
/// # Panics
///
/// If it is above the hard limit.
pub fn limit(soft: u64) {
    let limit = Rlimit { current: Some(soft), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).expect("a soft limit up to the hard one can be set");
}

/// The descriptors that this process has open.
///
/// # Panics
///
/// If the system has no /dev/fd.
#[must_use]
pub fn count() -> usize {
    read_dir("/dev/fd").expect("there is a list of them").count()
}

/// Makes room for numbers below `wanted`, or for as many as the hard limit allows; says how many.
///
/// # Panics
///
/// If the hard limit is below `needed`.
pub fn allow(wanted: u64, needed: u64) -> u64 {
    let hard = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    assert!(
        hard >= needed,
        "this test needs {needed} open files, and the hard limit is {hard}: raise it (ulimit -Hn)"
    );
    let allowed = wanted.min(hard);
    limit(allowed);
    allowed
}
