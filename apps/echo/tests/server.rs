//! The server as a user runs it: a process, its output, its exit code, and its sockets.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use reactor::Backend;

fn echo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo"));
    command.env_remove(Backend::VARIABLE).env_remove("RUST_LOG");
    command
}

/// A running server on a free port, killed when dropped.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(command: &mut Command) -> (Self, String) {
        let mut process =
            command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split_whitespace().nth(2).unwrap().parse().unwrap();
        (Self { process, address }, line)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn run(arguments: &[&str]) -> Output {
    echo().args(arguments).output().unwrap()
}

fn assert_one_line(output: &Output, code: i32, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

#[test]
fn every_mechanism_echoes_what_comes() {
    for backend in Backend::COMPILED {
        let (server, line) = Server::start(echo().args(["--backend", backend.name()]));
        assert!(
            line.starts_with(&format!("listening on {} ({backend}: ", server.address)),
            "{line}"
        );
        let (mut one, mut two) = (server.connect(), server.connect());
        one.write_all(b"first").unwrap();
        two.write_all(b"second").unwrap();
        let mut answer = [0; 6];
        two.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"second");
        one.read_exact(&mut answer[..5]).unwrap();
        assert_eq!(&answer[..5], b"first");
        one.shutdown(Shutdown::Write).unwrap();
        assert_eq!(one.read(&mut answer).unwrap(), 0, "an end of stream is answered with one");
    }
}

/// More than all buffers on the way hold: the server must stop reading, and lose nothing.
#[test]
fn every_mechanism_waits_for_a_slow_reader() {
    const SIZE: usize = 16 * 1024 * 1024;
    for backend in Backend::COMPILED {
        let (server, _) = Server::start(echo().args(["--backend", backend.name()]));
        let mut stream = server.connect();
        let sent: Vec<u8> = (0..SIZE).map(|at| (at / 251 + at) as u8).collect();
        let writer = {
            let (mut stream, sent) = (stream.try_clone().unwrap(), sent.clone());
            thread::spawn(move || {
                stream.write_all(&sent).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
            })
        };
        let mut got = Vec::with_capacity(SIZE);
        stream.read_to_end(&mut got).unwrap();
        writer.join().unwrap();
        assert!(got == sent, "{} of {SIZE} bytes, or wrong ones, came back", got.len());
    }
}

#[test]
fn the_list_of_mechanisms_is_that_of_the_build() {
    let output = run(&["--backend", "list"]);
    assert!(output.status.success());
    let names: Vec<_> = Backend::COMPILED.iter().map(|backend| format!("{backend}\n")).collect();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), names.concat());
}

#[test]
fn the_variable_names_the_mechanism() {
    let worst = Backend::COMPILED.last().unwrap();
    let (_server, line) = Server::start(echo().env(Backend::VARIABLE, worst.name()));
    assert!(line.contains(&format!("({worst}: ")), "{line}");
    let output = echo().env(Backend::VARIABLE, "kqueue").output().unwrap();
    assert_one_line(&output, 2, &["\"kqueue\"", Backend::COMPILED[0].name()]);
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    assert_one_line(&run(&["--backend", "kqueue"]), 2, &["\"kqueue\"", "--help"]);
    assert_one_line(&run(&["--listen", "nowhere"]), 2, &["--listen", "nowhere", "--help"]);
    assert_one_line(&run(&["--loud"]), 2, &["--loud", "--help"]);
}

#[test]
fn a_port_in_use_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_one_line(&run(&["--listen", &address]), 1, &[&address, "in use", "--listen"]);
}

#[test]
fn help_and_version_succeed() {
    for flag in ["--help", "--version"] {
        let output = run(&[flag]);
        assert!(output.status.success());
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
}
