//! What can be chosen for a connect.

use std::net::SocketAddr;
use std::time::Duration;

use super::SocketOptions;

/// What can be chosen for a connect; the default is right for most clients.
///
/// An *attempt* is one socket at one address. A *round* is as many attempts as it takes to try all
/// addresses, and a connect has one round unless [`rounds`](Self::rounds) says otherwise.
///
/// ```
/// use std::time::Duration;
/// use reactor::ConnectOptions;
///
/// // Up to five times, for no longer than a minute in all.
/// let options = ConnectOptions::default()
///     .rounds(5)
///     .attempt_timeout(Duration::from_secs(3))
///     .timeout(Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ConnectOptions {
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) attempt_delay: Duration,
    pub(crate) rounds: Option<u32>,
    pub(crate) backoff: [Duration; 2],
    pub(crate) stable_after: Duration,
    pub(crate) source: Option<SocketAddr>,
    socket: SocketOptions,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            timeout: Some(Duration::from_secs(30)),
            attempt_timeout: Some(Duration::from_secs(10)),
            attempt_delay: Duration::from_millis(250),
            rounds: Some(1),
            backoff: [Duration::from_millis(100), Duration::from_secs(30)],
            stable_after: Duration::from_secs(10),
            source: None,
            socket: SocketOptions::default(),
        }
    }
}

impl ConnectOptions {
    /// How long it may take in all, with the lookup of a name, all rounds, and the waits between them.
    /// Default 30 s; `None` is for ever. A peer that is [kept connected](crate::Context::keep_connected)
    /// has it for each round, anew.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// How long one attempt may take. Default 10 s; `None` leaves it to the system, which gives up a
    /// TCP handshake after some two minutes (tcp(7), `tcp_syn_retries`).
    pub fn attempt_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.attempt_timeout = timeout.into();
        self
    }

    /// How long an attempt is alone before the one at the next address joins it; when one fails, the
    /// next begins at once. Default 250 ms (RFC 8305, section 5, "Connection Attempt Delay").
    pub fn attempt_delay(mut self, delay: Duration) -> Self {
        self.attempt_delay = delay;
        self
    }

    /// How often all addresses are tried. Default once; `None` is until the [`timeout`](Self::timeout).
    /// Zero counts as one.
    pub fn rounds(mut self, rounds: impl Into<Option<u32>>) -> Self {
        self.rounds = rounds.into().map(|rounds| rounds.max(1));
        self
    }

    /// How long to wait between two rounds: `first` after the first one, twice as long after each
    /// further one, `most` at most; each is cut at random by up to a half. Default from 100 ms to 30 s;
    /// less than a millisecond counts as one.
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        self.backoff = [first, most];
        self
    }

    /// How long a connection to a peer that is
    /// [kept connected](crate::Context::keep_connected) must have lasted for the next waits to be short
    /// again. Default 10 s.
    pub fn stable_after(mut self, time: Duration) -> Self {
        self.stable_after = time;
        self
    }

    /// The address that an internet connection comes from; with port 0, the system chooses the port.
    /// By default it chooses both. Of a target's addresses, those of the other family are left out,
    /// unless there are no others.
    ///
    /// A port of one's own can have one connection to each address at a time, and may still be the
    /// end of one that was closed a minute ago (TIME_WAIT): it is bound with
    /// [`SO_REUSEADDR`](crate::options::SO_REUSEADDR), unless
    /// [`reuse_address`](SocketOptions::reuse_address) says otherwise.
    pub fn source(mut self, address: SocketAddr) -> Self {
        self.source = Some(address);
        self
    }

    /// Whether TCP sends small messages at once (TCP_NODELAY, tcp(7)). On by default, as for
    /// [accepted](crate::ListenOptions::nodelay) connections.
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.socket = self.socket.nodelay(nodelay);
        self
    }

    /// The options of each attempt's socket, where they say something: set before it is bound or
    /// connected, and what belongs to a connection alone once it is one.
    ///
    /// An attempt whose socket can't have one of them has failed. What belongs to a connection alone,
    /// [`TCP_QUICKACK`](crate::options::TCP_QUICKACK), is set if it takes it.
    pub fn socket(mut self, options: SocketOptions) -> Self {
        self.socket = options.or(&self.socket);
        self
    }

    /// What is set on a socket: what was chosen, and what is chosen by default.
    pub(super) fn for_kernel(&self) -> SocketOptions {
        let mut default = SocketOptions::default().nodelay(true);
        if self.source.is_some_and(|source| source.port() > 0) {
            default = default.reuse_address(true);
        }
        self.socket.clone().or(&default)
    }
}
