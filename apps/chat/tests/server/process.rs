//! A server as a child process, and clients that have their patience.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use reactor::Backend;

/// How long anything may take before its test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The server, with an environment that says nothing to it.
pub(crate) fn chat() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_chat")))
}

/// The server on one mechanism.
pub(crate) fn chat_on(backend: &Backend) -> Command {
    let mut command = chat();
    command.args(["--backend", backend.name()]);
    command
}

/// The server on one mechanism, with so many descriptors at most.
pub(crate) fn chat_with_few_descriptors(count: usize, backend: &Backend) -> Command {
    let mut command = clean(Command::new("sh"));
    command.args(["-c", &format!("ulimit -n {count} && exec \"$0\" \"$@\"")]);
    command.args([env!("CARGO_BIN_EXE_chat"), "--backend", backend.name()]);
    command
}

fn clean(mut command: Command) -> Command {
    command.env_remove(Backend::VARIABLE).env_remove("RUST_LOG");
    command
}

/// What the server answers if it needn't serve.
pub(crate) fn run(arguments: &[impl AsRef<OsStr>]) -> Output {
    chat().args(arguments).output().unwrap()
}

pub(crate) fn assert_one_line(output: &Output, code: i32, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

/// The settings by which `root` may become an operator, with this password. Its hash is made by cheap
/// parameters: they stand in it, and it is the way that is tested.
pub(crate) fn oper(password: &str) -> String {
    let cheap = Params::new(8, 1, 1, None).unwrap();
    let hash = Argon2::new(Algorithm::default(), Version::default(), cheap)
        .hash_password(password.as_bytes())
        .unwrap();
    format!("[[opers]]\nname = 'root'\npassword = '{hash}'\n")
}

/// A running server, killed when dropped.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
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
        let address = line.strip_prefix("listening on ").and_then(|rest| rest.split(' ').next());
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("{line:?}, {:?}", errors.try_recv()));
        Self { process, address, errors }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Somebody who says nothing by itself.
    pub(crate) fn stranger(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client(BufReader::new(stream))
    }

    /// Somebody with this nick, whose welcome is over.
    pub(crate) fn client(&self, nick: &str) -> Client {
        self.try_client(nick).unwrap()
    }

    pub(crate) fn try_client(&self, nick: &str) -> io::Result<Client> {
        let mut client = self.stranger();
        client.0.get_mut().write_all(format!("NICK {nick}\r\nUSER u 0 * :r\r\n").as_bytes())?;
        loop {
            let line = client.try_line()?;
            // The message of the day is the last of the welcome, or that there is none.
            if [" 376 ", " 422 "].iter().any(|end| line.contains(end)) {
                return Ok(client);
            }
            if line.contains(" 433 ") {
                return Err(io::Error::other(line));
            }
        }
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

    /// Waits for its end: the exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        loop {
            match self.errors.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the server goes on"),
            }
        }
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A client of the server.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    /// Sends a line.
    pub(crate) fn say(&mut self, line: &str) {
        self.write(format!("{line}\r\n").as_bytes());
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Says that no more comes.
    pub(crate) fn finish(&mut self) {
        self.socket().shutdown(Shutdown::Write).unwrap();
    }

    /// The next line, without its end.
    pub(crate) fn try_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    pub(crate) fn line(&mut self) -> String {
        self.try_line().unwrap()
    }

    /// The next line with these words in it.
    pub(crate) fn hears(&mut self, words: &str) -> String {
        loop {
            let line = self.try_line().unwrap_or_else(|error| panic!("no {words:?}: {error}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Asks for an answer, before which everything has come that the server had for it: those lines.
    pub(crate) fn sync(&mut self) -> Vec<String> {
        self.say("PING :are you there");
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if line.contains("PONG") {
                return lines;
            }
            lines.push(line);
        }
    }

    /// What comes before the end, which has to be clean.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
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

/// A directory of a test's own with a file of settings, removed when dropped.
pub(crate) struct Settings(PathBuf);

impl Settings {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chat-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        let settings = Self(path);
        settings.write(text);
        settings
    }

    pub(crate) fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.join("chat.toml")
    }

    /// A server with these settings.
    pub(crate) fn server(&self) -> Server {
        Server::start(&mut self.chat())
    }

    /// The same, not started yet.
    pub(crate) fn chat(&self) -> Command {
        let mut command = chat();
        command.args([Path::new("--config"), &self.path()]);
        command
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
