//! The options of TCP: tcp(7).

#![cfg_attr(
    not(any(target_os = "linux", target_os = "android")),
    allow(unused_imports, dead_code, reason = "what a system lacks needs no access")
)]

use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{Socket, TcpKeepalive};

use super::{Moment, Protocol, SocketOption, count, int, invalid, only_on, seconds};
use crate::sys::sockopt;

const fn tcp<T>(
    name: &'static str,
    moment: Moment,
    access: Option<super::Access<T>>,
) -> SocketOption<T> {
    SocketOption { name, protocol: Protocol::Tcp, moment, access }
}

/// Whether small messages leave at once, instead of waiting until what was sent before is acknowledged
/// (Nagle's algorithm, RFC 1122, section 4.2.3.4).
pub const TCP_NODELAY: SocketOption<bool> = SocketOption::new(
    "TCP_NODELAY",
    Protocol::Tcp,
    Moment::Lasting,
    Socket::tcp_nodelay,
    Socket::set_tcp_nodelay,
);

/// Whether only full segments leave, until it is switched off: what waits goes then, or after 200 ms.
/// It counts more than [`TCP_NODELAY`]. Linux.
pub const TCP_CORK: SocketOption<bool> = tcp(
    "TCP_CORK",
    Moment::Lasting,
    only_on!("linux" "android", Socket::tcp_cork, Socket::set_tcp_cork),
);

/// Whether what comes is acknowledged at once. It isn't lasting: the kernel goes back to delaying as
/// it sees fit, so that it is to be set again after reads. Linux.
pub const TCP_QUICKACK: SocketOption<bool> = tcp(
    "TCP_QUICKACK",
    Moment::Connected,
    only_on!("linux" "android", Socket::tcp_quickack, Socket::set_tcp_quickack),
);

/// The longest segment, in bytes, 88 to 32,767 on Linux, or zero for the system's own; else EINVAL. It must be set before listen(2)
/// or connect(2): afterwards Linux takes it and does nothing.
///
/// Read on a connection, it is what was agreed on, less TCP's options: 12 bytes for time stamps.
pub const TCP_MAXSEG: SocketOption<u32> = SocketOption::new(
    "TCP_MAXSEG",
    Protocol::Tcp,
    Moment::Lasting,
    Socket::tcp_mss,
    |socket, bytes| socket.set_tcp_mss(int(bytes)? as u32),
);

/// How long a connection with [`SO_KEEPALIVE`](super::SO_KEEPALIVE) is quiet before it asks; whole
/// seconds, rounded up, 1 to 32,767 on Linux, else EINVAL. By default two hours.
///
/// Setting it, or one of the other two figures, switches SO_KEEPALIVE on.
pub const TCP_KEEPIDLE: SocketOption<Duration> = tcp(
    "TCP_KEEPIDLE",
    Moment::Lasting,
    only_on!(
        "linux" "android" "macos" "ios" "freebsd" "dragonfly" "netbsd",
        Socket::tcp_keepalive_time,
        |socket, time| {
            let time = Duration::from_secs(seconds(time)? as u64);
            keepalive(socket, |options| options.with_time(time))
        }
    ),
);

/// The time between two of the questions; whole seconds, rounded up, 1 to 32,767 on Linux, else
/// EINVAL. By default 75 s.
pub const TCP_KEEPINTVL: SocketOption<Duration> = tcp(
    "TCP_KEEPINTVL",
    Moment::Lasting,
    only_on!(
        "linux" "android" "macos" "ios" "freebsd" "dragonfly" "netbsd",
        Socket::tcp_keepalive_interval,
        |socket, time| {
            let time = Duration::from_secs(seconds(time)? as u64);
            keepalive(socket, |options| options.with_interval(time))
        }
    ),
);

/// How many questions in a row may stay unanswered: 1 to 127 on Linux, else EINVAL. By default 9.
pub const TCP_KEEPCNT: SocketOption<u32> = tcp(
    "TCP_KEEPCNT",
    Moment::Lasting,
    only_on!(
        "linux" "android" "macos" "ios" "freebsd" "dragonfly" "netbsd",
        Socket::tcp_keepalive_retries,
        |socket, questions| {
            let questions = int(questions)? as u32;
            keepalive(socket, |options| options.with_retries(questions))
        }
    ),
);

/// How long what was sent may stay unacknowledged before the connection ends with ETIMEDOUT
/// (RFC 5482); `None` for as long as the retransmissions take, some 15 minutes. It bounds the
/// handshake and the questions of [`SO_KEEPALIVE`](super::SO_KEEPALIVE), too. Whole milliseconds,
/// rounded up, at most 24 days; zero is [`InvalidInput`](std::io::ErrorKind::InvalidInput). Linux.
pub const TCP_USER_TIMEOUT: SocketOption<Option<Duration>> = tcp(
    "TCP_USER_TIMEOUT",
    Moment::Lasting,
    only_on!("linux" "android", Socket::tcp_user_timeout, |socket, time| {
        let Some(time) = time else { return socket.set_tcp_user_timeout(None) };
        if time.is_zero() {
            return Err(invalid("zero would be the system's default: say None"));
        }
        let millis = int(time.as_nanos().div_ceil(1_000_000))?;
        socket.set_tcp_user_timeout(Some(Duration::from_millis(millis as u64)))
    }),
);

/// How long a listener leaves a client unannounced that has connected and says nothing; zero doesn't
/// wait at all. When the time is over the client is accepted all the same, if it still answers. Linux.
///
/// Linux counts in retransmissions of its SYN-ACK, after 1, 3, 7, 15 … s: so it rounds up, and says the
/// rounded time when asked.
pub const TCP_DEFER_ACCEPT: SocketOption<Duration> = tcp(
    "TCP_DEFER_ACCEPT",
    Moment::Binding,
    only_on!(
        "linux" "android",
        |socket| {
            let time = sockopt::get(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT)?;
            Ok(Duration::from_secs(count(time)?))
        },
        |socket, time| {
            let time = seconds(time)?;
            sockopt::set(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, time)
        }
    ),
);

/// Bytes that may wait in the kernel without having been sent once. With more than half of them the
/// socket isn't writable, so that late decisions are late and queues are short; zero is the system's
/// default (the sysctl `net.ipv4.tcp_notsent_lowat`), which is no bound. Linux.
///
/// What [`unsent_bytes`](crate::control::unsent_bytes) counts is bounded by it, but for one segment
/// more, which the network card may cut into many: up to 64 KiB.
pub const TCP_NOTSENT_LOWAT: SocketOption<u32> = tcp(
    "TCP_NOTSENT_LOWAT",
    Moment::Lasting,
    only_on!("linux" "android", Socket::tcp_notsent_lowat, Socket::set_tcp_notsent_lowat),
);

/// Sets one of the three figures; socket2 switches SO_KEEPALIVE on along with them.
fn keepalive(
    socket: &Socket,
    with: impl FnOnce(TcpKeepalive) -> TcpKeepalive,
) -> std::io::Result<()> {
    socket.set_tcp_keepalive(&with(TcpKeepalive::new()))
}
