//! What can be wrong with a command line.

use std::process::Command;

use crate::{command, yardstick};

#[test]
fn wrong_flags_are_usage_errors() {
    let table: [&[&str]; 20] = [
        &["--size", "0"],
        &["--connections", "0"],
        &["--seconds", "-1"],
        &["--port", "1"],
        &["flood"],
        &["--backend", "kqueue"],
        &["--idle", "7"],
        &["crowd", "--slow", "7"],
        &["bulk", "--rate", "7"],
        &["connect", "--depth", "7"],
        &["--rate", "7", "--depth", "7"],
        &["udp", "--size", "7"],
        &["--syscalls"],
        &["--size", "18446744073709551615"],
        &["--depth", "18446744073709551615"],
        &["udp", "--depth", "1000000"],
        &["echo", "--moving", "0.1"],
        &["crowd", "--moving", "0.1", "--rate", "7"],
        &["crowd", "--moving", "0.0009"],
        &["crowd", "--moving", "0.1", "--connections", "1", "--idle", "1000000", "--depth", "100"],
    ];
    for flags in table {
        let output = command(([127, 0, 0, 1], 9).into(), flags).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let server = yardstick();
    for (flags, words) in [
        (&["--connect", "localhost:7007"][..], "such as 127.0.0.1:7007"),
        // Process numbers end at 2^22 (proc_sys_kernel_pid_max(5)).
        (&["--pid", "8388608"], "--pid 8388608: "),
        (&["--core", "100000"], "core 100000"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
        command.arg("load").args(flags);
        if !flags.contains(&"--connect") {
            command.args(["--connect", &server.address().to_string()]);
        }
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
}

#[test]
fn more_connections_than_there_can_be_are_too_many() {
    for flags in [
        &["--connections", "18446744073709551615"][..],
        &["crowd", "--idle", "18446744073709551615"],
    ] {
        let output = command(([127, 0, 0, 1], 9).into(), flags).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("ask for fewer connections"), "{stderr}");
    }
}

#[test]
fn too_few_descriptors_are_noticed_before_the_first_connection() {
    let server = yardstick();
    let address = server.address().to_string();
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_benches")])
        .args(["load", "crowd", "--idle", "1000", "--connect", &address])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("the limit is 64") && stderr.contains("ulimit -Hn"), "{stderr}");
}
