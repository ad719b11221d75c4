//! The loop.

use std::io::{self, Read};
use std::net::ToSocketAddrs;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use log::{debug, warn};

use crate::connection::{CloseReason, Connection, Input, Limits, Phase, State};
use crate::context::Context;
use crate::core::{Core, Course, Due};
use crate::handler::Handler;
use crate::ids::{ConnId, ListenerId, RawId, UdpId};
use crate::mailbox::{Inbox, Mailbox};
use crate::net::{Accepted, Datagram, Reserve, is_icmp};
use crate::poller::{Blocked, DefaultPoller, Direction, Event, Events, Interest, Key, Poller};
use crate::sources::Kind;
use crate::timer::TimerId;

/// Bytes that one read takes at most, into the one buffer that all connections share.
const SCRATCH: usize = 256 * 1024;
/// Bytes that one connection reads in a turn, before the others have their turn.
const READ_BUDGET: usize = 4 * SCRATCH;
/// Bytes that a closed connection drops while it waits for the peer's end.
const LINGER_BYTES: u32 = 1024 * 1024;
/// Datagrams of one socket in a turn.
const DATAGRAM_BUDGET: usize = 64;
/// Messages in a turn.
const MESSAGE_BUDGET: usize = 1024;
/// Due timers in a turn.
const TIMER_BUDGET: usize = 1024;
/// How often a turn goes through its agenda, before it waits again.
const ROUNDS: usize = 8;

/// Whether a loop goes on after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// There are turns to come.
    Running,
    /// It was stopped, and everything is closed.
    Stopped,
}

/// How a reactor is set up.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The limits that connections begin with.
    pub limits: Limits,
    /// How many messages may wait in the mailbox; without it there is no bound.
    pub mailbox_capacity: Option<usize>,
}

/// Which bytes a delivery is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bytes {
    /// What one read brings, and what was left behind.
    New,
    /// What was left behind.
    Left,
    /// What was left behind, for the last time: also if it is less than the low-water mark.
    Last,
}

/// A loop: a handler, a poller, and everything that they watch.
#[derive(Debug)]
pub struct Reactor<H: Handler, P: Poller = DefaultPoller> {
    handler: H,
    poller: P,
    core: Core,
    inbox: Inbox<H::Message>,
    /// What a wait found; between turns, what [`prepare`](Self::prepare) found.
    events: Events,
    scratch: Box<[u8]>,
    datagram: Box<[u8]>,
    reserve: Reserve,
    health: Health,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Sound,
    /// A callback panicked.
    Broken,
    Stopped,
}

impl<H: Handler> Reactor<H> {
    /// A reactor on the best mechanism of this build.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE: it needs a few descriptors.
    pub fn new(handler: H) -> io::Result<Self> {
        Self::with_poller(handler, DefaultPoller::new()?)
    }
}

impl<H: Handler, P: Poller> Reactor<H, P> {
    /// A reactor on a mechanism of the caller's choice.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE.
    pub fn with_poller(handler: H, poller: P) -> io::Result<Self> {
        Self::with_options(handler, poller, Options::default())
    }

    /// A reactor with other limits than the default ones.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE.
    pub fn with_options(handler: H, poller: P, options: Options) -> io::Result<Self> {
        let inbox = Inbox::new(poller.waker(), options.mailbox_capacity);
        Ok(Self {
            handler,
            poller,
            core: Core::new(options.limits),
            inbox,
            events: Events::default(),
            scratch: vec![0; SCRATCH].into(),
            datagram: vec![0; SCRATCH / 4].into(),
            reserve: Reserve::new()?,
            health: Health::Sound,
        })
    }

    /// What a handler may ask of the reactor, for whoever sets it up, or acts between turns.
    pub fn context(&mut self) -> Context<'_> {
        self.core.read_clock();
        Context { core: &mut self.core, poller: &mut self.poller }
    }

    /// Listens for TCP connections; see [`Context::listen_with`].
    ///
    /// # Errors
    ///
    /// As [`Context::listen_with`].
    pub fn listen(&mut self, address: impl ToSocketAddrs) -> io::Result<ListenerId> {
        self.context().listen(address)
    }

    /// A mailbox whose messages come to this reactor's handler.
    pub fn mailbox(&self) -> Mailbox<H::Message> {
        self.inbox.mailbox()
    }

    /// The handler.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// The handler.
    pub fn handler_mut(&mut self) -> &mut H {
        &mut self.handler
    }

    /// The poller.
    pub fn poller(&self) -> &P {
        &self.poller
    }

    /// Runs turn after turn, until a callback stops the loop.
    ///
    /// # Errors
    ///
    /// What the poller says of itself; an error for ever after a callback has panicked.
    pub fn run(&mut self) -> io::Result<()> {
        while self.turn(None)? == Status::Running {}
        Ok(())
    }

    /// Waits for at most `timeout`, or until something happens, and does all that it leads to.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<Status> {
        match self.health {
            Health::Sound => {}
            Health::Stopped => return Ok(Status::Stopped),
            Health::Broken => {
                return Err(io::Error::other("the handler has panicked: the loop is broken"));
            }
        }
        self.inbox.enter();
        match catch_unwind(AssertUnwindSafe(|| self.turn_unguarded(timeout))) {
            Ok(answer) => answer,
            Err(panic) => {
                self.health = Health::Broken;
                self.core.sources.clear();
                self.inbox.close();
                resume_unwind(panic)
            }
        }
    }

    /// Applies what is pending, and says how long another loop may sleep before the next
    /// [`turn`](Self::turn), unless its descriptor becomes ready before; `None` is for ever.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn prepare(&mut self) -> io::Result<Option<Duration>> {
        if self.health != Health::Sound {
            return Ok(Some(Duration::ZERO));
        }
        self.inbox.enter();
        if self.events.is_empty() {
            self.poller.wait(&mut self.events, Some(Duration::ZERO))?;
        }
        if self.events.is_empty() { Ok(self.sleep(None)) } else { Ok(Some(Duration::ZERO)) }
    }

    /// How long a wait may last: as long as the caller and the timers allow, and not at all if
    /// something is to be done already.
    fn sleep(&mut self, timeout: Option<Duration>) -> Option<Duration> {
        if self.core.course == Course::Stop
            || !self.core.agenda.is_empty()
            || !self.inbox.is_empty()
        {
            return Some(Duration::ZERO);
        }
        if timeout == Some(Duration::ZERO) || self.core.timers.is_empty() {
            return timeout;
        }
        let next = self.core.timers.next_wait(Instant::now());
        match (timeout, next) {
            (Some(timeout), Some(next)) => Some(timeout.min(next)),
            (timeout, next) => timeout.or(next),
        }
    }

    fn turn_unguarded(&mut self, timeout: Option<Duration>) -> io::Result<Status> {
        if self.events.is_empty() {
            let sleep = self.sleep(timeout);
            self.poller.wait(&mut self.events, sleep)?;
        }
        self.core.turns += 1;
        self.core.read_clock();
        if !self.inbox.is_empty() {
            self.deliver_messages();
        }
        for at in 0..self.events.len() {
            if let Some(event) = self.events.get(at) {
                self.dispatch(event);
            }
        }
        self.events.clear();
        if !self.core.timers.is_empty() {
            self.run_timers();
        }
        self.settle();
        if self.core.course == Course::Stop {
            self.stop();
            return Ok(Status::Stopped);
        }
        Ok(Status::Running)
    }

    fn deliver_messages(&mut self) {
        for _ in 0..MESSAGE_BUDGET {
            let Some(message) = self.inbox.receive() else { return };
            let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
            self.handler.message(&mut ctx, message);
        }
    }

    #[inline]
    fn dispatch(&mut self, event: Event) {
        let (key, readiness) = (event.key(), event.readiness());
        match self.core.sources.kind(key) {
            Some(Kind::Connection) => {
                if readiness.is_readable() {
                    self.read(key);
                }
                if readiness.is_writable() {
                    self.core.flush(&mut self.poller, key);
                }
            }
            Some(Kind::Acceptor) => self.accept(key),
            Some(Kind::Udp) => self.receive(key),
            Some(Kind::Raw) => {
                let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
                self.handler.ready(&mut ctx, RawId(key), readiness);
            }
            Some(Kind::Signals) => self.deliver_signals(key),
            // Closed earlier in this turn.
            None => {}
        }
    }

    /// Reads until a short read or the budget ends it: never on to WouldBlock, which costs a system
    /// call for each message.
    #[inline]
    fn read(&mut self, key: Key) {
        let mut budget = READ_BUDGET;
        while let Some(count) = self.deliver(key, Bytes::New) {
            if count < SCRATCH {
                self.poller.blocked(key, Direction::Read, Blocked::Short);
                return;
            }
            budget -= count;
            if budget == 0 {
                return;
            }
        }
    }

    /// Hands the handler what is unread: what it left behind, and what one read brings. Says how much
    /// that was, if there is a point in reading on.
    ///
    /// The one place from which `data` is called, so that the compiler can put the handler's code here.
    fn deliver(&mut self, key: Key, bytes: Bytes) -> Option<usize> {
        let connection = self.core.sources.connection_mut(key)?;
        let mut count = 0;
        if bytes == Bytes::New {
            if !connection.reads() {
                return None;
            }
            match (&connection.socket).read(&mut self.scratch) {
                Ok(read) if read > 0 => count = read,
                answer => return self.end_reading(key, answer),
            }
            connection.active = self.core.tick;
        }
        if !connection.is_plain() && connection.state.phase() != Phase::Open {
            self.drop_read(key, count);
            return Some(count);
        }
        let room = connection.gather_room();
        let mut left = connection.unread.take();
        let unread = match &mut left {
            None => &self.scratch[..count],
            Some(left) => {
                left.extend_from_slice(&self.scratch[..count]);
                &left[..]
            }
        };
        let (mut taken, low) = (0, connection.read_low);
        if !unread.is_empty() && (unread.len() >= low || bytes == Bytes::Last) {
            self.core.begin_callback_of(key, room);
            let mut input = Input::new(unread);
            let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
            self.handler.data(&mut ctx, ConnId(key), &mut input);
            taken = input.taken();
            if taken == 0 {
                self.core.forget_again(key, low);
            }
        }
        if let Some(mut left) = left {
            left.drain(..taken);
            self.keep(key, left);
        } else if taken < count {
            self.keep(key, Box::new(self.scratch[taken..count].to_vec()));
        }
        self.core.end_callback(&mut self.poller, key);
        Some(count)
    }

    /// Keeps what the handler left behind.
    #[cold]
    #[expect(clippy::box_collection, reason = "as it is kept")]
    fn keep(&mut self, key: Key, left: Box<Vec<u8>>) {
        if let Some(connection) = self.core.sources.connection_mut(key) {
            if !left.is_empty() && connection.state.phase() == Phase::Open {
                connection.unread = Some(left);
            }
        }
    }

    /// Bytes have come for a connection that is ending: they are dropped, and bounded.
    #[cold]
    fn drop_read(&mut self, key: Key, count: usize) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        if connection.state.phase() == Phase::Lingering {
            let lingered = &mut connection.lingered;
            *lingered = lingered.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            if *lingered > LINGER_BYTES {
                self.core.end(key, CloseReason::Finished);
            }
        }
    }

    /// A read gave nothing: it would block, or the peer's side has ended, by its FIN or by an error.
    /// Says whether to try again.
    #[cold]
    fn end_reading(&mut self, key: Key, answer: io::Result<usize>) -> Option<usize> {
        match answer {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                // Still readable: the next turn reads it.
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
            }
            Ok(_) => self.peer_has_ended(key, None),
            Err(error) => self.peer_has_ended(key, Some(error)),
        }
        None
    }

    fn peer_has_ended(&mut self, key: Key, error: Option<io::Error>) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        connection.state.set(State::READ_ENDED);
        let failed = error.is_some();
        if let Some(error) = error {
            connection.latch(CloseReason::Error(error));
        }
        match connection.state.phase() {
            Phase::Open => {}
            // The queue goes on: a peer that has finished may still read.
            Phase::Draining if !failed => return self.core.update_interest(&mut self.poller, key),
            Phase::Draining | Phase::Lingering => return self.core.end(key, CloseReason::Finished),
            Phase::Closed => return,
        }
        connection.state.set(State::END_DUE);
        self.tell_end(key);
    }

    /// The peer's end was read: what was left behind comes once more, and then the end is told, unless
    /// the handler pauses: then all that waits for it to resume.
    fn tell_end(&mut self, key: Key) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        // As often as the handler asks for the rest of it.
        let mut left = connection.unread();
        let state = loop {
            self.deliver(key, Bytes::Last);
            let Some(connection) = self.core.sources.connection_mut(key) else { return };
            let again = connection.state.has(State::DELIVER_DUE);
            connection.state.clear(State::DELIVER_DUE);
            let before = std::mem::replace(&mut left, connection.unread());
            if !again || connection.state.has(State::PAUSED) || left == 0 || left == before {
                break connection.state;
            }
        };
        if state.phase() != Phase::Open || state.has(State::PAUSED) {
            return;
        }
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        connection.state.clear(State::END_DUE);
        if connection.reason.is_some() || state.has(State::WRITE_ENDED) {
            return self.core.end(key, CloseReason::Finished);
        }
        self.core.begin_callback(key);
        let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
        self.handler.peer_finished(&mut ctx, ConnId(key));
        self.core.end_callback(&mut self.poller, key);
    }

    fn accept(&mut self, key: Key) {
        let Some(acceptor) = self.core.sources.acceptor_mut(key) else { return };
        for _ in 0..acceptor.batch {
            let Some(acceptor) = self.core.sources.acceptor_mut(key) else { return };
            if acceptor.is_full() {
                return self.hold_back(key);
            }
            match acceptor.accept() {
                Accepted::Connection(socket, peer) => {
                    debug!("{peer} has connected");
                    acceptor.connections += 1;
                    let limits = acceptor.limits.clone();
                    let connection = Connection::new(socket, limits, Some(ListenerId(key)));
                    self.open(key, connection);
                }
                Accepted::Empty => {
                    self.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
                    return;
                }
                Accepted::Gone(error) => debug!("accept: {error}"),
                Accepted::Starved(error) | Accepted::Failed(error) => {
                    return self.starve(key, &error);
                }
            }
        }
        if let Some(acceptor) = self.core.sources.acceptor_mut(key) {
            acceptor.batch_was_full();
        }
    }

    fn open(&mut self, listener: Key, connection: Connection) {
        match self.core.open(&mut self.poller, connection) {
            Ok(key) => {
                self.core.begin_callback(key);
                let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
                self.handler.accepted(&mut ctx, ConnId(key), ListenerId(listener));
                self.core.end_callback(&mut self.poller, key);
            }
            Err(error) => {
                warn!("accept: {error}");
                if let Some(acceptor) = self.core.sources.acceptor_mut(listener) {
                    acceptor.connections -= 1;
                }
            }
        }
    }

    /// A listener has as many connections as it may have: the others wait in its backlog.
    fn hold_back(&mut self, key: Key) {
        self.core.accepting_waits = true;
        self.set_acceptor_interest(key, Interest::NONE);
    }

    /// There is no descriptor for another connection. One is turned away, so that it needn't wait for
    /// nothing, and the listener tries again when a connection closes or some time has gone by.
    fn starve(&mut self, key: Key, error: &io::Error) {
        let Some(acceptor) = self.core.sources.acceptor_mut(key) else { return };
        let (wait, news) = acceptor.back_off(self.core.now);
        if news {
            let connections = acceptor.connections;
            warn!("accept: {error}; {connections} connections go on, new ones wait");
        }
        if let Err(error) = self.reserve.shed(acceptor.listener()) {
            debug!("turn a connection away: {error}");
        }
        acceptor.timer = Some(self.core.timers.insert(wait, Due::Accept(key)));
        self.hold_back(key);
    }

    fn set_acceptor_interest(&mut self, key: Key, interest: Interest) {
        if let Err(error) = self.poller.modify(key, interest) {
            warn!("{key:?}: {error}");
        }
    }

    fn receive(&mut self, key: Key) {
        for _ in 0..DATAGRAM_BUDGET {
            let Some(socket) = self.core.sources.udp(key) else { return };
            match socket.receive(&mut self.datagram) {
                Ok(received) => {
                    let datagram = Datagram::new(&self.datagram, received);
                    let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
                    self.handler.datagram(&mut ctx, UdpId(key), &datagram);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
                    return;
                }
                Err(error) => {
                    let goes_on = is_icmp(&error);
                    let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
                    self.handler.datagram_failed(&mut ctx, UdpId(key), error);
                    if !goes_on {
                        return;
                    }
                }
            }
        }
    }

    fn deliver_signals(&mut self, key: Key) {
        let Some(signals) = self.core.sources.signals_mut(key) else { return };
        for signal in signals.take() {
            let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
            self.handler.signal(&mut ctx, signal);
        }
    }

    fn run_timers(&mut self) {
        for _ in 0..TIMER_BUDGET {
            let Some((timer, due)) = self.core.timers.pop_due() else { return };
            self.run_timer(timer, due);
            self.core.timers.finish(timer);
        }
    }

    fn run_timer(&mut self, timer: TimerId, due: Due) {
        match due {
            Due::User(token) => {
                let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
                self.handler.timer(&mut ctx, timer, token);
            }
            Due::Idle(key) => self.core.check_idle(timer, key),
            Due::Drain(key) => self.core.drain_is_over(key),
            Due::Accept(key) => {
                if let Some(acceptor) = self.core.sources.acceptor_mut(key) {
                    acceptor.timer = None;
                }
                self.core.wake_acceptor(&mut self.poller, key);
            }
            Due::Stop => self.core.course = Course::Stop,
        }
    }

    /// Does what the callbacks have led to, and what that leads to, some times over. What is left then
    /// waits for the next turn, whose wait doesn't sleep.
    fn settle(&mut self) {
        for _ in 0..ROUNDS {
            if self.core.agenda.is_empty() {
                return;
            }
            for key in std::mem::take(&mut self.core.agenda.deliver) {
                self.deliver_again(key);
            }
            for key in std::mem::take(&mut self.core.agenda.flush) {
                self.core.flush(&mut self.poller, key);
            }
            for key in std::mem::take(&mut self.core.agenda.drained) {
                self.report_drained(key);
            }
            for key in std::mem::take(&mut self.core.agenda.closed) {
                self.report_closed(key);
            }
        }
    }

    fn deliver_again(&mut self, key: Key) {
        let Some(connection) = self.core.sources.connection_mut(key) else { return };
        let state = connection.state;
        connection.state.clear(State::DELIVER_DUE);
        if state.has(State::DELIVER_DUE) && !state.has(State::PAUSED) {
            if state.has(State::END_DUE) {
                return self.tell_end(key);
            }
            // After the end of the stream no more can come to reach the mark.
            let ended = state.has(State::READ_ENDED);
            self.deliver(key, if ended { Bytes::Last } else { Bytes::Left });
        }
    }

    fn report_drained(&mut self, key: Key) {
        let Some(connection) = self.core.sources.connection(key) else { return };
        // Above the mark again by now: that crossing is another one, and ends later.
        if connection.state.phase() != Phase::Open || connection.state.has(State::ABOVE_HIGH) {
            return;
        }
        self.core.begin_callback(key);
        let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
        self.handler.drained(&mut ctx, ConnId(key));
        self.core.end_callback(&mut self.poller, key);
    }

    fn report_closed(&mut self, key: Key) {
        if let Some(reason) = self.core.take_away(&mut self.poller, key) {
            let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
            self.handler.closed(&mut ctx, ConnId(key), reason);
        }
    }

    /// Ends all connections, with their callbacks, and closes everything.
    fn stop(&mut self) {
        loop {
            let connections = self.core.sources.keys(Kind::Connection);
            if connections.is_empty() {
                break;
            }
            for key in connections {
                let Some(connection) = self.core.sources.connection(key) else { continue };
                let unsent = connection.queued();
                self.core.end(key, CloseReason::Stopped { unsent });
                self.report_closed(key);
            }
        }
        self.core.sources.clear();
        let unread = self.inbox.close();
        if unread > 0 {
            warn!("the loop stopped with {unread} messages unread");
        }
        self.health = Health::Stopped;
    }
}

/// Where the mechanism has a descriptor: readable when a turn would find something to do. Call
/// [`prepare`](Reactor::prepare) before each wait for it.
impl<H: Handler, P: Poller + AsFd> AsFd for Reactor<H, P> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poller.as_fd()
    }
}
