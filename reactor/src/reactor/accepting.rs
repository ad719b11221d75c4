//! Who comes to a listener, and what happens when there is no room.

use std::io;

use log::{debug, warn};

use super::Reactor;
use crate::connection::{Connection, Origin};
use crate::context::Context;
use crate::core::Due;
use crate::handler::Handler;
use crate::ids::{ConnId, ListenerId};
use crate::net::{Accepted, Address};
use crate::poller::{Blocked, Direction, Interest, Key, Poller};

impl<H: Handler, P: Poller> Reactor<H, P> {
    pub(super) fn accept(&mut self, key: Key) {
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
                    let origin = Origin::Listener(ListenerId(key));
                    let connection = Connection::new(socket, limits, origin);
                    if let Err(error) = self.open(key, connection, peer) {
                        return self.back_off(key, &error);
                    }
                }
                Accepted::Empty => {
                    self.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
                    return;
                }
                Accepted::Gone(error) => debug!("accept: {error}"),
                Accepted::Starved(error) | Accepted::Failed(error) => {
                    self.turn_away(key);
                    return self.back_off(key, &error);
                }
            }
        }
        if let Some(acceptor) = self.core.sources.acceptor_mut(key) {
            acceptor.batch_was_full();
        }
    }

    /// Takes a connection in and announces it. One that the poller has no room for is closed.
    fn open(&mut self, listener: Key, connection: Connection, peer: Address) -> io::Result<()> {
        match self.core.open(&mut self.poller, connection) {
            Ok(key) => {
                self.core.newcomer = Some((key, peer));
                self.core.begin_callback(key);
                let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
                self.handler.accepted(&mut ctx, ConnId(key), ListenerId(listener));
                self.core.newcomer = None;
                self.core.end_callback(&mut self.poller, key);
                Ok(())
            }
            Err(error) => {
                if let Some(acceptor) = self.core.sources.acceptor_mut(listener) {
                    acceptor.connections -= 1;
                }
                Err(error)
            }
        }
    }

    /// Has the connections that come now wait in the backlog.
    fn hold_back(&mut self, key: Key) {
        if let Err(error) = self.poller.modify(key, Interest::NONE) {
            warn!("{key:?}: {error}");
        }
    }

    /// There is no descriptor for another connection: one is closed at once, so that it needn't wait
    /// for nothing.
    fn turn_away(&mut self, key: Key) {
        let Some(acceptor) = self.core.sources.acceptor_mut(key) else { return };
        if let Err(error) = self.reserve.shed(acceptor.listener()) {
            debug!("turn a connection away: {error}");
        }
    }

    /// There is no room for another connection. The listener tries again when one closes, or when some
    /// time has gone by.
    fn back_off(&mut self, key: Key, error: &io::Error) {
        let Some(acceptor) = self.core.sources.acceptor_mut(key) else { return };
        let (wait, news) = acceptor.back_off(self.core.now);
        if news {
            let connections = acceptor.connections;
            warn!("accept: {error}; {connections} connections go on, new ones wait");
        }
        acceptor.timer = Some(self.core.timers.insert(wait, Due::Accept(key)));
        if !self.core.starved.contains(&key) {
            self.core.starved.push(key);
        }
        self.hold_back(key);
    }
}
