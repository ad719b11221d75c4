//! Who listens where, and whom it accepts.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};

use reactor::{Address, Ipv6, Limits, ListenOptions, ListenerId};
use tests::Subject;
use tests::counted::Counted;
use tests::peer::{Peer, Tail};
use tests::recorder::{Call, Seen, echo, sink};
use tests::rig::SILENCE;
use tests::server::{Family, Server};

fn port<P: Subject>(server: &mut Server<P>, listener: ListenerId) -> u16 {
    server.ctx().listener_address(listener).unwrap().as_ip().unwrap().port()
}

fn says_and_hears<P: Subject>(server: &mut Server<P>, peer: &mut Peer) {
    peer.send(b"hello");
    assert_eq!(server.receive(peer, 5), b"hello");
}

pub(super) fn tcp_over_ipv6<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    // A machine without IPv6 can't.
    let Ok(listener) = server.ctx().listen("[::1]:0") else { return };
    let mut peer = server.client_of(listener);
    let conn = server.next_accepted();
    assert_eq!(server.ctx().peer_address(conn).unwrap(), Address::Ip(peer.address()));
    says_and_hears(&mut server, &mut peer);
}

pub(super) fn an_ipv6_listener_leaves_ipv4_alone<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let Ok(listener) = server.ctx().listen("[::]:0") else { return };
    let port = port(&mut server, listener);
    // Somebody else may have the port, there.
    let Ok(other) = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) else { return };
    other.set_nonblocking(true).unwrap();
    let _peer = Peer::tcp((Ipv4Addr::LOCALHOST, port).into());
    other.accept().unwrap();
    server.silent();
}

pub(super) fn a_dual_stack_listener_serves_both<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let options = ListenOptions::default().ipv6(Ipv6::DualStack);
    let Ok(listener) = server.ctx().listen_with("[::]:0", &options) else { return };
    let port = port(&mut server, listener);
    for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        let mut peer = Peer::tcp((ip, port).into());
        let conn = server.next_accepted();
        let address = server.ctx().peer_address(conn).unwrap().as_ip().unwrap();
        assert_eq!(address.ip().to_canonical(), ip);
        assert_eq!(address.port(), peer.address().port());
        says_and_hears(&mut server, &mut peer);
    }
}

pub(super) fn a_taken_port_is_an_error_that_says_so<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listener = server.listener;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port(&mut server, listener)));
    let error = server.ctx().listen(address).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    // The first of several that is free.
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = server.ctx().listen(&[address, free][..]).unwrap();
    assert_ne!(port(&mut server, listener), address.port());
}

pub(super) fn who_gives_no_address_is_told_how_one_looks<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    for text in ["nonsense", "127.0.0.1", "127.0.0.1:http"] {
        let listening = server.ctx().listen(text).map(drop);
        let bound = server.ctx().bind_udp(text).map(drop);
        for answer in [listening, bound] {
            let error = answer.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains("such as 127.0.0.1:80"), "{error}");
        }
    }
}

pub(super) fn a_unix_socket_s_file_goes_with_its_listener<P: Subject>() {
    let mut server = Server::<P>::new(Family::Unix, echo);
    let path = server.directory().join("socket");
    let (mut peer, _) = server.connect();
    assert!(path.exists());
    let second = server.ctx().listen_unix(&path, &ListenOptions::default()).unwrap_err();
    assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
    let listener = server.listener;
    server.ctx().close_listener(listener);
    assert!(!path.exists());
    says_and_hears(&mut server, &mut peer);

    let other = server.directory().join("other");
    server.ctx().listen_unix(&other, &ListenOptions::default()).unwrap();
    assert!(other.exists());
    server.ctx().stop();
    server.turn();
    assert!(!other.exists());
}

pub(super) fn a_unix_socket_without_a_directory_is_an_error_that_says_so<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let path = server.directory().join("absent").join("socket");
    let error = server.ctx().listen_unix(&path, &ListenOptions::default()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    let text = error.to_string();
    assert!(text.contains(path.to_str().unwrap()) && text.contains("directory"), "{text}");
}

pub(super) fn a_stale_unix_socket_is_replaced<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let path = server.directory().join("stale");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let listener = server.ctx().listen_unix(&path, &ListenOptions::default()).unwrap();
    let mut peer = server.client_of(listener);
    says_and_hears(&mut server, &mut peer);
}

pub(super) fn what_is_no_socket_is_left_alone<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let path = server.directory().join("precious");
    fs::write(&path, "data").unwrap();
    let error = server.ctx().listen_unix(&path, &ListenOptions::default()).unwrap_err();
    assert!(error.to_string().contains("precious"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"data");
}

pub(super) fn an_abstract_unix_name_needs_no_file<P: Subject>() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;
    let mut server = Server::<P>::tcp(echo);
    let name = server.directory().to_str().unwrap().as_bytes().to_vec();
    let listener = server.ctx().listen_abstract(&name, &ListenOptions::default()).unwrap();
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _peer = UnixStream::connect_addr(&address).unwrap();
    let conn = server.next_accepted();
    assert_eq!(server.ctx().listener_of(conn), Some(listener));
    assert_eq!(server.ctx().local_address(conn).unwrap(), Address::Abstract(name));
}

pub(super) fn who_is_beyond_the_limit_waits<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(echo);
    let options = ListenOptions::default().max_connections(2);
    let listener = server.ctx().listen_with("127.0.0.1:0", &options).unwrap();
    let first = server.client_of(listener);
    let mut second = server.client_of(listener);
    let mut third = server.client_of(listener);
    let mut fourth = server.client_of(listener);
    third.send(b"third");
    server.until("two are accepted", |server| server.ctx().connections() == 2);
    server.silent();
    assert_eq!(server.ctx().connections(), 2);
    // Nobody burns the processor for those who wait.
    assert_eq!(server.empty_turns(SILENCE), 1);
    says_and_hears(&mut server, &mut second);
    // Another listener isn't concerned.
    let (mut other, _) = server.connect();
    says_and_hears(&mut server, &mut other);

    drop(first);
    assert_eq!(server.receive(&mut third, 5), b"third");
    server.silent();
    assert_eq!(server.ctx().connections(), 3);
    drop(second);
    drop(third);
    says_and_hears(&mut server, &mut fourth);
}

/// A closed connection makes room whoever closed it.
pub(super) fn a_limit_of_one_serves_one_after_the_other<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| {
        if let Call::Data(conn, input) = call {
            ctx.send(conn, input.take());
            ctx.close(conn);
        }
    });
    let options = ListenOptions::default().max_connections(1);
    let listener = server.ctx().listen_with("127.0.0.1:0", &options).unwrap();
    let mut peers: Vec<_> = (0..10).map(|_| server.client_of(listener)).collect();
    for peer in &mut peers {
        peer.send(b"x");
        peer.finish();
    }
    for peer in &mut peers {
        assert_eq!(server.receive_all(peer), (b"x".to_vec(), Tail::End));
    }
    let mut open = 0_i32;
    for seen in server.seen() {
        match seen {
            Seen::Accepted(_) => open += 1,
            Seen::Closed(..) => open -= 1,
            _ => {}
        }
        assert!(open <= 1, "two at a time: {:?}", server.seen());
    }
}

/// Those of one listener begin with its limits, others with the reactor's.
pub(super) fn a_listener_has_limits_of_its_own<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (early, first) = (server.listener, server.connect());
    let mut own = Limits::default();
    own.read_low = 3;
    assert!(server.ctx().set_listener_limits(early, own.clone()));
    let (mut peer, second) = server.connect();
    let other = server.ctx().listen("127.0.0.1:0").unwrap();
    let _third = server.client_of(other);
    let third = server.next_accepted();
    let ctx = server.ctx();
    assert_eq!(ctx.limits(first.1), Some(&Limits::default()), "it had begun");
    assert_eq!(ctx.limits(second), Some(&own));
    assert_eq!(ctx.limits(third), Some(&Limits::default()));
    peer.send(b"ab");
    server.await_input(second);
    server.silent();
    peer.send(b"c");
    server.until_seen(&Seen::Data(second, b"abc".to_vec()));
    server.ctx().close_listener(early);
    assert!(!server.ctx().set_listener_limits(early, own));
}

/// A connection of another listener makes no room, and none that this one ever had is forgotten.
pub(super) fn a_full_listener_waits_for_one_of_its_own<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(echo);
    let options = ListenOptions::default().max_connections(1);
    let full = server.ctx().listen_with("127.0.0.1:0", &options).unwrap();
    let first = server.client_of(full);
    server.next_accepted();
    let mut second = server.client_of(full);
    for _ in 0..3 {
        let (other, conn) = server.connect();
        drop(other);
        server.until_closed(conn);
        assert_eq!(server.empty_turns(SILENCE), 1);
    }
    assert_eq!(server.ctx().connections(), 1);
    drop(first);
    says_and_hears(&mut server, &mut second);
}

pub(super) fn closing_a_listener_turns_away_who_waits<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let (mut peer, _) = server.connect();
    let mut waiting = server.client();
    let listener = server.listener;
    server.ctx().close_listener(listener);
    server.ctx().close_listener(listener);
    assert!(matches!(server.receive_all(&mut waiting).1, Tail::Failed(_)));
    says_and_hears(&mut server, &mut peer);
    assert_eq!(server.accepted().len(), 1);
}
