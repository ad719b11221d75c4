//! What a peer has said arrives, however the writing side ends.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use reactor::{ConnId, Limits, Sent};
use rustix::event::PollFlags;
use rustix::net::{Shutdown, shutdown};
use tests::Subject;
use tests::peer::Peer;
use tests::recorder::{Call, End, Seen, sink};
use tests::server::{Family, Server};
use tests::sockets::await_bits;

/// A server that takes one byte of each delivery, and pauses at once.
fn a_byte_at_a_time<P: Subject>(family: Family) -> Server<P> {
    Server::<P>::new(family, |ctx, call| {
        if let Call::Data(conn, input) = call {
            input.take_first(1);
            ctx.pause(conn);
        }
    })
}

/// The end of "abc" is read, of which "bc" waits for the handler to resume.
fn paused_at_the_end<P: Subject>(family: Family) -> (Server<P>, Peer, ConnId) {
    let mut server = a_byte_at_a_time::<P>(family);
    let (mut peer, conn) = server.connect();
    peer.send(b"abcd");
    server.until_seen(&Seen::Data(conn, b"abcd".to_vec()));
    peer.finish();
    await_bits(&server.ctx().socket(conn).unwrap(), PollFlags::RDHUP);
    server.ctx().resume(conn);
    server.until_seen(&Seen::Data(conn, b"bcd".to_vec()));
    // Its handler has paused again: once more, so that the end is read and not told.
    server.ctx().resume(conn);
    server.until_seen(&Seen::Data(conn, b"cd".to_vec()));
    server.silent();
    (server, peer, conn)
}

/// `finish` ends our side; what the peer has said is still the handler's.
pub(super) fn finish_drops_nothing_that_waits<P: Subject>() {
    for family in Family::ALL {
        let (mut server, _peer, conn) = paused_at_the_end::<P>(family);
        server.ctx().finish(conn);
        server.turn();
        server.ctx().resume(conn);
        server.turn();
        assert!(
            server.seen().contains(&Seen::Data(conn, b"d".to_vec())),
            "{family:?}: the last byte was dropped: {:?}",
            server.seen()
        );
    }
}

/// A failed write ends the writing side alone.
pub(super) fn a_failed_write_drops_nothing_that_waits<P: Subject>() {
    for family in Family::ALL {
        let (mut server, peer, conn) = paused_at_the_end::<P>(family);
        drop(peer);
        let mut refused = false;
        server.until("a write fails", |server| {
            refused |= server.ctx().send(conn, b"answer") == Sent::Refused;
            refused
        });
        // Once for the last byte, at which the handler pauses, and once for the end.
        server.ctx().resume(conn);
        server.until_seen(&Seen::Data(conn, b"d".to_vec()));
        server.ctx().resume(conn);
        let end = server.until_closed(conn);
        assert!(matches!(end, End::Error(ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)));
        assert!(
            server.seen().contains(&Seen::Data(conn, b"d".to_vec())),
            "{family:?}: the last byte was dropped: {:?}",
            server.seen()
        );
    }
}

/// shutdown(2) says ENOTCONN then, and the peer's last words are still in the socket.
pub(super) fn come_after_finish<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (mut peer, conn) = server.connect();
    server.ctx().pause(conn);
    server.turn();
    peer.send(b"last words");
    server.await_input(conn);
    peer.reset();
    await_bits(&server.ctx().socket(conn).unwrap(), PollFlags::HUP);
    server.ctx().finish(conn);
    server.turn();
    server.ctx().resume(conn);
    assert_eq!(server.until_closed(conn), End::Error(ErrorKind::ConnectionReset));
    assert_eq!(server.bytes_of(conn), b"last words");
}

/// The same with nobody pausing: what comes between the wait and the callback of another source.
pub(super) fn come_after_finish_in_a_timer<P: Subject>() {
    let peer = Rc::new(RefCell::new(None::<Peer>));
    let theirs = Rc::clone(&peer);
    let mut conn_of = None;
    let mut server = Server::<P>::tcp(move |ctx, call| {
        if let Call::Accepted(conn, _) = call {
            conn_of = Some(conn);
        }
        if let Call::Timer(..) = &call {
            let conn = conn_of.unwrap();
            let mut peer = theirs.borrow_mut().take().unwrap();
            peer.send(b"last words");
            await_bits(&ctx.socket(conn).unwrap(), PollFlags::IN);
            peer.reset();
            await_bits(&ctx.socket(conn).unwrap(), PollFlags::HUP);
            ctx.finish(conn);
        }
        sink(ctx, call);
    });
    let (client, conn) = server.connect();
    *peer.borrow_mut() = Some(client);
    server.ctx().after(Duration::from_millis(1), 0);
    assert_eq!(server.until_closed(conn), End::Error(ErrorKind::ConnectionReset));
    assert_eq!(server.bytes_of(conn), b"last words");
}

/// `pause`: "Stops delivering, and reading". A handler that pauses has reasons that no failed write
/// knows of, such as another connection that can take no more.
pub(super) fn nothing_comes_in_a_pause<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (mut peer, conn) = server.connect();
        server.ctx().pause(conn);
        server.turn();
        peer.send(b"for later");
        server.await_input(conn);
        drop(peer);
        await_bits(&server.ctx().socket(conn).unwrap(), PollFlags::IN | PollFlags::RDHUP);
        let mut refused = false;
        server.until("a write fails", |server| {
            refused |= server.ctx().send(conn, b"more") == Sent::Refused;
            refused
        });
        server.turn();
        assert!(
            !server.seen().contains(&Seen::Data(conn, b"for later".to_vec())),
            "{family:?}: delivered in a pause"
        );
        server.ctx().resume(conn);
        server.until_closed(conn);
        assert_eq!(server.bytes_of(conn), b"for later");
    }
}

/// A new idle timeout must not take it away: a Unix peer that has shut its reading down may keep its
/// writing side open for ever.
pub(super) fn new_limits_keep_the_deadline<P: Subject>() {
    let limit = |limits: &mut Limits| limits.drain_timeout = Duration::from_millis(30);
    let mut server = Server::<P>::with(Family::Unix, limit, sink);
    let (peer, conn) = server.connect();
    shutdown(&peer, Shutdown::Read).unwrap();
    let mut refused = false;
    server.until("a write fails", |server| {
        refused |= server.ctx().send(conn, b"x") == Sent::Refused;
        refused
    });
    let mut limits = server.ctx().limits(conn).unwrap().clone();
    limits.idle_timeout = Some(Duration::from_secs(3600));
    server.ctx().set_limits(conn, limits);
    assert_eq!(server.until_closed(conn), End::Error(ErrorKind::BrokenPipe));
}
