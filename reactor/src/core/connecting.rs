//! What connects: from the first attempt to a connection in the same place, or to an error.

use std::io;
use std::time::Instant;

use socket2::Socket;

use super::{Core, Course, Due};
use crate::connecting::{Attempt, Connecting};
use crate::connection::{Connection, Origin};
use crate::ids::PeerId;
use crate::net::connector::{self, Stand};
use crate::net::{
    Address, AttemptId, ConnectCause, ConnectError, ConnectOptions, Resolved, Step, Target,
};
use crate::poller::{Blocked, Direction, Interest, Key, Poller};
use crate::sources::Source;

/// Attempts of one connect at a time: its addresses may be many, and fail at once.
const ATTEMPT_BUDGET: usize = 64;

/// How a connect has ended: there is a connection, or an error.
pub(crate) type Outcome = Result<(), ConnectError>;

impl Core {
    /// Begins a connect, at the end of the turn.
    pub(crate) fn connect(
        &mut self,
        target: Target,
        options: ConnectOptions,
        peer: Option<PeerId>,
    ) -> Key {
        let connecting = Connecting::new(target, options, peer, self.now);
        let key = self.sources.insert(Source::Connecting(Box::new(connecting)));
        match self.course {
            Course::Run => self.connect_is_due(key),
            // It fails when the loop stops: at once, and whoever tries again would keep it busy.
            Course::Drain | Course::Stop => {}
            Course::Over => drop(self.sources.remove(key)),
        }
        key
    }

    fn connect_is_due(&mut self, key: Key) {
        let Some(connecting) = self.sources.connecting_mut(key) else { return };
        if !std::mem::replace(&mut connecting.due, true) {
            self.agenda.connects.push_back(key);
        }
    }

    /// Ends a connect, if this is one. It is told when no callback runs.
    pub(crate) fn end_connecting(&mut self, key: Key, cause: ConnectCause) {
        let Some(connecting) = self.sources.connecting_mut(key) else { return };
        connecting.ending.get_or_insert(cause);
        self.connect_is_due(key);
    }

    /// Does what a connect can do now, and leaves what is too much at a time on the agenda. Says how it
    /// ended, if it did.
    pub(crate) fn go_on_connecting(
        &mut self,
        poller: &mut impl Poller,
        key: Key,
    ) -> Option<Outcome> {
        let mut attempts = 0;
        while attempts < ATTEMPT_BUDGET {
            let connecting = self.sources.connecting_mut(key)?;
            connecting.due = false;
            if let Some(cause) = connecting.ending.take() {
                return self.give_up(poller, key, cause).map(Err);
            }
            match connecting.race.poll(self.now) {
                Step::LookUp => self.look_up(key),
                Step::Attempt(id, address) => {
                    attempts += 1;
                    if let Some(socket) = self.attempt(poller, key, id, &address) {
                        return self.succeed(poller, key, id, socket);
                    }
                }
                Step::Abandon(id) => self.abandon(poller, key, id),
                Step::GiveUp(cause) => return self.give_up(poller, key, cause).map(Err),
                Step::Wait(until) => {
                    self.set_connect_timer(key, until);
                    return None;
                }
            }
        }
        self.connect_is_due(key);
        None
    }

    /// Begins an attempt, or repeats it. Gives its socket back if it is connected already.
    fn attempt(
        &mut self,
        poller: &mut impl Poller,
        key: Key,
        id: AttemptId,
        address: &Address,
    ) -> Option<Socket> {
        let now = self.now;
        let connecting = self.sources.connecting_mut(key)?;
        let error = match connector::begin(address, &connecting.options) {
            Stand::Connected(socket) => return Some(socket),
            Stand::Crowded(error) => {
                connecting.race.crowded(id, error, now);
                return None;
            }
            Stand::Failed(error) => error,
            Stand::Pending(socket) => {
                let attempt = Box::new(Attempt { socket, id, connect: key });
                match self.watch(poller, Source::Attempt(attempt), Interest::WRITABLE) {
                    Ok(attempt) => {
                        self.sources.connecting_mut(key)?.attempts.push((id, attempt));
                        return None;
                    }
                    Err(error) => error,
                }
            }
        };
        self.sources.connecting_mut(key)?.race.failed(id, error, now);
        None
    }

    /// An attempt's socket is reported. Says which connect it belongs to, if that is to go on, and how
    /// that ended, if it did.
    pub(crate) fn end_attempt(
        &mut self,
        poller: &mut impl Poller,
        attempt: Key,
    ) -> Option<(Key, Option<Outcome>)> {
        let Attempt { socket, id, connect } = self.sources.attempt(attempt)?;
        let (id, key) = (*id, *connect);
        let stand = connector::look(socket);
        if matches!(stand, Stand::Pending(())) {
            poller.blocked(attempt, Direction::Write, Blocked::WouldBlock);
            return None;
        }
        let Some(Source::Attempt(attempt)) = self.unwatch(poller, attempt) else { return None };
        let now = self.now;
        let connecting = self.sources.connecting_mut(key)?;
        connecting.attempts.retain(|(other, _)| *other != id);
        match stand {
            // Whoever has ended it doesn't want it any more.
            Stand::Connected(()) if connecting.ending.is_none() => {
                return Some((key, self.succeed(poller, key, id, attempt.socket)));
            }
            Stand::Connected(()) | Stand::Pending(()) => {}
            Stand::Failed(error) | Stand::Crowded(error) => {
                drop(attempt);
                connecting.race.failed(id, error, now);
                self.accept_again(poller, None);
            }
        }
        Some((key, None))
    }

    /// An attempt has won: the others end, and its socket is the connection's.
    fn succeed(
        &mut self,
        poller: &mut impl Poller,
        key: Key,
        id: AttemptId,
        socket: Socket,
    ) -> Option<Outcome> {
        self.release(poller, key);
        let connecting = self.sources.connecting_mut(key)?;
        connector::finish(&socket, &connecting.options);
        let peer = connecting.peer;
        let origin = peer.map_or(Origin::Handler, Origin::Peer);
        let connection = Connection::new(socket, self.limits.clone(), origin);
        if let Err(error) = self.open_in_place(poller, key, connection) {
            let now = self.now;
            self.sources.connecting_mut(key)?.race.failed(id, error, now);
            return self.give_up(poller, key, ConnectCause::Failed).map(Err);
        }
        if let Some(peer) = peer {
            self.peer_is_connected(peer);
        }
        Some(Ok(()))
    }

    /// Ends a connect: why, and what became of its attempts.
    fn give_up(
        &mut self,
        poller: &mut impl Poller,
        key: Key,
        cause: ConnectCause,
    ) -> Option<ConnectError> {
        self.release(poller, key);
        let now = self.now;
        let connecting = self.sources.connecting_mut(key)?;
        let peer = connecting.peer;
        let error = connecting.race.error(cause, now, peer);
        self.sources.remove(key);
        if let Some(peer) = peer {
            self.connect_again(peer);
        }
        Some(error)
    }

    /// Closes what a connect holds.
    fn release(&mut self, poller: &mut impl Poller, key: Key) {
        self.set_connect_timer(key, None);
        let Some(connecting) = self.sources.connecting_mut(key) else { return };
        connecting.lookup = None;
        let attempts = std::mem::take(&mut connecting.attempts);
        if attempts.is_empty() {
            return;
        }
        for (_, attempt) in attempts {
            self.unwatch(poller, attempt);
        }
        self.accept_again(poller, None);
    }

    fn abandon(&mut self, poller: &mut impl Poller, key: Key, id: AttemptId) {
        let Some(connecting) = self.sources.connecting_mut(key) else { return };
        if let Some(place) = connecting.attempts.iter().position(|(other, _)| *other == id) {
            let (_, attempt) = connecting.attempts.swap_remove(place);
            self.unwatch(poller, attempt);
            self.accept_again(poller, None);
        }
    }

    fn set_connect_timer(&mut self, key: Key, until: Option<Instant>) {
        let now = self.now;
        let Some(connecting) = self.sources.connecting_mut(key) else { return };
        if let Some(timer) = connecting.timer.take() {
            self.timers.cancel(timer);
        }
        connecting.timer = until.map(|until| {
            self.timers.insert(until.saturating_duration_since(now), Due::Connect(key))
        });
    }

    /// The timer of a connect has run out, and is none any more.
    pub(crate) fn connect_timer_is_over(&mut self, key: Key) {
        if let Some(connecting) = self.sources.connecting_mut(key) {
            connecting.timer = None;
        }
    }

    fn look_up(&mut self, key: Key) {
        let now = self.now;
        let Some(connecting) = self.sources.connecting_mut(key) else { return };
        let Some((name, port)) = connecting.race.target().host() else { return };
        match self.resolver.look_up(key, name, port) {
            Ok(ticket) => connecting.lookup = Some(ticket),
            Err(error) => {
                let text = format!("look the name up: {error}");
                connecting.race.resolved(Err(io::Error::new(error.kind(), text)), now);
            }
        }
    }

    /// Hands out what the resolver has found.
    #[inline]
    pub(crate) fn take_answers(&mut self) {
        while let Some(Resolved { key, answer }) = self.resolver.answer() {
            let now = self.now;
            // Cancelled, or timed out, meanwhile.
            let Some(connecting) = self.sources.connecting_mut(key) else { continue };
            connecting.lookup = None;
            connecting.race.resolved(answer, now);
            self.connect_is_due(key);
        }
    }
}
