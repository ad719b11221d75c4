//! The comparison runs from end to end, with a stand-in for the echo server.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::process::{Command, Output};

const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stand_in/echo");

/// Runs a short comparison, pinned to a core that every machine has.
fn ratio(more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_benches"))
        .env("BENCHES", env!("CARGO_BIN_EXE_benches"))
        .arg("ratio")
        .args(["--echo", STAND_IN, "--server-core", "0", "--load-core", "0"])
        .args(["--connections", "2,5", "--runs", "1", "--seconds", "0.02", "--warmup", "0"])
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn each_backend_that_the_server_lists_gets_its_rows() {
    let output = ratio(&[]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> =
        stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 5, "{stdout}");
    assert_eq!(rows[0][0], "backend");
    assert_eq!(rows[1][..4], ["poll", "poll", "2", "64"]);
    assert_eq!(rows[2][..4], ["poll", "poll", "5", "64"]);
    assert_eq!(rows[3][..4], ["mio", "epoll", "2", "64"]);
    assert_eq!(rows[4][..4], ["mio", "epoll", "5", "64"]);
    // So short a run may go either way; the exit code must say which.
    let all_pass = rows[1..].iter().all(|row| row.last() == Some(&"pass"));
    assert_eq!(output.status.code(), Some(if all_pass { 0 } else { 1 }), "{stdout}");
}

#[test]
fn a_backend_that_the_server_lacks_is_an_error() {
    let output = ratio(&["--backends", "kqueue"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("echo: no backend kqueue"), "{stderr}");
    assert!(stderr.contains("kqueue, 2 connections, 64 bytes"), "{stderr}");
}

#[test]
fn a_server_that_does_not_exist_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_benches"))
        .args(["ratio", "--echo", "/nonexistent/echo"])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("there is no /nonexistent/echo"), "{stderr}");
}

#[test]
fn wrong_flags_are_usage_errors() {
    for flags in [["--runs", "0"], ["--sizes", "0"], ["--seconds", "soon"]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_benches")).arg("ratio").args(flags).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}
