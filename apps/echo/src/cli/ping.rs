//! The command line of the client.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reactor::Target;

use super::{Mechanism, abstract_name, has_port, period, time};
use crate::ping::NUMBER;

/// The most bytes of a datagram over IPv4: a packet less its two headers (RFC 791, RFC 768).
const MOST_DATAGRAM: u32 = 65_507;

/// The longest message of a stream: 1 GiB.
const MOST: u32 = 1 << 30;

const NOTES: &str = "\
A message is a number of 8 bytes and a pattern of its own, and every byte that comes back is checked. \
Over TCP and Unix sockets there is one connection; while it takes no more, nothing further is sent.

A message that isn't back, as a whole, within --timeout is lost; if it still comes, it is late, and \
one that comes twice is a duplicate. The times are of what came in time; median and 99th percentile \
are within 1 %. SIGINT and SIGTERM end it with the summary, too.

TIME is in seconds, or has a unit: 30, 0.5, 500ms, 30s, 5m, 1h.

Exit codes: 0 if an answer came; 1 if none did, nothing could be connected, or bytes came back \
changed; 2 for a wrong command line.";

/// Send messages to an echo server, and tell how long each takes to come back
#[derive(Debug, Args)]
#[command(after_help = NOTES, allow_negative_numbers = true)]
pub(crate) struct Arguments {
    /// The server's ADDRESS:PORT or NAME:PORT, or with --unix its path or @NAME
    #[arg(value_name = "ADDR")]
    server: OsString,

    /// Over a TCP connection, with TCP_NODELAY: this is the default
    #[arg(long, group = "transport")]
    tcp: bool,

    /// By UDP, from a connected socket, which hears of ICMP errors
    #[arg(long, group = "transport")]
    udp: bool,

    /// Over a Unix stream socket
    #[arg(long, group = "transport")]
    unix: bool,

    /// Send so many messages [default: until SIGINT]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Bytes of a message: from 8 to 1073741824, or 65507 by UDP
    #[arg(long, value_name = "BYTES", default_value = "64",
        value_parser = clap::value_parser!(u32).range(NUMBER as i64..=i64::from(MOST)))]
    size: u32,

    /// Time from one message to the next; with 0, each is sent when the one before is back or lost
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1s")]
    interval: Duration,

    /// How long an answer, and the connection, is waited for
    #[arg(long, value_name = "TIME", value_parser = period, default_value = "2s")]
    timeout: Duration,

    #[command(flatten)]
    pub(super) mechanism: Mechanism,
}

/// What the client is to do.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) server: Server,
    pub(crate) count: Option<u64>,
    /// Bytes of a message, its number included.
    pub(crate) size: usize,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

/// Whom to reach, and how.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Stream(Target),
    /// An address, or a name that isn't looked up yet, with a port.
    Datagrams(String),
}

impl Arguments {
    /// What is left when all that can be said without trying is said.
    pub(super) fn check(self) -> Result<Options, String> {
        if self.udp && self.size > MOST_DATAGRAM {
            return Err(format!(
                "--size {}: a datagram has {MOST_DATAGRAM} bytes at most",
                self.size
            ));
        }
        let server = if self.unix {
            let path = PathBuf::from(self.server);
            Server::Stream(match abstract_name(&path) {
                Some(name) => Target::abstract_name(name),
                None => path.into(),
            })
        } else {
            let name = self.server.to_str().filter(|name| has_port(name)).ok_or_else(|| {
                let name = self.server.to_string_lossy();
                format!("{name:?} isn't ADDRESS:PORT, and without --unix it can't be a path")
            })?;
            if self.udp { Server::Datagrams(name.to_owned()) } else { Server::Stream(name.into()) }
        };
        let Self { count, size, interval, timeout, .. } = self;
        Ok(Options { server, count, size: size as usize, interval, timeout })
    }
}
