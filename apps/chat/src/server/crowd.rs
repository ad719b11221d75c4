//! How many connections there are from each network.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Connections by where they are from. A subscriber has one IPv4 address, but a whole /64 of IPv6 (RFC 6177):
/// so that counts as one address.
#[derive(Default)]
pub(super) struct Crowd(HashMap<IpAddr, usize>);

impl Crowd {
    /// One more from this address: how many there are now.
    pub(super) fn enter(&mut self, address: IpAddr) -> usize {
        let count = self.0.entry(network(address)).or_default();
        *count += 1;
        *count
    }

    /// One less.
    pub(super) fn leave(&mut self, address: IpAddr) {
        let network = network(address);
        if let Some(count) = self.0.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&network);
            }
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
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

    #[test]
    fn each_network_is_counted_and_forgotten() {
        let mut crowd = Crowd::default();
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
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
        assert_eq!(crowd.0.len(), 3);
    }
}
