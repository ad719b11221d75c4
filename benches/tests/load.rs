//! The load tells a good server from a bad one.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;

use benches::load::Report;
use benches::runs::Process;

/// Runs the load for a moment with more arguments.
fn load(server: SocketAddr, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_benches"))
        .arg("load")
        .args(["--machine", "--seconds", "0.05", "--warmup", "0.01"])
        .args(["--connect", &server.to_string()])
        .args(more)
        .output()
        .unwrap()
}

/// Runs the load against a server that treats each connection by `serve`, and which is expected to
/// be found out: what the load says about it.
fn complaint(more: &[&str], serve: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || serve(stream));
        }
    });
    let output = load(address, more);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(output.stdout.is_empty(), "a report in spite of {stderr}");
    stderr
}

/// Reads messages of 64 bytes, and answers what `answer` makes of them, up to the load's end.
fn answer(mut stream: TcpStream, answer: impl Fn(u64, &mut Vec<u8>)) {
    let mut number = 0;
    let mut message = vec![0; 64];
    while stream.read_exact(&mut message).is_ok() {
        let mut echo = message.clone();
        answer(number, &mut echo);
        number += 1;
        if stream.write_all(&echo).is_err() {
            return;
        }
    }
}

#[test]
fn a_right_echo_is_counted() {
    let server = yardstick();
    let pid = server.pid().to_string();
    for (connections, size) in [("1", "1"), ("50", "64"), ("3", "1000000")] {
        let arguments = ["--connections", connections, "--size", size, "--pid", &pid];
        let output = load(server.address(), &arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Report = String::from_utf8(output.stdout).unwrap().parse().unwrap();
        assert!(report.messages >= connections.parse().unwrap(), "{report}");
        assert!(report.elapsed().as_millis() >= 50, "{report}");
        assert!(report.server_cost().is_some_and(|cost| cost > 0.0), "{report}");
    }
}

fn yardstick() -> Process {
    Process::start(Command::new(env!("CARGO_BIN_EXE_benches")).args(["serve", "plain-epoll"]))
        .unwrap()
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
    assert!(stdout.contains("\np50 "), "{stdout}");
    assert!(stdout.contains(" ns of server CPU time per message\n"), "{stdout}");
}

#[test]
fn one_wrong_byte_is_found() {
    let stderr = complaint(&["--connections", "1"], |stream| {
        answer(stream, |number, echo| echo[17] ^= u8::from(number == 6));
    });
    assert!(stderr.contains("connection 0, message 7: byte 17 came back as"), "{stderr}");
}

#[test]
fn an_echo_of_the_message_before_is_found() {
    let stderr = complaint(&[], |stream| {
        let before = std::cell::RefCell::new(vec![0; 64]);
        answer(stream, |number, echo| {
            if number == 5 {
                echo.swap_with_slice(&mut before.borrow_mut());
            } else {
                before.borrow_mut().copy_from_slice(echo);
            }
        });
    });
    assert!(stderr.contains("message 6: byte 0 came back as"), "{stderr}");
}

#[test]
fn one_byte_too_many_is_found() {
    let stderr = complaint(&[], |stream| answer(stream, |_, echo| echo.push(0)));
    assert!(
        stderr.contains("message 1: 1 bytes more") || stderr.contains("message 2: byte 0"),
        "{stderr}"
    );
}

#[test]
fn a_lost_connection_is_found() {
    let stderr = complaint(&[], |mut stream| stream.read_exact(&mut [0; 64]).unwrap());
    assert!(stderr.contains("was lost"), "{stderr}");
}

#[test]
fn an_echo_that_breaks_off_is_found() {
    let stderr = complaint(&[], |mut stream| {
        let mut message = [0; 64];
        stream.read_exact(&mut message).unwrap();
        stream.write_all(&message[..32]).unwrap();
    });
    assert!(stderr.contains("was lost"), "{stderr}");
}

#[test]
fn a_silent_server_is_given_up() {
    let stderr = complaint(&["--connections", "7", "--patience", "0.1"], |stream| {
        answer(stream, |_, echo| echo.clear());
    });
    assert!(stderr.contains("7 of 7 connections still await an echo"), "{stderr}");
}

#[test]
fn nobody_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let output = load(address, &[]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("connection 1 of 50: connect {address}: ")), "{stderr}");
}

#[test]
fn wrong_flags_are_usage_errors() {
    for flags in [["--size", "0"], ["--connections", "0"], ["--seconds", "-1"], ["--port", "1"]] {
        let output = load(([127, 0, 0, 1], 9).into(), &flags);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}
