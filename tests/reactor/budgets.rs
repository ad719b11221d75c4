//! No part of a turn goes on without end.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::thread;

use reactor::{ConnId, Context, Handler, Input, Options, Reactor, Sent};
use tests::Subject;
use tests::recorder::Call;
use tests::server::Server;

/// `send` must say `AboveHighWater` after a while, also to a peer that reads as fast as we write: or
/// else the callback never returns, and nobody else is served.
pub(super) fn a_callback_ends_also_with_a_fast_peer<P: Subject>() {
    sends_come_to_an_end::<P, 8192>();
}

/// What is gathered goes out in between, and counts, too.
pub(super) fn a_callback_of_small_sends_ends_also_with_a_fast_peer<P: Subject>() {
    sends_come_to_an_end::<P, 100>();
}

fn sends_come_to_an_end<P: Subject, const CHUNK: usize>() {
    const MOST: usize = 64 * 1024 * 1024;
    let sent = Rc::new(Cell::new(0));
    let ours = Rc::clone(&sent);
    let mut server = Server::<P>::tcp(move |ctx, call| {
        if let Call::Data(conn, input) = call {
            input.take();
            let mut chunk = [0; CHUNK];
            while ours.get() < MOST && ctx.send(conn, &chunk) == Sent::Queued {
                ours.set(ours.get() + chunk.len());
                // What it sends has to be made first, as from a file, and that takes longer than to
                // read it.
                for round in 0..4_u8 {
                    chunk
                        .iter_mut()
                        .for_each(|byte| *byte = byte.wrapping_mul(31).wrapping_add(round));
                }
            }
            ctx.abort(conn);
        }
    });
    let listener = server.listener;
    let address = server.ctx().listener_address(listener).unwrap().as_ip().unwrap();
    let reader = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"go").unwrap();
        let mut buffer = vec![0; 1 << 20];
        while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
    });
    server.until("it has ended", |server| {
        server.accepted().len() == 1 && server.ctx().connections() == 0
    });
    reader.join().unwrap();
    let mib = sent.get() / (1024 * 1024);
    assert!(sent.get() < MOST, "one callback sent {mib} MiB, and was never told to stop");
}

const FRAME: usize = 16;
const FRAMES: usize = 60_000;

/// Takes one small frame a call, and asks for the rest. (The recorder would copy all that it is shown.)
struct Bites(Rc<Cell<usize>>);

impl Handler for Bites {
    type Message = ();

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        input.take_first(FRAME);
        self.0.set(self.0.get() + 1);
        if !input.is_empty() {
            ctx.resume(conn);
        }
    }
}

/// What is delivered again at the end of a stream is bounded in a turn, too.
pub(super) fn small_bites_leave_room_for_others<P: Subject>() {
    let calls = Rc::new(Cell::new(0));
    let poller = P::create().unwrap();
    let mut reactor =
        Reactor::with_options(Bites(Rc::clone(&calls)), poller, Options::default()).unwrap();
    let listener = reactor.listen("127.0.0.1:0").unwrap();
    let address = reactor.context().listener_address(listener).unwrap().as_ip().unwrap();
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&[7; FRAMES * FRAME]).unwrap();
    });
    let mut most = 0;
    while calls.get() < FRAMES {
        let before = calls.get();
        reactor.turn(None).unwrap();
        most = most.max(calls.get() - before);
    }
    client.join().unwrap();
    assert!(most <= 100, "one turn had {most} calls of `data`");
}
