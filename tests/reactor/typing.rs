//! The line client of the examples: an input of any kind and a socket in one loop.

#[path = "../../reactor/examples/line_client.rs"]
#[allow(dead_code, reason = "its main isn't run")]
mod line_client;

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::openpty;
use reactor::{ConnectOptions, Reactor, Status};
use rustix::pipe::{PipeFlags, pipe_with};
use socket2::SockRef;
use tests::Subject;
use tests::listening::Listening;
use tests::peer::{Peer, Tail};
use tests::rig::PATIENCE;

use line_client::LineClient;

/// End of input, for a terminal.
const END: u8 = 4;

struct Rig<P: Subject> {
    reactor: Reactor<LineClient<Vec<u8>>, P>,
    input: File,
}

impl<P: Subject> Rig<P> {
    fn new(input: impl Into<OwnedFd>, listening: &Listening) -> Self {
        let input = File::from(input.into());
        let client = LineClient::new(input.try_clone().unwrap(), Vec::new());
        let mut reactor = Reactor::with_poller(client, P::create().unwrap()).unwrap();
        reactor.context().connect(listening.target(), &ConnectOptions::default());
        Self { reactor, input }
    }

    /// Turns until the loop has stopped, or as long as `go_on` says.
    fn until(&mut self, mut done: impl FnMut(&mut Self, Status) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            let status = self.reactor.turn(Some(Duration::from_millis(1))).unwrap();
            let nonblocking = SockRef::from(&self.input).nonblocking().unwrap();
            assert!(!nonblocking, "others share the input");
            if done(self, status) {
                return;
            }
            assert!(Instant::now() < end, "it never ends");
        }
    }

    /// The whole conversation: `typed` comes to the server, which answers after the end, and all is
    /// printed.
    fn talks(mut self, listening: &Listening, typed: &[u8]) {
        self.until(|rig, _| rig.reactor.context().connections() == 1);
        let mut server = listening.accept();
        let mut got = Vec::new();
        self.until(|_, _| receive(&mut server, &mut got) == Tail::End);
        assert!(got == typed, "{} of {} bytes came", got.len(), typed.len());
        server.send(b"good bye\n");
        drop(server);
        self.until(|_, status| status == Status::Stopped);
        assert_eq!(self.reactor.handler().output, b"good bye\n");
        assert_eq!(self.reactor.handler().failure, None);
    }
}

/// All that is there.
fn receive(server: &mut Peer, into: &mut Vec<u8>) -> Tail {
    loop {
        let before = into.len();
        let tail = server.read_some(into, 64 * 1024);
        if tail != Tail::Open || into.len() == before {
            return tail;
        }
    }
}

pub(super) fn an_input_that_is_empty<P: Subject>() {
    let listening = Listening::tcp();
    Rig::<P>::new(File::open("/dev/null").unwrap(), &listening).talks(&listening, b"");
}

pub(super) fn an_input_that_is_a_file<P: Subject>() {
    let listening = Listening::tcp();
    let name = format!("typing-{}-{:?}", std::process::id(), thread::current().id());
    let path = std::env::temp_dir().join(name);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 7) as u8).collect();
    fs::write(&path, &bytes).unwrap();
    let file = File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    Rig::<P>::new(file, &listening).talks(&listening, &bytes);
}

pub(super) fn an_input_that_is_a_pipe<P: Subject>() {
    let listening = Listening::tcp();
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let mut rig = Rig::<P>::new(reader, &listening);
    let mut writer = File::from(writer);
    rig.until(|rig, _| rig.reactor.context().connections() == 1);
    writer.write_all(b"one\n").unwrap();
    rig.until(|_, _| true);
    writer.write_all(b"two\n").unwrap();
    drop(writer);
    rig.talks(&listening, b"one\ntwo\n");
}

pub(super) fn an_input_that_is_a_terminal<P: Subject>() {
    let listening = Listening::tcp();
    let terminal = openpty(None, None).unwrap();
    let rig = Rig::<P>::new(terminal.slave, &listening);
    let mut keyboard = File::from(terminal.master);
    keyboard.write_all(b"hello\n").unwrap();
    keyboard.write_all(&[END]).unwrap();
    rig.talks(&listening, b"hello\n");
}

/// The server ends while the input is still open.
pub(super) fn a_server_that_ends_first<P: Subject>() {
    let listening = Listening::tcp();
    let (reader, _writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let mut rig = Rig::<P>::new(reader, &listening);
    rig.until(|rig, _| rig.reactor.context().connections() == 1);
    let mut server = listening.accept();
    server.send(b"no\n");
    drop(server);
    rig.until(|_, status| status == Status::Stopped);
    assert_eq!(rig.reactor.handler().output, b"no\n");
    assert_eq!(rig.reactor.handler().failure, None);
}

pub(super) fn a_server_that_isn_t_there<P: Subject>() {
    let nobody = Listening::nobody();
    let mut rig = Rig::<P>::new(File::open("/dev/null").unwrap(), &nobody);
    rig.until(|_, status| status == Status::Stopped);
    let failure = rig.reactor.handler().failure.as_ref().unwrap();
    assert!(failure.starts_with(&format!("connect {}: ", nobody.address())), "{failure}");
}
