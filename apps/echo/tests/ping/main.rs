//! The client as a user runs it: a process, its output, its exit code, against the server and against
//! servers that answer late, twice, wrongly or never.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod datagrams;
mod process;
#[path = "../server/process.rs"]
#[allow(dead_code, reason = "the server's own tests ask more of it")]
mod server;
mod streams;

use reactor::Backend;

use crate::process::lines;
use crate::server::{assert_one_line, run};

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    for (arguments, word) in [
        (&["ping"][..], "<ADDR>"),
        (&["ping", "nowhere"], "nowhere"),
        (&["ping", "/run/echo"], "--unix"),
        (&["ping", "127.0.0.1:7", "--udp", "--tcp"], "--tcp"),
        (&["ping", "127.0.0.1:7", "--size", "7"], "--size"),
        (&["ping", "127.0.0.1:7", "--size", "-1"], "--size"),
        (&["ping", "127.0.0.1:7", "--udp", "--size", "65508"], "65507"),
        (&["ping", "127.0.0.1:7", "--count", "0"], "--count"),
        (&["ping", "127.0.0.1:7", "--timeout", "0"], "--timeout"),
        (&["ping", "127.0.0.1:7", "--interval", "soon"], "--interval"),
        (&["ping", "127.0.0.1:7", "--backend", "kqueue"], "kqueue"),
        (&["--listen", "127.0.0.1:0", "ping", "127.0.0.1:7"], "--listen"),
    ] {
        assert_one_line(&run(arguments), 2, &[word, "--help"]);
    }
}

#[test]
fn help_and_the_list_of_mechanisms_succeed() {
    let output = run(&["ping", "--help"]);
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(lines(&output).iter().any(|line| line.contains("--interval")));
    let output = run(&["ping", "127.0.0.1:7", "--backend", "list"]);
    let names: Vec<_> = Backend::COMPILED.iter().map(|backend| backend.name()).collect();
    assert_eq!(lines(&output), names);
}
