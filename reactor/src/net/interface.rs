//! The network interfaces of this machine: getifaddrs(3).

use std::io;
use std::net::IpAddr;

use getifaddrs::{InterfaceFlags, getifaddrs};

/// A network interface.
///
/// Multicast over IPv4 knows it by two names: a group is joined at its index, as those of IPv6 are, and
/// sent to through an address of its own ([`IP_MULTICAST_IF`](crate::options::IP_MULTICAST_IF)). Here both
/// are together:
///
/// ```
/// use std::net::{IpAddr, Ipv4Addr};
/// use reactor::options::Membership;
/// use reactor::{Interface, SocketOptions};
///
/// /// What a socket needs to hear the group at an interface, and what one needs to send to it there.
/// fn options(group: Ipv4Addr, interface: &Interface) -> Option<[SocketOptions; 2]> {
///     let address = interface.addresses.iter().find_map(|address| match address {
///         IpAddr::V4(address) => Some(*address),
///         IpAddr::V6(_) => None,
///     })?;
///     Some([
///         SocketOptions::default().join(Membership::of(group).on(interface.index)),
///         SocketOptions::default().multicast_interface(address),
///     ])
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// What people call it: `eth0`.
    pub name: String,
    /// What the kernel calls it, never zero: see
    /// [`Membership::on`](crate::options::Membership::on), and the scope of a link-local address,
    /// [`SocketAddrV6::scope_id`](std::net::SocketAddrV6::scope_id).
    pub index: u32,
    /// Whether it is switched on (IFF_UP).
    pub is_up: bool,
    /// Whether it leads back to this machine (IFF_LOOPBACK).
    pub is_loopback: bool,
    /// Whether it can send to multicast groups (IFF_MULTICAST).
    pub is_multicast: bool,
    /// Its addresses, as they were given to it.
    pub addresses: Vec<IpAddr>,
}

impl Interface {
    /// All interfaces that there are at this moment, those without an address too.
    ///
    /// It asks the kernel anew each time, and takes some ten microseconds for each. The example
    /// `netlink` hears of changes instead.
    ///
    /// # Errors
    ///
    /// What getifaddrs(3) says: EMFILE, ENFILE, ENOMEM.
    pub fn all() -> io::Result<Vec<Self>> {
        let mut all: Vec<Self> = Vec::new();
        for found in getifaddrs()? {
            // One that has gone meanwhile has no index any more.
            let Some(index) = found.index else { continue };
            let address = found.address.ip_addr();
            if let Some(known) = all.iter_mut().find(|known| known.index == index) {
                known.addresses.extend(address);
                continue;
            }
            all.push(Self {
                name: found.name,
                index,
                is_up: found.flags.contains(InterfaceFlags::UP),
                is_loopback: found.flags.contains(InterfaceFlags::LOOPBACK),
                is_multicast: found.flags.contains(InterfaceFlags::MULTICAST),
                addresses: address.into_iter().collect(),
            });
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn the_way_back_to_this_machine_is_there_once() {
        let all = Interface::all().unwrap();
        let mut indices: Vec<_> = all.iter().map(|interface| interface.index).collect();
        indices.sort_unstable();
        indices.dedup();
        assert_eq!(indices.len(), all.len(), "{all:?}");
        let home = IpAddr::from(Ipv4Addr::LOCALHOST);
        let loopback = all.iter().find(|interface| interface.addresses.contains(&home));
        let loopback = loopback.expect("each test here needs 127.0.0.1");
        assert!(loopback.is_up && loopback.is_loopback && loopback.index > 0, "{loopback:?}");
    }
}
