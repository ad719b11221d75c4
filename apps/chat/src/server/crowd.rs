//! How many connections there are from each network, and how fast they come.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use crate::config::Limits;
use crate::flood::Allowance;

/// Networks that may be remembered before it is looked for the first time whom to forget.
const FEW: usize = 64;

/// Connections by where they are from. A subscriber has one IPv4 address, but a whole /64 of IPv6 (RFC 6177):
/// so that counts as one address. What is on this machine, loopback and Unix sockets, isn't counted.
pub(super) struct Crowd {
    counts: bool,
    networks: HashMap<IpAddr, Network>,
    /// With so many networks those are forgotten of which nothing needs to be known.
    crowded: usize,
}

/// What is known of a network. It is forgotten when nobody is there any more, and all of its allowance is back:
/// else who comes again would have a new one each time.
struct Network {
    count: usize,
    allowance: Allowance,
}

impl Crowd {
    /// Nobody, and nobody will be counted unless it `counts`.
    pub(super) fn new(counts: bool) -> Self {
        Self { counts, networks: HashMap::new(), crowded: FEW }
    }

    /// One more from this address, which counts until it [leaves](Self::leave).
    ///
    /// # Errors
    ///
    /// Why it can't stay, if there are too many, or if they come too fast.
    pub(super) fn enter(
        &mut self,
        address: Option<IpAddr>,
        now: Instant,
        limits: &Limits,
    ) -> Result<(), &'static str> {
        let Some(network) = self.network(address) else { return Ok(()) };
        if self.networks.len() >= self.crowded {
            self.networks.retain(|_, known| known.count > 0 || !known.allowance.is_full(now));
            self.crowded = FEW.max(self.networks.len() * 2);
        }
        let new = Network { count: 0, allowance: Allowance::new(now) };
        let known = self.networks.entry(network).or_insert(new);
        known.count += 1;
        if known.count > limits.clients_per_address {
            return Err("Too many connections from your address");
        }
        let period = Duration::from_secs(limits.connect_seconds);
        let taken = known.allowance.take(now, limits.connect_burst, period);
        taken.map_err(|_| "Too many connections in a short time")
    }

    /// One less.
    pub(super) fn leave(&mut self, address: Option<IpAddr>, now: Instant) {
        let Some(network) = self.network(address) else { return };
        if let Some(known) = self.networks.get_mut(&network) {
            known.count -= 1;
            if known.count == 0 && known.allowance.is_full(now) {
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

    fn limits(clients_per_address: usize, connect_burst: u32) -> Limits {
        Limits { clients_per_address, connect_burst, connect_seconds: 2, ..Limits::default() }
    }

    #[test]
    fn each_network_is_counted_and_forgotten() {
        let (now, limits) = (Instant::now(), limits(2, 10));
        let mut crowd = Crowd::new(true);
        for (text, stays) in [
            ("192.0.2.1", true),
            ("192.0.2.1", true),
            ("::ffff:192.0.2.1", false),
            ("192.0.2.2", true),
            ("2001:db8::1", true),
            ("2001:db8::ffff:1", true),
            ("2001:db8::ffff:2", false),
            ("2001:db8:0:1::1", true),
        ] {
            assert_eq!(crowd.enter(address(text), now, &limits).is_ok(), stays, "{text}");
        }
        let later = now + Duration::from_secs(60);
        for text in ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::2"] {
            crowd.leave(address(text), later);
        }
        crowd.leave(address("198.51.100.1"), later);
        assert_eq!(crowd.networks.len(), 2);
        assert!(crowd.enter(address("192.0.2.1"), later, &limits).is_ok());
        assert!(crowd.enter(address("2001:db8::3"), later, &limits).is_err());
    }

    #[test]
    fn who_comes_again_and_again_is_let_in_now_and_then() {
        let (begin, limits) = (Instant::now(), limits(100, 3));
        let mut crowd = Crowd::new(true);
        let mut come = |text: &str, seconds: u64| {
            let now = begin + Duration::from_secs(seconds);
            let came = crowd.enter(address(text), now, &limits);
            crowd.leave(address(text), now);
            came.is_ok()
        };
        for (seconds, stays) in [(0, true), (0, true), (0, true), (0, false), (1, false)] {
            assert_eq!(come("192.0.2.1", seconds), stays, "{seconds}");
        }
        assert!(come("192.0.2.2", 1));
        for (seconds, stays) in [(2, true), (2, false), (8, true), (8, true), (8, true), (8, false)]
        {
            assert_eq!(come("192.0.2.1", seconds), stays, "{seconds}");
        }
    }

    #[test]
    fn those_who_came_once_are_not_remembered_for_ever() {
        let (begin, limits) = (Instant::now(), limits(100, 3));
        let mut crowd = Crowd::new(true);
        for at in 0..10_000_u32 {
            let from = Some(IpAddr::from((0x0a00_0000 + at).to_be_bytes()));
            let now = begin + Duration::from_millis(100) * at;
            assert!(crowd.enter(from, now, &limits).is_ok());
            crowd.leave(from, now);
        }
        assert!(crowd.networks.len() <= 2 * FEW);
    }

    #[test]
    fn this_machine_is_not_counted_and_nobody_is_without_flood_control() {
        let (now, limits) = (Instant::now(), limits(1, 1));
        let mut crowd = Crowd::new(true);
        let here = ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"].map(address);
        for here in here.into_iter().chain([None]) {
            for _ in 0..3 {
                assert_eq!(crowd.enter(here, now, &limits), Ok(()));
            }
            crowd.leave(here, now);
        }
        let mut crowd = Crowd::new(false);
        for _ in 0..3 {
            assert_eq!(crowd.enter(address("192.0.2.1"), now, &limits), Ok(()));
        }
    }
}
