//! What ICMP says of datagrams that were sent.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use reactor::{Failure, Ipv6, UdpOptions};
use rustix::io::Errno;
use tests::Subject;
use tests::counted::Counted;
use tests::recorder::{Call, Seen, sink};
use tests::rig::SILENCE;
use tests::server::Server;

use crate::udp::{datagrams, peer};

/// An address that nobody has, as long as it lasts.
struct Nobody {
    address: SocketAddr,
    /// Whoever looks for a free port elsewhere doesn't get this one.
    _guard: UdpSocket,
}

fn nobody() -> Nobody {
    let guard = peer();
    let port = guard.local_addr().unwrap().port();
    Nobody { address: (Ipv4Addr::new(127, 0, 0, 99), port).into(), _guard: guard }
}

fn refused(by: SocketAddr) -> Seen {
    Seen::DatagramFailed(ErrorKind::ConnectionRefused, Some(by))
}

pub(super) fn an_error_comes_once<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(sink);
    let socket = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let nobody = nobody();
    server.ctx().connect_udp(socket, nobody.address).unwrap();
    for _ in 0..3 {
        server.ctx().send_connected(socket, b"anybody?").unwrap();
        server.until_seen(&refused(nobody.address));
        assert_eq!(server.empty_turns(SILENCE), 1, "and nothing spins");
        assert_eq!(server.take_seen().len(), 1);
    }
    // The socket goes on.
    let peer = peer();
    server.ctx().connect_udp(socket, peer.local_addr().unwrap()).unwrap();
    let address = server.ctx().udp_address(socket).unwrap();
    peer.send_to(b"me", address).unwrap();
    server.until_seen(&Seen::Datagram(b"me".to_vec(), peer.local_addr().unwrap()));
}

/// Of sockets that aren't connected Linux alone tells it.
#[cfg(target_os = "linux")]
pub(super) fn each_error_names_its_peer<P: Subject>() {
    for (address, ipv6) in [("127.0.0.1:0", Ipv6::Only), ("[::]:0", Ipv6::DualStack)] {
        let mut server = Server::<Counted<P>>::tcp(sink);
        let options = UdpOptions::default().ipv6(ipv6);
        // A machine without IPv6 has no such address.
        let Ok(socket) = server.ctx().bind_udp_with(address, &options) else { continue };
        let nobodies = [nobody(), nobody(), nobody()];
        for nobody in &nobodies {
            server.ctx().send_to(socket, b"anybody?", nobody.address).unwrap();
        }
        server.until("all are told", |server| server.seen().len() == nobodies.len());
        let expected: Vec<_> = nobodies.iter().map(|nobody| refused(nobody.address)).collect();
        assert_eq!(server.seen(), expected);
        assert_eq!(server.empty_turns(SILENCE), 1, "and nothing spins");
    }
}

/// The kernel tells an error to whatever call comes first, also if it is about another peer.
#[cfg(target_os = "linux")]
pub(super) fn one_peer_s_error_keeps_nothing_from_another<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(sink);
    let socket = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let (nobody, peer) = (nobody(), peer());
    let to = peer.local_addr().unwrap();
    for _ in 0..5 {
        // Over the loopback interface the error is there when the call returns.
        server.ctx().send_to(socket, b"anybody?", nobody.address).unwrap();
        server.ctx().send_to(socket, b"you", to).unwrap();
        assert_eq!(peer.recv(&mut [0; 8]).unwrap(), 3);
    }
    server.until("all are told", |server| server.seen().len() == 5);
    assert!(server.seen().iter().all(|seen| *seen == refused(nobody.address)));
    assert_eq!(server.empty_turns(SILENCE), 1);
}

/// More of both than one turn takes. They share the receive buffer.
#[cfg(target_os = "linux")]
pub(super) fn errors_and_datagrams_come_side_by_side<P: Subject>() {
    const MANY: usize = 100;
    let mut server = Server::<Counted<P>>::tcp(sink);
    let options = UdpOptions::default().receive_buffer(1 << 20);
    let socket = server.ctx().bind_udp_with("127.0.0.1:0", &options).unwrap();
    let address = server.ctx().udp_address(socket).unwrap();
    let (nobody, peer) = (nobody(), peer());
    for _ in 0..MANY {
        server.ctx().send_to(socket, b"anybody?", nobody.address).unwrap();
        peer.send_to(b"me", address).unwrap();
    }
    server.until("all datagrams come", |server| datagrams(server.seen()) == MANY);
    server.until("all errors come", |server| server.seen().len() == 2 * MANY);
    assert_eq!(server.empty_turns(SILENCE), 1);
}

pub(super) fn who_wants_no_errors_hears_none<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(sink);
    let options = UdpOptions::default().icmp_errors(false);
    let socket = server.ctx().bind_udp_with("127.0.0.1:0", &options).unwrap();
    let nobody = nobody();
    server.ctx().send_to(socket, b"anybody?", nobody.address).unwrap();
    assert_eq!(server.empty_turns(SILENCE), 1);
    // But of its own peer.
    server.ctx().connect_udp(socket, nobody.address).unwrap();
    server.ctx().send_connected(socket, b"anybody?").unwrap();
    server.until_seen(&refused(nobody.address));
    assert_eq!(server.empty_turns(SILENCE), 1);
}

/// The kernel puts what it answers to the sending call into its queue of errors, too.
pub(super) fn an_error_of_the_call_comes_from_the_call_alone<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let socket = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let peer = peer();
    let to = peer.local_addr().unwrap();
    for _ in 0..3 {
        let error = server.ctx().send_to(socket, &[0; 65_508], to).unwrap_err();
        let error = Failure::of(&error).unwrap().cause().raw_os_error();
        assert_eq!(error, Some(Errno::MSGSIZE.raw_os_error()));
    }
    server.silent();
    let error: io::Error = server.ctx().send_connected(socket, b"x").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(Errno::DESTADDRREQ.raw_os_error()));
}

/// The callback of an error may close the socket that has more.
pub(super) fn a_socket_may_be_closed_in_its_error<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| {
        if let tests::recorder::Call::DatagramFailed(socket, _) = call {
            ctx.close_udp(socket);
        }
    });
    let socket = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let nobody = nobody();
    server.ctx().connect_udp(socket, nobody.address).unwrap();
    for _ in 0..3 {
        // Without a queue of errors the second is told of the first one's.
        let _ = server.ctx().send_connected(socket, b"anybody?");
    }
    server.until_seen(&refused(nobody.address));
    server.silent();
    assert_eq!(server.seen().len(), 1);
}

/// Each error is answered by a datagram that causes the next one: over the loopback interface it is there
/// when the call returns.
#[cfg(target_os = "linux")]
pub(super) fn errors_leave_room_for_datagrams<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| {
        if let Call::DatagramFailed(socket, error) = call {
            let _ = ctx.send_to(socket, b"anybody?", error.peer().unwrap());
        }
    });
    let socket = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let address = server.ctx().udp_address(socket).unwrap();
    let (nobody, peer) = (nobody(), peer());
    server.ctx().send_to(socket, b"anybody?", nobody.address).unwrap();
    server.until("an error comes", |server| !server.seen().is_empty());
    peer.send_to(b"me", address).unwrap();
    for _ in 0..50 {
        server.turn();
    }
    assert_eq!(datagrams(server.seen()), 1);
}
