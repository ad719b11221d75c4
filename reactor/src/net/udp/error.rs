//! What went wrong with a datagram after it was sent.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// An error that a UDP socket reports: mostly that somebody on the way, or the peer's system, wouldn't
/// have a datagram that it had sent, and said so by ICMP (RFC 792, RFC 4443).
///
/// What ICMP says is a hint and no proof, since anybody can forge it: a peer that has answered since is
/// there.
#[derive(Debug)]
pub struct DatagramError {
    peer: Option<SocketAddr>,
    error: io::Error,
}

impl DatagramError {
    pub(crate) fn new(peer: Option<SocketAddr>, error: io::Error) -> Self {
        Self { peer, error }
    }

    /// Where the datagram was sent to that wasn't taken. `None` if the error is about none, or the
    /// system doesn't tell about which: of sockets that aren't connected Linux alone does.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// What happened. Its [`raw_os_error`](io::Error::raw_os_error) is the number: ECONNREFUSED (nobody
    /// has that port), EHOSTUNREACH, ENETUNREACH, EACCES (prohibited on the way), EMSGSIZE (too long
    /// for the path).
    #[must_use]
    pub fn error(&self) -> &io::Error {
        &self.error
    }
}

/// `datagram to 192.0.2.1:7: Connection refused (os error 111)`
impl fmt::Display for DatagramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Some(peer) => write!(f, "datagram to {peer}: {}", self.error),
            None => write!(f, "datagrams: {}", self.error),
        }
    }
}

// No `source`: the text holds the error already, and reports of a whole chain would repeat it.
impl Error for DatagramError {}

/// Whether `error` came from an ICMP message: somebody on the way, or the peer's system, wouldn't
/// have a datagram of ours. The socket is as good as before.
///
/// It is meant for what receiving and sending say, and knows what the kernel makes of RFC 792's and
/// RFC 4443's codes. For sending, the local routing table may have said the same, which isn't the
/// socket's fault either.
pub(crate) fn is_icmp(error: &io::Error) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if error.raw_os_error() == Some(libc::ENONET) {
        return true;
    }
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::ENOPROTOOPT
                | libc::EOPNOTSUPP
                | libc::EPROTO
                | libc::EACCES
                | libc::EMSGSIZE
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_peer_if_it_is_known() {
        let refused = || io::Error::from_raw_os_error(libc::ECONNREFUSED);
        let peer = "192.0.2.1:7".parse().expect("an address");
        let error = DatagramError::new(Some(peer), refused());
        assert_eq!(error.to_string(), format!("datagram to 192.0.2.1:7: {}", refused()));
        assert_eq!(error.peer(), Some(peer));
        assert_eq!(error.error().raw_os_error(), Some(libc::ECONNREFUSED));
        let error = DatagramError::new(None, refused());
        assert_eq!(error.to_string(), format!("datagrams: {}", refused()));
    }
}
