//! TCP and Unix sockets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use nix::sys::signal::Signal;
use reactor::Backend;

use crate::process::{Client, lines, nobody, ping};
use crate::server::{Directory, PATIENCE, Server, assert_one_line, echo_on};

#[test]
fn every_mechanism_pings_over_tcp() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut echo_on(backend));
        let address = server.address().to_string();
        // A thousandth apart, and one after the other.
        for interval in ["1ms", "0"] {
            let arguments = [&address, "--count", "3", "--interval", interval];
            let output = ping(backend, &arguments).output().unwrap();
            let lines = lines(&output);
            assert_eq!(output.status.code(), Some(0), "{lines:?}");
            assert_eq!(lines.len(), 5, "{lines:?}");
            for (number, line) in lines[..3].iter().enumerate() {
                let start = format!("64 bytes from {address}: seq={} time=", number + 1);
                assert!(line.starts_with(&start) && line.ends_with(" ms"), "{line}");
            }
            let counts = format!("--- {address}: 3 sent, 3 answered, 0 lost (0.0 %)");
            assert_eq!(lines[3], counts);
            assert_are_sorted(&lines[4]);
        }
    }
}

fn assert_are_sorted(line: &str) {
    let figures = line.strip_prefix("min/median/p99/max = ").unwrap().strip_suffix(" ms").unwrap();
    let figures: Vec<f64> = figures.split('/').map(|figure| figure.parse().unwrap()).collect();
    assert!(figures.len() == 4 && figures.is_sorted() && figures[0] > 0.0, "{line}");
}

/// Longer than what is sent or queued at a time.
#[test]
fn long_messages_come_back_whole() {
    let directory = Directory::new("ping");
    for backend in Backend::COMPILED {
        let path = directory.path(backend.name());
        let server = Server::start(echo_on(backend).arg("--unix").arg(&path));
        let (address, path) = (server.address().to_string(), path.to_str().unwrap());
        for target in [&[&address, "--tcp"][..], &[path, "--unix"]] {
            let arguments = [target, &["--count", "1", "--size", "600001"]];
            let output = ping(backend, &arguments.concat()).output().unwrap();
            let lines = lines(&output);
            assert_eq!(output.status.code(), Some(0), "{lines:?}");
            let start = format!("600001 bytes from {}: seq=1 time=", target[0]);
            assert!(lines[0].starts_with(&start), "{lines:?}");
        }
    }
}

#[test]
fn whoever_isn_t_there_is_one_line_and_exit_code_1() {
    let (_taken, address) = nobody();
    let directory = Directory::new("ping-nobody");
    let path = directory.path("socket");
    let path = path.to_str().unwrap();
    for backend in Backend::COMPILED {
        for target in [&[&address, "--tcp"][..], &[path, "--unix"]] {
            let output = ping(backend, target).output().unwrap();
            assert_one_line(&output, 1, &["connect", target[0]]);
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn a_signal_ends_it_with_the_summary() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut echo_on(backend));
        let address = server.address().to_string();
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            // The next message would come long after the test.
            let client = Client::start(&mut ping(backend, &[&address, "--interval", "1h"]));
            client.says("seq=1 ");
            client.signal(signal);
            let (code, lines, errors) = client.end();
            assert_eq!((code, errors.as_str(), lines.len()), (Some(0), "", 2), "{lines:?}");
            assert!(lines[0].ends_with(": 1 sent, 1 answered, 0 lost (0.0 %)"), "{lines:?}");
            assert_are_sorted(&lines[1]);
        }
    }
}

/// What a server of this one client answers to its first message; then it listens until the client
/// is gone, or is gone itself.
fn answer(listener: TcpListener, answer: impl FnOnce(&mut [u8], &mut TcpStream) + Send + 'static) {
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut message = [0; 64];
        stream.read_exact(&mut message).unwrap();
        answer(&mut message, &mut stream);
    });
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn a_server_that_leaves_is_told_of() {
    for backend in Backend::COMPILED {
        let (listener, address) = listen();
        answer(listener, |message, stream| stream.write_all(message).unwrap());
        let output = ping(backend, &[&address, "--interval", "1h"]).output().unwrap();
        assert_one_line(&output, 0, &["the server has closed the connection"]);
        assert!(lines(&output)[1].ends_with(": 1 sent, 1 answered, 0 lost (0.0 %)"));
    }
}

#[test]
fn a_changed_byte_is_a_failure_and_its_place_is_told() {
    for backend in Backend::COMPILED {
        let (listener, address) = listen();
        answer(listener, |message, stream| {
            message[63] ^= 0x10;
            stream.write_all(message).unwrap();
            let _ = stream.read(&mut [0]);
        });
        let output = ping(backend, &[&address]).output().unwrap();
        assert_one_line(&output, 1, &[&address, "seq=1", "changed, from byte 63 on"]);
        let counts = "1 sent, 0 answered, 1 lost (100.0 %), 1 changed";
        assert!(lines(&output)[0].ends_with(counts), "{:?}", lines(&output));
    }
}

#[test]
fn more_than_was_sent_is_a_failure() {
    for backend in Backend::COMPILED {
        let (listener, address) = listen();
        answer(listener, |message, stream| {
            // In one piece, or the client could be gone before the second one comes.
            stream.write_all(&[&*message, &[0]].concat()).unwrap();
            let _ = stream.read(&mut [0]);
        });
        let output = ping(backend, &[&address, "--count", "1"]).output().unwrap();
        assert_one_line(&output, 1, &["seq=2", "never sent"]);
    }
}

#[test]
fn a_server_that_is_silent_costs_no_more_than_the_timeout() {
    for backend in Backend::COMPILED {
        let (listener, address) = listen();
        let output =
            ping(backend, &[&address, "--count", "1", "--timeout", "30ms"]).output().unwrap();
        drop(listener);
        assert_eq!((output.status.code(), output.stderr.len()), (Some(1), 0));
        let lines = lines(&output);
        assert_eq!(lines[0], format!("no answer from {address}: seq=1 within 30ms"));
        assert!(lines[1].ends_with(": 1 sent, 0 answered, 1 lost (100.0 %)"), "{lines:?}");
        assert_eq!(lines.len(), 2);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_name_needs_no_file() {
    let directory = Directory::new("abstract");
    let name = format!("@{}", directory.path("socket").display());
    let server = Server::start_as_told(echo_on(&Backend::COMPILED[0]).args(["--unix", &name]));
    assert!(server.line.contains(&name), "{}", server.line);
    let arguments = [&name, "--unix", "--count", "1"];
    let output = ping(&Backend::COMPILED[0], &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{:?}", lines(&output));
    assert!(!directory.path("socket").exists());
}
