//! The library, on its default mechanism: timers don't depend on that.

use std::hint::black_box;
use std::io;
use std::time::Duration;

use reactor::{ConnId, Context, Handler, Input, TimerId};

use super::Timers;

pub(super) struct Reactor(reactor::Reactor<Counter>);

/// Counts the timers that were due.
#[derive(Default)]
pub(super) struct Counter(usize);

impl Handler for Counter {
    type Message = ();

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}

    fn timer(&mut self, _: &mut Context<'_>, _: TimerId, _: u64) {
        self.0 += 1;
    }
}

impl Timers for Reactor {
    const NAME: &'static str = "reactor";
    type Timer = TimerId;

    fn new() -> io::Result<Self> {
        reactor::Reactor::new(Counter::default()).map(Self)
    }

    fn insert(&mut self, after: &[Duration], timers: &mut Vec<TimerId>) -> io::Result<()> {
        let mut ctx = self.0.context();
        for after in after {
            timers.push(ctx.after(*after, 0));
        }
        Ok(())
    }

    fn rearm(&mut self, timers: &mut [TimerId], after: &[Duration]) -> io::Result<()> {
        let mut ctx = self.0.context();
        for (timer, after) in timers.iter().zip(after) {
            black_box(ctx.rearm(*timer, *after));
        }
        Ok(())
    }

    fn cancel(&mut self, timers: Vec<TimerId>) -> io::Result<()> {
        let mut ctx = self.0.context();
        for timer in timers {
            black_box(ctx.cancel(timer));
        }
        Ok(())
    }

    fn turn(&mut self) -> io::Result<usize> {
        self.0.turn(Some(Duration::ZERO))?;
        Ok(self.0.handler().0)
    }
}
