//! The options of sockets, typed: each a constant with the kernel's own name, which sets it and reads
//! it back on anything with a descriptor.
//!
//! ```
//! use std::net::TcpListener;
//! use std::time::Duration;
//!
//! use reactor::options;
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! options::SO_KEEPALIVE.set(&listener, true)?;
//! options::TCP_KEEPIDLE.set(&listener, Duration::from_secs(60))?;
//! assert_eq!(options::TCP_KEEPIDLE.get(&listener)?, Duration::from_secs(60));
//! # std::io::Result::Ok(())
//! ```
//!
//! On the reactor's own sockets, ask the context for the descriptor:
//! `options::TCP_CORK.set(&ctx.socket(conn)?, true)`. What is to hold from a socket's beginning stands
//! in [`SocketOptions`], which is applied at the right moments.
//!
//! # Errors
//!
//! Each error is a [`Failure`] that names the option and the value:
//! `set TCP_KEEPCNT to 1000: Invalid argument (os error 22)`.
//!
//! - [`Unsupported`](io::ErrorKind::Unsupported): this system has no such option, or it can't be set
//!   here (ENOPROTOOPT), or not on this kind of socket (EOPNOTSUPP).
//! - [`InvalidInput`](io::ErrorKind::InvalidInput): the value is out of range (EINVAL, EDOM).
//! - What else the kernel says: EBADF, ENOTSOCK, EACCES and EPERM (a privilege is missing), ENOTCONN
//!   or EINVAL on a connection that is gone.

mod ip;
mod membership;
mod set;
mod socket;
mod tcp;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{SockRef, Socket};

use super::Failure;

pub use ip::{
    IP_MULTICAST_IF, IP_MULTICAST_LOOP, IP_MULTICAST_TTL, IP_TOS, IP_TTL, IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF, IPV6_MULTICAST_LOOP, IPV6_TCLASS, IPV6_UNICAST_HOPS, IPV6_V6ONLY, Ipv6,
};
pub use membership::Membership;
pub use set::{SocketOptions, Stage};
pub use socket::{
    Linger, SO_BROADCAST, SO_DEBUG, SO_DONTROUTE, SO_KEEPALIVE, SO_LINGER, SO_OOBINLINE, SO_RCVBUF,
    SO_RCVLOWAT, SO_RCVTIMEO, SO_REUSEADDR, SO_REUSEPORT, SO_SNDBUF, SO_SNDLOWAT, SO_SNDTIMEO,
    take_error,
};
pub use tcp::{
    TCP_CORK, TCP_DEFER_ACCEPT, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_MAXSEG, TCP_NODELAY,
    TCP_NOTSENT_LOWAT, TCP_QUICKACK, TCP_USER_TIMEOUT,
};

/// An option of sockets with values of type `T`; the constants of this module are all there are.
pub struct SocketOption<T: 'static> {
    name: &'static str,
    protocol: Protocol,
    moment: Moment,
    /// `None` where the system has no such option.
    access: Option<Access<T>>,
}

/// How a value is read and written.
struct Access<T: 'static> {
    get: fn(&Socket) -> io::Result<T>,
    set: fn(&Socket, T) -> io::Result<()>,
}

/// Which sockets have an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Any,
    /// Those over IPv4 or IPv6.
    Ip,
    Ipv6,
    Tcp,
    /// Those over IPv4 or IPv6 but TCP's, which refuse most of these and have no use for them.
    Multicast,
    /// Those over IPv6 but TCP's.
    Multicast6,
}

/// When an option is to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// Before bind(2), and on that socket alone: connections that it accepts have no use for it.
    Binding,
    /// Before bind(2), and then for as long as the socket or a connection that it accepts lasts.
    Lasting,
    /// Once there is a connection.
    Connected,
}

impl<T: Copy + fmt::Debug> SocketOption<T> {
    /// The kernel's name of it: `TCP_NODELAY`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is set to on `socket`.
    ///
    /// # Errors
    ///
    /// See the [module](self).
    pub fn get(&self, socket: &impl AsFd) -> io::Result<T> {
        self.access()
            .and_then(|access| (access.get)(&SockRef::from(socket)))
            .map_err(|error| refused(format!("get {}", self.name), error))
    }

    /// Sets it on `socket`.
    ///
    /// # Errors
    ///
    /// See the [module](self).
    pub fn set(&self, socket: &impl AsFd, value: T) -> io::Result<()> {
        self.access()
            .and_then(|access| (access.set)(&SockRef::from(socket), value))
            .map_err(|error| refused(format!("set {} to {value:?}", self.name), error))
    }

    fn access(&self) -> io::Result<&Access<T>> {
        self.access.as_ref().ok_or_else(|| {
            io::Error::new(io::ErrorKind::Unsupported, "this system has no such option")
        })
    }
}

impl<T> SocketOption<T> {
    /// An option that every system has.
    const fn new(
        name: &'static str,
        protocol: Protocol,
        moment: Moment,
        get: fn(&Socket) -> io::Result<T>,
        set: fn(&Socket, T) -> io::Result<()>,
    ) -> Self {
        Self { name, protocol, moment, access: Some(Access { get, set }) }
    }
}

impl<T> fmt::Debug for SocketOption<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The access to an option on the systems named, and none elsewhere.
macro_rules! only_on {
    ($($system:literal)*, $get:expr, $set:expr) => {{
        #[cfg(any($(target_os = $system),*))]
        let access = Some($crate::net::options::Access { get: $get, set: $set });
        #[cfg(not(any($(target_os = $system),*)))]
        let access = None;
        access
    }};
}
use only_on;

/// An error that says which option it was. That the kernel doesn't know the option is said as by a
/// system that hasn't got it.
fn refused(attempt: String, error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(libc::ENOPROTOOPT) {
        return Failure::unsupported(attempt, error);
    }
    Failure::wrap(attempt, error, None)
}

/// A number as the kernel takes it.
fn int(number: impl TryInto<libc::c_int>) -> io::Result<libc::c_int> {
    number.try_into().map_err(|_| invalid("more than the kernel's integers hold"))
}

/// A number that the kernel counts something in.
fn count<N: TryFrom<libc::c_int>>(number: libc::c_int) -> io::Result<N> {
    number.try_into().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "out of range"))
}

/// Whole seconds, rounded up: a time that isn't zero must not become zero.
fn seconds(time: Duration) -> io::Result<libc::c_int> {
    int(time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)))
}

fn invalid(complaint: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, complaint)
}
