//! The options of IP: ip(7) and ipv6(7).

use std::net::Ipv4Addr;

use socket2::Socket;

use super::{Access, Moment, Protocol, SocketOption, only_on};

/// Whom a socket on an IPv6 address serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ipv6 {
    /// IPv6 peers only, whatever the system's own default: `[::]:80` and `0.0.0.0:80` can then be
    /// two sockets.
    #[default]
    Only,
    /// IPv4 peers too, as `::ffff:a.b.c.d` (RFC 4291, section 2.5.5.2). It matters on the
    /// unspecified address `[::]` alone. OpenBSD has no such sockets and refuses with EINVAL.
    DualStack,
}

/// The hops that a packet over IPv4 lives: 1 to 255, and zero is EINVAL. By default 64.
pub const IP_TTL: SocketOption<u8> = hops(
    "IP_TTL",
    Protocol::Ip,
    Access { get: |it| byte(it.ttl_v4()), set: |it, hops| it.set_ttl_v4(hops.into()) },
);

/// The traffic class of what is sent over IPv4: six bits of DSCP and two of ECN (RFC 2474, RFC 3168).
/// On a TCP socket Linux keeps the two for itself: what is set there reads as zero.
pub const IP_TOS: SocketOption<u8> = SocketOption {
    name: "IP_TOS",
    protocol: Protocol::Ip,
    moment: Moment::Lasting,
    access: only_on!(
        "linux" "android" "macos" "ios" "freebsd" "dragonfly" "netbsd" "openbsd",
        |it| byte(it.tos_v4()),
        |it, class| it.set_tos_v4(class.into())
    ),
};

/// The traffic class of what is sent over IPv6, as [`IP_TOS`].
pub const IPV6_TCLASS: SocketOption<u8> = SocketOption {
    name: "IPV6_TCLASS",
    protocol: Protocol::Ipv6,
    moment: Moment::Lasting,
    access: only_on!(
        "linux" "android" "macos" "freebsd" "dragonfly" "netbsd" "openbsd",
        |it| byte(it.tclass_v6()),
        |it, class| it.set_tclass_v6(class.into())
    ),
};

/// The hops that a packet over IPv6 lives: 0 to 255. By default 64, or what the router says.
pub const IPV6_UNICAST_HOPS: SocketOption<u8> = hops(
    "IPV6_UNICAST_HOPS",
    Protocol::Ipv6,
    Access {
        get: |it| byte(it.unicast_hops_v6()),
        set: |it, hops| it.set_unicast_hops_v6(hops.into()),
    },
);

/// Whether an IPv6 socket leaves IPv4 alone. It can't be changed once the socket is bound: EINVAL.
pub const IPV6_V6ONLY: SocketOption<Ipv6> = SocketOption::new(
    "IPV6_V6ONLY",
    Protocol::Ipv6,
    Moment::Binding,
    |it| Ok(if it.only_v6()? { Ipv6::Only } else { Ipv6::DualStack }),
    |it, ipv6| it.set_only_v6(ipv6 == Ipv6::Only),
);

/// The hops that a multicast packet over IPv4 lives: 0 (this machine) to 255. By default 1 (this
/// network).
pub const IP_MULTICAST_TTL: SocketOption<u8> = hops(
    "IP_MULTICAST_TTL",
    Protocol::Multicast,
    Access {
        get: |it| byte(it.multicast_ttl_v4()),
        set: |it, hops| it.set_multicast_ttl_v4(hops.into()),
    },
);

/// As [`IP_MULTICAST_TTL`], over IPv6.
pub const IPV6_MULTICAST_HOPS: SocketOption<u8> = hops(
    "IPV6_MULTICAST_HOPS",
    Protocol::Multicast6,
    Access {
        get: |it| byte(it.multicast_hops_v6()),
        set: |it, hops| it.set_multicast_hops_v6(hops.into()),
    },
);

/// Whether this machine's own members of a group get what is sent to it over IPv4 here. On by default.
pub const IP_MULTICAST_LOOP: SocketOption<bool> = SocketOption::new(
    "IP_MULTICAST_LOOP",
    Protocol::Multicast,
    Moment::Lasting,
    Socket::multicast_loop_v4,
    Socket::set_multicast_loop_v4,
);

/// As [`IP_MULTICAST_LOOP`], over IPv6.
pub const IPV6_MULTICAST_LOOP: SocketOption<bool> = SocketOption::new(
    "IPV6_MULTICAST_LOOP",
    Protocol::Multicast6,
    Moment::Lasting,
    Socket::multicast_loop_v6,
    Socket::set_multicast_loop_v6,
);

/// The interface, by an address of its own, that sends multicast packets over IPv4; `0.0.0.0` leaves
/// it to the routes. An address that no interface has is EADDRNOTAVAIL. Groups are
/// [joined](super::Membership::on) at its index: see [`Interface`](crate::Interface), which has both.
pub const IP_MULTICAST_IF: SocketOption<Ipv4Addr> = SocketOption::new(
    "IP_MULTICAST_IF",
    Protocol::Multicast,
    Moment::Lasting,
    Socket::multicast_if_v4,
    |it, address| it.set_multicast_if_v4(&address),
);

/// The interface, by its [index](crate::Interface::index), that sends multicast packets over IPv6; zero
/// leaves it to the routes. An index that no interface has is ENODEV.
pub const IPV6_MULTICAST_IF: SocketOption<u32> = SocketOption::new(
    "IPV6_MULTICAST_IF",
    Protocol::Multicast6,
    Moment::Lasting,
    Socket::multicast_if_v6,
    Socket::set_multicast_if_v6,
);

const fn hops(name: &'static str, protocol: Protocol, access: Access<u8>) -> SocketOption<u8> {
    SocketOption { name, protocol, moment: Moment::Lasting, access: Some(access) }
}

/// A field of a header that has eight bits.
fn byte(value: std::io::Result<u32>) -> std::io::Result<u8> {
    value.map(|value| value.min(u8::MAX.into()) as u8)
}
