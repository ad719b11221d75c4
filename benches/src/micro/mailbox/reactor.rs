//! The library, on each of its mechanisms.

use std::hint::black_box;
use std::io;

use reactor::{ConnId, Context, Handler, Input, Mailbox};

use super::Inbox;
use crate::micro::mechanisms::Mechanism;

pub(super) struct Reactor<P: Mechanism>(reactor::Reactor<Counter, P>);

/// Counts messages.
#[derive(Default)]
struct Counter(u64);

impl Handler for Counter {
    type Message = u64;

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}

    fn message(&mut self, _: &mut Context<'_>, message: u64) {
        black_box(message);
        self.0 += 1;
    }
}

impl<P: Mechanism> Inbox for Reactor<P> {
    const NAME: &'static str = P::NAME;
    type Sender = Mailbox<u64>;

    fn new() -> io::Result<Self> {
        reactor::Reactor::with_poller(Counter::default(), P::new()?).map(Self)
    }

    fn sender(&self) -> Mailbox<u64> {
        self.0.mailbox()
    }

    fn post(sender: &Mailbox<u64>, message: u64) -> io::Result<()> {
        sender.post(message).map_err(|error| io::Error::other(error.to_string()))
    }

    fn receive(&mut self, count: u64) -> io::Result<()> {
        let all = self.0.handler().0 + count;
        while self.0.handler().0 < all {
            self.0.turn(None)?;
        }
        Ok(())
    }
}
