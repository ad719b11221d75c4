use std::net::{Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixStream;

use super::*;

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
