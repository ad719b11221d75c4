//! UDP sockets with a peer of their own, and without one again.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reactor::{Interface, Ipv6, UdpOptions};
use rustix::io::Errno;
use tests::Subject;
use tests::recorder::{Call, Seen, sink};
use tests::server::Server;

use crate::udp::peer;

/// Linux forgets a port that it has chosen itself, and keeps one that was asked for.
pub(super) fn without_its_peer_a_socket_hears_all_where_it_was<P: Subject>() {
    for address in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
        let mut server = Server::<P>::tcp(sink);
        let both = UdpOptions::default().ipv6(Ipv6::DualStack);
        // A machine without IPv6 has no such address.
        let Ok(mut socket) = server.ctx().bind_udp_with(address, &both) else { continue };
        let bound = server.ctx().udp_address(socket).unwrap();
        for again in [false, true] {
            if again {
                // The same address, but asked for.
                server.ctx().close_udp(socket);
                socket = server.ctx().bind_udp_with(bound, &both).unwrap();
            }
            let to = SocketAddr::from((Ipv4Addr::LOCALHOST, bound.port()));
            let (first, second) = (peer(), peer());
            for _ in 0..2 {
                server.ctx().connect_udp(socket, first.local_addr().unwrap()).unwrap();
                assert_eq!(server.ctx().udp_peer(socket).unwrap(), first.local_addr().unwrap());
                second.send_to(b"stranger", to).unwrap();
                server.ctx().disconnect_udp(socket).unwrap();
                server.ctx().disconnect_udp(socket).unwrap();
                assert_eq!(server.ctx().udp_address(socket).unwrap(), bound);
                let error = server.ctx().udp_peer(socket).unwrap_err();
                assert_eq!(error.raw_os_error(), Some(Errno::NOTCONN.raw_os_error()));
                let error = server.ctx().send_connected(socket, b"whom?").unwrap_err();
                assert_eq!(error.raw_os_error(), Some(Errno::DESTADDRREQ.raw_os_error()));
                for peer in [&second, &first] {
                    let heard = Seen::Datagram(b"me".to_vec(), peer.local_addr().unwrap());
                    peer.send_to(b"me", to).unwrap();
                    server.until_seen(&heard);
                    server.ctx().send_to(socket, b"you", peer.local_addr().unwrap()).unwrap();
                    assert_eq!(peer.recv(&mut [0; 8]).unwrap(), 3);
                }
                assert_eq!(server.take_seen().len(), 2, "{address}");
            }
        }
    }
}

/// An address of this machine to which the way is another one than to the loopback address.
fn elsewhere() -> Option<Ipv4Addr> {
    let all = Interface::all().ok()?;
    all.into_iter().flat_map(|one| one.addresses).find_map(|address| match address {
        IpAddr::V4(ip) if !ip.is_loopback() => Some(ip),
        _ => None,
    })
}

/// The source address of the way to the first peer is none for the second one.
pub(super) fn a_new_peer_is_reached_by_its_own_way<P: Subject>() {
    let Some(ip) = elsewhere() else {
        eprintln!("a_new_peer_is_reached_by_its_own_way: not run, there is but one interface");
        return;
    };
    let mut server = Server::<P>::tcp(sink);
    let socket = server.ctx().bind_udp("0.0.0.0:0").unwrap();
    let port = server.ctx().udp_address(socket).unwrap().port();
    let near = peer();
    let far = std::net::UdpSocket::bind((ip, 0)).unwrap();
    far.set_read_timeout(Some(tests::rig::PATIENCE)).unwrap();
    for peer in [&near, &far, &near, &far] {
        let address = peer.local_addr().unwrap();
        server.ctx().connect_udp(socket, address).unwrap();
        server.ctx().send_connected(socket, b"you").unwrap();
        let (_, from) = peer.recv_from(&mut [0; 8]).unwrap();
        assert_eq!(from, SocketAddr::new(address.ip(), port));
        peer.send_to(b"me", from).unwrap();
        server.until_seen(&Seen::Datagram(b"me".to_vec(), address));
        server.take_seen();
    }
}

/// After a failure it isn't half connected.
pub(super) fn a_failed_connect_leaves_no_peer<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let socket = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let (first, second) = (peer(), peer());
    server.ctx().connect_udp(socket, first.local_addr().unwrap()).unwrap();
    server.ctx().connect_udp(socket, (Ipv4Addr::BROADCAST, 7).into()).unwrap_err();
    let address = server.ctx().udp_address(socket).unwrap();
    assert!(server.ctx().udp_peer(socket).is_err());
    second.send_to(b"me", address).unwrap();
    server.until_seen(&Seen::Datagram(b"me".to_vec(), second.local_addr().unwrap()));
}

/// One call takes several datagrams from the kernel: what the handler does at the first holds for the
/// second.
pub(super) fn a_peer_chosen_in_a_callback_is_heard_alone_at_once<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| {
        if let Call::Datagram(socket, datagram) = call {
            ctx.connect_udp(socket, datagram.peer()).unwrap();
        }
    });
    let socket = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let address = server.ctx().udp_address(socket).unwrap();
    let (first, second) = (peer(), peer());
    for _ in 0..10 {
        first.send_to(b"me", address).unwrap();
        second.send_to(b"me, too", address).unwrap();
    }
    let heard = Seen::Datagram(b"me".to_vec(), first.local_addr().unwrap());
    server.until("all of the first come", |server| server.seen().len() >= 10);
    server.silent();
    assert_eq!(server.seen(), vec![heard; 10]);
}
