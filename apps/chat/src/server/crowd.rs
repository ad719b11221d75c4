//! How many connections there are from each network.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Connections by where they are from. A subscriber has one IPv4 address, but a whole /64 of IPv6 (RFC 6177):
/// so that counts as one address. What is on this machine, loopback and Unix sockets, isn't counted.
pub(super) struct Crowd {
    counts: bool,
    networks: HashMap<IpAddr, usize>,
}

impl Crowd {
    /// Nobody, and nobody will be counted unless it `counts`.
    pub(super) fn new(counts: bool) -> Self {
        Self { counts, networks: HashMap::new() }
    }

    /// One more from this address: how many there are now, or zero if they aren't counted.
    pub(super) fn enter(&mut self, address: Option<IpAddr>) -> usize {
        let Some(network) = self.network(address) else { return 0 };
        let count = self.networks.entry(network).or_default();
        *count += 1;
        *count
    }

    /// One less.
    pub(super) fn leave(&mut self, address: Option<IpAddr>) {
        let Some(network) = self.network(address) else { return };
        if let Some(count) = self.networks.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.networks.remove(&network);
            }
        }
    }

    /// What an address counts for.
    fn network(&self, address: Option<IpAddr>) -> Option<IpAddr> {
        let address = address.filter(|_| self.counts)?.to_canonical();
        (!address.is_loopback()).then(|| network(address))
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn each_network_is_counted_and_forgotten() {
        let mut crowd = Crowd::new(true);
        for (text, count) in [
            ("192.0.2.1", 1),
            ("192.0.2.1", 2),
            ("::ffff:192.0.2.1", 3),
            ("192.0.2.2", 1),
            ("2001:db8::1", 1),
            ("2001:db8::ffff:1", 2),
            ("2001:db8:0:1::1", 1),
        ] {
            assert_eq!(crowd.enter(address(text)), count, "{text}");
        }
        for text in ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::2"] {
            crowd.leave(address(text));
        }
        assert_eq!(crowd.enter(address("192.0.2.1")), 1);
        assert_eq!(crowd.enter(address("2001:db8::3")), 2);
        crowd.leave(address("198.51.100.1"));
        assert_eq!(crowd.networks.len(), 3);
    }

    #[test]
    fn this_machine_is_not_counted_and_nobody_is_without_flood_control() {
        let mut crowd = Crowd::new(true);
        for here in [None, address("127.0.0.1"), address("127.1.2.3"), address("::1")] {
            assert_eq!((crowd.enter(here), crowd.enter(here)), (0, 0));
            crowd.leave(here);
        }
        assert_eq!(crowd.enter(address("::ffff:127.0.0.1")), 0);
        assert_eq!(Crowd::new(false).enter(address("192.0.2.1")), 0);
    }
}
