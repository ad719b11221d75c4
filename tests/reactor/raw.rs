//! Descriptors that the handler registers itself.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use reactor::{Interest, RawId};
use tests::Subject;
use tests::recorder::{Call, Seen};
use tests::server::Server;

/// A connection, a listener and a UDP socket have ids of their own kinds: so has a descriptor.
pub(super) fn a_descriptor_of_ones_own_is_told_of<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| {
        if let Call::Ready(raw, readiness) = call {
            assert!(readiness.is_readable());
            let mut buffer = [0; 16];
            rustix::io::read(ctx.raw(raw).unwrap(), &mut buffer).unwrap();
        }
    });
    let (receiver, sender) = tests::sockets::pipe();
    let raw = server.ctx().register(receiver, Interest::READABLE).unwrap();
    server.silent();
    rustix::io::write(&sender, b"x").unwrap();
    server.until_seen(&Seen::Ready(raw));
    server.silent();
    server.ctx().set_interest(raw, Interest::NONE).unwrap();
    rustix::io::write(&sender, b"x").unwrap();
    server.silent();
    let receiver = server.ctx().unregister(raw).unwrap();
    assert!(server.ctx().unregister(raw).is_none());
    assert!(server.ctx().set_interest(raw, Interest::READABLE).is_err());
    let again = server.ctx().register(receiver, Interest::READABLE).unwrap();
    assert_ne!(raw, again);
    server.until_seen(&Seen::Ready(again));
}

/// What two descriptors were reported for in one wait, the callback of the first may take back.
pub(super) fn an_interest_that_was_taken_away_is_silent_at_once<P: Subject>() {
    let all: Rc<RefCell<Vec<RawId>>> = Rc::default();
    let theirs = Rc::clone(&all);
    let interest = Rc::new(Cell::new(Interest::NONE));
    let new = Rc::clone(&interest);
    let mut server = Server::<P>::tcp(move |ctx, call| {
        if let Call::Ready(_, readiness) = call {
            assert!(readiness.is_readable());
            for raw in &*theirs.borrow() {
                ctx.set_interest(*raw, new.get()).unwrap();
            }
        }
    });
    let pipes: Vec<_> = (0..3).map(|_| tests::sockets::pipe()).collect();
    for (receiver, sender) in &pipes {
        rustix::io::write(sender, b"x").unwrap();
        let receiver = receiver.try_clone().unwrap();
        let raw = server.ctx().register(receiver, Interest::READABLE).unwrap();
        all.borrow_mut().push(raw);
    }
    // Another interest has its own readiness, which these have not.
    for taken in [Interest::NONE, Interest::PRIORITY] {
        interest.set(taken);
        server.turn();
        server.silent();
        assert_eq!(server.take_seen().len(), 1, "{taken:?}");
        for raw in &*all.borrow() {
            server.ctx().set_interest(*raw, Interest::READABLE).unwrap();
        }
    }
}
