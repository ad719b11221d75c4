use std::net::SocketAddr;

use super::*;
use crate::Address;

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

/// A TCP socket has no use for multicast, and refuses most of its options.
#[test]
fn a_set_with_multicast_does_for_tcp_too() {
    let group = Membership::of(std::net::Ipv4Addr::new(239, 1, 2, 3));
    let mut refused = Vec::new();
    for set in [
        SocketOptions::default().multicast_ttl(4),
        SocketOptions::default().multicast_hops_v6(4),
        SocketOptions::default().multicast_interface(std::net::Ipv4Addr::LOCALHOST),
        SocketOptions::default().multicast_interface_v6(1),
        SocketOptions::default().join(group),
    ] {
        for socket in [Some(tcp()), v6(Type::STREAM)].into_iter().flatten() {
            refused.extend(set.apply(&socket, Stage::Created).err().map(|error| error.to_string()));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
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
