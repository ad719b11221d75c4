//! How a crowd of connections is made: so many at a time, and each greets the server.
//!
//! A connect succeeds as soon as the kernel has put it into the listener's backlog. So the next one is
//! begun only when the echo of a greeting has shown that the server has accepted one before: the backlog
//! never holds more than are begun at a time, and in the end the server knows them all.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Connects that are begun and haven't been greeted yet.
const AT_A_TIME: usize = 64;
/// Connections from one address to another that are counted on: Linux has 28,232 ports for them
/// (ip_local_port_range), some of which others use, or are still closing.
const PORTS: usize = 20_000;

/// How far the connections of a load have come.
#[derive(Debug)]
pub(crate) struct Ramp {
    total: usize,
    at_a_time: usize,
    begun: usize,
    greeted: usize,
}

impl Ramp {
    pub(crate) fn new(total: usize) -> Self {
        Self::at_a_time(total, AT_A_TIME)
    }

    /// One that has so many begun and not greeted at most.
    pub(crate) fn at_a_time(total: usize, at_a_time: usize) -> Self {
        Self { total, at_a_time, begun: 0, greeted: 0 }
    }

    /// How many connections there will be.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// How many have been greeted.
    pub(crate) fn greeted(&self) -> usize {
        self.greeted
    }

    pub(crate) fn is_done(&self) -> bool {
        self.greeted == self.total
    }

    /// The number of the connection to begin now, if it is time for one.
    pub(crate) fn next(&mut self) -> Option<usize> {
        let number = self.begun;
        let now = number < self.total && number - self.greeted < self.at_a_time;
        self.begun += usize::from(now);
        now.then_some(number)
    }

    /// The server has answered one more.
    pub(crate) fn greeted_one(&mut self) {
        self.greeted += 1;
    }
}

/// The place, among [sources](source), of connection `number`: another one for each 20,000.
pub(crate) fn place(number: usize) -> usize {
    number / PORTS
}

/// Where a connection comes from, if the system isn't to choose: at each place but the first, a
/// loopback address of its own, as one address may run out of ports. Other servers can only be reached
/// from the addresses that this machine has.
pub(crate) fn source(server: SocketAddr, place: usize) -> Option<SocketAddr> {
    match server.ip() {
        IpAddr::V4(ip) if ip.is_loopback() && place > 0 => {
            let after = u32::try_from(place % (1 << 16)).unwrap_or(0);
            let ip = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + after);
            Some(SocketAddr::from((ip, 0)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_are_begun_at_a_time() {
        let mut ramp = Ramp::new(100);
        let mut begun: Vec<_> = std::iter::from_fn(|| ramp.next()).collect();
        assert_eq!(begun, (0..AT_A_TIME).collect::<Vec<_>>());
        while !ramp.is_done() {
            ramp.greeted_one();
            begun.extend(ramp.next());
            assert_eq!(ramp.next(), None);
        }
        assert_eq!(begun, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_large_crowd_comes_from_several_addresses() {
        let here = "127.0.0.1:7".parse().unwrap();
        let ip = |number| source(here, place(number)).map(|address| address.ip().to_string());
        assert_eq!(ip(0), None);
        assert_eq!(ip(PORTS - 1), None);
        assert_eq!(ip(PORTS).as_deref(), Some("127.0.0.2"));
        assert_eq!(ip(PORTS * 255).as_deref(), Some("127.0.1.0"));
        for elsewhere in ["[::1]:7", "192.0.2.1:7"] {
            assert_eq!(source(elsewhere.parse().unwrap(), 1), None);
        }
    }
}
