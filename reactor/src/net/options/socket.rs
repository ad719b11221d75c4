//! The options of every socket: socket(7).

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{SockRef, Socket};

use super::{Moment, Protocol, SocketOption, count, int, invalid, only_on, refused};
use crate::sys::sockopt;

/// An option that socket2 doesn't have, whose value is one `int`.
macro_rules! plain {
    ($option:ident, $get:expr, $set:expr) => {
        SocketOption::new(
            stringify!($option),
            Protocol::Any,
            Moment::Lasting,
            |socket| {
                let value = sockopt::get(socket.as_fd(), libc::SOL_SOCKET, libc::$option)?;
                $get(value)
            },
            |socket, value| {
                sockopt::set(socket.as_fd(), libc::SOL_SOCKET, libc::$option, $set(value)?)
            },
        )
    };
}

/// Whether datagrams may be sent to broadcast addresses. Off by default: such a send is answered with
/// EACCES. Streams ignore it.
pub const SO_BROADCAST: SocketOption<bool> = SocketOption::new(
    "SO_BROADCAST",
    Protocol::Any,
    Moment::Lasting,
    Socket::broadcast,
    Socket::set_broadcast,
);

/// Whether the kernel records what the socket does, where it can. For root, or on Linux for
/// CAP_NET_ADMIN: EACCES.
pub const SO_DEBUG: SocketOption<bool> = plain!(SO_DEBUG, flag, from_flag);

/// Whether to send to directly connected hosts alone, by no gateway: others are ENETUNREACH.
pub const SO_DONTROUTE: SocketOption<bool> = plain!(SO_DONTROUTE, flag, from_flag);

/// Whether a connection on which nothing comes asks its peer whether it is still there, at the times
/// of [`TCP_KEEPIDLE`](super::TCP_KEEPIDLE), [`TCP_KEEPINTVL`](super::TCP_KEEPINTVL) and
/// [`TCP_KEEPCNT`](super::TCP_KEEPCNT) (RFC 1122, section 4.2.3.6). A peer that doesn't answer ends
/// the connection with ETIMEDOUT.
pub const SO_KEEPALIVE: SocketOption<bool> = SocketOption::new(
    "SO_KEEPALIVE",
    Protocol::Any,
    Moment::Lasting,
    Socket::keepalive,
    Socket::set_keepalive,
);

/// What close(2) does with bytes that the peer hasn't taken: see [`Linger`].
pub const SO_LINGER: SocketOption<Linger> = SocketOption::new(
    "SO_LINGER",
    Protocol::Any,
    Moment::Lasting,
    |socket| {
        Ok(match socket.linger()? {
            None => Linger::Background,
            Some(Duration::ZERO) => Linger::Reset,
            Some(time) => Linger::Blocking(time),
        })
    },
    |socket, linger| match linger {
        Linger::Background => socket.set_linger(None),
        Linger::Reset => socket.set_linger(Some(Duration::ZERO)),
        Linger::Blocking(_) => Err(invalid("close(2) would block the whole loop for that time")),
    },
);

/// What close(2) does with bytes that the peer hasn't taken.
///
/// The reactor doesn't need it: [`Context::close`](crate::Context::close) sends what is queued, waits
/// for the peer's end for [`Limits::drain_timeout`](crate::Limits::drain_timeout), without blocking,
/// and only then closes; [`Context::abort`](crate::Context::abort) resets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Linger {
    /// It returns at once, and the kernel goes on sending.
    #[default]
    Background,
    /// It drops them and sends an RST (TCP).
    Reset,
    /// It blocks until they are acknowledged, or for this time: on Linux *also on a nonblocking
    /// socket*, so that one slow peer holds up all. It is what a socket from elsewhere may have, and
    /// can't be set here: [`InvalidInput`](io::ErrorKind::InvalidInput).
    Blocking(Duration),
}

/// Whether the urgent byte of a stream stands among the others, at its place, instead of being read
/// apart. Connections whose handler asks for [urgent data](crate::Context::watch_urgent) must not have
/// it.
pub const SO_OOBINLINE: SocketOption<bool> = SocketOption::new(
    "SO_OOBINLINE",
    Protocol::Any,
    Moment::Lasting,
    Socket::out_of_band_inline,
    Socket::set_out_of_band_inline,
);

/// Bytes that may wait to be received. For TCP it must be set before listen(2) or connect(2), because
/// the handshake fixes the scale of the window by it (RFC 7323, section 2); it ends the kernel's own
/// adjusting.
///
/// Linux doubles the figure for its bookkeeping, and says the double when asked; it raises what is
/// below 1,152 (2,304 then) and cuts at the sysctl `net.core.rmem_max`, both without an error.
pub const SO_RCVBUF: SocketOption<usize> = SocketOption::new(
    "SO_RCVBUF",
    Protocol::Any,
    Moment::Lasting,
    Socket::recv_buffer_size,
    |socket, bytes| socket.set_recv_buffer_size(int(bytes)? as usize),
);

/// Bytes that may wait to be sent, and for TCP to be acknowledged. It ends the kernel's own
/// adjusting.
///
/// Linux doubles the figure, and says the double when asked; it raises what is below 2,304 (4,608
/// then) and cuts at the sysctl `net.core.wmem_max`, both without an error.
pub const SO_SNDBUF: SocketOption<usize> = SocketOption::new(
    "SO_SNDBUF",
    Protocol::Any,
    Moment::Lasting,
    Socket::send_buffer_size,
    |socket, bytes| socket.set_send_buffer_size(int(bytes)? as usize),
);

/// Bytes that must have come before the socket counts as readable; at least 1.
///
/// Linux honours it for TCP alone, and then as a hint: it says "readable" earlier at the end of the
/// stream, at an error, and when memory is short. It cuts the figure at half the receive buffer, or
/// makes that grow. Reads aren't bound by it. What must be exact is
/// [`Limits::read_low`](crate::Limits::read_low)'s.
pub const SO_RCVLOWAT: SocketOption<usize> = plain!(SO_RCVLOWAT, count, int);

/// Bytes for which there must be room before the socket counts as writable. Linux always says 1, and
/// setting it is [`Unsupported`](io::ErrorKind::Unsupported) (ENOPROTOOPT): its counterpart there is
/// [`TCP_NOTSENT_LOWAT`](super::TCP_NOTSENT_LOWAT).
pub const SO_SNDLOWAT: SocketOption<usize> = plain!(SO_SNDLOWAT, count, int);

/// How long a read of a *blocking* socket waits before it says
/// [`WouldBlock`](io::ErrorKind::WouldBlock); `None` is for ever. It means nothing to a nonblocking
/// socket, as the reactor's are: it is for helpers in threads of their own.
///
/// Rounded up to microseconds, and by Linux to its tick (1 to 10 ms). Zero is
/// [`InvalidInput`](io::ErrorKind::InvalidInput).
pub const SO_RCVTIMEO: SocketOption<Option<Duration>> = SocketOption::new(
    "SO_RCVTIMEO",
    Protocol::Any,
    Moment::Lasting,
    Socket::read_timeout,
    |socket, time| socket.set_read_timeout(timeout(time)?),
);

/// As [`SO_RCVTIMEO`], for writes.
pub const SO_SNDTIMEO: SocketOption<Option<Duration>> = SocketOption::new(
    "SO_SNDTIMEO",
    Protocol::Any,
    Moment::Lasting,
    Socket::write_timeout,
    |socket, time| socket.set_write_timeout(timeout(time)?),
);

/// For TCP: whether a port can be bound while connections of a former listener linger in TIME_WAIT.
/// For UDP: whether an address may be bound by several sockets that all say so, which is for
/// multicast; a unicast datagram goes to one of them, on Linux to whoever bound last.
pub const SO_REUSEADDR: SocketOption<bool> = SocketOption::new(
    "SO_REUSEADDR",
    Protocol::Ip,
    Moment::Binding,
    Socket::reuse_address,
    Socket::set_reuse_address,
);

/// Whether several sockets of one user, which all say so, may share an address and a port.
///
/// Linux, and FreeBSD (where it is SO_REUSEPORT_LB), deal connections and datagrams out among them by
/// a hash of the addresses. macOS and the other BSDs allow the sharing, but deal unevenly.
pub const SO_REUSEPORT: SocketOption<bool> = SocketOption {
    name: "SO_REUSEPORT",
    protocol: Protocol::Ip,
    moment: Moment::Binding,
    access: SHARING,
};

#[cfg(target_os = "freebsd")]
const SHARING: Option<super::Access<bool>> =
    only_on!("freebsd", Socket::reuse_port_lb, Socket::set_reuse_port_lb);
#[cfg(not(target_os = "freebsd"))]
const SHARING: Option<super::Access<bool>> = only_on!(
    "linux" "android" "macos" "ios" "dragonfly" "netbsd" "openbsd",
    Socket::reuse_port,
    Socket::set_reuse_port
);

/// The error that waits on a socket, and takes it away (SO_ERROR): a read that comes after it finds the
/// end of the stream instead. So it isn't for the reactor's own connections.
///
/// # Errors
///
/// What getsockopt(2) says of the descriptor.
pub fn take_error(socket: &impl AsFd) -> io::Result<Option<io::Error>> {
    SockRef::from(socket).take_error().map_err(|error| refused("get SO_ERROR".into(), error))
}

fn flag(value: libc::c_int) -> io::Result<bool> {
    Ok(value != 0)
}

fn from_flag(value: bool) -> io::Result<libc::c_int> {
    Ok(value.into())
}

/// To the kernel zero is "for ever", and so would be what is rounded down to it.
fn timeout(time: Option<Duration>) -> io::Result<Option<Duration>> {
    let Some(time) = time else { return Ok(None) };
    if time.is_zero() {
        return Err(invalid("zero would be for ever: say None"));
    }
    let up = u32::from(time.subsec_nanos() % 1000 > 0) * 1000;
    Ok(Some(time.saturating_add(Duration::from_nanos(up.into()))))
}
