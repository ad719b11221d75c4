//! What is chosen for sockets, as a user sees it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use reactor::options::{
    SO_RCVBUF, SO_RCVLOWAT, SO_REUSEADDR, TCP_DEFER_ACCEPT, TCP_KEEPIDLE, TCP_NODELAY, TCP_QUICKACK,
};
use reactor::{Address, Failure, ListenOptions, SocketOptions, UdpOptions, control};
use tests::Subject;
use tests::counted::Counted;
use tests::peer::Peer;
use tests::recorder::{Seen, echo, sink};
use tests::rig::SILENCE;
use tests::server::{Family, Server};

/// A buffer of this size, as it is asked for and as Linux has it.
const BUFFER: [usize; 2] = [20_000, 40_000];

fn chosen() -> ListenOptions {
    let socket = SocketOptions::default()
        .receive_buffer(BUFFER[0])
        .keepalive_idle(Duration::from_secs(33))
        .quick_ack(false);
    ListenOptions::default().socket(socket)
}

pub(super) fn what_a_listener_has_its_connections_have<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let listener = server.ctx().listen_with("127.0.0.1:0", &chosen()).unwrap();
    let _peer = server.client_of(listener);
    let conn = server.next_accepted();
    let ctx = server.ctx();
    let (listening, connected) =
        (ctx.listener_socket(listener).unwrap(), ctx.socket(conn).unwrap());
    for socket in [&listening, &connected] {
        assert_eq!(SO_RCVBUF.get(socket).unwrap(), BUFFER[1]);
        assert_eq!(TCP_KEEPIDLE.get(socket).unwrap(), Duration::from_secs(33));
        assert!(TCP_NODELAY.get(socket).unwrap());
        assert!(SO_REUSEADDR.get(&listening).unwrap());
    }
    assert!(!TCP_QUICKACK.get(&connected).unwrap());
    // And it can be changed at any time.
    TCP_NODELAY.set(&connected, false).unwrap();
    assert!(!TCP_NODELAY.get(&connected).unwrap());
}

/// Unix sockets inherit nothing, and have no options of TCP.
pub(super) fn what_a_unix_listener_has_its_connections_have<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let path = server.directory().join("chosen");
    let listener = server.ctx().listen_unix(&path, &chosen()).unwrap();
    let _peer = Peer::unix(&path);
    let conn = server.next_accepted();
    let ctx = server.ctx();
    assert_eq!(SO_RCVBUF.get(&ctx.listener_socket(listener).unwrap()).unwrap(), BUFFER[1]);
    assert_eq!(SO_RCVBUF.get(&ctx.socket(conn).unwrap()).unwrap(), BUFFER[1]);
}

pub(super) fn udp_sockets_are_made_with_options<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let socket = SocketOptions::default().receive_buffer(BUFFER[0]).nodelay(true);
    let options = UdpOptions::default().socket(socket);
    let udp = server.ctx().bind_udp_with("127.0.0.1:0", &options).unwrap();
    let ctx = server.ctx();
    assert_eq!(SO_RCVBUF.get(&ctx.udp_socket(udp).unwrap()).unwrap(), BUFFER[1]);
}

pub(super) fn a_refusal_names_the_option_and_the_value<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let wrong = ListenOptions::default().socket(SocketOptions::default().keepalive_count(1000));
    let error = server.ctx().listen_with("127.0.0.1:0", &wrong).unwrap_err();
    let begins = "listen on 127.0.0.1:0: set TCP_KEEPCNT to 1000: ";
    assert!(error.to_string().starts_with(begins), "{error}");
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let wrong = UdpOptions::default().socket(SocketOptions::default().send_low(1000));
    let error = server.ctx().bind_udp_with("127.0.0.1:0", &wrong).unwrap_err();
    let begins = "bind UDP socket to 127.0.0.1:0: set SO_SNDLOWAT to 1000: ";
    assert!(error.to_string().starts_with(begins), "{error}");
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
}

/// In the same words for all, and with the number inside.
pub(super) fn what_is_in_use_is_said_alike<P: Subject>() {
    let mut server = Server::<P>::new(Family::Unix, sink);
    let path = server.directory().join("socket");
    let options = ListenOptions::default();
    let mut ctx = server.ctx();
    let tcp = ctx.listen("127.0.0.1:0").unwrap();
    let tcp = ctx.listener_address(tcp).unwrap().as_ip().unwrap();
    let udp = ctx.bind_udp("127.0.0.1:0").unwrap();
    let udp = ctx.udp_address(udp).unwrap();
    for (error, begins) in [
        (ctx.listen(tcp).unwrap_err(), format!("listen on {tcp}: ")),
        (ctx.bind_udp(udp).unwrap_err(), format!("bind UDP socket to {udp}: ")),
        (ctx.listen_unix(&path, &options).unwrap_err(), format!("listen on {}: ", path.display())),
    ] {
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        let text = error.to_string();
        assert!(text.starts_with(&begins), "{text}");
        assert!(text.ends_with("; another socket has that address"), "{text}");
        assert!(Failure::of(&error).unwrap().cause().raw_os_error().is_some(), "{text}");
    }
}

/// Each of thirty clients comes to one of the two by chance.
pub(super) fn two_listeners_share_a_port<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let options = ListenOptions::default().reuse_port(true);
    let first = server.ctx().listen_with("127.0.0.1:0", &options).unwrap();
    let address = server.ctx().listener_address(first).unwrap().as_ip().unwrap();
    let second = server.ctx().listen_with(address, &options).unwrap();
    let _peers: Vec<_> = (0..30).map(|_| Peer::tcp(address)).collect();
    server.until("all are accepted", |server| server.accepted().len() == 30);
    let mut came = [0, 0];
    for conn in server.accepted() {
        let listener = server.ctx().listener_of(conn).unwrap();
        came[usize::from(listener == second)] += 1;
    }
    assert!(came[0] > 0 && came[1] > 0, "{came:?}");
}

pub(super) fn a_client_that_says_nothing_isn_t_announced<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let socket = SocketOptions::default().defer_accept(Duration::from_secs(60));
    let options = ListenOptions::default().socket(socket);
    let listener = server.ctx().listen_with("127.0.0.1:0", &options).unwrap();
    {
        let ctx = server.ctx();
        let time = TCP_DEFER_ACCEPT.get(&ctx.listener_socket(listener).unwrap()).unwrap();
        assert!(time >= Duration::from_secs(60), "{time:?}");
    }
    let mut peer = server.client_of(listener);
    server.silent();
    assert_eq!(server.accepted().len(), 0);
    peer.send(b"hello");
    assert_eq!(server.receive(&mut peer, 5), b"hello");
}

/// The kernel's mark is a hint that saves wake-ups; the handler's own is exact.
pub(super) fn a_mark_of_the_kernel_s_saves_waking_up<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(echo);
    let (mut peer, conn) = server.connect();
    {
        let ctx = server.ctx();
        SO_RCVLOWAT.set(&ctx.socket(conn).unwrap(), 100).unwrap();
    }
    peer.send(&[7; 99]);
    assert_eq!(server.empty_turns(SILENCE), 1);
    assert_eq!(control::readable_bytes(&server.ctx().socket(conn).unwrap()).unwrap(), 99);
    peer.send(&[7]);
    server.until_seen(&Seen::Data(conn, vec![7; 100]));
}

pub(super) fn every_socket_knows_its_names<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listener = server.listener;
    let (peer, conn) = server.connect();
    let udp = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let to = other.local_addr().unwrap();
    let error = server.ctx().udp_peer(udp).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotConnected);
    server.ctx().connect_udp(udp, to).unwrap();
    let ctx = server.ctx();
    assert_eq!(ctx.udp_peer(udp).unwrap(), to);
    let address = |address: SocketAddr| Address::Ip(address);
    let sockets = (
        ctx.listener_socket(listener).unwrap(),
        ctx.socket(conn).unwrap(),
        ctx.udp_socket(udp).unwrap(),
    );
    assert_eq!(Address::of(&sockets.0).unwrap(), ctx.listener_address(listener).unwrap());
    assert_eq!(Address::of(&sockets.1).unwrap(), ctx.local_address(conn).unwrap());
    assert_eq!(Address::peer_of(&sockets.1).unwrap(), address(peer.address()));
    assert_eq!(Address::of(&sockets.2).unwrap(), address(ctx.udp_address(udp).unwrap()));
    assert_eq!(Address::peer_of(&sockets.2).unwrap(), address(to));
    // A descriptor of the user's own, too.
    assert_eq!(Address::of(&other).unwrap(), address(to));
    let error = Address::of(&tests::sockets::pipe().0).unwrap_err();
    assert!(error.raw_os_error().is_some(), "{error}");
}

pub(super) fn an_old_id_has_no_socket<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (_peer, conn) = server.connect();
    let udp = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let listener = server.listener;
    server.ctx().abort(conn);
    server.until_closed(conn);
    let mut ctx = server.ctx();
    ctx.close_udp(udp);
    ctx.close_listener(listener);
    assert!(ctx.socket(conn).is_none());
    assert!(ctx.udp_socket(udp).is_none());
    assert!(ctx.listener_socket(listener).is_none());
    assert_eq!(ctx.udp_peer(udp).unwrap_err().kind(), io::ErrorKind::NotFound);
}
