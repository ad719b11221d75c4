//! Whatever is sent, in whatever way: the peer gets exactly that, in order.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reactor::{ConnId, Context, Limits, Sent};
use tests::Subject;
use tests::peer::Tail;
use tests::recorder::{Call, sink};
use tests::server::{Family, Server};

/// One step of a conversation.
#[derive(Clone, Debug)]
enum Step {
    /// The connection sends so many bytes, from outside of its own callbacks.
    Send(usize),
    /// The same without copying.
    SendShared(usize),
    /// It sends so many in a callback of its own.
    SendInData(usize),
    /// The same without copying.
    SendSharedInData(usize),
    /// The peer reads at most so many.
    Read(usize),
    /// The loop turns.
    Turn,
    /// Reading is paused.
    Pause,
    /// And goes on.
    Resume,
    /// The peer says something, and is answered with as much.
    Say(usize),
}

/// How it ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Close,
    Finish,
    PeerFinishes,
}

/// Mostly small ones, and some that no buffer takes at once.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0..100_usize, 2 => 4000..5000_usize, 2 => 0..200_000_usize]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        size().prop_map(Step::Send),
        size().prop_map(Step::SendShared),
        size().prop_map(Step::SendInData),
        size().prop_map(Step::SendSharedInData),
        size().prop_map(Step::Read),
        Just(Step::Turn),
        Just(Step::Pause),
        Just(Step::Resume),
        (1..3000_usize).prop_map(Step::Say),
    ]
}

/// All that was sent, and the bytes for what is sent next.
#[derive(Default)]
struct Sender {
    sent: Vec<u8>,
    /// The connection sends no more: what its callbacks still try is refused.
    ended: bool,
}

impl Sender {
    /// Bytes that are the next ones of a sequence that doesn't repeat soon.
    fn send(&mut self, ctx: &mut Context<'_>, conn: ConnId, count: usize, shared: bool) {
        let at = self.sent.len();
        let bytes: Vec<u8> = (at..at + count).map(|at| (at * 31 + at / 251) as u8).collect();
        let answer = match shared {
            true => ctx.send_shared(conn, bytes.clone().into()),
            false => ctx.send(conn, &bytes),
        };
        assert_eq!(answer == Sent::Refused, self.ended);
        if !self.ended {
            self.sent.extend_from_slice(&bytes);
        }
    }
}

/// Does the steps, and checks what the peer got.
fn converse<P: Subject>(family: Family, steps: &[Step], ending: Ending) {
    let sender = Rc::new(RefCell::new(Sender::default()));
    let in_data = Rc::new(Cell::new(None));
    let (sends, wish) = (Rc::clone(&sender), Rc::clone(&in_data));
    let limit = |limits: &mut Limits| (limits.write_low, limits.write_high) = (1000, 10_000);
    let mut server = Server::<P>::with(family, limit, move |ctx, call| match call {
        Call::Data(conn, input) => {
            let count = input.take().len();
            let mut sender = sends.borrow_mut();
            sender.send(ctx, conn, count, false);
            if let Some((count, shared)) = wish.take() {
                sender.send(ctx, conn, count, shared);
            }
        }
        other => sink(ctx, other),
    });
    let (mut peer, conn) = server.connect();
    let mut got = Vec::new();
    for step in steps {
        match *step {
            Step::Send(count) => sender.borrow_mut().send(&mut server.ctx(), conn, count, false),
            Step::SendShared(count) => {
                sender.borrow_mut().send(&mut server.ctx(), conn, count, true);
            }
            Step::SendInData(count) => {
                in_data.set(Some((count, false)));
                peer.send_some(b"x");
            }
            Step::SendSharedInData(count) => {
                in_data.set(Some((count, true)));
                peer.send_some(b"x");
            }
            Step::Read(count) => drop(peer.read_some(&mut got, count.max(1))),
            Step::Turn => drop(server.turn()),
            Step::Pause => server.ctx().pause(conn),
            Step::Resume => server.ctx().resume(conn),
            Step::Say(count) => drop(peer.send_some(&vec![b'y'; count])),
        }
    }
    sender.borrow_mut().ended = !matches!(ending, Ending::PeerFinishes);
    match ending {
        Ending::Close => server.ctx().close(conn),
        Ending::Finish => server.ctx().finish(conn),
        Ending::PeerFinishes => {
            server.ctx().resume(conn);
            peer.finish();
        }
    }
    let (rest, tail) = server.receive_all(&mut peer);
    got.extend_from_slice(&rest);
    assert_eq!(tail, Tail::End);
    assert_eq!(got.len(), sender.borrow().sent.len());
    assert!(got == sender.borrow().sent, "{} bytes, others than were sent", got.len());
    drop(peer);
    server.ctx().resume(conn);
    server.until_closed(conn);
}

pub(super) fn what_is_sent_is_what_comes<P: Subject>() {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 24,
        // The cases share nothing that a file could help to find again.
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let family = prop_oneof![Just(Family::Tcp), Just(Family::Unix)];
    let ending = prop_oneof![Just(Ending::Close), Just(Ending::Finish), Just(Ending::PeerFinishes)];
    let steps = prop::collection::vec(step(), 1..30);
    let outcome = runner.run(&(family, steps, ending), |(family, steps, ending)| {
        converse::<P>(family, &steps, ending);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
