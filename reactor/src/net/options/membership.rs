//! Multicast groups (RFC 1112, RFC 4291 section 2.7) that a socket hears.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

use socket2::SockRef;

use super::refused;

/// A multicast group, and the interface at which to hear it.
///
/// ```
/// use std::net::{Ipv4Addr, UdpSocket};
/// use reactor::options::Membership;
///
/// let socket = UdpSocket::bind("0.0.0.0:0")?;
/// let group = Membership::of(Ipv4Addr::new(239, 1, 2, 3));
/// match group.join(&socket) {
///     Ok(()) => group.leave(&socket)?,
///     // Without a route to it, no interface can be chosen.
///     Err(error) => println!("{error}"),
/// }
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Membership {
    group: IpAddr,
    interface: u32,
}

impl Membership {
    /// The group at this address, at the interface that the routes choose.
    #[must_use]
    pub fn of(group: impl Into<IpAddr>) -> Self {
        Self { group: group.into(), interface: 0 }
    }

    /// The same group at the interface with this [index](crate::Interface::index). What is sent to a group
    /// of IPv4 leaves through the interface with an address instead:
    /// [`IP_MULTICAST_IF`](crate::options::IP_MULTICAST_IF).
    #[must_use]
    pub fn on(mut self, interface: u32) -> Self {
        self.interface = interface;
        self
    }

    /// Has `socket` hear the group, until it leaves or closes.
    ///
    /// On Linux a socket that is bound to a wildcard address also hears the groups that others of the
    /// machine have joined, on its port (`IP_MULTICAST_ALL`, ip(7)):
    /// [`Datagram::local`](crate::Datagram::local) tells which group it was.
    ///
    /// # Errors
    ///
    /// A [`Failure`](crate::Failure) that names the group: EADDRINUSE if it hears it already, ENODEV if
    /// there is no such interface, EINVAL if the address isn't a group's, ENOBUFS if there are too
    /// many (the sysctl `net.ipv4.igmp_max_memberships`);
    /// [`Unsupported`](io::ErrorKind::Unsupported) where a group of IPv4 can't be heard at an
    /// interface by its index.
    pub fn join(&self, socket: &impl AsFd) -> io::Result<()> {
        let socket = SockRef::from(socket);
        match self.group {
            IpAddr::V4(group) => join_v4(&socket, group, self.interface),
            IpAddr::V6(group) => socket.join_multicast_v6(&group, self.interface),
        }
        .map_err(|error| refused(format!("join {self}"), error))
    }

    /// Has `socket` no longer hear the group.
    ///
    /// # Errors
    ///
    /// A [`Failure`](crate::Failure) that names the group: EADDRNOTAVAIL if it doesn't hear it.
    pub fn leave(&self, socket: &impl AsFd) -> io::Result<()> {
        let socket = SockRef::from(socket);
        match self.group {
            IpAddr::V4(group) => leave_v4(&socket, group, self.interface),
            IpAddr::V6(group) => socket.leave_multicast_v6(&group, self.interface),
        }
        .map_err(|error| refused(format!("leave {self}"), error))
    }

    pub(super) fn is_v6(&self) -> bool {
        self.group.is_ipv6()
    }
}

/// `239.1.2.3`, or `239.1.2.3 on interface 2`.
impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.interface {
            0 => self.group.fmt(f),
            interface => write!(f, "{} on interface {interface}", self.group),
        }
    }
}

use by_index::{join_v4, leave_v4};

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "dragonfly"
))]
mod by_index {
    use std::io;
    use std::net::Ipv4Addr;

    use socket2::{InterfaceIndexOrAddress, Socket};

    pub(super) fn join_v4(socket: &Socket, group: Ipv4Addr, interface: u32) -> io::Result<()> {
        socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(interface))
    }

    pub(super) fn leave_v4(socket: &Socket, group: Ipv4Addr, interface: u32) -> io::Result<()> {
        socket.leave_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(interface))
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "dragonfly"
)))]
mod by_index {
    use std::io;
    use std::net::Ipv4Addr;

    use socket2::Socket;

    pub(super) fn join_v4(socket: &Socket, group: Ipv4Addr, interface: u32) -> io::Result<()> {
        socket.join_multicast_v4(&group, &chosen_by_routes(interface)?)
    }

    pub(super) fn leave_v4(socket: &Socket, group: Ipv4Addr, interface: u32) -> io::Result<()> {
        socket.leave_multicast_v4(&group, &chosen_by_routes(interface)?)
    }

    fn chosen_by_routes(interface: u32) -> io::Result<Ipv4Addr> {
        match interface {
            0 => Ok(Ipv4Addr::UNSPECIFIED),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
