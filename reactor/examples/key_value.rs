//! A store of keys and values, asked by lines, each found by a codec:
//! `printf 'set color blue\nget color\n' | nc -q1 127.0.0.1 7007`.
//!
//! Commands are `set KEY VALUE`, `get KEY` and `del KEY`. The answer is `ok`, `value VALUE`, `none` or `error REASON`.

use std::collections::HashMap;
use std::io;

use reactor::codec::Lines;
use reactor::{CloseReason, ConnId, ConnMap, Context, Handler, Input, ListenerId, Reactor};

/// The longest line, in bytes.
const LINE_MAX: usize = 1024 * 1024;

#[derive(Default)]
struct Store {
    values: HashMap<Vec<u8>, Vec<u8>>,
    codecs: ConnMap<Lines>,
}

/// The answer to one line, without its end.
fn answer(values: &mut HashMap<Vec<u8>, Vec<u8>>, line: &[u8]) -> Vec<u8> {
    let mut words = line.splitn(3, |byte| *byte == b' ');
    match (words.next(), words.next(), words.next()) {
        (Some(b"set"), Some(key), Some(value)) => {
            values.insert(key.to_vec(), value.to_vec());
            b"ok".to_vec()
        }
        (Some(b"get"), Some(key), None) => match values.get(key) {
            Some(value) => [b"value ", value.as_slice()].concat(),
            None => b"none".to_vec(),
        },
        (Some(b"del"), Some(key), None) => match values.remove(key) {
            Some(_) => b"ok".to_vec(),
            None => b"none".to_vec(),
        },
        _ => b"error expected: set KEY VALUE, get KEY, or del KEY".to_vec(),
    }
}

impl Handler for Store {
    type Message = ();

    fn accepted(&mut self, _: &mut Context<'_>, conn: ConnId, _: ListenerId) {
        self.codecs.insert(conn, Lines::new(LINE_MAX));
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        let codec = &mut self.codecs[conn];
        loop {
            match codec.next(input) {
                Ok(Some(line)) => {
                    let mut answer = answer(&mut self.values, line);
                    answer.push(b'\n');
                    ctx.send(conn, &answer);
                }
                // What has come of a line stays where it is, and comes again with what follows.
                Ok(None) => return ctx.set_read_low(conn, codec.needs()),
                Err(error) => {
                    ctx.send(conn, format!("error {error}\n").as_bytes());
                    return ctx.close(conn);
                }
            }
        }
    }

    fn closed(&mut self, _: &mut Context<'_>, conn: ConnId, _: CloseReason) {
        self.codecs.remove(conn);
    }
}

fn main() -> io::Result<()> {
    let mut reactor = Reactor::new(Store::default())?;
    reactor.listen("127.0.0.1:7007")?;
    reactor.run()
}
