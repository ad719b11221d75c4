//! A periodic timer that doesn't drift, and one that ends the loop.

use std::time::{Duration, Instant};

use reactor::{ConnId, Context, Handler, Input, Reactor, TimerId};

const TICK: u64 = 0;
const END: u64 = 1;
const PERIOD: Duration = Duration::from_millis(200);

struct Clock {
    start: Instant,
}

impl Handler for Clock {
    type Message = ();

    fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, token: u64) {
        match token {
            TICK => {
                println!("tick at {:?}", ctx.now() - self.start);
                ctx.repeat(timer, PERIOD);
            }
            _ => ctx.stop(),
        }
    }

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
}

fn main() -> std::io::Result<()> {
    let mut reactor = Reactor::new(Clock { start: Instant::now() })?;
    reactor.context().after(PERIOD, TICK);
    reactor.context().after(Duration::from_secs(1), END);
    reactor.run()
}
