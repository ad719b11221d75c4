//! What comes of connects.

use log::debug;

use super::Reactor;
use crate::context::Context;
use crate::core::Outcome;
use crate::handler::Handler;
use crate::ids::ConnId;
use crate::poller::{Key, Poller};

impl<H: Handler, P: Poller> Reactor<H, P> {
    /// An attempt's socket is reported.
    #[cold]
    pub(super) fn end_attempt(&mut self, attempt: Key) {
        match self.core.end_attempt(&mut self.poller, attempt) {
            Some((key, Some(outcome))) => self.tell_outcome(key, outcome),
            Some((key, None)) => self.go_on_connecting(key),
            None => {}
        }
    }

    /// Does what a connect can do now, and tells the handler if that was the end of it.
    pub(super) fn go_on_connecting(&mut self, key: Key) {
        if let Some(outcome) = self.core.go_on_connecting(&mut self.poller, key) {
            self.tell_outcome(key, outcome);
        }
    }

    fn tell_outcome(&mut self, key: Key, outcome: Outcome) {
        match outcome {
            Ok(()) => {
                self.core.begin_callback(key);
                let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
                self.handler.connected(&mut ctx, ConnId(key));
                self.core.end_callback(&mut self.poller, key);
            }
            Err(error) => {
                debug!("{error}");
                let mut ctx = Context { core: &mut self.core, poller: &mut self.poller };
                self.handler.connect_failed(&mut ctx, ConnId(key), error);
            }
        }
    }
}
