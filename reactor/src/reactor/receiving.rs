//! What comes for UDP sockets: datagrams, a batch by a call, and what ICMP says of those that were sent.

use std::io;

use super::Reactor;
use crate::context::Context;
use crate::handler::Handler;
use crate::ids::UdpId;
use crate::net::{DatagramError, Segments, is_icmp, room};
use crate::poller::{Blocked, Direction, Key, Poller, Readiness};

/// Datagrams of one socket in a turn. The batch that reaches it is delivered to its end.
const DATAGRAM_BUDGET: usize = 64;
/// ICMP errors of one socket in a turn. They have a budget of their own, so that an error that is answered
/// by another datagram, which fails as well, leaves room for the datagrams that come.
const ERROR_BUDGET: usize = 32;

impl<H: Handler, P: Poller> Reactor<H, P> {
    /// Delivers what has come, until nothing is left or the budgets are spent.
    pub(super) fn receive(&mut self, key: Key, readiness: Readiness) {
        let (mut budget, mut errors) = (DATAGRAM_BUDGET, ERROR_BUDGET);
        // An error keeps the socket ready until it is taken. On an edge-triggered mechanism nothing
        // would tell of it again, if datagrams come with it and are read to their end.
        if readiness.is_error() {
            self.take_errors(key, &mut errors);
        }
        let mut asked = readiness.is_error();
        while budget > 0 {
            let Some(socket) = self.core.sources.udp(key) else { return };
            match socket.receive(self.datagrams.get_or_insert_with(room)) {
                Ok((count, emptied)) => {
                    budget = budget.saturating_sub(self.deliver_datagrams(key, count));
                    if emptied {
                        return self.was_emptied(key, errors);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Nothing is there, and yet it was ready: not every mechanism says that it was so
                    // for an error.
                    if !asked && self.take_errors(key, &mut errors) {
                        asked = true;
                        continue;
                    }
                    return self.was_emptied(key, errors);
                }
                Err(error) => {
                    let goes_on = is_icmp(&error);
                    // It is that of the queue, unless there was no room in the queue for it.
                    if !goes_on || !self.take_errors(key, &mut errors) {
                        self.tell_error(key, error);
                    }
                    budget -= 1;
                    if !goes_on {
                        return;
                    }
                }
            }
            asked = true;
        }
    }

    /// No datagram is left, nor an error that is to be told, unless the budget for those is spent.
    fn was_emptied(&mut self, key: Key, errors: usize) {
        if errors > 0 {
            self.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
        }
    }

    /// Delivers what the batch holds, and says how many datagrams that were.
    fn deliver_datagrams(&mut self, key: Key, count: usize) -> usize {
        let mut delivered = 0;
        for at in 0..count {
            let Some(batch) = &self.datagrams else { break };
            let Ok(arrival) = batch.arrival(at) else {
                delivered += 1;
                continue;
            };
            for datagram in Segments::new(batch.bytes(at), arrival) {
                delivered += 1;
                // The handler may have closed it meanwhile, or connected it to somebody else.
                let Some(socket) = self.core.sources.udp(key) else { return delivered };
                if socket.hears(datagram.peer()) {
                    let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
                    self.handler.datagram(&mut ctx, UdpId(key), &datagram);
                }
            }
        }
        delivered
    }

    /// Tells what waits in the socket's queue of errors, as far as the budget goes, and says whether
    /// anything does: of a budget that is spent, that more is to be told in another turn.
    fn take_errors(&mut self, key: Key, budget: &mut usize) -> bool {
        let before = *budget;
        while *budget > 0 {
            let Some(socket) = self.core.sources.udp(key) else { break };
            let Ok(Some(error)) = socket.take_error() else { break };
            *budget -= 1;
            let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
            self.handler.datagram_failed(&mut ctx, UdpId(key), error);
        }
        *budget == 0 || *budget < before
    }

    fn tell_error(&mut self, key: Key, error: io::Error) {
        let Some(socket) = self.core.sources.udp(key) else { return };
        let error = DatagramError::new(socket.peer(), error);
        let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
        self.handler.datagram_failed(&mut ctx, UdpId(key), error);
    }
}
