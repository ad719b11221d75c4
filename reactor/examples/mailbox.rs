//! Work on another thread, its results in the loop.

use std::thread;

use reactor::{ConnId, Context, Handler, Input, Reactor};

struct Results;

impl Handler for Results {
    type Message = Option<u64>;

    fn message(&mut self, ctx: &mut Context<'_>, message: Option<u64>) {
        match message {
            Some(result) => println!("a result: {result}"),
            None => ctx.stop(),
        }
    }

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
}

fn main() -> std::io::Result<()> {
    let mut reactor = Reactor::new(Results)?;
    let mailbox = reactor.mailbox();
    let worker = thread::spawn(move || {
        for n in 1..=5 {
            mailbox.post(Some((1..=n).product()))?;
        }
        mailbox.post(None)
    });
    reactor.run()?;
    worker.join().expect("the worker doesn't panic").map_err(std::io::Error::other)
}
