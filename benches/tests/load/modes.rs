//! What each mode asks, and reports.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use benches::load::{Mode, Report};
use nix::sys::signal::Signal;
use reactor::Backend;

use crate::ending::{PATIENCE, end};
use crate::{answer, command, complaint, load, report, server, yardstick};

#[test]
fn a_right_echo_is_counted() {
    let server = yardstick();
    let pid = server.pid().to_string();
    for (connections, size) in [("1", "1"), ("50", "64"), ("3", "1000000")] {
        let arguments = ["--connections", connections, "--size", size, "--pid", &pid];
        let report = report(server.address(), &arguments);
        assert!(report.messages >= connections.parse().unwrap(), "{report}");
        assert!(report.elapsed().as_millis() >= 50, "{report}");
        assert!(report.server_cost().is_some_and(|cost| cost > 0.0), "{report}");
        assert!(report.load_share().is_some_and(|share| 0.0 < share && share < 1.1), "{report}");
    }
}

#[test]
fn a_person_is_told_in_words() {
    let server = yardstick();
    let output = Command::new(env!("CARGO_BIN_EXE_benches"))
        .arg("load")
        .args(["--seconds", "0.05", "--warmup", "0"])
        .args(["--connect", &server.address().to_string(), "--pid", &server.pid().to_string()])
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains(" messages/s\n"), "{stdout}");
    assert!(stdout.contains("\nlatency: p50 "), "{stdout}");
    assert!(stdout.contains(" ns of server CPU time per message\n"), "{stdout}");
}

#[test]
fn the_load_runs_on_every_mechanism() {
    let server = yardstick();
    for backend in Backend::COMPILED {
        let moving = &["crowd", "--idle", "20", "--moving", "0.01"];
        for mode in [&["echo"][..], &["echo", "--rate", "1000"], &["connect"], moving] {
            let mut arguments = mode.to_vec();
            arguments.extend(["--backend", backend.name(), "--connections", "5"]);
            assert!(report(server.address(), &arguments).messages > 0, "{backend}, {mode:?}");
        }
    }
}

#[test]
fn several_messages_of_a_connection_are_under_way() {
    let server = yardstick();
    for (depth, size) in [("3", "1"), ("16", "64"), ("2", "300000")] {
        let arguments = ["--connections", "3", "--depth", depth, "--size", size];
        let report = report(server.address(), &arguments);
        assert!(report.messages >= 3 * report.depth as u64, "{report:?}");
        assert!(report.latency_ns.is_some(), "{report:?}");
    }
}

#[test]
fn an_open_loop_sends_as_many_as_it_was_to() {
    let server = yardstick();
    for (rate, messages) in [("20", 1), ("2000", 100), ("30000", 1500)] {
        let report = report(server.address(), &["--rate", rate, "--connections", "7"]);
        assert_eq!(report.messages, messages, "{report:?}");
        assert!(report.delay_ns.is_some(), "{report:?}");
    }
}

/// The server falls silent in the measured time.
#[test]
fn an_open_loop_reports_what_was_never_answered() {
    let address = server(|stream| {
        answer(stream, |number, echo| {
            if number >= 50 {
                echo.clear();
            }
        });
    });
    let arguments = ["--rate", "2000", "--connections", "1", "--warmup", "0", "--patience", "0.1"];
    let output = load(address, &arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(
        stderr,
        "benches: 51 of 100 messages were never answered: the server has fallen behind\n"
    );
    let report: Report = String::from_utf8(output.stdout).unwrap().parse().unwrap();
    // The first answer was that to the greeting.
    assert_eq!((report.messages, report.unanswered), (49, Some(51)), "{report:?}");
    // It was silent for the second half of that.
    assert!(report.elapsed().as_millis() >= 50, "{report:?}");
}

/// All of its echoes take longer than it is waited for the next one.
#[test]
fn an_open_loop_lets_a_slow_server_catch_up() {
    let address = server(|stream| {
        let (_sender, never) = mpsc::channel::<()>();
        answer(stream, |_, _| {
            never.recv_timeout(Duration::from_millis(10)).unwrap_err();
        });
    });
    let arguments = ["--rate", "1000", "--connections", "1", "--warmup", "0", "--patience", "0.3"];
    let report = report(address, &arguments);
    assert_eq!((report.messages, report.unanswered), (50, None), "{report:?}");
    assert!(report.elapsed().as_millis() >= 490, "{report:?}");
}

/// A server of one connection that stalls before its message 200.
fn stalls(more: &[&str]) -> Report {
    let address = server(|stream| {
        let (_sender, never) = mpsc::channel::<()>();
        answer(stream, |number, _| {
            if number == 200 {
                never.recv_timeout(Duration::from_millis(300)).unwrap_err();
            }
        });
    });
    let mut arguments = vec!["--connections", "1", "--seconds", "0.6", "--warmup", "0"];
    arguments.extend(more);
    report(address, &arguments)
}

/// Half of the messages fall due in the stall: in an open loop each of them tells of it, in a closed one
/// it is the one message that was under way.
#[test]
fn an_open_loop_does_not_omit_a_stall() {
    const MILLISECOND: u64 = 1_000_000;
    let open = stalls(&["--rate", "1000"]);
    let latency = open.latency_ns.unwrap();
    assert_eq!(open.messages, 600);
    assert!(latency.max >= 299 * MILLISECOND, "{latency}");
    assert!(latency.p90 >= 150 * MILLISECOND, "{latency}");

    let closed = stalls(&[]);
    let latency = closed.latency_ns.unwrap();
    assert!(latency.max >= 299 * MILLISECOND, "{latency}");
    assert!(latency.p90 < 150 * MILLISECOND, "{latency}");
}

#[test]
fn a_crowd_is_there_and_idle() {
    let server = yardstick();
    let pid = server.pid().to_string();
    let arguments = ["crowd", "--connections", "5", "--idle", "300", "--pid", &pid];
    let report = report(server.address(), &arguments);
    assert_eq!((report.mode, report.others), (Mode::Crowd, 300));
    assert!(report.messages >= 5, "{report:?}");
    let memory = report.server_memory.unwrap();
    assert!(memory.before > 0 && memory.after >= memory.before, "{memory:?}");
}

/// In a moving crowd, and counted: the load and the server agree to the message.
#[test]
fn what_is_under_way_when_a_turn_ends_is_awaited() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let address = server(move |stream| {
        answer(stream, |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
        });
    });
    for depth in ["1", "3"] {
        let before = asked.load(Ordering::Relaxed);
        let crowd = ["crowd", "--connections", "2", "--idle", "3", "--moving", "0.001"];
        let report = report(address, &[&crowd[..], &["--depth", depth, "--warmup", "0"]].concat());
        assert_eq!(report.moving_ns, Some(1_000_000), "{report:?}");
        assert!(report.latency_ns.is_some(), "{report:?}");
        // Each connection's greeting isn't counted.
        let greeted = report.messages + 5;
        assert_eq!(asked.load(Ordering::Relaxed) - before, greeted, "{report:?}");
    }
}

/// As long as there is one that has only greeted, the load goes on.
#[test]
fn in_a_moving_crowd_each_has_its_turn() {
    let (sender, receiver) = mpsc::channel();
    let address = server(move |stream| {
        answer(stream, |number, _| {
            // The greeting is number 0; nobody listens any more once all have been asked.
            if number == 1 {
                let _ = sender.send(());
            }
        });
    });
    let crowd = ["crowd", "--connections", "2", "--idle", "5", "--moving", "0.001"];
    let child = command(address, &[&crowd[..], &["--seconds", "100", "--warmup", "0"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for turn in 0..7 {
        let asked = receiver.recv_timeout(PATIENCE);
        assert!(asked.is_ok(), "only {turn} of 7 had their turn");
    }
    let output = end(child, Signal::SIGINT);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    let report: Report = String::from_utf8(output.stdout).unwrap().parse().unwrap();
    assert_eq!((report.connections, report.others), (2, 5), "{report:?}");
}

#[test]
fn slow_readers_keep_nobody_from_being_answered() {
    let server = yardstick();
    let arguments = ["slow", "--connections", "2", "--slow", "2", "--seconds", "0.25"];
    let report = report(server.address(), &arguments);
    assert_eq!((report.mode, report.others), (Mode::Slow, 2));
    assert!(report.messages >= 2, "{report:?}");
}

#[test]
fn bulk_is_told_in_bytes() {
    let server = yardstick();
    let report = report(server.address(), &["bulk"]);
    assert_eq!((report.connections, report.size, report.latency_ns), (4, 65536, None));
    assert!(report.messages > 0 && report.bytes == 65536 * report.messages, "{report:?}");
}

#[test]
fn visits_connect_each_time() {
    let (sender, receiver) = mpsc::channel();
    let address = server(move |stream| {
        sender.send(()).unwrap();
        answer(stream, |_, _| {});
    });
    let report = report(address, &["connect", "--connections", "3", "--warmup", "0"]);
    assert!(report.messages >= 3, "{report:?}");
    assert_eq!(receiver.try_iter().count() as u64, report.messages);
}

#[test]
fn system_calls_are_counted_or_it_is_said_why_not() {
    let server = yardstick();
    let pid = server.pid().to_string();
    let output = command(server.address(), &["--pid", &pid, "--syscalls"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    if output.status.success() {
        let report: Report = String::from_utf8(output.stdout).unwrap().parse().unwrap();
        assert!(report.calls_per_message().unwrap() > 1.0, "{report:?}");
    } else {
        // Not installed here, or not allowed.
        assert!(stderr.contains("strace"), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn without_strace_it_says_so() {
    let server = yardstick();
    let pid = server.pid().to_string();
    let output = command(server.address(), &["--pid", &pid, "--syscalls"])
        .env("PATH", "/nonexistent")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("takes strace, which isn't installed"), "{stderr}");
}

#[test]
fn a_process_that_does_not_exist_is_an_error() {
    let server = yardstick();
    let stderr = complaint(server.address(), &["--pid", "8388608"]);
    assert!(stderr.contains("/proc/8388608"), "{stderr}");
}
