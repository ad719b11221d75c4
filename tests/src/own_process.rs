//! A test in a process of its own: for limits, signals, and descriptor numbers that other tests'
//! threads would take.

use std::env;
use std::process::Command;

/// Names the one test that a child process is to run itself.
const CHILD: &str = "REACTOR_TEST_IN_OWN_PROCESS";

/// Runs `case` in a new process, as the test called `name` (a path within its test binary).
///
/// # Panics
///
/// If the case fails there, or if the process didn't run exactly that one test.
pub fn run(name: &str, case: fn()) {
    // The path of a module begins with the crate's name, that of a test does not.
    let name = name.split_once("::").map_or(name, |(_, path)| path);
    if env::var(CHILD).is_ok_and(|child| child == name) {
        return case();
    }
    let program = env::current_exe().expect("a test binary knows its own path");
    let child = Command::new(program)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, name)
        .output()
        .expect("a test binary can be run again");
    let stdout = String::from_utf8_lossy(&child.stdout);
    let stderr = String::from_utf8_lossy(&child.stderr);
    assert!(
        child.status.success() && stdout.contains("1 passed"),
        "{name}, in its own process: {}\n{stdout}{stderr}",
        child.status
    );
}
