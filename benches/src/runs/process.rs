//! Servers and loads as child processes, none of which outlives this one.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(10);

/// How often is looked whether one listens that doesn't say so.
const LISTENING: Duration = Duration::from_millis(10);

/// How long an interruption may go unnoticed.
const ATTENTION: Duration = Duration::from_millis(50);

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Owned,
    address: SocketAddr,
}

impl Process {
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
        let child = Owned(child);
        let line = first_line(stdout.context("its stdout is not a pipe")?, START)
            .with_context(|| format!("wait for {program} to listen"))?;
        let address = address(&line)
            .with_context(|| format!("{program} began with {line:?}, not with where it listens"))?;
        Ok(Self { child, address })
    }

    /// Starts a server that says nothing, and waits until it listens at `address`. What it writes is
    /// thrown away.
    ///
    /// # Errors
    ///
    /// When it can't be started, ends early, or doesn't listen within 10 s.
    pub fn start_at(command: &mut Command, address: SocketAddr) -> anyhow::Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("start {program}"))?;
        let mut child = Owned(child);
        let deadline = Instant::now() + START;
        while TcpStream::connect(address).is_err() {
            let ended = child.0.try_wait().with_context(|| format!("wait for {program}"))?;
            if let Some(status) = ended {
                bail!("{program} ended before it listened at {address}: {status}");
            }
            ensure!(
                Instant::now() < deadline,
                "{program} doesn't listen at {address} within {START:?}"
            );
            thread::sleep(LISTENING);
        }
        Ok(Self { child, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }
}

/// A child that doesn't outlive its owner.
#[derive(Debug)]
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // Both fail only for a child that has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program to its end, or until `interrupted`: what it wrote to stdout. Its stderr becomes the error.
pub(crate) fn output(command: &mut Command, interrupted: &AtomicBool) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map(Owned)
        .with_context(|| format!("start {program}"))?;
    let pipes = child.0.stdout.take().zip(child.0.stderr.take());
    let (mut stdout, mut stderr) = pipes.context("its output is not a pipe")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut output, mut complaint) = (String::new(), String::new());
        let read = stdout.read_to_string(&mut output);
        let result = read.and_then(|_| stderr.read_to_string(&mut complaint));
        // Nobody listens any more after an interruption.
        let _ = sender.send(result.map(|_| (output, complaint)));
    });
    let (output, complaint) = loop {
        match receiver.recv_timeout(ATTENTION) {
            Ok(result) => break result.with_context(|| format!("read what {program} writes"))?,
            Err(_) => ensure!(!interrupted.load(Ordering::Relaxed), "interrupted"),
        }
    };
    let status = child.0.wait().with_context(|| format!("wait for {program}"))?;
    ensure!(status.success(), "{program}: {status}: {}", complaint.trim_end());
    Ok(output)
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

    fn shell(script: &str) -> anyhow::Result<Process> {
        Process::start(Command::new("sh").args(["-c", script]))
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
    fn a_program_that_fails_is_quoted() {
        let mut failing = Command::new("sh");
        failing.args(["-c", "echo trouble >&2; exit 3"]);
        let error = output(&mut failing, &AtomicBool::new(false)).unwrap_err();
        assert_eq!(error.to_string(), "sh: exit status: 3: trouble");
    }

    #[test]
    fn an_interruption_ends_a_program() {
        let error = output(Command::new("sleep").arg("1000"), &AtomicBool::new(true)).unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
    }

    #[test]
    fn a_silent_server_is_given_up() {
        let mut child =
            Command::new("sleep").arg("1000").stdout(Stdio::piped()).spawn().map(Owned).unwrap();
        let stdout = child.0.stdout.take().unwrap();
        let error = first_line(stdout, Duration::from_millis(1)).unwrap_err();
        assert!(error.to_string().contains("within 1ms"), "{error:#}");
    }
}
