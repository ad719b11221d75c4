//! Datagrams.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::rc::Rc;

use reactor::{Failure, Ipv6, UdpId, UdpOptions};
use rustix::io::Errno;
use tests::Subject;
use tests::recorder::{Call, Seen, echo, sink};
use tests::rig::PATIENCE;
use tests::server::Server;

pub(super) fn peer() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A server that answers each datagram with itself, and its address.
pub(super) fn answering<P: Subject>(
    address: &str,
    options: &UdpOptions,
) -> (Server<P>, UdpId, u16) {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Datagram(socket, datagram) => {
            ctx.reply(socket, datagram, datagram.bytes()).unwrap();
        }
        other => echo(ctx, other),
    });
    let socket = server.ctx().bind_udp_with(address, options).unwrap();
    let port = server.ctx().udp_address(socket).unwrap().port();
    (server, socket, port)
}

pub(super) fn datagrams(seen: &[Seen]) -> usize {
    seen.iter().filter(|seen| matches!(seen, Seen::Datagram(..))).count()
}

fn ask<P: Subject>(server: &mut Server<P>, peer: &UdpSocket, to: SocketAddr, bytes: &[u8]) {
    let before = datagrams(server.seen());
    peer.send_to(bytes, to).unwrap();
    server.until("the datagram comes", |server| datagrams(server.seen()) > before);
    let mut buffer = [0; 70_000];
    let (count, from) = peer.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], bytes);
    assert_eq!(from, to);
}

pub(super) fn datagrams_come_and_are_answered<P: Subject>() {
    let (mut server, _, port) = answering::<P>("127.0.0.1:0", &UdpOptions::default());
    let peer = peer();
    let to = (Ipv4Addr::LOCALHOST, port).into();
    for bytes in [&b"hello"[..], b"", b"x", &[7; 60_000], b""] {
        ask(&mut server, &peer, to, bytes);
        let expected = Seen::Datagram(bytes.to_vec(), peer.local_addr().unwrap());
        assert_eq!(server.seen().last(), Some(&expected));
    }
}

/// On a machine with several addresses, as every one is: 127.0.0.0/8 are all its own.
#[cfg(target_os = "linux")]
pub(super) fn the_answer_comes_from_the_address_that_was_asked<P: Subject>() {
    let (mut server, _, port) = answering::<P>("0.0.0.0:0", &UdpOptions::default());
    let peer = peer();
    for last in [1, 2, 77] {
        ask(&mut server, &peer, (Ipv4Addr::new(127, 0, 0, last), port).into(), b"who?");
    }
}

pub(super) fn a_dual_stack_socket_answers_both<P: Subject>() {
    let both = UdpOptions::default().ipv6(Ipv6::DualStack);
    // A machine without IPv6 has no such address.
    let Ok(six) = UdpSocket::bind("[::1]:0") else { return };
    six.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut server, _, port) = answering::<P>("[::]:0", &both);
    ask(&mut server, &peer(), (Ipv4Addr::LOCALHOST, port).into(), b"four");
    ask(&mut server, &six, (IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16]), port).into(), b"six");
}

pub(super) fn a_flood_of_datagrams_leaves_time_for_others<P: Subject>() {
    const TURNS: usize = 4;
    let (mut server, _, port) = answering::<P>("127.0.0.1:0", &UdpOptions::default());
    let (mut client, conn) = server.connect();
    let peer = peer();
    for _ in 0..200 {
        peer.send_to(b"x", (Ipv4Addr::LOCALHOST, port)).unwrap();
    }
    client.send(b"hello");
    server.await_input(conn);
    for _ in 0..TURNS {
        server.turn();
    }
    let mut got = Vec::new();
    client.read_some(&mut got, 10);
    assert_eq!(got, b"hello");
    server.until("all come", |server| datagrams(server.seen()) == 200);
}

/// A port that nobody has any more.
pub(super) fn nobody() -> SocketAddr {
    peer().local_addr().unwrap()
}

/// What came of a system call has its number, whatever is said around it.
pub(super) fn an_error_has_its_number<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let number = |error: &io::Error| Failure::of(error).unwrap().cause().raw_os_error();
    let holder = peer();
    let taken = holder.local_addr().unwrap();
    let error = server.ctx().bind_udp(taken).unwrap_err();
    assert_eq!(number(&error), Some(Errno::ADDRINUSE.raw_os_error()));
    drop(holder);
    let socket = server.ctx().bind_udp(taken).unwrap();
    let broadcast = (Ipv4Addr::BROADCAST, 7).into();
    let error = server.ctx().connect_udp(socket, broadcast).unwrap_err();
    assert_eq!(number(&error), Some(Errno::ACCESS.raw_os_error()));
    let error = server.ctx().send_to(socket, &[0; 65_508], nobody()).unwrap_err();
    assert_eq!(number(&error), Some(Errno::MSGSIZE.raw_os_error()));
}

/// Also what others had sent before is not for it.
pub(super) fn a_connected_socket_hears_of_its_peer_alone<P: Subject>() {
    for address in ["127.0.0.1:0", "[::]:0"] {
        let mut server = Server::<P>::tcp(sink);
        let both = UdpOptions::default().ipv6(Ipv6::DualStack);
        // A machine without IPv6 has no such address.
        let Ok(socket) = server.ctx().bind_udp_with(address, &both) else { continue };
        let port = server.ctx().udp_address(socket).unwrap().port();
        let to = (Ipv4Addr::LOCALHOST, port);
        let (first, second) = (peer(), peer());
        for _ in 0..100 {
            second.send_to(b"stranger", to).unwrap();
        }
        first.send_to(b"before", to).unwrap();
        for (friend, other) in [(&first, &second), (&second, &first)] {
            let from = friend.local_addr().unwrap();
            server.ctx().connect_udp(socket, from).unwrap();
            other.send_to(b"late", to).unwrap();
            friend.send_to(b"friend", to).unwrap();
            server.until_seen(&Seen::Datagram(b"friend".to_vec(), from));
            // A stranger of the next round, who is still a friend.
            friend.send_to(b"too early", to).unwrap();
        }
        let heard = |bytes: &[u8], peer: &UdpSocket| {
            Seen::Datagram(bytes.to_vec(), peer.local_addr().unwrap())
        };
        let expected =
            [heard(b"before", &first), heard(b"friend", &first), heard(b"friend", &second)];
        assert_eq!(server.seen(), expected);
    }
}

pub(super) fn a_closed_socket_is_silent_and_its_id_refused<P: Subject>() {
    let closing = Rc::new(Cell::new(0));
    let count = Rc::clone(&closing);
    let mut server = Server::<P>::tcp(move |ctx, call| {
        if let Call::Datagram(socket, _) = call {
            count.set(count.get() + 1);
            ctx.close_udp(socket);
        }
    });
    let socket = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let address = server.ctx().udp_address(socket).unwrap();
    let peer = peer();
    for _ in 0..10 {
        peer.send_to(b"x", address).unwrap();
    }
    server.until("it is closed", |_| closing.get() > 0);
    server.silent();
    assert_eq!(closing.get(), 1);
    // Whoever has its place now isn't meant.
    let other = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    assert_ne!(other, socket);
    let to = peer.local_addr().unwrap();
    let error = server.ctx().send_to(socket, b"x", to).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    server.ctx().close_udp(socket);
    server.ctx().send_to(other, b"x", to).unwrap();
}
