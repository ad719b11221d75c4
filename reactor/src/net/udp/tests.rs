//! Through real sockets of the loopback interface.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket as Std};
use std::os::fd::AsRawFd;
use std::time::Duration;

use socket2::SockRef;

use super::datagram::Source;
use super::*;
use crate::net::Ipv6;
use crate::poller::{DefaultPoller, Events, Interest, Key, Poller};

const PATIENCE: Duration = Duration::from_secs(10);

fn bound(ip: impl Into<IpAddr>) -> UdpSocket {
    made(ip, &UdpOptions::default())
}

fn made(ip: impl Into<IpAddr>, options: &UdpOptions) -> UdpSocket {
    UdpSocket::bind(SocketAddr::new(ip.into(), 0), options).expect("a free port")
}

fn at(ip: impl Into<IpAddr>, socket: &UdpSocket) -> SocketAddr {
    SocketAddr::new(ip.into(), port(socket))
}

fn port(socket: &UdpSocket) -> u16 {
    socket.local_addr().expect("a bound address").port()
}

/// A blocking socket of the standard library, and its address.
fn peer(ip: impl Into<IpAddr>) -> (Std, SocketAddr) {
    let peer = Std::bind(SocketAddr::new(ip.into(), 0)).expect("a free port");
    peer.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let address = peer.local_addr().expect("a bound address");
    (peer, address)
}

/// What `peer` hears next, and from whom.
fn heard(peer: &Std) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 70_000];
    let (len, from) = peer.recv_from(&mut buffer).expect("a datagram in time");
    buffer.truncate(len);
    (buffer, from)
}

/// Waits until the kernel has something to say about `socket`.
fn await_readable(socket: &UdpSocket) {
    let mut poller = DefaultPoller::new().expect("a poller");
    let mut events = Events::default();
    poller.add(socket.as_fd().as_raw_fd(), Key::new(0, 0), Interest::READABLE).expect("add");
    poller.wait(&mut events, Some(PATIENCE)).expect("wait");
    assert_eq!(events.iter().count(), 1, "nothing came");
}

/// What one datagram was received with.
#[derive(Debug)]
struct Got {
    len: usize,
    peer: SocketAddr,
    source: Option<Source>,
    truncated: bool,
}

/// Takes one datagram, or the part of it that `buffer` holds.
fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Got> {
    let mut batch = Batch::new(1, buffer.len());
    socket.receive(&mut batch)?;
    let arrival = batch.arrival(0)?;
    let datagram = Datagram::new(batch.bytes(0), arrival);
    let len = datagram.bytes().len();
    buffer[..len].copy_from_slice(datagram.bytes());
    let (peer, source) = (datagram.peer(), datagram.source());
    Ok(Got { len, peer, source, truncated: datagram.is_truncated() })
}

fn next(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Got> {
    await_readable(socket);
    receive(socket, buffer)
}

fn nothing_more(socket: &UdpSocket) {
    let error = receive(socket, &mut [0; 16]).expect_err("an empty queue");
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert!(!is_icmp(&error));
}

/// Whether there is an IPv6 loopback address; says so where there isn't.
fn has_v6(test: &str) -> bool {
    match Std::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => true,
        Err(error) => {
            eprintln!("{test}: not run, this machine has no IPv6 loopback address ({error})");
            false
        }
    }
}

#[test]
fn a_datagram_brings_its_addresses_and_its_bytes() {
    let socket = bound(Ipv4Addr::LOCALHOST);
    let (peer, address) = peer(Ipv4Addr::LOCALHOST);
    peer.send_to(b"hello", at(Ipv4Addr::LOCALHOST, &socket)).expect("send");
    await_readable(&socket);
    let mut batch = room();
    let (count, emptied) = socket.receive(&mut batch).expect("a datagram");
    assert_eq!((count, emptied), (1, batch::TAKES_SEVERAL));
    let datagram = Datagram::new(batch.bytes(0), batch.arrival(0).expect("an address"));
    assert_eq!(datagram.bytes(), b"hello");
    assert_eq!(datagram.peer(), address);
    assert!(!datagram.is_truncated());
    if cfg!(any(target_os = "linux", target_os = "android")) {
        assert_eq!(datagram.local(), Some(Ipv4Addr::LOCALHOST.into()));
        assert_ne!(datagram.source().expect("a source").interface(), 0);
    } else {
        assert_eq!(datagram.local(), None);
    }
    nothing_more(&socket);
}

/// A multi-homed server: asked at 127.0.0.2, by somebody whose route prefers 127.0.0.1.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn answers_from_the_asked_address(socket: &UdpSocket) {
    let asked = Ipv4Addr::new(127, 0, 0, 2);
    let (peer, address) = peer(Ipv4Addr::LOCALHOST);
    peer.send_to(b"?", at(asked, socket)).expect("send");
    let received = next(socket, &mut [0; 16]).expect("a datagram");
    assert_eq!(received.peer, address, "IPv4 looks like IPv4");
    let source = received.source.expect("a source");
    assert_eq!(source.address(), asked);

    socket.send(b"with", received.peer, Some(source)).expect("send");
    assert_eq!(heard(&peer), (b"with".to_vec(), at(asked, socket)));
    socket.send(b"without", received.peer, None).expect("send");
    assert_eq!(heard(&peer), (b"without".to_vec(), at(Ipv4Addr::LOCALHOST, socket)));
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn an_answer_comes_from_the_address_that_was_asked() {
    answers_from_the_asked_address(&bound(Ipv4Addr::UNSPECIFIED));
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_dual_stack_socket_answers_ipv4_from_the_address_that_was_asked() {
    if has_v6("a_dual_stack_socket_answers_ipv4_from_the_address_that_was_asked") {
        let options = UdpOptions::default().ipv6(Ipv6::DualStack);
        answers_from_the_asked_address(&made(Ipv6Addr::UNSPECIFIED, &options));
    }
}

/// ip(7) documents `IP_PKTINFO` for IPv4 sockets alone, ipv6(7) says nothing about mapped addresses.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_mapped_address_in_ipv6_packet_info_chooses_the_source_too() {
    if !has_v6("a_mapped_address_in_ipv6_packet_info_chooses_the_source_too") {
        return;
    }
    let socket = made(Ipv6Addr::UNSPECIFIED, &UdpOptions::default().ipv6(Ipv6::DualStack));
    let asked = Ipv4Addr::new(127, 0, 0, 2);
    let (peer, address) = peer(Ipv4Addr::LOCALHOST);
    let mapped = IpAddr::V6(asked.to_ipv6_mapped());
    let answer = ancillary::Answer { address: mapped, interface: 0 };
    calls::send(socket.as_fd(), b"!", Some(socket.own_form(address)), Some(answer), None)
        .expect("send");
    assert_eq!(heard(&peer), (b"!".to_vec(), at(asked, &socket)));
}

#[test]
fn ipv6_tells_and_answers() {
    if !has_v6("ipv6_tells_and_answers") {
        return;
    }
    let socket = bound(Ipv6Addr::UNSPECIFIED);
    let (peer, address) = peer(Ipv6Addr::LOCALHOST);
    peer.send_to(b"?", at(Ipv6Addr::LOCALHOST, &socket)).expect("send");
    let received = next(&socket, &mut [0; 16]).expect("a datagram");
    assert_eq!(received.peer, address);
    socket.send(b"!", received.peer, received.source).expect("send");
    assert_eq!(heard(&peer), (b"!".to_vec(), at(Ipv6Addr::LOCALHOST, &socket)));
    if cfg!(any(target_os = "linux", target_os = "android")) {
        assert_eq!(received.source.map(Source::address), Some(Ipv6Addr::LOCALHOST.into()));
    }
}

/// An IPv6 link-local address of this machine, with its interface: the first in
/// `/proc/net/if_inet6` that can be bound (a fresh one can't yet, RFC 4862, section 5.4).
#[cfg(target_os = "linux")]
fn link_local() -> Option<SocketAddrV6> {
    let list = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    list.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let ip = Ipv6Addr::from(u128::from_str_radix(words.next()?, 16).ok()?);
        let interface = u32::from_str_radix(words.next()?, 16).ok()?;
        let address = SocketAddrV6::new(ip, 0, 0, interface);
        (ip.is_unicast_link_local() && Std::bind(address).is_ok()).then_some(address)
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_link_local_address_is_answered_from_on_its_interface() {
    let Some(mut asked) = link_local() else {
        eprintln!("a_link_local_address_…: not run, no interface here has such an address");
        return;
    };
    let socket = bound(Ipv6Addr::UNSPECIFIED);
    let peer = Std::bind(asked).expect("a free port");
    peer.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    asked.set_port(port(&socket));
    peer.send_to(b"?", asked).expect("send");
    let received = next(&socket, &mut [0; 16]).expect("a datagram");
    assert_eq!(received.peer, peer.local_addr().expect("a bound address"), "with its scope");
    let source = received.source.expect("a source");
    assert_eq!(source.address(), IpAddr::V6(*asked.ip()));
    assert_ne!(source.interface(), 0);
    socket.send(b"!", received.peer, Some(source)).expect("send");
    assert_eq!(heard(&peer), (b"!".to_vec(), asked.into()));
}

/// That the kernel refuses a stranger's address shows that it reads the message.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_source_that_is_not_ours_is_refused() {
    let try_from = |socket: &UdpSocket, to: SocketAddr, address: &str| {
        let address = address.parse().expect("an address");
        let answer = ancillary::Answer { address, interface: 0 };
        let source = Source(ancillary::Destination { asked: address, answer, interface: 0 });
        socket.send(b"!", to, Some(source)).expect_err("not our address")
    };
    // Documentation addresses (RFC 5737, RFC 3849), which nobody has.
    let (_peer, address) = peer(Ipv4Addr::LOCALHOST);
    let error = try_from(&bound(Ipv4Addr::UNSPECIFIED), address, "203.0.113.1");
    assert_eq!(error.raw_os_error(), Some(libc::ENETUNREACH));
    let error = try_from(&bound(Ipv4Addr::UNSPECIFIED), address, "::1");
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    if has_v6("a_source_that_is_not_ours_is_refused (IPv6)") {
        let (_peer, address) = peer(Ipv6Addr::LOCALHOST);
        let error = try_from(&bound(Ipv6Addr::UNSPECIFIED), address, "2001:db8::1");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }
}

#[test]
fn ipv6_sockets_leave_ipv4_alone_unless_told() {
    if !has_v6("ipv6_sockets_leave_ipv4_alone_unless_told") {
        return;
    }
    let alone = bound(Ipv6Addr::UNSPECIFIED);
    let (stranger, address) = peer(Ipv4Addr::LOCALHOST);
    alone.send(b"!", address, None).expect_err("no IPv4 on this socket");
    stranger.connect(at(Ipv4Addr::LOCALHOST, &alone)).expect("connect");
    stranger.send(b"?").expect("send");
    let error = stranger.recv(&mut [0; 16]).expect_err("nobody there");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    nothing_more(&alone);

    let mut both = made(Ipv6Addr::UNSPECIFIED, &UdpOptions::default().ipv6(Ipv6::DualStack));
    let (friend, address) = peer(Ipv4Addr::LOCALHOST);
    both.connect(address).expect("connect");
    both.send_connected(b"!").expect("send");
    assert_eq!(heard(&friend), (b"!".to_vec(), at(Ipv4Addr::LOCALHOST, &both)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_broadcast_is_told_as_such_and_answered_from_an_address_of_ours() {
    let all = Ipv4Addr::new(127, 255, 255, 255);
    let asker = made(Ipv4Addr::LOCALHOST, &UdpOptions::default().broadcast(true));
    let mut sockets = vec![bound(Ipv4Addr::UNSPECIFIED)];
    if has_v6("a_broadcast_is_told_as_such_and_answered_from_an_address_of_ours (IPv6)") {
        sockets.push(made(Ipv6Addr::UNSPECIFIED, &UdpOptions::default().ipv6(Ipv6::DualStack)));
    }
    for socket in sockets {
        asker.send(b"?", at(all, &socket), None).expect("send");
        let received = next(&socket, &mut [0; 16]).expect("a datagram");
        assert_eq!(received.source.map(Source::address), Some(all.into()));
        socket.send(b"!", received.peer, received.source).expect("send");
        let answer = next(&asker, &mut [0; 16]).expect("an answer");
        assert_eq!(answer.peer, at(Ipv4Addr::LOCALHOST, &socket));
    }
    let error = bound(Ipv4Addr::LOCALHOST).send(b"?", at(all, &asker), None);
    assert_eq!(error.expect_err("not allowed").raw_os_error(), Some(libc::EACCES));
}

#[test]
fn an_empty_datagram_is_a_datagram() {
    let socket = bound(Ipv4Addr::LOCALHOST);
    let (peer, address) = peer(Ipv4Addr::LOCALHOST);
    peer.send_to(b"", at(Ipv4Addr::LOCALHOST, &socket)).expect("send");
    peer.send_to(b"after", at(Ipv4Addr::LOCALHOST, &socket)).expect("send");
    let mut buffer = [0; 16];
    let received = next(&socket, &mut buffer).expect("a datagram");
    assert_eq!((received.len, received.peer, received.truncated), (0, address, false));
    assert_eq!(next(&socket, &mut buffer).expect("the next one").len, 5);
    socket.send(b"", address, received.source).expect("send");
    assert_eq!(heard(&peer), (Vec::new(), at(Ipv4Addr::LOCALHOST, &socket)));
}

#[test]
fn what_the_buffer_cannot_hold_is_lost_and_said_so() {
    let socket = bound(Ipv4Addr::LOCALHOST);
    let (peer, _) = peer(Ipv4Addr::LOCALHOST);
    for datagram in [&b"0123456789"[..], b"01234567", b"", b"x"] {
        peer.send_to(datagram, at(Ipv4Addr::LOCALHOST, &socket)).expect("send");
    }
    let mut buffer = [0; 8];
    let received = next(&socket, &mut buffer).expect("a datagram");
    assert_eq!((received.len, received.truncated), (8, true));
    assert_eq!(&buffer, b"01234567");
    let exact = next(&socket, &mut buffer).expect("a datagram");
    assert_eq!((exact.len, exact.truncated), (8, false));
    let empty = next(&socket, &mut []).expect("a datagram");
    assert_eq!((empty.len, empty.truncated), (0, false));
    let nothing = next(&socket, &mut []).expect("a datagram");
    assert_eq!((nothing.len, nothing.truncated), (0, true));
    nothing_more(&socket);
}

#[test]
fn a_refusal_is_told_once_and_the_socket_stays_usable() {
    // A port that is taken elsewhere, so that nobody opens it here meanwhile.
    let elsewhere = bound(Ipv4Addr::LOCALHOST);
    let home = if cfg!(target_os = "linux") { [127, 0, 0, 77] } else { [127, 0, 0, 1] };
    let target = SocketAddr::new(Ipv4Addr::from(home).into(), port(&elsewhere));
    if !cfg!(target_os = "linux") {
        drop(elsewhere);
    }
    let mut socket = bound(Ipv4Addr::LOCALHOST);
    socket.connect(target).expect("connect");

    socket.send_connected(b"?").expect("nobody knows yet");
    let error = next(&socket, &mut [0; 16]).expect_err("nobody there");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(is_icmp(&error));
    if socket.keeps_errors {
        let error = socket.take_error().expect("a queue").expect("an entry");
        assert_eq!(error.peer(), Some(target));
    }
    nothing_more(&socket);

    // The next send hears of it first, unless the error is kept in a queue.
    socket.send_connected(b"?").expect("nobody knows yet");
    await_readable(&socket);
    let peer = Std::bind(target).expect("the port is free");
    peer.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    if !socket.keeps_errors {
        let error = socket.send_connected(b"lost").expect_err("nobody was there");
        assert!(is_icmp(&error), "{error}");
    }

    socket.send_connected(b"again").expect("somebody is there");
    let (bytes, from) = heard(&peer);
    assert_eq!(bytes, b"again");
    peer.send_to(b"welcome", from).expect("send");
    assert_eq!(next(&socket, &mut [0; 16]).expect("a datagram").peer, target);
}

#[test]
fn the_longest_datagram_and_one_byte_more() {
    let mut homes = vec![(IpAddr::V4(Ipv4Addr::LOCALHOST), 65_507)];
    if has_v6("the_longest_datagram_and_one_byte_more (IPv6)") {
        homes.push((IpAddr::V6(Ipv6Addr::LOCALHOST), 65_527));
    }
    let options = UdpOptions::default().receive_buffer(1 << 20).send_buffer(1 << 20);
    let mut buffer = vec![0; 1 << 16];
    for (home, most) in homes {
        let (socket, mut sender) = (made(home, &options), made(home, &options));
        let to = at(home, &socket);
        let bytes: Vec<u8> = (0..=most).map(|at| (at % 251) as u8).collect();
        sender.send(&bytes[..most], to, None).expect("send");
        let received = next(&socket, &mut buffer).expect("a datagram");
        assert!(!received.truncated);
        assert!(buffer[..received.len] == bytes[..most]);

        let version = if home.is_ipv4() { 4 } else { 6 };
        let attempt = format!("send {} bytes to {to}", most + 1);
        let advice = format!("a datagram over IPv{version} has at most {most} bytes");
        sender.connect(to).expect("connect");
        for error in [sender.send(&bytes, to, None), sender.send_connected(&bytes)] {
            let error = error.expect_err("too long");
            let failure = Failure::of(&error).expect("it says what was tried");
            assert_eq!(failure.cause().raw_os_error(), Some(libc::EMSGSIZE));
            assert_eq!(failure.attempt(), attempt);
            assert!(error.to_string().ends_with(&advice), "{error}");
            assert!(!is_icmp(&error));
        }
        nothing_more(&socket);
    }
}

#[test]
fn options_reach_the_kernel() {
    let options = UdpOptions::default()
        .reuse_address(true)
        .reuse_port(true)
        .broadcast(true)
        .receive_buffer(20_000)
        .send_buffer(30_000);
    let socket = made(Ipv4Addr::LOCALHOST, &options);
    let asked = SockRef::from(&socket);
    assert!(asked.reuse_address().expect("an option"));
    assert!(asked.reuse_port().expect("an option"));
    assert!(asked.broadcast().expect("an option"));
    let doubled = if cfg!(target_os = "linux") { 2 } else { 1 };
    assert_eq!(asked.recv_buffer_size().expect("an option"), 20_000 * doubled);
    assert_eq!(asked.send_buffer_size().expect("an option"), 30_000 * doubled);
    assert!(asked.nonblocking().expect("a flag"));

    let plain = bound(Ipv4Addr::LOCALHOST);
    let asked = SockRef::from(&plain);
    assert!(!asked.reuse_address().expect("an option"));
    assert!(!asked.reuse_port().expect("an option"));
    assert!(!asked.broadcast().expect("an option"));
}

#[test]
fn errors_name_what_was_tried() {
    let mut first = bound(Ipv4Addr::LOCALHOST);
    let address = first.local_addr().expect("a bound address");
    let error = UdpSocket::bind(address, &UdpOptions::default()).expect_err("taken");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().starts_with(&format!("bind UDP socket to {address}: ")), "{error}");
    let v6 = "[::1]:9".parse().expect("an address");
    let error = first.connect(v6).expect_err("the other IP version");
    assert!(error.to_string().starts_with("connect UDP socket to [::1]:9: "), "{error}");
    let error = first.send_connected(b"!").expect_err("not connected");
    assert_eq!(error.raw_os_error(), Some(libc::EDESTADDRREQ));
}

/// That what the handler gets one by one has come by one call.
#[cfg(target_os = "linux")]
#[test]
fn a_burst_goes_and_comes_in_one_piece() {
    let sender = bound(Ipv4Addr::LOCALHOST);
    let receiver = made(Ipv4Addr::LOCALHOST, &UdpOptions::default().join_segments(true));
    assert!(sender.cuts_segments && receiver.joins_segments, "Linux 5.0 and later can");
    let to = at(Ipv4Addr::LOCALHOST, &receiver);
    assert_eq!(sender.send_segments(&[7; 1050], 100, to).expect("send"), 11);
    let mut batch = room();
    assert_eq!(receiver.receive(&mut batch).expect("a burst"), (1, true));
    assert_eq!(batch.bytes(0).len(), 1050);
    let segments = Segments::new(batch.bytes(0), batch.arrival(0).expect("an address"));
    let lengths: Vec<_> = segments.map(|datagram| datagram.bytes().len()).collect();
    assert_eq!(lengths, [vec![100; 10], vec![50]].concat());
}
