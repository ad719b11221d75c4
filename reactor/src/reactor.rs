//! The loop.

mod accepting;
mod connecting;
mod reading;
mod receiving;
mod setup;
mod spin;
mod urgent;

use std::io;
use std::net::ToSocketAddrs;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use log::warn;

use crate::connection::{CloseReason, Phase, State};
use crate::context::Context;
use crate::core::{Core, Course, Due};
use crate::handler::Handler;
use crate::ids::{ConnId, ListenerId, RawId};
use crate::mailbox::{Inbox, Mailbox};
use crate::net::{ConnectCause, Reserve};
use crate::poller::{DefaultPoller, Event, Events, Key, Poller, Readiness};
use crate::sources::Kind;
use crate::sys::batch::Batch;
use crate::timer::TimerId;
use spin::Spin;

pub use setup::Options;

/// Bytes that one read takes at most, into the one buffer that all connections share.
const SCRATCH: usize = 256 * 1024;
/// Messages in a turn.
const MESSAGE_BUDGET: usize = 1024;
/// Due timers in a turn.
const TIMER_BUDGET: usize = 1024;
/// Connects that are begun at a time.
const CONNECT_BUDGET: usize = 64;
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
    /// There once a datagram has come.
    datagrams: Option<Batch>,
    reserve: Reserve,
    spin: Spin,
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
        let core = Core::new(options.limits, poller.waker());
        let spin = Spin::new(options.spin, poller.waker());
        Ok(Self {
            handler,
            poller,
            core,
            inbox,
            events: Events::default(),
            scratch: vec![0; SCRATCH].into(),
            datagrams: None,
            reserve: Reserve::new()?,
            spin,
            health: Health::Sound,
        })
    }

    /// What a handler may ask of the reactor, for whoever sets it up, or acts between turns.
    pub fn context(&mut self) -> Context<'_> {
        self.parts().1
    }

    /// The handler, and what it may ask of the reactor, both at once: for what begins outside of a
    /// callback.
    ///
    /// ```
    /// use reactor::{ConnId, ConnectOptions, Context, Handler, Input, Reactor};
    ///
    /// #[derive(Default)]
    /// struct Client {
    ///     server: Option<ConnId>,
    /// }
    ///
    /// impl Client {
    ///     fn begin(&mut self, ctx: &mut Context<'_>) {
    ///         self.server = Some(ctx.connect("127.0.0.1:7007", &ConnectOptions::default()));
    ///     }
    /// }
    ///
    /// impl Handler for Client {
    ///     type Message = ();
    ///
    ///     fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
    /// }
    ///
    /// let mut reactor = Reactor::new(Client::default())?;
    /// let (client, mut ctx) = reactor.parts();
    /// client.begin(&mut ctx);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn parts(&mut self) -> (&mut H, Context<'_>) {
        self.inbox.enter();
        self.core.read_clock();
        let ctx = Context { core: &mut self.core, poller: &mut self.poller };
        (&mut self.handler, ctx)
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
        self.inbox.enter();
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

    /// How many turns the loop has begun: waits that ended.
    pub fn turns(&self) -> u64 {
        self.core.turns
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
        if self.status()? == Status::Stopped {
            return Ok(Status::Stopped);
        }
        self.inbox.enter();
        match catch_unwind(AssertUnwindSafe(|| self.turn_unguarded(timeout))) {
            Ok(answer) => answer,
            Err(panic) => {
                self.health = Health::Broken;
                self.core.close_all();
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
        if self.status()? == Status::Stopped {
            return Ok(Some(Duration::ZERO));
        }
        self.inbox.enter();
        if self.events.is_empty() {
            self.poller.wait(&mut self.events, Some(Duration::ZERO))?;
        }
        if self.events.is_empty() { Ok(self.sleep(None)) } else { Ok(Some(Duration::ZERO)) }
    }

    fn status(&self) -> io::Result<Status> {
        match self.health {
            Health::Sound => Ok(Status::Running),
            Health::Stopped => Ok(Status::Stopped),
            Health::Broken => Err(io::Error::other("the handler has panicked: the loop is broken")),
        }
    }

    /// How long a wait may last: as long as the caller and the timers allow, and not at all if
    /// something is to be done already.
    fn sleep(&mut self, timeout: Option<Duration>) -> Option<Duration> {
        if self.core.course == Course::Stop
            || !self.core.agenda.is_empty()
            || !self.inbox.is_empty()
            || self.core.resolver.has_answers()
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
            self.spin.wait(&mut self.poller, &mut self.events, sleep)?;
        }
        self.core.turns += 1;
        self.core.read_clock();
        if !self.inbox.is_empty() {
            self.deliver_messages();
        }
        self.core.take_answers();
        let mut events = std::mem::replace(&mut self.events, Events::none());
        self.serve(events.as_slice());
        events.clear();
        self.events = events;
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

    /// Does what `events` call for.
    ///
    /// All bytes that are delivered go through here. So the handler's `data` is called from one place,
    /// and the compiler can put its code into this loop, with reading and sending around it.
    #[inline(never)]
    fn serve(&mut self, events: &[Event]) {
        for event in events {
            let (key, readiness) = (event.key(), event.readiness());
            if readiness.is_readable() && !self.read(key) {
                self.dispatch_other(key, readiness);
            } else if readiness != Readiness::READABLE {
                self.write(key, readiness);
            }
        }
    }

    fn write(&mut self, key: Key, readiness: Readiness) {
        if self.core.sources.connection(key).is_none() {
            return self.dispatch_other(key, readiness);
        }
        // Where there is something to read, too, that has taken the urgent byte first.
        if readiness.is_priority() && !readiness.is_readable() {
            self.urgent_is_ready(key);
        }
        if readiness.is_writable() {
            self.core.flush(&mut self.poller, key);
        }
        if readiness.is_error() {
            self.core.ask_again_later(key);
        }
    }

    /// What is ready is no connection.
    fn dispatch_other(&mut self, key: Key, readiness: Readiness) {
        match self.core.sources.kind(key) {
            Some(Kind::Attempt) => self.end_attempt(key),
            Some(Kind::Acceptor) => {
                self.accept(key);
                if readiness.is_error() {
                    self.core.ask_again_later(key);
                }
            }
            Some(Kind::Udp) => self.receive(key, readiness),
            Some(Kind::Raw) => self.tell_ready(key, readiness),
            Some(Kind::Signals) => self.deliver_signals(key),
            // Closed earlier in this turn; connects and peers have no descriptor.
            None | Some(Kind::Connection | Kind::Connecting | Kind::Peer) => {}
        }
    }

    fn tell_ready(&mut self, key: Key, readiness: Readiness) {
        let Some(raw) = self.core.sources.raw_mut(key) else { return };
        // An earlier callback of this turn may have changed what is to be told.
        let mut readiness = readiness.within(raw.interest);
        raw.note(readiness);
        if readiness.is_error() {
            self.core.ask_again_later(key);
        }
        let Some(raw) = self.core.sources.raw(key) else { return };
        if raw.has_mark() {
            readiness = self.core.above_raw_mark(&mut self.poller, key, readiness);
        }
        if !readiness.is_empty() {
            let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
            self.handler.ready(&mut ctx, RawId(key), readiness);
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
            Due::Connect(key) => {
                self.core.connect_timer_is_over(key);
                self.go_on_connecting(key);
            }
            Due::Reconnect(key) => self.core.reconnect(key),
            Due::RawMark(key) => self.core.look_at_raw(&mut self.poller, key),
            Due::Refused => self.core.ask_again(&mut self.poller),
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
            for _ in 0..self.core.agenda.connects.len().min(CONNECT_BUDGET) {
                if let Some(key) = self.core.agenda.connects.pop_front() {
                    self.go_on_connecting(key);
                }
            }
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
            self.core.departed = None;
        }
    }

    /// Ends all connects and connections, with their callbacks, and closes everything.
    fn stop(&mut self) {
        self.core.course = Course::Over;
        for key in self.core.sources.keys(Kind::Connecting) {
            self.core.end_connecting(key, ConnectCause::Stopped);
            self.go_on_connecting(key);
        }
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
        self.core.close_all();
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
