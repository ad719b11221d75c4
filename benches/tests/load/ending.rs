//! Signals end the load early.

use std::process::{Child, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use benches::load::Report;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{answer, command, server};

/// No message within this is a failure, not a reason to wait for ever.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a signal, and waits for the end.
pub(crate) fn end(child: Child, signal: Signal) -> Output {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_signal_ends_it_with_what_it_has() {
    for (signal, name, code) in [(Signal::SIGINT, "SIGINT", 130), (Signal::SIGTERM, "SIGTERM", 143)]
    {
        let (sender, receiver) = mpsc::channel();
        let address = server(move |stream| {
            answer(stream, |number, _| {
                // The greeting is the first, and what follows is measured.
                if number == 10 {
                    sender.send(()).unwrap();
                }
            });
        });
        let child = command(address, &["--seconds", "100", "--warmup", "0", "--connections", "2"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        receiver.recv_timeout(PATIENCE).unwrap();
        let output = end(child, signal);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(&format!("interrupted by {name} after")), "{stderr}");
        let report: Report = String::from_utf8(output.stdout).unwrap().parse().unwrap();
        assert_eq!(report.interrupted, Some(signal as i32));
        assert!(report.messages >= 9, "{report:?}");
    }
}

#[test]
fn a_signal_before_the_measured_time_leaves_nothing_to_report() {
    let (sender, receiver) = mpsc::channel();
    let address = server(move |stream| {
        answer(stream, |_, echo| {
            echo.clear();
            sender.send(()).unwrap();
        });
    });
    let child = command(address, &["--connections", "1", "--patience", "100"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    receiver.recv_timeout(PATIENCE).unwrap();
    let output = end(child, Signal::SIGINT);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("interrupted by SIGINT before"), "{stderr}");
    assert!(output.stdout.is_empty());
}
