//! What comes goes back: `nc 127.0.0.1 7007`.

use reactor::{ConnId, Context, Handler, Input, Reactor};

pub(crate) struct Echo;

impl Handler for Echo {
    type Message = ();

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        ctx.send(conn, input.take());
    }
}

fn main() -> std::io::Result<()> {
    let mut reactor = Reactor::new(Echo)?;
    reactor.listen("127.0.0.1:7007")?;
    reactor.run()
}
