//! Addresses to listen on, as the settings and the command line write them: `host:port`.

use std::net::SocketAddr;

/// Whether all of these can be listened on at once, as far as that can be said without trying.
///
/// # Errors
///
/// The address that is wrong, and why: it isn't one, or another one takes it.
pub fn check(addresses: &[String]) -> Result<(), String> {
    for (at, address) in addresses.iter().enumerate() {
        let shown = address.escape_debug();
        if !is_address(address) {
            let advice = "it is host:port, such as 127.0.0.1:6667 or [::1]:6667";
            return Err(format!("{shown}: {advice}"));
        }
        if let Some(other) = addresses[..at].iter().find(|other| meet(other, address)) {
            return Err(format!("{shown}: {} takes it already", other.escape_debug()));
        }
    }
    Ok(())
}

fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

/// Whether two addresses are one, or one of them is every address with the other's port. Of names that isn't
/// known before they are looked up.
fn meet(one: &str, other: &str) -> bool {
    let (Ok(a), Ok(b)) = (one.parse::<SocketAddr>(), other.parse::<SocketAddr>()) else {
        return one == other;
    };
    let every = a.ip().is_unspecified() || b.ip().is_unspecified();
    let alike = a.port() != 0 && a.port() == b.port() && a.is_ipv4() == b.is_ipv4();
    a == b || (alike && every)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(addresses: &[&str]) -> Option<String> {
        let addresses: Vec<_> = addresses.iter().map(|it| String::from(*it)).collect();
        check(&addresses).err()
    }

    #[test]
    fn what_is_no_address_is_named() {
        for wrong in ["", "nowhere", ":6667", "a:b", "a:70000", "a\n"] {
            let error = error(&["a:1", wrong]).expect(wrong);
            assert!(error.contains("host:port") && !error.contains('\n'), "{error}");
            assert!(error.starts_with(&wrong.replace('\n', "\\n")), "{error}");
        }
    }

    #[test]
    fn one_address_is_taken_once() {
        for (one, other) in [
            ("127.0.0.1:6667", "127.0.0.1:6667"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("here:6667", "here:6667"),
            ("0.0.0.0:6667", "127.0.0.1:6667"),
            ("127.0.0.1:6667", "0.0.0.0:6667"),
            ("[::]:6667", "[::1]:6667"),
            ("[::1]:6667", "[0:0:0:0:0:0:0:1]:6667"),
        ] {
            assert_eq!(error(&[one, other]), Some(format!("{other}: {one} takes it already")));
        }
        for (one, other) in [
            ("127.0.0.1:6667", "127.0.0.1:6668"),
            ("127.0.0.1:6667", "127.0.0.2:6667"),
            ("127.0.0.1:0", "0.0.0.0:0"),
            ("0.0.0.0:6667", "[::]:6667"),
            ("here:6667", "there:6667"),
        ] {
            assert_eq!(error(&[one, other]), None);
        }
    }
}
