//! A server as a child process, and clients that have their patience.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use reactor::Backend;

/// How long anything may take before its test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The server, with an environment that says nothing to it.
pub(crate) fn echo() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_echo")))
}

/// The server on one mechanism.
pub(crate) fn echo_on(backend: &Backend) -> Command {
    let mut command = echo();
    command.args(["--backend", backend.name()]);
    command
}

/// The server on one mechanism, with so many descriptors at most.
pub(crate) fn echo_with_few_descriptors(count: usize, backend: &Backend) -> Command {
    let mut command = clean(Command::new("sh"));
    command.args(["-c", &format!("ulimit -n {count} && exec \"$0\" \"$@\"")]);
    command.args([env!("CARGO_BIN_EXE_echo"), "--backend", backend.name()]);
    command
}

fn clean(mut command: Command) -> Command {
    command.env_remove(Backend::VARIABLE).env_remove("RUST_LOG");
    command
}

/// What the server answers if it needn't serve.
pub(crate) fn run(arguments: &[impl AsRef<OsStr>]) -> Output {
    echo().args(arguments).output().unwrap()
}

pub(crate) fn assert_one_line(output: &Output, code: i32, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

/// A running server, killed when dropped.
pub(crate) struct Server {
    process: Child,
    /// Its first line, without the end of the line.
    pub(crate) line: String,
    /// The lines on its stderr, up to its end.
    errors: Receiver<String>,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_as_told(command.args(["--listen", "127.0.0.1:0"]))
    }

    pub(crate) fn start_as_told(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let (sender, errors) = mpsc::channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Nobody listens any more when the test is over.
                let _ = sender.send(line);
            }
        });
        assert!(line.starts_with("listening on "), "{line:?}, {:?}", errors.try_recv());
        Self { process, line: line.trim_end().to_owned(), errors }
    }

    /// The first address that it named.
    pub(crate) fn address(&self) -> SocketAddr {
        self.line.split_whitespace().nth(2).unwrap().parse().unwrap()
    }

    /// All addresses that it named, in the order of the command line.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    }

    pub(crate) fn connect(&self) -> Client<TcpStream> {
        connect_to(self.address())
    }

    /// The next line on its stderr with these words in it.
    pub(crate) fn says(&self, words: &str) -> String {
        loop {
            let line = self.errors.recv_timeout(PATIENCE).unwrap();
            if line.contains(words) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        signal::kill(Pid::from_raw(self.process.id() as i32), signal).unwrap();
    }

    /// Waits for its end: the exit status, and what it has said since.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        let mut lines = Vec::new();
        loop {
            match self.errors.recv_timeout(PATIENCE) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the server goes on after {lines:?}"),
            }
        }
        (self.process.wait().unwrap(), lines)
    }

    /// The most memory that it has ever used, in KiB.
    pub(crate) fn peak_memory(&self) -> usize {
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(path).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// The processor time that it has used.
    pub(crate) fn cpu_time(&self) -> Duration {
        let path = format!("/proc/{}/schedstat", self.process.id());
        let times = fs::read_to_string(path).unwrap();
        Duration::from_nanos(times.split_whitespace().next().unwrap().parse().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A client of the server.
pub(crate) struct Client<S>(pub(crate) S);

pub(crate) fn connect_to(address: SocketAddr) -> Client<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    Client(stream)
}

impl<S: Read + Write> Client<S> {
    /// Has some bytes echoed.
    pub(crate) fn try_ping(&mut self) -> io::Result<()> {
        self.0.write_all(b"hello")?;
        let mut answer = [0; 5];
        self.0.read_exact(&mut answer)?;
        assert_eq!(&answer, b"hello");
        Ok(())
    }

    pub(crate) fn ping(&mut self) {
        self.try_ping().unwrap();
    }

    /// The next bytes, which must be these.
    pub(crate) fn expect(&mut self, bytes: &[u8]) {
        let mut answer = vec![0; bytes.len()];
        self.0.read_exact(&mut answer).unwrap();
        assert!(answer == bytes, "{} bytes came back changed", bytes.len());
    }

    /// Nothing more comes, not even an end that isn't clean.
    pub(crate) fn expect_end(&mut self) {
        assert_eq!(self.0.read(&mut [0]).unwrap(), 0);
    }
}

impl Client<TcpStream> {
    /// Whether there is nothing to read for now, not even an end.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let answer = self.0.read(&mut [0]);
        self.0.set_nonblocking(false).unwrap();
        match answer {
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            Ok(_) => false,
        }
    }

    /// Sends without reading, until all is sent or the server has taken nothing for a while: so long
    /// that on any but a very busy machine it is the server that won't. Says how much was sent.
    pub(crate) fn send_until_stuck(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        self.0.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        while sent < bytes.len() {
            match self.0.write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        self.0.set_write_timeout(Some(PATIENCE)).unwrap();
        sent
    }
}

/// Tries until it works.
pub(crate) fn eventually<T>(mut attempt: impl FnMut() -> io::Result<T>) -> T {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(answer) => return answer,
            Err(error) => assert!(start.elapsed() < PATIENCE, "it still fails: {error}"),
        }
    }
}

/// A directory of a test's own, removed when dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("echo-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
