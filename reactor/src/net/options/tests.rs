use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use socket2::{Domain, Type};

use super::*;
use crate::{Address, control};

fn new(domain: Domain, kind: Type) -> Socket {
    let socket = Socket::new(domain, kind, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn tcp() -> Socket {
    new(Domain::IPV4, Type::STREAM)
}

fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// A machine without IPv6 has no such sockets; whatever else goes wrong is no reason.
fn v6(kind: Type) -> Option<Socket> {
    match Socket::new(Domain::IPV6, kind, None) {
        Ok(socket) => Some(socket),
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => None,
        Err(error) => panic!("{error}"),
    }
}

/// What is set is read back as it was set.
fn keeps<T: Copy + fmt::Debug + PartialEq>(
    option: &SocketOption<T>,
    socket: &Socket,
    values: &[T],
) {
    for value in values {
        option.set(socket, *value).unwrap();
        assert_eq!(option.get(socket).unwrap(), *value, "{option:?}");
    }
}

/// What is set is read back as something else.
fn becomes<T: Copy + fmt::Debug + PartialEq>(
    option: &SocketOption<T>,
    socket: &Socket,
    values: &[(T, T)],
) {
    for (value, read) in values {
        option.set(socket, *value).unwrap();
        assert_eq!(option.get(socket).unwrap(), *read, "{option:?} set to {value:?}");
    }
}

fn refuses<T: Copy + fmt::Debug>(
    option: &SocketOption<T>,
    socket: &impl AsFd,
    value: T,
    kind: ErrorKind,
) {
    let error = option.set(socket, value).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    let start = format!("set {} to {value:?}: ", option.name());
    assert!(error.to_string().starts_with(&start), "{error}");
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn seconds_are_rounded_up() {
    for (time, whole) in [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (60_000, 60)] {
        assert_eq!(seconds(millis(time)).unwrap(), whole);
    }
    assert_eq!(seconds(Duration::MAX).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_system_without_an_option_says_so_by_its_name() {
    const NONE: SocketOption<bool> = SocketOption {
        name: "SO_NONE",
        protocol: Protocol::Any,
        moment: Moment::Lasting,
        access: None,
    };
    refuses(&NONE, &tcp(), true, ErrorKind::Unsupported);
    let error = NONE.get(&tcp()).unwrap_err();
    assert_eq!(error.to_string(), "get SO_NONE: this system has no such option");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn switches_are_kept() {
    let (tcp, udp) = (tcp(), new(Domain::IPV4, Type::DGRAM));
    for option in
        [SO_DONTROUTE, SO_KEEPALIVE, SO_OOBINLINE, SO_REUSEADDR, SO_REUSEPORT, TCP_NODELAY]
    {
        keeps(&option, &tcp, &[true, false, true]);
    }
    for option in [SO_BROADCAST, SO_DONTROUTE, IP_MULTICAST_LOOP] {
        keeps(&option, &udp, &[true, false, true]);
    }
}

/// It is a privilege.
#[test]
fn debug_is_kept_or_refused() {
    let socket = tcp();
    assert!(!SO_DEBUG.get(&socket).unwrap());
    match SO_DEBUG.set(&socket, true) {
        Ok(()) => assert!(SO_DEBUG.get(&socket).unwrap()),
        Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}"),
    }
}

#[test]
fn an_error_is_taken_once() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let socket = new(Domain::IPV4, Type::DGRAM);
    socket.connect(&nobody.into()).unwrap();
    assert!(take_error(&socket).unwrap().is_none());
    // Over the loopback interface the ICMP answer is there when send returns.
    socket.send(b"anybody?").unwrap();
    let error = take_error(&socket).unwrap().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(take_error(&socket).unwrap().is_none());
}

#[test]
fn nothing_that_blocks_a_close_can_be_set() {
    let socket = tcp();
    assert_eq!(SO_LINGER.get(&socket).unwrap(), Linger::Background);
    keeps(&SO_LINGER, &socket, &[Linger::Reset, Linger::Background, Linger::Reset]);
    let blocking = Linger::Blocking(Duration::from_secs(1));
    refuses(&SO_LINGER, &socket, blocking, ErrorKind::InvalidInput);
    // Who has done it elsewhere is told so.
    socket.set_linger(Some(Duration::from_secs(1))).unwrap();
    assert_eq!(SO_LINGER.get(&socket).unwrap(), blocking);
}

#[test]
fn a_close_with_reset_is_a_reset() {
    let (near, mut far) = connected();
    SO_LINGER.set(&near, Linger::Reset).unwrap();
    drop(near);
    assert_eq!(far.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
#[cfg(target_os = "linux")]
fn linux_doubles_buffers_and_raises_what_is_too_little() {
    for socket in [tcp(), new(Domain::IPV4, Type::DGRAM), new(Domain::UNIX, Type::STREAM)] {
        becomes(&SO_RCVBUF, &socket, &[(20_000, 40_000), (1152, 2304), (1151, 2304), (0, 2304)]);
        becomes(&SO_SNDBUF, &socket, &[(20_000, 40_000), (2304, 4608), (2303, 4608), (0, 4608)]);
    }
    let text = std::fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap();
    let most: usize = text.trim().parse().unwrap();
    becomes(&SO_RCVBUF, &tcp(), &[(i32::MAX as usize, most * 2)]);
    refuses(&SO_RCVBUF, &tcp(), usize::MAX, ErrorKind::InvalidInput);
    refuses(&SO_SNDBUF, &tcp(), 1 << 31, ErrorKind::InvalidInput);
}

#[test]
#[cfg(target_os = "linux")]
fn low_water_marks_are_as_linux_has_them() {
    let socket = tcp();
    becomes(&SO_RCVLOWAT, &socket, &[(1, 1), (1000, 1000), (0, 1)]);
    SO_RCVBUF.set(&socket, 10_000).unwrap();
    becomes(&SO_RCVLOWAT, &socket, &[(1_000_000, 10_000)]);
    assert_eq!(SO_SNDLOWAT.get(&socket).unwrap(), 1);
    refuses(&SO_SNDLOWAT, &socket, 1000, ErrorKind::Unsupported);
    let error = SO_SNDLOWAT.set(&socket, 1000).unwrap_err();
    let cause = Failure::of(&error).unwrap().cause();
    assert_eq!(cause.raw_os_error(), Some(libc::ENOPROTOOPT));
}

#[test]
fn timeouts_are_rounded_up_and_zero_is_no_time() {
    let socket = tcp();
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
        // Ticks of 1, 4 and 10 ms are in use.
        keeps(&option, &socket, &[None, Some(millis(1500)), Some(millis(20)), None]);
        refuses(&option, &socket, Some(Duration::ZERO), ErrorKind::InvalidInput);
        option.set(&socket, Some(Duration::from_nanos(1))).unwrap();
        let time = option.get(&socket).unwrap().expect("not for ever");
        assert!(time >= Duration::from_micros(1) && time <= millis(10), "{time:?}");
    }
}

#[test]
fn a_blocking_read_ends_at_its_timeout() {
    let (mut near, _far) = connected();
    SO_RCVTIMEO.set(&near, Some(millis(1))).unwrap();
    assert_eq!(near.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
#[cfg(target_os = "linux")]
fn keepalive_has_three_figures() {
    let socket = tcp();
    let second = Duration::from_secs(1);
    keeps(&TCP_KEEPIDLE, &socket, &[second, 32_767 * second]);
    becomes(&TCP_KEEPIDLE, &socket, &[(millis(1), second), (millis(1001), 2 * second)]);
    assert!(SO_KEEPALIVE.get(&socket).unwrap(), "the figures switch it on");
    keeps(&TCP_KEEPINTVL, &socket, &[second, 32_767 * second]);
    keeps(&TCP_KEEPCNT, &socket, &[1, 127]);
    for time in [Duration::ZERO, 32_768 * second, Duration::MAX] {
        refuses(&TCP_KEEPIDLE, &socket, time, ErrorKind::InvalidInput);
        refuses(&TCP_KEEPINTVL, &socket, time, ErrorKind::InvalidInput);
    }
    for questions in [0, 128, u32::MAX] {
        refuses(&TCP_KEEPCNT, &socket, questions, ErrorKind::InvalidInput);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn tcp_s_figures_are_kept_or_rounded() {
    let socket = tcp();
    keeps(&TCP_CORK, &socket, &[true, false]);
    keeps(&TCP_MAXSEG, &socket, &[88, 1000, 32_767]);
    for bytes in [87, 32_768, u32::MAX] {
        refuses(&TCP_MAXSEG, &socket, bytes, ErrorKind::InvalidInput);
    }
    keeps(&TCP_USER_TIMEOUT, &socket, &[Some(millis(1)), Some(millis(i32::MAX as u64)), None]);
    let micro = Duration::from_micros(1001);
    becomes(&TCP_USER_TIMEOUT, &socket, &[(Some(micro), Some(millis(2)))]);
    for time in [Duration::ZERO, millis(1 << 31), Duration::MAX] {
        refuses(&TCP_USER_TIMEOUT, &socket, Some(time), ErrorKind::InvalidInput);
    }
    keeps(&TCP_NOTSENT_LOWAT, &socket, &[1, 16_384, 0, u32::MAX]);
    let seconds = Duration::from_secs;
    let rounded = [(0, 0), (1, 1), (2, 3), (3, 3), (4, 7), (7, 7), (8, 15)]
        .map(|(asked, said)| (seconds(asked), seconds(said)));
    becomes(&TCP_DEFER_ACCEPT, &socket, &rounded);
}

#[test]
#[cfg(target_os = "linux")]
fn quickack_is_a_connection_s_own() {
    let (near, _far) = connected();
    for value in [false, true] {
        TCP_QUICKACK.set(&near, value).unwrap();
        assert_eq!(TCP_QUICKACK.get(&near).unwrap(), value);
    }
}

/// On a connection, less the 12 bytes that time stamps take.
#[test]
#[cfg(target_os = "linux")]
fn a_segment_s_length_is_fixed_by_the_handshake() {
    let listener = tcp();
    TCP_MAXSEG.set(&listener, 1000).unwrap();
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    listener.listen(1).unwrap();
    let client = TcpStream::connect(Address::of(&listener).unwrap().as_ip().unwrap()).unwrap();
    assert_eq!(TCP_MAXSEG.get(&client).unwrap(), 988);
    TCP_MAXSEG.set(&client, 500).unwrap();
    assert_eq!(TCP_MAXSEG.get(&client).unwrap(), 988, "taken, and without effect");
}

#[test]
fn ip_s_bytes_are_kept() {
    let (tcp, udp) = (tcp(), new(Domain::IPV4, Type::DGRAM));
    keeps(&IP_TTL, &tcp, &[1, 255]);
    refuses(&IP_TTL, &tcp, 0, ErrorKind::InvalidInput);
    keeps(&IP_TOS, &udp, &[0x28, 0xff, 0]);
    #[cfg(target_os = "linux")]
    becomes(&IP_TOS, &tcp, &[(0x28, 0x28), (0xff, 0xfc)]);
    keeps(&IP_MULTICAST_TTL, &udp, &[0, 1, 255]);
    keeps(&IP_MULTICAST_IF, &udp, &[Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED]);
    let stranger = Ipv4Addr::new(192, 0, 2, 1);
    refuses(&IP_MULTICAST_IF, &udp, stranger, ErrorKind::AddrNotAvailable);
}

#[test]
fn ipv6_s_options_are_kept() {
    let Some(udp) = v6(Type::DGRAM) else { return eprintln!("no IPv6 here: nothing to test") };
    keeps(&IPV6_V6ONLY, &udp, &[Ipv6::Only, Ipv6::DualStack, Ipv6::Only]);
    keeps(&IPV6_UNICAST_HOPS, &udp, &[1, 255, 0]);
    keeps(&IPV6_TCLASS, &udp, &[0x28, 0xff, 0]);
    keeps(&IPV6_MULTICAST_HOPS, &udp, &[0, 255]);
    keeps(&IPV6_MULTICAST_LOOP, &udp, &[false, true]);
    keeps(&IPV6_MULTICAST_IF, &udp, &[1, 0]);
    assert!(IPV6_MULTICAST_IF.set(&udp, u32::MAX).is_err());
    udp.bind(&SocketAddr::from((Ipv6Addr::LOCALHOST, 0)).into()).unwrap();
    refuses(&IPV6_V6ONLY, &udp, Ipv6::DualStack, ErrorKind::InvalidInput);
}

#[test]
fn what_is_of_another_protocol_is_refused_by_its_name() {
    let (near, _far) = UnixStream::pair().unwrap();
    refuses(&TCP_NODELAY, &near, true, ErrorKind::Unsupported);
    let error = TCP_NODELAY.get(&near).unwrap_err();
    assert!(error.to_string().starts_with("get TCP_NODELAY: "), "{error}");
    refuses(&TCP_NODELAY, &new(Domain::IPV4, Type::DGRAM), true, ErrorKind::Unsupported);
    let file = std::fs::File::open("/dev/null").unwrap();
    let error = SO_KEEPALIVE.set(&file, true).unwrap_err();
    assert_eq!(Failure::of(&error).unwrap().cause().raw_os_error(), Some(libc::ENOTSOCK));
}

/// Whether at least one of some tries has it: a thread that isn't run for a while finds that what was
/// held back has gone.
#[cfg(target_os = "linux")]
fn at_times(mut held: impl FnMut() -> bool) -> bool {
    (0..20).any(|_| held())
}

/// Nagle's algorithm keeps a second small message until the first is acknowledged, and the peer is in
/// no hurry with that.
#[test]
#[cfg(target_os = "linux")]
fn nodelay_sends_what_would_wait() {
    let held = |nodelay| {
        let (mut near, far) = connected();
        // It would acknowledge at once, as it does in the beginning.
        TCP_QUICKACK.set(&far, false).unwrap();
        TCP_NODELAY.set(&near, nodelay).unwrap();
        near.write_all(b"one").unwrap();
        near.write_all(b"two").unwrap();
        control::unsent_bytes(&near).unwrap() > 0
    };
    assert!(at_times(|| held(false)));
    assert!(!at_times(|| held(true)));
}

#[test]
#[cfg(target_os = "linux")]
fn a_cork_holds_back_until_it_is_drawn() {
    assert!(at_times(|| {
        let (mut near, mut far) = connected();
        TCP_NODELAY.set(&near, true).unwrap();
        TCP_CORK.set(&near, true).unwrap();
        near.write_all(b"head").unwrap();
        near.write_all(b"body").unwrap();
        let held = control::unsent_bytes(&near).unwrap() == 8
            && control::readable_bytes(&far).unwrap() == 0;
        TCP_CORK.set(&near, false).unwrap();
        let mut buffer = [0; 8];
        far.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"headbody");
        held
    }));
}

#[test]
#[cfg(target_os = "linux")]
fn little_waits_unsent_below_the_mark() {
    const MARK: u32 = 16 * 1024;
    let mut waited = Vec::new();
    for mark in [0, MARK] {
        let (mut near, far) = connected();
        SO_RCVBUF.set(&far, 64 * 1024).unwrap();
        TCP_NOTSENT_LOWAT.set(&near, mark).unwrap();
        near.set_nonblocking(true).unwrap();
        while near.write(&[7; 4096]).is_ok() {}
        waited.push(control::unsent_bytes(&near).unwrap());
        assert!(control::outgoing_bytes(&near).unwrap() >= waited[waited.len() - 1]);
    }
    // The mark, and one more segment of the loopback interface, which are long.
    assert!(waited[1] <= MARK as usize + 64 * 1024, "{waited:?}");
    assert!(waited[0] > 4 * waited[1], "{waited:?}");
}

#[test]
fn a_group_is_heard_until_it_is_left() {
    let group = Ipv4Addr::new(239, 7, 7, 7);
    let loopback = crate::Interface::all().unwrap().into_iter().find(|one| one.is_loopback);
    let membership = Membership::of(group).on(loopback.unwrap().index);
    let ear = new(Domain::IPV4, Type::DGRAM);
    SocketOptions::default().join(membership).apply(&ear, Stage::Created).unwrap();
    ear.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).unwrap();
    let port = Address::of(&ear).unwrap().as_ip().unwrap().port();
    let mouth = new(Domain::IPV4, Type::DGRAM);
    IP_MULTICAST_IF.set(&mouth, Ipv4Addr::LOCALHOST).unwrap();
    let to = SocketAddr::from((group, port)).into();
    mouth.send_to(b"hello", &to).unwrap();
    let mut buffer = [0; 16];
    assert_eq!((&ear).read(&mut buffer).unwrap(), 5);

    let error = membership.join(&ear).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().starts_with("join 239.7.7.7 on interface "), "{error}");
    membership.leave(&ear).unwrap();
    assert_eq!(membership.leave(&ear).unwrap_err().kind(), ErrorKind::AddrNotAvailable);
    mouth.send_to(b"hello?", &to).unwrap();
    assert_eq!((&ear).read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    let nobodys = Membership::of(Ipv4Addr::LOCALHOST).join(&ear).unwrap_err();
    assert_eq!(nobodys.kind(), ErrorKind::InvalidInput);
}

#[test]
fn an_ipv6_group_is_heard() {
    let Some(ear) = v6(Type::DGRAM) else { return eprintln!("no IPv6 here: nothing to test") };
    let loopback = crate::Interface::all().unwrap().into_iter().find(|one| one.is_loopback);
    let membership = Membership::of("ff02::7777".parse::<Ipv6Addr>().unwrap());
    let membership = membership.on(loopback.unwrap().index);
    membership.join(&ear).unwrap();
    assert_eq!(membership.join(&ear).unwrap_err().kind(), ErrorKind::AddrInUse);
    membership.leave(&ear).unwrap();
}

#[test]
fn a_set_leaves_out_what_a_socket_doesn_t_speak() {
    let all = SocketOptions::default()
        .receive_buffer(20_000)
        .ttl(9)
        .nodelay(true)
        .hops_v6(9)
        .reuse_address(true);
    let (tcp, udp) = (tcp(), new(Domain::IPV4, Type::DGRAM));
    let unix = new(Domain::UNIX, Type::STREAM);
    for socket in [&tcp, &udp, &unix] {
        let before = SO_RCVBUF.get(socket).unwrap();
        all.apply(socket, Stage::Created).unwrap();
        assert_ne!(SO_RCVBUF.get(socket).unwrap(), before);
    }
    assert_eq!(IP_TTL.get(&udp).unwrap(), 9);
    assert!(TCP_NODELAY.get(&tcp).unwrap());
    assert!(!unix.reuse_address().unwrap());
    if let Some(six) = v6(Type::STREAM) {
        all.apply(&six, Stage::Created).unwrap();
        assert_eq!(IPV6_UNICAST_HOPS.get(&six).unwrap(), 9);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_set_has_its_stages() {
    let all = SocketOptions::default().nodelay(true).quick_ack(false).reuse_address(true);
    let (near, far) = connected();
    all.apply(&near, Stage::Connected).unwrap();
    assert!(!TCP_NODELAY.get(&near).unwrap());
    assert!(!TCP_QUICKACK.get(&near).unwrap());
    all.apply(&far, Stage::Accepted).unwrap();
    assert!(TCP_NODELAY.get(&far).unwrap());
    assert!(!TCP_QUICKACK.get(&far).unwrap());
    let fresh = tcp();
    all.apply(&fresh, Stage::Created).unwrap();
    assert!(TCP_NODELAY.get(&fresh).unwrap() && SO_REUSEADDR.get(&fresh).unwrap());
}

#[test]
fn the_first_refusal_ends_a_set() {
    let set = SocketOptions::default().nodelay(true).keepalive_count(1000).ttl(9);
    let socket = tcp();
    let error = set.apply(&socket, Stage::Created).unwrap_err();
    assert!(error.to_string().starts_with("set TCP_KEEPCNT to 1000: "), "{error}");
    assert!(TCP_NODELAY.get(&socket).unwrap());
    assert_ne!(IP_TTL.get(&socket).unwrap(), 9);
}

#[test]
fn of_two_sets_the_first_counts() {
    let first = SocketOptions::default().ttl(9).receive_buffer(10_000);
    let both = first.clone().or(&SocketOptions::default().ttl(7).nodelay(true));
    assert_eq!(both, first.nodelay(true));
}

/// What a listener has, its connections have: by inheritance, or because they are given it.
#[test]
#[cfg(target_os = "linux")]
fn accepting_leaves_little_to_set() {
    let all = SocketOptions::default()
        .nodelay(true)
        .cork(true)
        .receive_buffer(20_000)
        .keepalive_idle(Duration::from_secs(33))
        .reuse_address(true)
        .join(Membership::of(Ipv4Addr::new(239, 7, 7, 7)));
    assert_eq!(all.left_by_accept(&tcp()).unwrap(), None);
    let quick = all.clone().quick_ack(false).left_by_accept(&tcp()).unwrap();
    assert_eq!(*quick.unwrap(), SocketOptions::default().quick_ack(false));
    let unix = all.left_by_accept(&new(Domain::UNIX, Type::STREAM)).unwrap();
    assert_eq!(*unix.unwrap(), SocketOptions::default().receive_buffer(20_000));
}

/// The fact that it rests on: if this fails, a kernel no longer hands an option on.
#[test]
#[cfg(target_os = "linux")]
fn linux_hands_a_tcp_listener_s_options_on() {
    let second = Duration::from_secs(1);
    let lasting = SocketOptions::default()
        .dont_route(true)
        .linger(Linger::Reset)
        .urgent_inline(true)
        .receive_buffer(20_000)
        .send_buffer(30_000)
        .receive_low(77)
        .receive_timeout(Some(second))
        .send_timeout(Some(2 * second))
        .nodelay(true)
        .cork(true)
        .longest_segment(1000)
        .keepalive_idle(33 * second)
        .keepalive_interval(7 * second)
        .keepalive_count(5)
        .user_timeout(Some(second))
        .unsent_low(9999)
        .ttl(33)
        .traffic_class(0x28);
    let listener = tcp();
    lasting.apply(&listener, Stage::Created).unwrap();
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    listener.listen(1).unwrap();
    let _client = TcpStream::connect(Address::of(&listener).unwrap().as_ip().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    fn same<T: Copy + fmt::Debug + PartialEq>(
        option: &SocketOption<T>,
        near: &Socket,
        far: &Socket,
    ) {
        assert_eq!(option.get(near).unwrap(), option.get(far).unwrap(), "{option:?}");
    }
    for option in [SO_DONTROUTE, SO_OOBINLINE, SO_KEEPALIVE, TCP_NODELAY, TCP_CORK] {
        assert!(option.get(&accepted).unwrap(), "{option:?}");
    }
    same(&SO_LINGER, &listener, &accepted);
    for option in [SO_RCVBUF, SO_SNDBUF, SO_RCVLOWAT] {
        same(&option, &listener, &accepted);
    }
    for option in [SO_RCVTIMEO, SO_SNDTIMEO, TCP_USER_TIMEOUT] {
        same(&option, &listener, &accepted);
    }
    assert_eq!(TCP_MAXSEG.get(&accepted).unwrap(), 988);
    for option in [TCP_KEEPIDLE, TCP_KEEPINTVL] {
        same(&option, &listener, &accepted);
    }
    for option in [TCP_KEEPCNT, TCP_NOTSENT_LOWAT] {
        same(&option, &listener, &accepted);
    }
    for option in [IP_TTL, IP_TOS] {
        same(&option, &listener, &accepted);
    }
}
