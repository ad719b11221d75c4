//! A reactor under test that listens, driven turn by turn.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reactor::{
    Address, ConnId, ConnectError, Context, Limits, ListenOptions, ListenerId, Options, Poller,
    Reactor, Status, control,
};
use rustix::event::PollFlags;
use socket2::SockRef;

use crate::Subject;
use crate::counted::Counted;
use crate::peer::{Peer, Tail};
use crate::recorder::{Call, Recorder, Seen};
use crate::rig::{PATIENCE, SILENCE};
use crate::sockets::shows;

/// How long one turn waits for what its peer does in this thread, too.
const TICK: Duration = Duration::from_millis(1);

/// More bytes than fit into both sockets' buffers.
const CLOG: usize = 1024 * 1024;

/// How a peer reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// By TCP over IPv4.
    Tcp,
    /// By a Unix stream socket.
    Unix,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Unix];
}

/// A reactor with a [`Recorder`] and a listener.
#[derive(Debug)]
pub struct Server<P: Poller> {
    /// The reactor.
    pub reactor: Reactor<Recorder, P>,
    /// Its first listener.
    pub listener: ListenerId,
    directory: Directory,
}

impl<P: Subject> Server<P> {
    /// A TCP server with the default limits.
    pub fn tcp(script: impl FnMut(&mut Context<'_>, Call<'_, '_>) + 'static) -> Self {
        Self::new(Family::Tcp, script)
    }

    /// A server with the default limits.
    pub fn new(
        family: Family,
        script: impl FnMut(&mut Context<'_>, Call<'_, '_>) + 'static,
    ) -> Self {
        Self::with(family, |_| {}, script)
    }

    /// A server whose limits are set by `limit`.
    pub fn with(
        family: Family,
        limit: impl FnOnce(&mut Limits),
        script: impl FnMut(&mut Context<'_>, Call<'_, '_>) + 'static,
    ) -> Self {
        let mut options = Options::default();
        limit(&mut options.limits);
        Self::with_options(family, options, script)
    }

    /// A server.
    pub fn with_options(
        family: Family,
        options: Options,
        script: impl FnMut(&mut Context<'_>, Call<'_, '_>) + 'static,
    ) -> Self {
        let poller = P::create().expect("a poller can be made");
        let reactor = Reactor::with_options(Recorder::new(script), poller, options);
        let mut reactor = reactor.expect("a reactor can be made");
        let directory = Directory::new();
        let listener = match family {
            Family::Tcp => reactor.listen("127.0.0.1:0"),
            Family::Unix => {
                let path = directory.path().join("socket");
                reactor.context().listen_unix(path, &ListenOptions::default())
            }
        };
        Self { reactor, listener: listener.expect("a free address"), directory }
    }
}

impl<P: Poller> Server<P> {
    /// What a handler may ask of the reactor.
    pub fn ctx(&mut self) -> Context<'_> {
        self.reactor.context()
    }

    /// What the handler has seen.
    pub fn seen(&self) -> &[Seen] {
        &self.reactor.handler().seen
    }

    /// Forgets what was seen, and says what it was.
    pub fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.reactor.handler_mut().seen)
    }

    /// All bytes that a connection's `data` was shown, if it takes all of them each time.
    pub fn bytes_of(&self, conn: ConnId) -> Vec<u8> {
        let mut all = Vec::new();
        for seen in self.seen() {
            if let Seen::Data(from, bytes) = seen {
                if *from == conn {
                    all.extend_from_slice(bytes);
                }
            }
        }
        all
    }

    /// A new client of the first listener, whom the server doesn't know yet.
    pub fn client(&mut self) -> Peer {
        let listener = self.listener;
        self.client_of(listener)
    }

    /// A new client, whom the server doesn't know yet.
    pub fn client_of(&mut self, listener: ListenerId) -> Peer {
        match self.ctx().listener_address(listener).expect("the listener exists") {
            Address::Ip(address) => Peer::tcp(address),
            Address::Path(path) => Peer::unix(&path),
            other => panic!("an address for {other}"),
        }
    }

    /// A new client, and its connection's id.
    pub fn connect(&mut self) -> (Peer, ConnId) {
        let peer = self.client();
        let conn = self.next_accepted();
        (peer, conn)
    }

    /// Goes on until one more connection is accepted.
    pub fn next_accepted(&mut self) -> ConnId {
        let before = self.accepted().len();
        self.until("a connection is accepted", |server| server.accepted().len() > before);
        self.accepted()[before]
    }

    /// The ids of all connections there were.
    pub fn accepted(&self) -> Vec<ConnId> {
        let accepted = |seen: &Seen| match seen {
            Seen::Accepted(conn) => Some(*conn),
            _ => None,
        };
        self.seen().iter().filter_map(accepted).collect()
    }

    /// Turns until what a connect began is connected.
    pub fn until_connected(&mut self, conn: ConnId) {
        self.until_seen(&Seen::Connected(conn));
    }

    /// Turns until a connect has failed, and says how.
    pub fn until_failed(&mut self, conn: ConnId) -> &ConnectError {
        self.until_seen(&Seen::ConnectFailed(conn));
        self.reactor.handler().error_of(conn).expect("each failure has its error")
    }

    /// One turn that waits for no more than a moment.
    pub fn turn(&mut self) -> Status {
        self.reactor.turn(Some(TICK)).expect("a turn succeeds")
    }

    /// Turns until `done`.
    ///
    /// # Panics
    ///
    /// If that takes too long.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < end, "never: {what}; {:?}", Brief(self.seen()));
            self.turn();
        }
    }

    /// Turns until the handler sees exactly this.
    pub fn until_seen(&mut self, seen: &Seen) {
        self.until(&format!("{seen:?}"), |server| server.seen().contains(seen));
    }

    /// Turns until the connection is closed, and says what is remembered of that.
    pub fn until_closed(&mut self, conn: ConnId) -> crate::recorder::End {
        let mut found = None;
        self.until("the connection is closed", |server| {
            found = server.seen().iter().find_map(|seen| match seen {
                Seen::Closed(closed, end) if *closed == conn => Some(*end),
                _ => None,
            });
            found.is_some()
        });
        found.expect("it was just found")
    }

    /// Turns for a while in which the handler must see nothing.
    ///
    /// # Panics
    ///
    /// If it does.
    pub fn silent(&mut self) {
        let before = self.seen().len();
        let end = Instant::now() + SILENCE;
        while Instant::now() < end {
            self.turn();
        }
        let more = &self.seen()[before..];
        assert!(more.is_empty(), "silence was expected: {:?}", Brief(more));
    }

    /// Turns until `peer` has got `count` bytes.
    pub fn receive(&mut self, peer: &mut Peer, count: usize) -> Vec<u8> {
        let mut got = Vec::new();
        self.until(&format!("the peer gets {count} bytes"), |_| {
            while got.len() < count {
                let before = got.len();
                let tail = peer.read_some(&mut got, count - before);
                assert_eq!(tail, Tail::Open, "after {} of {count} bytes", got.len());
                if got.len() == before {
                    return false;
                }
            }
            true
        });
        got
    }

    /// Turns until `peer` finds the end, and says what came before it.
    pub fn receive_all(&mut self, peer: &mut Peer) -> (Vec<u8>, Tail) {
        let (mut got, mut tail) = (Vec::new(), Tail::Open);
        self.until("the peer finds the end", |_| {
            loop {
                let before = got.len();
                tail = peer.read_some(&mut got, 64 * 1024);
                if tail != Tail::Open {
                    return true;
                }
                if got.len() == before {
                    return false;
                }
            }
        });
        (got, tail)
    }

    /// Turns until `peer` has sent all of `bytes`.
    pub fn send_all(&mut self, peer: &mut Peer, mut bytes: &[u8]) {
        self.until("the peer sends all", |_| {
            bytes = &bytes[peer.send_some(bytes)..];
            bytes.is_empty()
        });
    }

    /// Sees to it that what the peer of `conn` sent has arrived, without a turn: also if it is less than
    /// the kernel's low-water mark, below which nothing shows.
    ///
    /// # Panics
    ///
    /// If nothing comes in time.
    pub fn await_input(&mut self, conn: ConnId) {
        let ctx = self.ctx();
        let socket = ctx.socket(conn).expect("an open connection");
        let end = Instant::now() + PATIENCE;
        while control::readable_bytes(&socket).expect("sockets know") == 0
            && !shows(&socket, PollFlags::IN)
        {
            assert!(Instant::now() < end, "nothing came");
        }
    }

    /// A connection sends what its peer doesn't read until a megabyte is queued, of which the kernel
    /// will find room for no more than a part. Says what was sent.
    pub fn clog(&mut self, conn: ConnId) -> Vec<u8> {
        let chunk: Vec<u8> = (0..64 * 1024_u32).map(|at| (at / 7) as u8).collect();
        let mut sent = Vec::new();
        {
            let ctx = self.ctx();
            let socket = ctx.socket(conn).expect("an open connection");
            SockRef::from(&socket).set_send_buffer_size(64 * 1024).expect("sockets have buffers");
        }
        self.until("nothing more goes", |server| {
            let before = server.ctx().queued(conn);
            while server.ctx().queued(conn) < CLOG {
                server.ctx().send(conn, &chunk);
                sent.extend_from_slice(&chunk);
            }
            before >= CLOG
        });
        sent
    }

    /// Closes the reactor and all its sockets, and hands its handler's memory over.
    pub fn into_seen(mut self) -> Vec<Seen> {
        self.take_seen()
    }

    /// A directory that is removed at the end.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl<P: Poller> Server<Counted<P>> {
    /// How many waits there are in `time`, in which nothing happens.
    ///
    /// # Panics
    ///
    /// If something happens.
    pub fn empty_turns(&mut self, time: Duration) -> usize {
        let (seen, before) = (self.seen().len(), self.reactor.poller().waits);
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.reactor.turn(Some(left)).expect("a turn succeeds");
        }
        let more = &self.seen()[seen..];
        assert!(more.is_empty(), "silence was expected: {:?}", Brief(more));
        self.reactor.poller().waits - before
    }
}

/// What was seen, with long data cut.
struct Brief<'a>(&'a [Seen]);

impl std::fmt::Debug for Brief<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let last = self.0.len().saturating_sub(20);
        for seen in &self.0[last..] {
            match seen {
                Seen::Data(conn, bytes) if bytes.len() > 32 => {
                    write!(f, "Data({conn:?}, {} bytes) ", bytes.len())?;
                }
                other => write!(f, "{other:?} ")?,
            }
        }
        Ok(())
    }
}

/// A directory for sockets, removed with all that is in it.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("reactor-{}-{number}", process::id()));
        fs::create_dir(&path).expect("a directory of that name is new");
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What can't be removed is left to the system's own cleaning.
        let _ = fs::remove_dir_all(&self.0);
    }
}
