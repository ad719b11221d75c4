//! A client as a child process.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use reactor::Backend;

use crate::server::{PATIENCE, echo};

/// The client, which waits for an answer longer than any test does.
pub(crate) fn ping(backend: &Backend, arguments: &[&str]) -> Command {
    let mut command = echo();
    command.args(["ping", "--backend", backend.name()]).args(arguments);
    if !arguments.contains(&"--timeout") {
        command.args(["--timeout", "1m"]);
    }
    command
}

/// What it has printed, in lines.
pub(crate) fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

/// A running client, killed when dropped.
pub(crate) struct Client {
    process: Child,
    lines: Receiver<String>,
}

impl Client {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // Nobody listens any more when the test is over.
                let _ = sender.send(line);
            }
        });
        Self { process, lines }
    }

    /// The next line that it prints with these words in it.
    pub(crate) fn says(&self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            if line.contains(words) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        signal::kill(Pid::from_raw(self.process.id() as i32), signal).unwrap();
    }

    /// Waits for its end: the exit code, the lines that it has printed since, and what it complained
    /// of.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the client goes on after {lines:?}"),
            }
        }
        let mut errors = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.process.wait().unwrap().code(), lines, errors)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A TCP port that is taken, and at which nobody listens: that of a client.
pub(crate) fn nobody() -> (TcpStream, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let address = stream.local_addr().unwrap().to_string();
    (stream, address)
}

/// A UDP socket that reads when the test does, and its address.
pub(crate) fn udp() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}
