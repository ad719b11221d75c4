//! Whatever a handler does with what comes: it is shown all of it, in order, and nothing in a pause.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reactor::{ConnId, Context, Input};
use tests::Subject;
use tests::recorder::Call;
use tests::server::{Family, Server};

/// What a handler does, in its `data` or outside of it.
#[derive(Clone, Debug)]
enum Act {
    /// Takes so many bytes: in `data` alone.
    Take(usize),
    /// Takes all: in `data` alone.
    TakeAll,
    Pause,
    PauseResume,
    Resume,
    /// Resumes after a millisecond: in `data` alone.
    ResumeLater,
    /// Sets the marks for reading, low and high.
    Marks(usize, usize),
    /// Sets the low one alone.
    Low(usize),
    Send(usize),
}

/// One step of a conversation.
#[derive(Clone, Debug)]
enum Step {
    /// The peer says so many bytes, or as many of them as there is room for.
    Say(usize),
    /// The loop turns.
    Turn,
    /// The peer reads at most so many.
    Read(usize),
    /// The handler acts, outside of its callbacks.
    Outside(Act),
}

/// The most bytes in one step.
const MOST: usize = 300_000;
/// The most steps.
const STEPS: usize = 40;

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 1..100_usize, 2 => 4000..5000_usize, 2 => 1..MOST]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        size().prop_map(Act::Take),
        Just(Act::TakeAll),
        Just(Act::Pause),
        Just(Act::PauseResume),
        Just(Act::Resume),
        Just(Act::ResumeLater),
        (size(), size()).prop_map(|(low, high)| Act::Marks(low, high)),
        size().prop_map(Act::Low),
        size().prop_map(Act::Send),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => size().prop_map(Step::Say),
        3 => Just(Step::Turn),
        1 => size().prop_map(Step::Read),
        2 => act().prop_map(Step::Outside),
    ]
}

/// All that a peer may ever say: bytes that repeat only after 64,507 of them.
static WORDS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let words: Vec<u8> = (0..251 * 257_u32).map(|at| (at % 251 + at / 251) as u8).collect();
    words.repeat(MOST * STEPS / words.len() + 1)
});

/// What a handler does in one conversation, and what it must be shown.
#[derive(Default)]
struct Reader {
    /// What it does in each call of `data`, by turns.
    acts: Vec<Vec<Act>>,
    calls: usize,
    conn: Option<ConnId>,
    /// Bytes that it took, and those that it saw.
    taken: usize,
    shown: usize,
    low: usize,
    paused: bool,
    /// How much the peer has said, once it has finished.
    total: Option<usize>,
    finished: bool,
}

impl Reader {
    fn call(&mut self, ctx: &mut Context<'_>, call: Call<'_, '_>) {
        match call {
            Call::Accepted(conn, _) => self.conn = Some(conn),
            Call::Data(conn, input) => self.data(ctx, conn, input),
            Call::PeerFinished(conn) => {
                assert!(!self.paused, "the end came in a pause");
                assert_eq!(Some(self.shown), self.total, "not all was shown");
                self.finished = true;
                ctx.close(conn);
            }
            // That of an earlier conversation resumes this one, which it may be.
            Call::Timer(..) => self.act(ctx, &Act::Resume),
            _ => {}
        }
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        assert!(!self.paused && !self.finished, "bytes came in a pause, or after the end");
        let (count, low) = (input.len(), self.low);
        assert!(count >= low || self.total.is_some(), "{count} bytes are below the mark of {low}");
        assert!(
            WORDS[self.taken..][..count] == **input,
            "other bytes than those after {}",
            self.taken
        );
        assert!(self.taken + count >= self.shown, "bytes that were shown are gone");
        self.shown = self.taken + count;
        let call = self.calls;
        self.calls += 1;
        if self.acts.is_empty() {
            return;
        }
        for act in self.acts[call % self.acts.len()].clone() {
            match act {
                Act::Take(count) => self.taken += input.take_first(count).len(),
                Act::TakeAll => self.taken += input.take().len(),
                Act::ResumeLater => drop(ctx.after(Duration::from_millis(1), 0)),
                act => self.act(ctx, &act),
            }
        }
        assert_eq!(self.conn, Some(conn));
    }

    fn act(&mut self, ctx: &mut Context<'_>, act: &Act) {
        let Some(conn) = self.conn else { return };
        match act {
            Act::Pause => {
                self.paused = true;
                ctx.pause(conn);
            }
            Act::PauseResume => {
                ctx.pause(conn);
                self.paused = false;
                ctx.resume(conn);
            }
            Act::Resume => {
                self.paused = false;
                ctx.resume(conn);
            }
            Act::Marks(low, high) => {
                let Some(mut limits) = ctx.limits(conn).cloned() else { return };
                (limits.read_low, limits.read_high) = (*low, *high);
                self.low = *low;
                ctx.set_limits(conn, limits);
            }
            Act::Low(low) => {
                self.low = *low;
                ctx.set_read_low(conn, *low);
            }
            Act::Send(count) => drop(ctx.send(conn, &vec![1; *count])),
            Act::Take(_) | Act::TakeAll | Act::ResumeLater => {}
        }
    }
}

/// A server for one conversation after the other.
struct Rig<P: Subject> {
    server: Server<P>,
    reader: Rc<RefCell<Reader>>,
}

impl<P: Subject> Rig<P> {
    fn new(family: Family) -> Self {
        let reader: Rc<RefCell<Reader>> = Rc::default();
        let theirs = Rc::clone(&reader);
        let script = move |ctx: &mut Context<'_>, call: Call<'_, '_>| {
            theirs.borrow_mut().call(ctx, call);
        };
        Self {
            server: Server::with(family, |limits| limits.write_cap = usize::MAX, script),
            reader,
        }
    }

    fn converse(&mut self, acts: Vec<Vec<Act>>, steps: &[Step]) {
        let Self { server, reader } = self;
        *reader.borrow_mut() = Reader { acts, low: 1, ..Reader::default() };
        server.take_seen();
        let (mut peer, _) = server.connect();
        let (mut said, mut got) = (0, Vec::new());
        for step in steps {
            match step {
                Step::Say(count) => said += peer.send_some(&WORDS[said..][..*count]),
                Step::Turn => drop(server.reactor.turn(Some(Duration::ZERO)).unwrap()),
                Step::Read(count) => drop(peer.read_some(&mut got, *count)),
                Step::Outside(act) => reader.borrow_mut().act(&mut server.ctx(), act),
            }
        }
        peer.finish();
        // To its end it comes if the handler takes what there is, and doesn't pause for ever.
        reader.borrow_mut().total = Some(said);
        reader.borrow_mut().acts = vec![vec![Act::TakeAll]];
        reader.borrow_mut().act(&mut server.ctx(), &Act::Resume);
        server.until("all was shown, and the end told", |server| {
            peer.read_some(&mut got, MOST);
            reader.borrow().finished && server.ctx().connections() == 0
        });
    }
}

pub(super) fn is_shown_all_in_order<P: Subject>() {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 300,
        // The cases share nothing that a file could help to find again.
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    // One that has failed is left out: a panic in a callback ends its loop.
    let rigs: [Cell<Option<Rig<P>>>; Family::ALL.len()] = Default::default();
    let acts = prop::collection::vec(prop::collection::vec(act(), 0..4), 0..8);
    let steps = prop::collection::vec(step(), 1..STEPS);
    let outcome = runner.run(&(0..rigs.len(), acts, steps), |(family, acts, steps)| {
        let mut rig = rigs[family].take().unwrap_or_else(|| Rig::new(Family::ALL[family]));
        rig.converse(acts, &steps);
        rigs[family].set(Some(rig));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
