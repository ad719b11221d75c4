//! Messages from other threads.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use reactor::{ConnId, Context, Handler, Input, Options, PostError, Reactor, Status};
use tests::Subject;
use tests::counted::Counted;
use tests::recorder::{Call, Seen, echo, sink};
use tests::rig::PATIENCE;
use tests::server::{Family, Server};

fn messages(seen: &[Seen]) -> Vec<u64> {
    let message = |seen: &Seen| match seen {
        Seen::Message(message) => Some(*message),
        _ => None,
    };
    seen.iter().filter_map(message).collect()
}

fn bounded(capacity: usize) -> Options {
    let mut options = Options::default();
    options.mailbox_capacity = Some(capacity);
    options
}

pub(super) fn a_post_ends_a_wait<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let mailbox = server.reactor.mailbox();
    let (ready, go) = mpsc::channel();
    let thread = thread::spawn(move || {
        go.recv().unwrap();
        mailbox.post(7).unwrap();
    });
    ready.send(()).unwrap();
    // Nothing else could end it.
    while server.seen().is_empty() {
        server.reactor.turn(None).unwrap();
    }
    assert_eq!(server.seen(), [Seen::Message(7)]);
    thread.join().unwrap();
}

pub(super) fn each_thread_s_messages_come_in_order<P: Subject>() {
    const THREADS: u64 = 4;
    const EACH: u64 = 3000;
    for options in [Options::default(), bounded(10)] {
        let mut server = Server::<P>::with_options(Family::Tcp, options, sink);
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let mailbox = server.reactor.mailbox();
                thread::spawn(move || {
                    for number in 0..EACH {
                        mailbox.post(thread * EACH + number).unwrap();
                    }
                })
            })
            .collect();
        let start = Instant::now();
        while server.seen().len() < (THREADS * EACH) as usize {
            server.reactor.turn(None).unwrap();
            assert!(start.elapsed() < PATIENCE);
        }
        for thread in threads {
            thread.join().unwrap();
        }
        let all = messages(server.seen());
        for thread in 0..THREADS {
            let own: Vec<_> = all.iter().filter(|message| **message / EACH == thread).collect();
            assert_eq!(own.len(), EACH as usize);
            assert!(own.is_sorted());
        }
    }
}

pub(super) fn many_posts_wake_once<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(sink);
    let mailbox = server.reactor.mailbox();
    for round in 0..3 {
        for message in 0..500 {
            mailbox.post(message).unwrap();
        }
        let before = server.reactor.poller().waits;
        server.reactor.turn(None).unwrap();
        assert_eq!(server.take_seen().len(), 500, "round {round}");
        // And no wake is left over.
        assert_eq!(server.empty_turns(tests::rig::SILENCE), 1);
        assert_eq!(server.reactor.poller().waits, before + 2);
    }
}

/// More messages than a turn takes: none is forgotten, and the sockets have their turns between.
pub(super) fn a_flood_of_messages_leaves_time_for_others<P: Subject>() {
    const FLOOD: u64 = 10_000;
    let mut server = Server::<P>::tcp(echo);
    let (mut peer, conn) = server.connect();
    let mailbox = server.reactor.mailbox();
    for message in 0..FLOOD {
        mailbox.post(message).unwrap();
    }
    peer.send(b"x");
    server.await_input(conn);
    server.turn();
    let mut got = Vec::new();
    peer.read_some(&mut got, 10);
    assert_eq!(got, b"x");
    assert!(messages(server.seen()).len() < FLOOD as usize);
    while messages(server.seen()).len() < FLOOD as usize {
        // It doesn't sleep while some are left.
        server.reactor.turn(None).unwrap();
    }
    assert!(messages(server.seen()).into_iter().eq(0..FLOOD));
}

pub(super) fn a_full_mailbox_pushes_back<P: Subject>() {
    let mut server = Server::<P>::with_options(Family::Tcp, bounded(3), |_, _| {});
    let mailbox = server.reactor.mailbox();
    for message in 0..3 {
        mailbox.try_post(message).unwrap();
    }
    assert_eq!(mailbox.try_post(3).unwrap_err(), PostError::Full(3));
    assert_eq!(mailbox.post(3).unwrap_err(), PostError::Full(3), "never a deadlock");
    let other = mailbox.clone();
    let thread = thread::spawn(move || other.post(4));
    server.until("all came", |server| server.seen().len() == 4);
    thread.join().unwrap().unwrap();
    assert_eq!(messages(server.seen()), [0, 1, 2, 4]);
}

/// A loop that was handed over, and has had no turn since.
pub(super) fn a_new_owner_doesn_t_wait_for_itself<P: Subject + Send + 'static>() {
    let reactor = Reactor::with_options(Idle, P::create().unwrap(), bounded(1)).unwrap();
    let elsewhere = thread::spawn(move || {
        let mut reactor = reactor;
        reactor.turn(Some(Duration::ZERO)).unwrap();
        reactor
    });
    let mut reactor = elsewhere.join().unwrap();
    let mailbox = reactor.mailbox();
    mailbox.post(1).unwrap();
    assert_eq!(mailbox.post(2), Err(PostError::Full(2)));
    // The same for whoever only asks it for something.
    let (posted, is_posted) = mpsc::channel();
    let thread = thread::spawn(move || {
        reactor.context().stop();
        posted.send(mailbox.post(3)).unwrap();
        reactor.turn(None).unwrap()
    });
    assert_eq!(is_posted.recv().unwrap(), Err(PostError::Full(3)));
    assert_eq!(thread.join().unwrap(), Status::Stopped);
}

struct Idle;

impl Handler for Idle {
    type Message = u64;

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
}

/// A handler that answers each message with two more isn't a deadlock either.
pub(super) fn a_callback_may_post<P: Subject>() {
    use std::cell::RefCell;
    use std::rc::Rc;
    let own = Rc::new(RefCell::new(None::<reactor::Mailbox<u64>>));
    let mailbox = Rc::clone(&own);
    let mut full = 0;
    let mut server = Server::<P>::with_options(Family::Tcp, bounded(5), move |_, call| {
        if let Call::Message(message) = call {
            for _ in 0..2 {
                if mailbox.borrow().as_ref().unwrap().post(message + 1).is_err() {
                    full += 1;
                    assert!(full < 1_000_000);
                }
            }
        }
    });
    *own.borrow_mut() = Some(server.reactor.mailbox());
    server.turn();
    server.reactor.mailbox().post(0).unwrap();
    server.until("many came", |server| server.seen().len() > 1000);
    own.borrow_mut().take();
}

pub(super) fn a_stop_drops_what_is_unread<P: Subject>() {
    let mut server = Server::<P>::with_options(Family::Tcp, bounded(2000), |ctx, call| {
        if let Call::Message(_) = call {
            ctx.stop();
        }
    });
    let mailbox = server.reactor.mailbox();
    for message in 0..2000 {
        mailbox.post(message).unwrap();
    }
    // One more, which waits for room that there won't be.
    let other = mailbox.clone();
    assert_eq!(server.turn(), Status::Stopped);
    let seen = server.seen().len();
    assert!((1..2000).contains(&seen), "{seen} came");
    assert_eq!(other.post(1).unwrap_err(), PostError::Closed(1));
    assert_eq!(mailbox.try_post(2).unwrap_err(), PostError::Closed(2));
    assert_eq!(server.reactor.mailbox().try_post(3).unwrap_err(), PostError::Closed(3));
}

/// A post that waits for room learns that there won't be any.
pub(super) fn a_stop_ends_a_post_that_waits<P: Subject>() {
    let mut server = Server::<P>::with_options(Family::Tcp, bounded(1), |_, _| {});
    server.turn();
    let mailbox = server.reactor.mailbox();
    mailbox.post(1).unwrap();
    let (waits, waiting) = mpsc::channel();
    let thread = thread::spawn(move || {
        waits.send(()).unwrap();
        // Some may find the room of those that the last turn takes; the one after them doesn't.
        (2..).map(|message| mailbox.post(message)).find(Result::is_err)
    });
    waiting.recv().unwrap();
    server.ctx().stop();
    server.turn();
    assert!(matches!(thread.join().unwrap(), Some(Err(PostError::Closed(_)))));
}

pub(super) fn a_mailbox_outlives_its_loop<P: Subject>() {
    let server = Server::<P>::tcp(sink);
    let mailbox = server.reactor.mailbox();
    drop(server);
    assert_eq!(mailbox.post(1).unwrap_err(), PostError::Closed(1));
}
