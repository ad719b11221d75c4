//! Whom a connect is to reach.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Address;

/// Whom a connect is to reach: one address, several, a host name with a port, or a Unix socket.
///
/// Made from what one has at hand:
///
/// ```
/// use std::net::{Ipv4Addr, SocketAddr};
/// use std::path::Path;
/// use reactor::Target;
///
/// # fn main() -> Result<(), std::net::AddrParseError> {
/// let name = Target::from("example.com:443");
/// let number = Target::from("[::1]:443");
/// let pair = Target::from(("example.com", 443));
/// let address = Target::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 443)));
/// let several = Target::from(vec!["10.0.0.1:443".parse()?, "10.0.0.2:443".parse::<SocketAddr>()?]);
/// let path = Target::from(Path::new("/run/app.sock"));
/// let hidden = Target::abstract_name(b"app");
/// # Ok(())
/// # }
/// ```
///
/// A text is `host:port`, or a number and a port as [`SocketAddr`] writes them; one that is neither is
/// a target whose connect fails, with [`InvalidInput`](io::ErrorKind::InvalidInput). A host name is
/// looked up at each round, by the system's resolver and away from the loop's thread. So is the interface
/// of a link-local address, where it has its name: `[fe80::1%eth0]:443`.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(pub(super) Place);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Addresses(Arc<[Address]>),
    Host {
        name: Arc<str>,
        port: u16,
    },
    /// A text that names nothing.
    Nowhere(Arc<str>),
}

impl Target {
    /// A Unix stream socket with an abstract name, without its leading zero byte (Linux; unix(7)).
    #[must_use]
    pub fn abstract_name(name: impl Into<Vec<u8>>) -> Self {
        Self::at(Address::Abstract(name.into()))
    }

    fn at(address: Address) -> Self {
        Self(Place::Addresses([address].into()))
    }

    /// What is known without a lookup.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a target that names nothing.
    pub(crate) fn addresses(&self) -> io::Result<Option<Arc<[Address]>>> {
        let nothing = |complaint| Err(io::Error::new(io::ErrorKind::InvalidInput, complaint));
        match &self.0 {
            Place::Addresses(addresses) if addresses.is_empty() => nothing("there is no address"),
            Place::Addresses(addresses) => Ok(Some(Arc::clone(addresses))),
            Place::Host { .. } => Ok(None),
            Place::Nowhere(_) => {
                nothing("a target is host:port, such as example.com:80 or [::1]:80")
            }
        }
    }

    /// What the resolver is to look up.
    pub(crate) fn host(&self) -> Option<(Arc<str>, u16)> {
        match &self.0 {
            Place::Host { name, port } => Some((Arc::clone(name), *port)),
            _ => None,
        }
    }
}

impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Self::at(address.into())
    }
}

impl From<(IpAddr, u16)> for Target {
    fn from(address: (IpAddr, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

/// Raced in this order, the families in turns (RFC 8305, section 4).
impl From<Vec<SocketAddr>> for Target {
    fn from(addresses: Vec<SocketAddr>) -> Self {
        Self(Place::Addresses(in_turns(addresses)))
    }
}

/// As those of a `Vec`.
impl From<&[SocketAddr]> for Target {
    fn from(addresses: &[SocketAddr]) -> Self {
        addresses.to_vec().into()
    }
}

impl From<&str> for Target {
    fn from(text: &str) -> Self {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return address.into();
        }
        let parts = text.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
        match parts {
            Some((name, port)) if !name.is_empty() && !name.contains(':') => {
                Self(Place::Host { name: name.into(), port })
            }
            Some((name, port)) => match with_scope(name) {
                Some(name) => Self(Place::Host { name: name.into(), port }),
                None => Self(Place::Nowhere(text.into())),
            },
            None => Self(Place::Nowhere(text.into())),
        }
    }
}

/// The inside of `[fe80::1%eth0]`. The resolver knows interfaces by their names.
fn with_scope(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    let (address, scope) = inside.split_once('%')?;
    (address.parse::<Ipv6Addr>().is_ok() && !scope.is_empty()).then_some(inside)
}

impl From<String> for Target {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

/// A host, also one given as a number.
impl From<(&str, u16)> for Target {
    fn from((name, port): (&str, u16)) -> Self {
        match name.parse::<IpAddr>() {
            Ok(ip) => (ip, port).into(),
            Err(_) if name.is_empty() => Self(Place::Nowhere(format!(":{port}").into())),
            Err(_) => Self(Place::Host { name: name.into(), port }),
        }
    }
}

/// The file of a Unix stream socket.
impl From<&Path> for Target {
    fn from(path: &Path) -> Self {
        path.to_owned().into()
    }
}

/// The file of a Unix stream socket.
impl From<PathBuf> for Target {
    fn from(path: PathBuf) -> Self {
        Self::at(Address::Path(path))
    }
}

/// Where something listens, as [`listener_address`](crate::Context::listener_address) tells it.
impl From<Address> for Target {
    fn from(address: Address) -> Self {
        Self::at(address)
    }
}

/// As it was given; of several addresses, all of them. One without anything is said to be so.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Addresses(addresses) if addresses.is_empty() => f.write_str("an empty list"),
            Place::Addresses(addresses) => {
                for (place, address) in addresses.iter().enumerate() {
                    write!(f, "{}{address}", if place > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
            Place::Host { name, port } if name.contains(':') => write!(f, "[{name}]:{port}"),
            Place::Host { name, port } => write!(f, "{name}:{port}"),
            Place::Nowhere(text) if text.is_empty() => f.write_str("an empty text"),
            Place::Nowhere(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// The addresses with their families in turns, the first one's first, so that a family without a route
/// holds nobody up for long (RFC 8305, section 4). Within a family the order stays.
pub(crate) fn in_turns(addresses: Vec<SocketAddr>) -> Arc<[Address]> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (ours, theirs): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let mut theirs = theirs.into_iter();
    let mut all = Vec::with_capacity(ours.len() + theirs.len());
    for address in ours {
        all.push(address.into());
        all.extend(theirs.next().map(Address::from));
    }
    all.extend(theirs.map(Address::from));
    all.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_hosts_or_addresses() {
        for (text, is_host) in [
            ("localhost:80", true),
            ("a.example:1", true),
            ("[::1]:80", false),
            ("[fe80::1%2]:80", false),
            ("[fe80::1%eth0]:80", true),
        ] {
            let target = Target::from(text);
            assert_eq!(target.addresses().unwrap().is_none(), is_host, "{text}");
            assert_eq!(target.host().is_some(), is_host, "{text}");
            assert_eq!(target.to_string(), text);
        }
        for text in [
            "",
            "localhost",
            ":80",
            "::1",
            "::1:80",
            "a:b:80",
            "host:65536",
            "host:http",
            "[a:b%c]:80",
            "[fe80::1%]:80",
            "fe80::1%lo:80",
        ] {
            let error = Target::from(text).addresses().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{text}");
            let shown = if text.is_empty() { "an empty text" } else { text };
            assert_eq!(Target::from(text).to_string(), shown);
        }
        assert_eq!(Target::from(("::1", 80)), Target::from("[::1]:80"));
        assert_eq!(Target::from(("host", 80)), Target::from("host:80".to_owned()));
        assert!(Target::from(("", 80)).addresses().is_err());
        assert!(Target::from(vec![]).addresses().is_err());
        assert_eq!(Target::from(vec![]).to_string(), "an empty list");
    }

    #[test]
    fn families_take_turns() {
        let order = |given: &str| {
            let address = |(port, family)| match family {
                '4' => SocketAddr::from(([127, 0, 0, 1], port)),
                _ => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port)),
            };
            let given = (0..).zip(given.chars()).map(address).collect();
            let ports = in_turns(given).iter().map(|a| a.as_ip().unwrap().port()).collect();
            let ports: Vec<_> = ports;
            ports
        };
        assert_eq!(order(""), []);
        assert_eq!(order("444"), [0, 1, 2]);
        assert_eq!(order("6644"), [0, 2, 1, 3]);
        assert_eq!(order("4666"), [0, 1, 2, 3]);
        assert_eq!(order("44466"), [0, 3, 1, 4, 2]);
        assert_eq!(order("64444"), [0, 1, 2, 3, 4]);
    }
}
