//! What others are told of where a user is: a keyed hash of the address.
//!
//! It is the same each time, so that a ban holds; and it ends with the hashes of the networks that the
//! address is in, so that a ban of `*.b.c.cloaked` holds for all of them. Without the key an address
//! can't be found by trying; nor with bans, which are compared with the hash alone, never with the address.

use std::net::IpAddr;

use blake2::Blake2sMac;
use blake2::digest::consts::U4;
use blake2::digest::{FixedOutput, KeyInit, Update};
use bstr::BString;

/// Bytes that a key may have.
pub const KEY: usize = 32;

/// Bytes of the longest host: three hashes.
pub const HOST: usize = 3 * 9 + "cloaked".len();

/// What makes hosts out of addresses.
#[derive(Clone)]
pub struct Cloak {
    key: Vec<u8>,
}

impl Cloak {
    /// With the key that is set, or else with one that nobody knows, and which is gone with the process.
    ///
    /// # Errors
    ///
    /// That of getrandom(2), which has none on a system that has begun.
    pub fn new(key: Option<&str>) -> Result<Self, getrandom::Error> {
        let key = match key {
            Some(key) => key.as_bytes()[..key.len().min(KEY)].to_vec(),
            None => {
                let mut random = vec![0; KEY];
                getrandom::fill(&mut random)?;
                random
            }
        };
        Ok(Self { key })
    }

    /// The host of an address; one on this machine is told as it is.
    #[must_use]
    pub fn host(&self, address: IpAddr) -> BString {
        match address.to_canonical() {
            address if address.is_loopback() => "localhost".into(),
            IpAddr::V4(v4) => self.networks(&v4.octets(), [4, 3, 2]),
            // A subscriber has a /64, and a site a /48 (RFC 6177).
            IpAddr::V6(v6) => self.networks(&v6.octets(), [16, 8, 6]),
        }
    }

    /// The hashes of the first bytes of an address: so many of them, the most first.
    fn networks(&self, octets: &[u8], lengths: [usize; 3]) -> BString {
        let hashes = lengths.map(|length| {
            let Ok(mut mac) = Blake2sMac::<U4>::new_from_slice(&self.key) else {
                return "unknown".into();
            };
            // The length, too, so that a network isn't told by an address in it.
            mac.update(&[u8::try_from(length).unwrap_or(0)]);
            mac.update(&octets[..length]);
            let hash = mac.finalize_fixed();
            format!("{:08x}", u32::from_be_bytes(hash.into()))
        });
        format!("{}.cloaked", hashes.join(".")).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_of_a_network_holds_for_its_addresses() {
        let cloak = Cloak::new(Some("secret")).expect("a key");
        let host = |text: &str| cloak.host(text.parse().expect("an address")).to_string();
        let network = |host: &str| host.split_once('.').map(|(_, rest)| rest.to_owned());
        let (one, other, far) = (host("192.0.2.1"), host("192.0.2.2"), host("198.51.100.1"));
        assert_ne!(one, other);
        assert_eq!(network(&one), network(&other));
        assert_ne!(network(&one), network(&far));
        assert_eq!(one, host("::ffff:192.0.2.1"));
        assert_eq!(network(&host("2001:db8::1")), network(&host("2001:db8::2")));
        assert_eq!(host("127.0.0.1"), "localhost");
        assert!(one.len() == HOST && one.ends_with(".cloaked"));
    }

    #[test]
    fn another_key_tells_another_host() {
        let address = "192.0.2.1".parse().expect("an address");
        let (one, other) = (Cloak::new(None).expect("random"), Cloak::new(None).expect("random"));
        assert_ne!(one.host(address), other.host(address));
        assert_eq!(one.host(address), one.host(address));
    }
}
