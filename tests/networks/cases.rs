//! What a network can do to a connect.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reactor::{Address, ConnId, ConnectCause, ConnectOptions};
use rustix::io::Errno;
use tests::Subject;
use tests::recorder::{End, Seen, echo, sink};
use tests::rig::PATIENCE;
use tests::server::Server;

use crate::namespace::call;
use crate::network::Network;

const MOMENT: Duration = Duration::from_millis(100);

fn options() -> ConnectOptions {
    ConnectOptions::default().timeout(PATIENCE)
}

/// Connects, and says with which error it failed.
fn errno<P: Subject>(server: &mut Server<P>, target: &str, options: &ConnectOptions) -> Errno {
    let conn = server.ctx().connect(target, options);
    let error = server.until_failed(conn);
    assert!(matches!(error.cause(), ConnectCause::Failed), "{error}");
    assert!(error.to_string().starts_with(&format!("connect {target}: ")), "{error}");
    Errno::from_raw_os_error(error.raw_os_error().unwrap_or_else(|| panic!("{error}")))
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn a_connection_across<P: Subject>() {
    talk::<P>(&Network::new(), "10.9.0.2:80");
}

/// To the far end and back.
pub(crate) fn talk<P: Subject>(network: &Network, at: &str) {
    let mut server = Server::<P>::tcp(echo);
    let listening = network.listen(at);
    let conn = server.ctx().connect(at, &options());
    server.until_connected(conn);
    let mut peer = listening.accept();
    peer.send(b"hello");
    assert_eq!(server.receive(&mut peer, 5), b"hello");
}

pub(crate) fn a_filter_that_drops<P: Subject>() {
    let _network = Network::new();
    let mut server = Server::<P>::tcp(sink);
    let options = options().attempt_timeout(MOMENT).rounds(2).backoff(MOMENT, MOMENT);
    let conn = server.ctx().connect("10.9.0.2:81", &options);
    let error = server.until_failed(conn);
    assert!(matches!(error.cause(), ConnectCause::Failed));
    assert_eq!((error.kind(), error.raw_os_error()), (io::ErrorKind::TimedOut, None));
    assert_eq!(error.attempt_count(), 2);
    let text = error.to_string();
    let (begin, end) = ("connect 10.9.0.2:81: timed out after ", " ms, attempt 2 of 2");
    assert!(text.starts_with(begin) && text.ends_with(end), "{text}");
}

/// Without a limit of ours the kernel's own counts, here at its shortest: three seconds.
pub(crate) fn the_system_s_own_patience<P: Subject>() {
    let network = Network::new();
    network.set("ipv4/tcp_syn_retries", "1");
    let mut server = Server::<P>::tcp(sink);
    let options = options().attempt_timeout(None);
    assert_eq!(errno(&mut server, "10.9.0.2:81", &options), Errno::TIMEDOUT);
}

pub(crate) fn a_filter_that_rejects<P: Subject>() {
    let _network = Network::new();
    let mut server = Server::<P>::tcp(sink);
    for (target, expected) in [
        ("10.9.0.2:80", Errno::CONNREFUSED),
        ("10.9.0.2:82", Errno::HOSTUNREACH),
        ("10.9.0.2:83", Errno::CONNREFUSED),
        ("10.9.0.2:84", Errno::HOSTUNREACH),
    ] {
        assert_eq!(errno(&mut server, target, &options()), expected, "{target}");
    }
}

/// The ICMP comes inside connect(2), and the kernel reports it while it goes on trying: it says ERR, and
/// nothing else.
pub(crate) fn a_filter_of_our_own_that_rejects<P: Subject>() {
    let _network = Network::new();
    for command in [
        "nft add table inet filter",
        "nft add chain inet filter out { type filter hook output priority 0 ; }",
        "nft add rule inet filter out tcp dport 85 reject with icmpx host-unreachable",
        "nft add rule inet filter out tcp dport 86 drop",
    ] {
        call(command).unwrap();
    }
    let mut server = Server::<P>::tcp(sink);
    assert_eq!(errno(&mut server, "10.9.0.2:85", &options()), Errno::HOSTUNREACH);
    // What is dropped on its way out is either EPERM at once, or nothing at all.
    let conn = server.ctx().connect("10.9.0.2:86", &options().attempt_timeout(MOMENT));
    let error = server.until_failed(conn);
    let kind = error.kind();
    assert!(matches!(kind, io::ErrorKind::PermissionDenied | io::ErrorKind::TimedOut), "{error}");
}

pub(crate) fn routes_that_lead_nowhere<P: Subject>() {
    let _network = Network::new();
    for kind in ["blackhole 10.1.0.0/16", "prohibit 10.2.0.0/16", "unreachable 10.3.0.0/16"] {
        call(&format!("ip route add {kind}")).unwrap();
    }
    let mut server = Server::<P>::tcp(sink);
    for (target, expected) in [
        ("10.0.0.1:80", Errno::NETUNREACH),
        ("10.1.0.1:80", Errno::INVAL),
        ("10.2.0.1:80", Errno::ACCESS),
        ("10.3.0.1:80", Errno::HOSTUNREACH),
    ] {
        assert_eq!(errno(&mut server, target, &options()), expected, "{target}");
    }
    // A wire that is cut.
    call("ip link set near down").unwrap();
    assert_eq!(errno(&mut server, "10.9.0.2:80", &options()), Errno::NETUNREACH);
}

/// Nobody answers for it on the wire.
pub(crate) fn an_address_that_nobody_has<P: Subject>() {
    let network = Network::new();
    // Three questions, a second each, would do as well.
    network.set("ipv4/neigh/near/retrans_time_ms", "50");
    let mut server = Server::<P>::tcp(sink);
    assert_eq!(errno(&mut server, "10.9.0.99:80", &options()), Errno::HOSTUNREACH);
}

pub(crate) fn a_reset_in_the_middle<P: Subject>() {
    let network = Network::new();
    let listening = network.listen("10.9.0.2:80");
    let mut server = Server::<P>::tcp(echo);
    let conn = server.ctx().connect("10.9.0.2:80", &options());
    server.until_connected(conn);
    let mut peer = listening.accept();
    peer.send(b"hello");
    assert_eq!(server.receive(&mut peer, 5), b"hello");
    // A machine on the way has forgotten the connection.
    network.far.call("nft insert rule inet filter in tcp dport 80 reject with tcp reset");
    server.ctx().send(conn, b"more");
    assert_eq!(server.until_closed(conn), End::Error(io::ErrorKind::ConnectionReset));
    assert!(!server.seen().contains(&Seen::PeerFinished(conn)));
}

pub(crate) fn the_second_wins<P: Subject>(network: &Network, first: &str, second: &str) {
    let listening = network.listen(second);
    let mut server = Server::<P>::tcp(sink);
    let start = Instant::now();
    let target = vec![address(first), address(second)];
    let conn = server.ctx().connect(target, &options());
    server.until_connected(conn);
    assert!(start.elapsed() >= Duration::from_millis(250), "RFC 8305, section 5");
    assert_eq!(server.ctx().peer_address(conn).unwrap(), Address::Ip(address(second)));
    let _peer = listening.accept();
    server.silent();
}

pub(crate) fn a_silent_first_address_and_a_live_second<P: Subject>() {
    the_second_wins::<P>(&Network::new(), "10.9.0.2:81", "10.9.0.3:80");
}

/// Four ports are four connections to one address.
pub(crate) fn ports_that_are_used_up<P: Subject>() {
    let network = Network::new();
    let _listening = network.listen("10.9.0.2:80");
    // Before, since its own listener takes a port.
    let mut server = Server::<P>::tcp(sink);
    network.set("ipv4/ip_local_port_range", "40000 40003");
    let connect = |server: &mut Server<P>| server.ctx().connect("10.9.0.2:80", &options());
    let conns: Vec<ConnId> = (0..4).map(|_| connect(&mut server)).collect();
    for conn in &conns {
        server.until_connected(*conn);
    }
    let conn = connect(&mut server);
    let error = server.until_failed(conn);
    assert_eq!(error.raw_os_error(), Some(Errno::ADDRNOTAVAIL.raw_os_error()), "{error}");
    assert!(error.to_string().contains("no local port is left"), "{error}");
    // One that is free again serves the next.
    server.ctx().abort(conns[1]);
    server.until_closed(conns[1]);
    let conn = connect(&mut server);
    server.until_connected(conn);
}

/// Also with a source address, which bind(2) would otherwise give a port for each connection.
pub(crate) fn a_port_serves_several_peers<P: Subject>() {
    let network = Network::new();
    let listening = [network.listen("10.9.0.2:80"), network.listen("10.9.0.3:80")];
    let mut server = Server::<P>::tcp(sink);
    network.set("ipv4/ip_local_port_range", "40000 40003");
    let options = options().source(address("10.9.0.1:0"));
    for _ in 0..4 {
        for listening in &listening {
            let conn = server.ctx().connect(listening.target(), &options);
            server.until_connected(conn);
        }
    }
}

/// Nobody listens at the port, and the kernel chooses that very port for us.
pub(crate) fn an_accident_that_connects_to_itself<P: Subject>() {
    let network = Network::new();
    let mut server = Server::<P>::tcp(sink);
    network.set("ipv4/ip_local_port_range", "40000 40000");
    let conn = server.ctx().connect("127.0.0.1:40000", &options());
    let error = server.until_failed(conn);
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(error.to_string().ends_with("was connected to itself"), "{error}");
}

pub(crate) fn a_server_that_restarts<P: Subject>() {
    let network = Network::new();
    let mut server = Server::<P>::tcp(echo);
    let options = options().backoff(MOMENT / 20, MOMENT / 5);
    let kept = server.ctx().keep_connected("10.9.0.2:80", &options);
    let mut failed = 0;
    for _ in 0..3 {
        server.until("it is refused some times", |server| {
            server.reactor.handler().errors.len() >= failed + 3
        });
        let before = server.seen().len();
        let listening = network.listen("10.9.0.2:80");
        let mut conn = None;
        server.until("it is connected", |server| {
            conn = server.seen()[before..].iter().find_map(|seen| match seen {
                Seen::Connected(conn) => Some(*conn),
                _ => None,
            });
            conn.is_some()
        });
        let conn = conn.unwrap();
        assert_eq!(server.ctx().peer_of(conn), Some(kept));
        let mut peer = listening.accept();
        peer.send(b"hello");
        assert_eq!(server.receive(&mut peer, 5), b"hello");
        failed = server.reactor.handler().errors.len();
        drop(listening);
        peer.reset();
        server.until_closed(conn);
    }
}
