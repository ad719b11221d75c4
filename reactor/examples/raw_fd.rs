//! A descriptor of one's own in the loop: the output of another program.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use reactor::{ConnId, Context, Handler, Input, Interest, RawId, Reactor, Readiness};

struct Copy {
    output: File,
}

impl Handler for Copy {
    type Message = ();

    fn ready(&mut self, ctx: &mut Context<'_>, raw: RawId, _: Readiness) {
        let mut buffer = [0; 4096];
        match self.output.read(&mut buffer) {
            Ok(count) if count > 0 => drop(io::stdout().write_all(&buffer[..count])),
            // The program has closed its output, or reading failed: that is the end.
            _ => {
                ctx.unregister(raw);
                ctx.stop();
            }
        }
    }

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
}

fn main() -> io::Result<()> {
    let mut child = Command::new("date").stdout(Stdio::piped()).spawn()?;
    let Some(output) = child.stdout.take() else { return Ok(()) };
    let output = OwnedFd::from(output);
    let mut reactor = Reactor::new(Copy { output: output.try_clone()?.into() })?;
    reactor.context().register(output, Interest::READABLE)?;
    reactor.run()?;
    child.wait().map(drop)
}
