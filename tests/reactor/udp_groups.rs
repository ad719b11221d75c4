//! Datagrams to many, and a port that is shared with TCP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reactor::options::{IP_MULTICAST_IF, IPV6_MULTICAST_IF, Membership};
use reactor::{Interface, UdpOptions};
use rustix::io::Errno;
use tests::Subject;
use tests::recorder::{Call, Seen, echo, sink};
use tests::server::Server;

use crate::udp::{datagrams, peer};

/// Two sockets of one port, and a third that sends to the group at this interface.
fn is_heard<P: Subject>(group: IpAddr, any: IpAddr, interface: u32) {
    let membership = Membership::of(group).on(interface);
    let mut server = Server::<P>::tcp(sink);
    let options = UdpOptions::default().reuse_address(true);
    // A machine without IPv6 has no such address.
    let Ok(first) = server.ctx().bind_udp_with((any, 0), &options) else { return };
    let to = SocketAddr::new(group, server.ctx().udp_address(first).unwrap().port());
    let second = server.ctx().bind_udp_with((any, to.port()), &options).unwrap();
    let mouth = server.ctx().bind_udp((any, 0)).unwrap();
    {
        let ctx = server.ctx();
        let socket = ctx.udp_socket(mouth).unwrap();
        match any {
            IpAddr::V4(_) => IP_MULTICAST_IF.set(&socket, Ipv4Addr::LOCALHOST).unwrap(),
            IpAddr::V6(_) => IPV6_MULTICAST_IF.set(&socket, interface).unwrap(),
        }
    }
    for _ in 0..2 {
        server.ctx().send_to(mouth, b"nobody", to).unwrap();
        server.silent();
        for socket in [first, second] {
            membership.join(&server.ctx().udp_socket(socket).unwrap()).unwrap();
        }
        server.ctx().send_to(mouth, b"both", to).unwrap();
        server.until("both hear it", |server| datagrams(server.seen()) == 2);
        for socket in [first, second] {
            membership.leave(&server.ctx().udp_socket(socket).unwrap()).unwrap();
        }
        server.take_seen();
    }
}

pub(super) fn a_group_is_heard_by_those_who_join<P: Subject>() {
    let loopback = Interface::all().unwrap().into_iter().find(|one| one.is_loopback);
    let group = Ipv4Addr::new(239, 7, 7, 8).into();
    is_heard::<P>(group, Ipv4Addr::UNSPECIFIED.into(), loopback.unwrap().index);
}

/// Linux has no route for groups of IPv6 at the loopback interface: a copy of what goes out elsewhere
/// comes back.
pub(super) fn a_group_of_ipv6_is_heard_by_those_who_join<P: Subject>() {
    let takes_groups = |one: &Interface| {
        one.is_up && one.is_multicast && one.addresses.iter().any(IpAddr::is_ipv6)
    };
    let Some(interface) = Interface::all().unwrap().into_iter().find(takes_groups) else {
        eprintln!("a_group_of_ipv6_…: not run, no interface here takes groups of IPv6");
        return;
    };
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x7778);
    is_heard::<P>(group.into(), Ipv6Addr::UNSPECIFIED.into(), interface.index);
}

/// The broadcast address of the loopback interface, which Linux has.
#[cfg(target_os = "linux")]
pub(super) fn a_broadcast_reaches_who_listens<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| {
        if let Call::Datagram(socket, datagram) = call {
            if datagram.bytes() == b"who is there?" {
                assert_eq!(datagram.local(), Some(Ipv4Addr::new(127, 255, 255, 255).into()));
                ctx.reply(socket, datagram, b"me").unwrap();
            }
        }
    });
    let ear = server.ctx().bind_udp("0.0.0.0:0").unwrap();
    let port = server.ctx().udp_address(ear).unwrap().port();
    let to = (Ipv4Addr::new(127, 255, 255, 255), port).into();
    let mute = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let error = server.ctx().send_to(mute, b"may I?", to).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(Errno::ACCESS.raw_os_error()));
    let options = UdpOptions::default().broadcast(true);
    let mouth = server.ctx().bind_udp_with("127.0.0.1:0", &options).unwrap();
    server.ctx().send_to(mouth, b"who is there?", to).unwrap();
    let answerer = (Ipv4Addr::LOCALHOST, port).into();
    server.until_seen(&Seen::Datagram(b"me".to_vec(), answerer));
}

pub(super) fn one_port_serves_tcp_and_udp<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::Datagram(socket, datagram) => {
            ctx.reply(socket, datagram, datagram.bytes()).unwrap();
        }
        other => echo(ctx, other),
    });
    // UDP first: its free port may be taken for TCP, whose sockets are more.
    let mut found = None;
    server.until("a port is free for both", |server| {
        let mut ctx = server.ctx();
        let socket = ctx.bind_udp("127.0.0.1:0").unwrap();
        let address = ctx.udp_address(socket).unwrap();
        found = ctx.listen(address).ok().map(|listener| (socket, listener, address));
        found.is_some()
    });
    let (socket, listener, address) = found.unwrap();
    let mut client = server.client_of(listener);
    client.send(b"stream");
    assert_eq!(server.receive(&mut client, 6), b"stream");
    let peer = peer();
    peer.send_to(b"datagram", address).unwrap();
    server.until("the datagram comes", |server| datagrams(server.seen()) > 0);
    let mut buffer = [0; 16];
    assert_eq!(peer.recv_from(&mut buffer).unwrap(), (8, address));
    // Each is closed alone.
    server.ctx().close_listener(listener);
    peer.send_to(b"datagram", address).unwrap();
    server.until("the datagram comes", |server| datagrams(server.seen()) > 1);
    server.ctx().close_udp(socket);
    client.send(b"goes on");
    assert_eq!(server.receive(&mut client, 7), b"goes on");
}
