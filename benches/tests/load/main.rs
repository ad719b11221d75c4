//! The load tells a good server from a bad one.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod command_line;
mod datagrams;
mod ending;
mod modes;
mod wrong_servers;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;

use benches::load::Report;
use benches::runs::Process;

/// The load, with more arguments, and for a moment unless they say otherwise.
fn command(server: SocketAddr, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.args(["load", "--machine", "--connect", &server.to_string()]).args(more);
    for (flag, short) in [("--seconds", "0.05"), ("--warmup", "0.01")] {
        if !more.contains(&flag) {
            command.args([flag, short]);
        }
    }
    command
}

/// Runs the load for a moment with more arguments.
fn load(server: SocketAddr, more: &[&str]) -> Output {
    command(server, more).output().unwrap()
}

/// The report of a load that must succeed.
fn report(server: SocketAddr, more: &[&str]) -> Report {
    let output = load(server, more);
    assert!(output.status.success(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().parse().unwrap()
}

/// What the load says about a server that it is expected to find out.
fn complaint(server: SocketAddr, more: &[&str]) -> String {
    let output = load(server, more);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(output.stdout.is_empty(), "a report in spite of {stderr}");
    stderr
}

/// A plain echo server.
fn yardstick() -> Process {
    let parent = std::process::id().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    Process::start(command.args(["serve", "--parent", &parent, "plain-epoll"])).unwrap()
}

/// A server that treats each connection by `serve`, in a thread of its own.
fn server(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, serve) = (stream.unwrap(), serve.clone());
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Reads messages of 64 bytes, and answers what `answer` makes of them, up to the load's end.
fn answer(mut stream: TcpStream, mut answer: impl FnMut(u64, &mut Vec<u8>)) {
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
