//! A chat: each line goes to everybody else. `nc 127.0.0.1 7007`, several times.

use reactor::{
    Bytes, CloseReason, ConnId, ConnMap, Context, Handler, Input, ListenerId, Reactor, Sent,
};

/// The longest line, in bytes.
const LINE_MAX: usize = 4096;

#[derive(Default)]
struct Chat {
    names: ConnMap<String>,
    guests: u32,
}

impl Chat {
    /// One copy of the line, however many there are to hear it.
    fn say(&self, ctx: &mut Context<'_>, from: ConnId, line: &str) {
        let line = Bytes::from(format!("{}: {line}\n", self.names[from]));
        for member in self.names.keys().filter(|member| *member != from) {
            if ctx.send_shared(member, line.clone()) == Sent::AboveHighWater {
                // Too slow to follow: one member mustn't cost the others memory.
                ctx.abort(member);
            }
        }
    }
}

impl Handler for Chat {
    type Message = ();

    fn accepted(&mut self, ctx: &mut Context<'_>, conn: ConnId, _: ListenerId) {
        self.guests += 1;
        self.names.insert(conn, format!("guest {}", self.guests));
        self.say(ctx, conn, "has come");
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        // A line that isn't whole yet stays where it is.
        while let Some(end) = input.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(input.take_first(end + 1)).into_owned();
            self.say(ctx, conn, line.trim_end());
        }
        if input.len() > LINE_MAX {
            ctx.close(conn);
        }
    }

    fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        self.say(ctx, conn, &format!("has left ({reason})"));
        self.names.remove(conn);
    }
}

fn main() -> std::io::Result<()> {
    let mut reactor = Reactor::new(Chat::default())?;
    reactor.listen("127.0.0.1:7007")?;
    reactor.run()
}
