//! The comparison of servers runs from end to end.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fs;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use benches::runs::{self, Case, Contest, Setup};
use benches::servers::Server;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A short comparison, pinned to a core that every machine has.
fn servers(more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.args(["servers", "--server-core", "0", "--load-core", "0"]).args(more);
    command
}

fn short(more: &[&str]) -> Output {
    let times = ["--runs", "1", "--seconds", "0.02", "--warmup", "0"];
    servers(&times).args(more).output().unwrap()
}

/// The cells of each line.
fn rows(output: &Output) -> Vec<Vec<String>> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let table = stdout.lines().take_while(|line| !line.is_empty());
    table.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn each_server_gets_a_row_for_each_case() {
    let output = short(&["--servers", "tokio,plain-poll,mio", "--connections", "2,5"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let rows = rows(&output);
    assert_eq!(rows[0][..2], ["server", "connections"]);
    let cases: Vec<_> = rows[1..].iter().map(|row| row[..3].join(" ")).collect();
    let expected =
        ["tokio 2 64", "plain-poll 2 64", "mio 2 64", "tokio 5 64", "plain-poll 5 64", "mio 5 64"];
    assert_eq!(cases, expected);
    for (number, row) in rows[1..].iter().enumerate() {
        let verdict = row.last().unwrap().as_str();
        if number % 3 == 0 {
            assert!(verdict.starts_with('±'), "{row:?}");
        } else {
            assert_eq!(verdict, "round", "one round tells nothing: {row:?}");
        }
    }
}

#[test]
fn the_baseline_can_be_named() {
    let output = short(&["--servers", "tokio,mio", "--baseline", "polling", "--connections", "1"]);
    let names: Vec<_> = rows(&output)[1..].iter().map(|row| row[0].clone()).collect();
    assert_eq!(names, ["polling", "tokio", "mio"]);
}

#[test]
fn ours_are_held_against_the_loop_on_their_mechanism() {
    let output = short(&["--bar", "--connections", "2", "--sizes", "1,100"]);
    let rows = rows(&output);
    let ours: Vec<_> = Server::all().into_iter().filter_map(Server::yardstick).collect();
    let mut baselines = ours.clone();
    baselines.sort_by_key(Server::to_string);
    baselines.dedup();
    assert_eq!(rows.len(), baselines.len() + 2 * (ours.len() + baselines.len()), "{rows:?}");
    let mut all_pass = true;
    for row in rows[1..].iter().filter(|row| row[0].starts_with("reactor-")) {
        let verdict = &row[row.len() - 2];
        assert!(["pass", "FAIL"].contains(&verdict.as_str()), "{row:?}");
        all_pass &= verdict == "pass";
    }
    // So short a run may go either way; the exit code must say which.
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(if all_pass { 0 } else { 1 }), "{stderr}");
}

#[test]
fn raw_samples_are_kept() {
    let contest = Contest { baseline: Server::Mio, others: vec![Server::Polling, Server::Tokio] };
    let setup = Setup {
        program: env!("CARGO_BIN_EXE_benches").into(),
        cores: None,
        measured: Duration::from_millis(50),
        warmup: Duration::ZERO,
    };
    let case = Case {
        mode: runs::ECHO.to_owned(),
        connections: NonZeroUsize::MIN,
        size: NonZeroUsize::MIN,
        more: Vec::new(),
    };
    let rounds = NonZeroUsize::new(2).unwrap();
    let mut started = Vec::new();
    let before = |server| started.push(server);
    let never = AtomicBool::new(false);
    let comparison = runs::compare(&setup, &contest, &case, rounds, &never, before).unwrap();
    let (a, b, c) = (Server::Mio, Server::Polling, Server::Tokio);
    assert_eq!(started, [a, b, c, a, b, c, a, a]);
    assert_eq!(comparison.rounds.len(), 2);
    assert_eq!(comparison.others, ["polling", "tokio"]);
    for other in 0..2 {
        assert_eq!(comparison.samples(other).count(), 2);
        assert!(comparison.samples(other).all(|sample| sample.rate() > 0.0));
    }
    assert!(comparison.baseline_samples().all(|sample| sample.cost() > 0.0));
}

/// No answer within this is a failure, not a reason to wait for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// A comparison that would take days; it ends with its owner.
struct Endless(Child);

impl Endless {
    fn start() -> Self {
        let mut command = servers(&["--servers", "mio", "--seconds", "80000"]);
        command.args(["--connections", "1"]).stdout(Stdio::null()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// The numbers of the server's and the load's process, once both run.
    #[track_caller]
    fn processes(&self) -> Vec<String> {
        let path = format!("/proc/{0}/task/{0}/children", self.0.id());
        let deadline = Instant::now() + PATIENCE;
        loop {
            let list = fs::read_to_string(&path).unwrap();
            let children: Vec<_> = list.split_whitespace().map(str::to_owned).collect();
            if children.len() == 2 {
                return children;
            }
            assert!(Instant::now() < deadline, "{children:?} are all that run");
        }
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        // Both fail only for one that has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns when none of these processes runs any more.
#[track_caller]
fn await_end(processes: &[String]) {
    let deadline = Instant::now() + PATIENCE;
    // proc_pid_stat(5): Z is a zombie, which its next parent has yet to wait for.
    let runs = |process: &String| {
        fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    };
    while processes.iter().any(runs) {
        assert!(Instant::now() < deadline, "one of {processes:?} runs still");
    }
}

#[test]
fn a_signal_ends_the_comparison_with_what_there_is() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut endless = Endless::start();
        let processes = endless.processes();
        kill(Pid::from_raw(endless.0.id().try_into().unwrap()), signal).unwrap();
        let mut stderr = String::new();
        endless.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(endless.0.wait().unwrap().code(), Some(code), "{stderr}");
        assert!(stderr.contains("interrupted after 0 of 5 rounds of echo, 1 conn"), "{stderr}");
        await_end(&processes);
    }
}

#[test]
fn a_killed_comparison_leaves_nobody_behind() {
    let endless = Endless::start();
    let processes = endless.processes();
    drop(endless);
    await_end(&processes);
}

/// Before the table begins.
#[test]
fn what_the_load_would_not_take_is_a_usage_error() {
    for (mode, more, words) in [
        ("echo", &["--no-such-flag"][..], "unexpected argument '--no-such-flag'"),
        ("echo", &["--idle", "5"], "--idle means nothing to the mode echo"),
        ("echo", &["--size", "5"], "--size <BYTES>' cannot be used multiple times"),
        ("udp", &["--rate", "100"], "--rate means nothing to the mode udp"),
    ] {
        let output = short(&[&["--mode", mode, "--"], more].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn an_unknown_mechanism_in_the_environment_is_a_usage_error() {
    for command in ["servers", "report", "load --connect 127.0.0.1:1"] {
        let output = Command::new(env!("CARGO_BIN_EXE_benches"))
            .args(command.split(' '))
            .env("REACTOR_BACKEND", "kqueue")
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("REACTOR_BACKEND") && stderr.contains("try --help"), "{stderr}");
    }
}

#[test]
fn bulk_is_measured_as_the_load_does_by_itself() {
    let output = short(&["--mode", "bulk", "--servers", "mio"]);
    let rows = rows(&output);
    assert!(rows[0].contains(&"MB/s".to_owned()), "{rows:?}");
    assert_eq!(rows[1][..3], ["mio", "4", "65536"]);
}

#[test]
fn what_this_machine_lacks_is_a_failure_that_says_what_to_do() {
    // More than the kernel's own limit, whatever this process may have.
    for (flags, words) in [
        (&["--connections", "4000000000"][..], "raise it (ulimit -Hn 4000000050)"),
        (&["--connections", "18446744073709551615"], "ask for fewer connections"),
        (&["--mode", "crowd", "--", "--idle", "4000000000"], "raise it (ulimit -Hn 4000001050)"),
        (&["--server-core", "100000"], "core 100000 can't be used here, only: "),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_benches"))
            .arg("servers")
            .args(flags)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
}

#[test]
fn that_strace_is_missing_is_said_before_anything_runs() {
    let flags =
        ["--seconds", "80000", "--servers", "mio", "--connections", "1", "--", "--syscalls"];
    let output = servers(&flags).env("PATH", "/nowhere").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("install the package strace, or leave --syscalls out"), "{stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
fn wrong_flags_are_usage_errors() {
    for (flags, words) in [
        (&["--runs", "0"][..], "--runs"),
        (&["--sizes", "0"], "--sizes"),
        (&["--seconds", "soon"], "not a number of seconds"),
        (&["--seconds", "0"], "--seconds 0"),
        (&["--mode", "flood"], "flood"),
        (&["--servers", "kqueue"], "no server \"kqueue\" in this build, which has: "),
        (&["--bar", "--servers", "tokio"], "tokio has no bar"),
        (&["--bar", "--baseline", "tokio"], "--baseline"),
        (&["--mode", "udp", "--servers", "polling"], "polling has no echo over UDP"),
    ] {
        let output = servers(flags).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
}
