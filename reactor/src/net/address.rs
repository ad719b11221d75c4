//! Where a socket is, or its peer.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use socket2::{SockAddr, SockRef};

/// An address of a socket or of its peer: internet or Unix.
///
/// Printed as `127.0.0.1:80`, `[::1]:80`, the path, `@name` for an abstract name, or `unnamed`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An internet address and a port. To a [dual-stack](super::Ipv6::DualStack) socket an IPv4 peer
    /// is `::ffff:a.b.c.d`; [`IpAddr::to_canonical`](std::net::IpAddr::to_canonical) makes it an
    /// IPv4 address again.
    Ip(SocketAddr),
    /// A Unix socket's file, as it was named in bind(2): it may be relative, or gone by now.
    Path(PathBuf),
    /// A Unix socket's name outside the file system, without the leading zero byte: any bytes.
    /// Linux and Android only (unix(7), "abstract").
    Abstract(Vec<u8>),
    /// A Unix socket that wasn't bound, as most clients are.
    Unnamed,
}

impl Address {
    /// The name of any socket (getsockname(2)); of one that isn't bound, the unspecified address or
    /// [`Unnamed`](Self::Unnamed).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) for a family that has no name here; what the kernel
    /// says: ENOTSOCK, EBADF.
    pub fn of(socket: &impl AsFd) -> io::Result<Self> {
        Self::named(&SockRef::from(socket).local_addr()?)
    }

    /// The name of any socket's peer (getpeername(2)).
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of); ENOTCONN without a peer, or when it is gone.
    pub fn peer_of(socket: &impl AsFd) -> io::Result<Self> {
        Self::named(&SockRef::from(socket).peer_addr()?)
    }

    fn named(address: &SockAddr) -> io::Result<Self> {
        Self::read(address).ok_or_else(|| {
            let family = address.family();
            let message = format!("addresses of family {family} have no name here");
            io::Error::new(io::ErrorKind::Unsupported, message)
        })
    }

    /// What the kernel said, or `None` for a family that isn't of this library.
    pub(crate) fn read(address: &SockAddr) -> Option<Self> {
        if let Some(address) = address.as_socket() {
            return Some(Self::Ip(address));
        }
        if !address.is_unix() {
            return None;
        }
        let path = address.as_pathname().map(|path| Self::Path(path.to_owned()));
        let name = || address.as_abstract_namespace().map(|name| Self::Abstract(name.to_owned()));
        Some(path.or_else(name).unwrap_or(Self::Unnamed))
    }

    /// The internet address, if it is one.
    #[must_use]
    pub fn as_ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            _ => None,
        }
    }

    /// The path of the Unix socket's file, if it has one.
    #[must_use]
    pub fn as_path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Path(path) => path.display().fmt(f),
            Self::Abstract(name) => write!(f, "@{}", name.escape_ascii()),
            Self::Unnamed => f.write_str("unnamed"),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_people_type() {
        for (address, text) in [
            (Address::Ip("127.0.0.1:80".parse().unwrap()), "127.0.0.1:80"),
            (Address::Ip("[::1]:80".parse().unwrap()), "[::1]:80"),
            (Address::Path("/run/chat".into()), "/run/chat"),
            (Address::Abstract(b"chat\0\xff".to_vec()), "@chat\\x00\\xff"),
            (Address::Unnamed, "unnamed"),
        ] {
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn reads_what_the_kernel_says() {
        let ip: SocketAddr = "[::1]:80".parse().unwrap();
        assert_eq!(Address::read(&ip.into()), Some(Address::Ip(ip)));
        let path = SockAddr::unix("/run/chat").unwrap();
        assert_eq!(Address::read(&path), Some(Address::Path("/run/chat".into())));
        assert_eq!(Address::read(&SockAddr::unix("").unwrap()), Some(Address::Unnamed));
    }
}
