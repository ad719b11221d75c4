//! Ends by the loop, and what the system still holds for the peer.

use std::time::Duration;

use reactor::{ConnId, Limits, Status};
use tests::Subject;
use tests::peer::Tail;
use tests::recorder::{End, sink};
use tests::server::{Family, Server};

/// Enough to outgrow the peer's receive buffer, and little enough for our own send buffer.
fn fill<P: Subject>(server: &mut Server<P>, conn: ConnId) -> Vec<u8> {
    let bytes: Vec<u8> = (0..600_000_u32).map(|at| (at / 7) as u8).collect();
    {
        let ctx = server.ctx();
        let socket = ctx.socket(conn).unwrap();
        socket2::SockRef::from(&socket).set_send_buffer_size(4_000_000).unwrap();
    }
    server.ctx().send(conn, &bytes);
    server.until("the kernel has it all", |server| server.ctx().queued(conn) == 0);
    bytes
}

/// "What the system holds it goes on to deliver": not if there is input that nobody read, for then
/// close(2) resets, and `unsent: 0` is not what the peer sees.
pub(super) fn a_stop_loses_nothing_that_the_kernel_has<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (mut peer, conn) = server.connect();
    let sent = fill(&mut server, conn);
    server.ctx().pause(conn);
    server.turn();
    peer.send(b"one more question");
    server.await_input(conn);
    server.ctx().stop();
    assert_eq!(server.until_closed(conn), End::Stopped { unsent: 0 });
    let (got, tail) = server.receive_all(&mut peer);
    assert_eq!((got.len(), tail), (sent.len(), Tail::End));
}

pub(super) fn an_idle_end_loses_nothing_that_the_kernel_has<P: Subject>() {
    let limit = |limits: &mut Limits| limits.idle_timeout = Some(Duration::from_millis(200));
    let mut server = Server::<P>::with(Family::Tcp, limit, sink);
    let (mut peer, conn) = server.connect();
    let sent = fill(&mut server, conn);
    server.ctx().pause(conn);
    server.turn();
    peer.send(b"one more question");
    server.await_input(conn);
    assert_eq!(server.until_closed(conn), End::Idle);
    let (got, tail) = server.receive_all(&mut peer);
    assert_eq!((got.len(), tail), (sent.len(), Tail::End));
}

/// The control: with nothing unread, all arrives.
pub(super) fn a_stop_with_nothing_unread_loses_nothing<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (mut peer, conn) = server.connect();
    let sent = fill(&mut server, conn);
    server.ctx().stop();
    assert_eq!(server.until_closed(conn), End::Stopped { unsent: 0 });
    let (got, tail) = server.receive_all(&mut peer);
    assert_eq!((got.len(), tail), (sent.len(), Tail::End));
}

/// "Stops the loop at the end of the turn": whatever else is asked for in that turn.
pub(super) fn a_shut_down_doesn_t_undo_a_stop<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (_peer, _conn) = server.connect();
    let mut ctx = server.ctx();
    ctx.stop();
    ctx.shut_down(Duration::from_secs(3600));
    assert_eq!(server.turn(), Status::Stopped);
}
