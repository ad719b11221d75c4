//! A server as a child process.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(10);

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    process: Process,
    address: SocketAddr,
}

impl Server {
    /// Starts a server, and waits for its first line on stdout to begin with `listening on`
    /// and an address. Whatever it writes there afterwards is thrown away.
    ///
    /// # Errors
    ///
    /// When it can't be started, ends early, or says something else or nothing at all.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {program}"))?;
        let stdout = child.stdout.take();
        let process = Process(child);
        let line = first_line(stdout.context("its stdout is not a pipe")?, START)
            .with_context(|| format!("wait for {program} to listen"))?;
        let address = address(&line)
            .with_context(|| format!("{program} began with {line:?}, not with where it listens"))?;
        Ok(Self { process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }
}

/// A child that doesn't outlive its owner.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a child that has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads the first line, and leaves a thread behind that empties the pipe, so that the server
/// never blocks on a full one. The thread ends with the server.
fn first_line(stdout: ChildStdout, patience: Duration) -> anyhow::Result<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = String::new();
        let result = reader.read_line(&mut line);
        // Nobody listens any more after the patience is over.
        let _ = sender.send(result.map(|_| line));
        let _ = io::copy(&mut reader, &mut io::sink());
    });
    let line = receiver
        .recv_timeout(patience)
        .with_context(|| format!("no line on its stdout within {patience:?}"))??;
    ensure!(!line.is_empty(), "it ended without a line on its stdout");
    Ok(line)
}

/// The address in `listening on ADDRESS …`.
fn address(line: &str) -> Option<SocketAddr> {
    line.strip_prefix("listening on ")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> anyhow::Result<Server> {
        Server::start(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn the_address_follows_the_words() {
        let expected = "127.0.0.1:7007".parse().ok();
        assert_eq!(address("listening on 127.0.0.1:7007 (epoll, yardstick)\n"), expected);
        assert_eq!(address("listening on 127.0.0.1:7007\n"), expected);
        for line in ["", "listening on", "listening on port 7007", "127.0.0.1:7007"] {
            assert_eq!(address(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_server_ends_when_it_is_dropped() {
        let server = shell("echo listening on 127.0.0.1:1; exec sleep 1000").unwrap();
        let folder = format!("/proc/{}", server.pid());
        assert!(std::fs::exists(&folder).unwrap());
        drop(server);
        assert!(!std::fs::exists(&folder).unwrap());
    }

    #[test]
    fn a_server_that_ends_or_says_something_else_is_an_error() {
        for (script, words) in [("exit 3", "ended"), ("echo hello; exec sleep 1000", "hello")] {
            let error = format!("{:#}", shell(script).unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_silent_server_is_given_up() {
        let mut child =
            Command::new("sleep").arg("1000").stdout(Stdio::piped()).spawn().map(Process).unwrap();
        let stdout = child.0.stdout.take().unwrap();
        let error = first_line(stdout, Duration::from_millis(1)).unwrap_err();
        assert!(error.to_string().contains("within 1ms"), "{error:#}");
    }
}
