//! The chat on the reactor: lines come in, commands run, lines go out.

mod client;
mod crowd;
mod incoming;
mod listening;
mod pace;
mod presence;
mod routes;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bstr::BString;
use log::{debug, info, warn};
use reactor::{
    Address, CloseReason, ConnId, ConnMap, Context, Handler, Input, Limits, ListenerId, Mailbox,
    Poller, Reactor, Signal, TimerId,
};
use slotmap::{Key, KeyData};

use self::client::{BACKLOG, Client};
use self::crowd::Crowd;
use self::incoming::Next;
use self::listening::Listening;
use self::presence::{Presence, Silence};
use self::routes::{Local, Routes};
use crate::bus::Bus;
use crate::cloak::Cloak;
use crate::commands;
use crate::config::Config;
use crate::line::Line;
use crate::message::{Malformed, Message, Tags};
use crate::password::{Checker, Outcome};
use crate::secret::Secret;
use crate::state::{State, User, UserId};
use crate::time::Moment;
use crate::turn::{Errand, Turn};

/// Lines of one client that are taken in one go, before the others have their turn.
const LINES_AT_ONCE: usize = 64;

/// How long the server waits at its end for clients to take what is queued.
const ENDING: Duration = Duration::from_secs(5);

/// How long it waits then for those to end their side who have taken everything.
const PARTING: Duration = Duration::from_secs(1);

/// What a server is begun with.
pub struct Setup {
    /// The settings.
    pub config: Config,
    /// Where to listen, in place of what the settings say.
    pub listen: Vec<String>,
    /// Whether floods are slowed down, and the connections of each address counted.
    pub flood_control: bool,
}

/// A password has been compared, on another thread.
#[derive(Clone, Debug)]
pub struct Checked {
    user: UserId,
    account: BString,
    hash: Secret<String>,
    label: Option<BString>,
    outcome: Outcome,
}

/// A chat server.
pub struct Server {
    state: State,
    routes: Routes,
    clients: ConnMap<Client>,
    crowd: Crowd,
    cloak: Cloak,
    checker: Checker,
    mailbox: Option<Mailbox<Checked>>,
    listening: Listening,
    flood_control: bool,
    /// A signal has come that ends it in good order.
    ending: bool,
    /// A second one, that ended it at once.
    killed_by: Option<Signal>,
}

impl Server {
    /// A server with nobody on it, which doesn't listen yet.
    ///
    /// # Errors
    ///
    /// Those of making a thread, and of asking for random bytes.
    pub fn new(setup: Setup) -> io::Result<Self> {
        let cloak = Cloak::new(setup.config.cloak_key.as_ref().map(|key| key.as_str()))?;
        Ok(Self {
            state: State::new(Arc::new(setup.config), Moment::now()),
            routes: Routes::default(),
            clients: ConnMap::new(),
            crowd: Crowd::new(setup.flood_control),
            cloak,
            checker: Checker::new()?,
            mailbox: None,
            listening: Listening::new(setup.listen),
            flood_control: setup.flood_control,
            ending: false,
            killed_by: None,
        })
    }

    /// Begins to listen, and to watch for signals; gives the addresses.
    ///
    /// # Errors
    ///
    /// Those of [`Context::listen_with`], with the address, and of [`Context::watch_signal`].
    pub fn begin(reactor: &mut Reactor<Self, impl Poller>) -> io::Result<Vec<String>> {
        let mailbox = reactor.mailbox();
        let (server, mut ctx) = reactor.parts();
        server.mailbox = Some(mailbox);
        for signal in [Signal::INTERRUPT, Signal::TERMINATE, Signal::HANGUP] {
            ctx.watch_signal(signal)?;
        }
        server.listening.change(&mut ctx, &server.state.config)?;
        server.listening.names(&ctx)
    }

    /// The signal that has ended it at once, if one did.
    #[must_use]
    pub fn killed_by(&self) -> Option<Signal> {
        self.killed_by
    }

    /// Runs one turn of the protocol, and then what it has led to.
    fn turn(
        &mut self,
        ctx: &mut Context<'_>,
        user: UserId,
        begin: impl FnOnce(&mut State, &mut dyn Bus, Moment) -> (u32, Vec<Errand>),
    ) {
        let now = Moment::now();
        let mut local = Local { ctx: &mut *ctx, routes: &mut self.routes };
        let (cost, errands) = begin(&mut self.state, &mut local, now);
        self.charge(ctx, user, cost);
        for errand in errands {
            self.run(ctx, user, errand);
        }
        self.reap(ctx);
    }

    fn line(&mut self, ctx: &mut Context<'_>, user: UserId, line: Result<&[u8], Malformed>) {
        let message = line.and_then(Message::parse);
        let Some(person) = self.state.users.get(user) else { return };
        let was_registered = person.is_registered();
        if !was_registered && message.is_ok_and(|message| is_http(message.command)) {
            // A browser that was lured here isn't to speak for whoever uses it.
            commands::leave(&mut self.state, user, "This is no web server");
            return self.reap(ctx);
        }
        let bounded = self.routes.are_full();
        self.turn(ctx, user, |state, bus, now| {
            let tags = message.map_or(Tags::default(), |message| message.tags);
            let mut turn = Turn::new(state, bus, user, now, tags);
            turn.bounded = bounded;
            match message {
                Ok(message) => commands::run(&mut turn, &message),
                Err(why) => commands::refuse(&mut turn, why),
            }
            (turn.cost(), turn.finish())
        });
        let new = |person: &&User| !was_registered && person.is_registered();
        let person = self.state.users.get(user).filter(new);
        if let (Some(person), Some(conn)) = (person, self.routes.get(user)) {
            info!("{conn:?}: {} is {:?}", person.place(), person.source());
        }
    }

    /// The connection of a user who is here.
    fn client(&mut self, user: UserId) -> Option<(ConnId, &mut Client)> {
        let conn = self.routes.get(user)?;
        self.clients.get_mut(conn).map(|client| (conn, client))
    }

    /// Does what takes longer than a command.
    fn run(&mut self, ctx: &mut Context<'_>, user: UserId, errand: Errand) {
        match errand {
            Errand::CheckPassword { user, account, password, hash, label } => {
                let Some(mailbox) = self.mailbox.clone() else { return };
                let compared = hash.0.clone();
                let checked = Checked { user, account, hash, label, outcome: Outcome::Busy };
                let refused = checked.clone();
                let asked = self.checker.check(compared, password.0.into(), move |outcome| {
                    // With the loop gone, nobody waits for the answer.
                    let _ = mailbox.post(Checked { outcome, ..checked });
                });
                if !asked {
                    return self.checked(ctx, refused);
                }
                if let Some((conn, client)) = self.client(user) {
                    client.checking = true;
                    ctx.pause(conn);
                }
            }
            Errand::Rehash => {
                let answer = match self.reload_and_log(ctx) {
                    Ok(()) => "The settings were read again".into(),
                    Err(error) => format!("The settings stay as they were: {error}"),
                };
                let Some(person) = self.state.users.get(user) else { return };
                let name = &self.state.config.name;
                let line = Line::new(Moment::now(), name.as_bytes(), "NOTICE").param(person.nick());
                self.publish(ctx, user, &line.last(answer));
            }
        }
    }

    fn checked(&mut self, ctx: &mut Context<'_>, checked: Checked) {
        let Checked { user, account, hash, label, outcome } = checked;
        if let Some((conn, client)) = self.client(user) {
            client.checking = false;
            self.go_on(ctx, conn);
        }
        if self.state.users.contains_key(user) {
            self.turn(ctx, user, |state, bus, now| {
                let mut turn = Turn::resumed(state, bus, user, now, label);
                commands::oper::checked(&mut turn, &account, &hash, outcome);
                (turn.cost(), turn.finish())
            });
        }
    }

    fn publish(&mut self, ctx: &mut Context<'_>, user: UserId, line: &Line) {
        Local { ctx, routes: &mut self.routes }.publish(line, &mut std::iter::once(user));
    }

    /// Takes those away who are leaving.
    fn reap(&mut self, ctx: &mut Context<'_>) {
        for (user, reason) in &self.state.leaving {
            let (person, conn) = (self.state.users.get(*user), self.routes.get(*user));
            // The address comes first, and what a client has said in quotes: programs read this that block addresses.
            if let (Some(person), Some(conn)) = (person, conn) {
                info!("{conn:?}: {} leaves: {reason:?}, as {:?}", person.place(), person.source());
            }
        }
        if !self.state.leaving.is_empty() {
            let mut local = Local { ctx, routes: &mut self.routes };
            commands::reap(&mut self.state, &mut local, Moment::now());
        }
    }

    /// Reads the settings again; if that fails, the old ones stay. Who was an operator by what isn't in them
    /// any more, isn't one any more.
    fn reload(&mut self, ctx: &mut Context<'_>) -> Result<(), String> {
        let Some(file) = &self.state.config.file else {
            return Err("there is no file of them (--config)".into());
        };
        let config = Config::read(file)?;
        self.listening.change(ctx, &config).map_err(|error| error.to_string())?;
        let mut local = Local { ctx, routes: &mut self.routes };
        commands::oper::reconfigure(&mut self.state, &mut local, Arc::new(config), Moment::now());
        Ok(())
    }

    fn reload_and_log(&mut self, ctx: &mut Context<'_>) -> Result<(), String> {
        let result = self.reload(ctx);
        match &result {
            Ok(()) => info!("the settings were read again"),
            Err(error) => warn!("the settings stay as they were: {error}"),
        }
        result
    }

    /// Looks whether a client has registered, and whether it is there.
    fn watch(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        let Some(client) = self.clients.get_mut(conn) else { return };
        let (user, watch) = (client.user, client.watch);
        let registered = self.state.users.get(user).is_some_and(User::is_registered);
        if self.routes.is_answered(user) {
            // It isn't read from meanwhile; but to take an answer, if slowly, is to be there.
            let queued = ctx.queued(conn);
            if queued < client.waiting {
                client.presence.heard(ctx.now());
            }
            client.waiting = queued;
        }
        match client.presence.silence(ctx.now(), registered, &self.state.config.limits) {
            Silence::Bearable(wait) => {
                ctx.rearm(watch, wait);
            }
            Silence::Asked(wait) => {
                ctx.rearm(watch, wait);
                let line = Line::sourceless(Moment::now(), "PING").last(&self.state.config.name);
                self.publish(ctx, user, &line);
            }
            Silence::Over(reason) => {
                commands::leave(&mut self.state, user, reason);
                self.reap(ctx);
            }
        }
    }
}

impl Handler for Server {
    type Message = Checked;

    fn accepted(&mut self, ctx: &mut Context<'_>, conn: ConnId, _: ListenerId) {
        let address = match ctx.peer_address(conn) {
            Ok(Address::Ip(address)) => Some(address.ip().to_canonical()),
            Ok(_) => None,
            // It has gone again already: it isn't to pass for one of this machine.
            Err(_) => return ctx.abort(conn),
        };
        let host = address.map_or_else(|| "localhost".into(), |address| self.cloak.host(address));
        let limits = &self.state.config.limits;
        let entered = self.crowd.enter(address, ctx.now(), limits);
        let user = self.state.arrive(address, host, Moment::now());
        debug!("{conn:?}: a client from {}", self.state.users[user].place());
        self.routes.insert(user, conn);
        let limits = &self.state.config.limits;
        let watch = ctx.after(Presence::first_look(limits), user.data().as_ffi());
        self.clients.insert(conn, Client::new(user, address, watch, ctx.now()));
        if let Err(why) = entered {
            commands::leave(&mut self.state, user, why);
            self.reap(ctx);
        }
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        let Some(client) = self.clients.get_mut(conn) else { return };
        client.presence.heard(ctx.now());
        if client.backlog == usize::MAX {
            // What it said while it wasn't read from is no flood.
            client.backlog = BACKLOG + input.len();
        } else if input.len() <= BACKLOG {
            client.backlog = BACKLOG;
        }
        let user = client.user;
        for _ in 0..LINES_AT_ONCE {
            // The last line may have ended it.
            if self.routes.get(user).is_none() {
                input.take();
                return;
            }
            let Some(client) = self.clients.get_mut(conn) else { return };
            if client.checking {
                return;
            }
            if self.routes.is_answered(user) {
                return ctx.pause(conn);
            }
            let limits = &self.state.config.limits;
            let period = Duration::from_secs(1) / limits.lines_per_second;
            if self.flood_control && client.incoming.has_next(input) {
                if let Err(wait) = client.allowance.take(ctx.now(), limits.burst, period) {
                    if input.len() > client.backlog {
                        commands::leave(&mut self.state, user, "Excess flood");
                        return self.reap(ctx);
                    }
                    return self.hold(ctx, conn, wait);
                }
            }
            match client.incoming.next(input) {
                Next::Line(line) => self.line(ctx, user, Ok(line)),
                Next::TooLong => self.line(ctx, user, Err(Malformed::TooLong)),
                Next::Nothing => return,
            }
        }
        if !input.is_empty() {
            self.hold(ctx, conn, Duration::ZERO);
        }
    }

    fn drained(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        let Some(client) = self.clients.get_mut(conn) else { return };
        let user = client.user;
        if self.routes.is_answered(user) {
            // What it says hasn't been read meanwhile, but it is there.
            client.presence.heard(ctx.now());
            (client.waiting, client.backlog) = (0, usize::MAX);
            Local { ctx: &mut *ctx, routes: &mut self.routes }.taken(user);
            self.go_on(ctx, conn);
        }
    }

    fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        // At once, and not when it has read what is queued for it: others see who is here.
        match self.clients.get(conn) {
            Some(client) => {
                commands::leave(&mut self.state, client.user, "Connection closed");
                self.reap(ctx);
            }
            None => ctx.close(conn),
        }
    }

    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, token: u64) {
        let Some(conn) = self.routes.get(KeyData::from_ffi(token).into()) else { return };
        let Some(client) = self.clients.get_mut(conn) else { return };
        if client.held == Some(timer) {
            client.held = None;
            self.go_on(ctx, conn);
        } else if client.watch == timer {
            self.watch(ctx, conn);
        }
    }

    fn message(&mut self, ctx: &mut Context<'_>, checked: Checked) {
        self.checked(ctx, checked);
    }

    fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        let Some(client) = self.clients.remove(conn) else { return };
        debug!("{conn:?}: {reason}");
        ctx.cancel(client.watch);
        self.routes.lower(conn);
        client.held.map(|held| ctx.cancel(held));
        self.crowd.leave(client.address, ctx.now());
        // While the server ends, nobody needs to be told who leaves.
        if !self.ending && self.state.users.contains_key(client.user) {
            let reason = match reason {
                CloseReason::Overflow => "SendQ exceeded".into(),
                CloseReason::Finished => "Connection closed".into(),
                // Only what kind of error: others needn't know addresses that it may name.
                CloseReason::Error(error) => format!("Read error: {}", error.kind()),
                other => other.to_string(),
            };
            commands::leave(&mut self.state, client.user, reason);
            self.reap(ctx);
        }
    }

    fn signal(&mut self, ctx: &mut Context<'_>, signal: Signal) {
        if signal == Signal::HANGUP {
            if self.ending {
                return;
            }
            // Whoever has sent it reads the log.
            let _ = self.reload_and_log(ctx);
            return;
        }
        if std::mem::replace(&mut self.ending, true) {
            self.killed_by = Some(signal);
            return ctx.stop();
        }
        for conn in self.routes.connections() {
            // Who keeps up needn't be waited for as long as who doesn't.
            if ctx.queued(conn) == 0 {
                if let Some(limits) = ctx.limits(conn).cloned() {
                    ctx.set_limits(conn, with_drain_timeout(limits, PARTING));
                }
            }
        }
        let line =
            Line::sourceless(Moment::now(), "ERROR").last("Closing Link: the server shuts down");
        let users: Vec<_> = self.routes.users().collect();
        Local { ctx, routes: &mut self.routes }.publish(&line, &mut users.into_iter());
        ctx.shut_down(ENDING);
    }
}

fn with_drain_timeout(mut limits: Limits, timeout: Duration) -> Limits {
    limits.drain_timeout = timeout;
    limits
}

/// Whether a word is what a web browser begins with.
fn is_http(word: &[u8]) -> bool {
    [&b"GET"[..], b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"CONNECT", b"PATCH"]
        .contains(&word)
}
