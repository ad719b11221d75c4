//! What goes out.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use super::datagram::Source;
use super::error::is_icmp;
use super::{UdpSocket, canonical, uninterrupted};
use crate::net::Failure;
use crate::sys::ancillary::Answer;
use crate::sys::datagram;

/// The most bytes in one datagram over IPv4: a packet of 65,535 without its headers of 20 and 8.
const MOST_V4: usize = 65_507;
/// The same over IPv6, whose packet length doesn't count the IP header (RFC 8200, section 3).
const MOST_V6: usize = 65_527;
/// Into how many datagrams Linux cuts one buffer: 64 up to 6.8, then 128 (`UDP_MAX_SEGMENTS`).
const MOST_SEGMENTS: usize = 64;
/// How often a datagram is tried that an error of an earlier one kept from going.
const TRIES: usize = 3;

impl UdpSocket {
    /// Sends one datagram: all of `bytes` or nothing.
    ///
    /// `from` is the [`Source`] of a datagram of that peer, and ignored where the system tells none.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: the send buffer is full.
    /// - EMSGSIZE: more than 65,507 bytes over IPv4 or 65,527 over IPv6.
    /// - `InvalidInput`: `from` isn't of the same family as `to`.
    /// - EACCES: a broadcast address without [`UdpOptions::broadcast`](super::UdpOptions::broadcast),
    ///   or prohibited by a route.
    /// - EPERM: a packet filter said no.
    /// - ENOBUFS: the interface's queue is full, or the datagram longer than the send buffer.
    /// - ENETUNREACH, EHOSTUNREACH: there is no route, or, ENETUNREACH for IPv4 and EINVAL for IPv6,
    ///   `from` isn't an address of ours any more.
    pub(crate) fn send(
        &self,
        bytes: &[u8],
        to: SocketAddr,
        from: Option<Source>,
    ) -> io::Result<()> {
        let to = canonical(to);
        let answer = from.map(|source| source.0.answer);
        if answer.is_some_and(|answer| answer.address.is_ipv4() != to.is_ipv4()) {
            let message = format!("send to {to}: the source is of the other IP version");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        self.try_send(bytes, Some(self.own_form(to)), answer, None)
            .map_err(|error| explain(error, bytes.len(), Some(to)))
    }

    /// Sends one datagram to the peer that the socket is [connected](UdpSocket::connect) to.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and: EDESTADDRREQ on a socket that isn't connected; what an ICMP
    /// message said about an earlier datagram, see [`is_icmp`], if the socket doesn't
    /// [keep errors](UdpSocket::take_error): then this one wasn't sent.
    pub(crate) fn send_connected(&self, bytes: &[u8]) -> io::Result<()> {
        self.try_send(bytes, None, None, None)
            .map_err(|error| explain(error, bytes.len(), self.peer))
    }

    /// Sends datagrams, each to its address, and says how many went: up to 32 by one call, where the
    /// system can.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), if not even the first one went.
    pub(crate) fn send_batch(&self, datagrams: &[(SocketAddr, &[u8])]) -> io::Result<usize> {
        let mut own = Vec::with_capacity(datagrams.len().min(datagram::TOGETHER));
        let mut sent = 0;
        while let Some((to, bytes)) = datagrams.get(sent) {
            own.clear();
            let rest = datagrams[sent..].iter().take(datagram::TOGETHER);
            own.extend(rest.map(|(to, bytes)| (self.own_form(canonical(*to)), *bytes)));
            match self.past_errors(|| datagram::send_several(self.as_fd(), &own)) {
                Ok(count) => sent += count,
                Err(error) if sent == 0 => return Err(explain(error, bytes.len(), Some(*to))),
                Err(_) => break,
            }
        }
        Ok(sent)
    }

    /// Sends `bytes` as datagrams of `segment` bytes each but the last, and says how many went: where the
    /// system can cut them itself, up to 64 by one call.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), if not even the first one went; `InvalidInput` if `segment` is zero.
    pub(crate) fn send_segments(
        &self,
        bytes: &[u8],
        segment: usize,
        to: SocketAddr,
    ) -> io::Result<usize> {
        if segment == 0 {
            let message = format!("send to {to}: datagrams of no bytes have no number");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let most = if canonical(to).is_ipv4() { MOST_V4 } else { MOST_V6 };
        let together = (most / segment).clamp(1, MOST_SEGMENTS);
        let mut sent = 0;
        for burst in bytes.chunks(segment.saturating_mul(together)) {
            match self.send_burst(burst, segment, to) {
                (count, None) => sent += count,
                (0, Some(error)) if sent == 0 => return Err(error),
                (count, Some(_)) => return Ok(sent + count),
            }
        }
        Ok(sent)
    }

    /// How many datagrams of a burst went, and what kept the next one from going.
    fn send_burst(
        &self,
        burst: &[u8],
        segment: usize,
        to: SocketAddr,
    ) -> (usize, Option<io::Error>) {
        if self.cuts_segments && burst.len() > segment {
            // It fits: a burst has no more bytes than a datagram.
            let size = u16::try_from(segment).ok();
            match self.try_send(burst, Some(self.own_form(canonical(to))), None, size) {
                Ok(()) => return (burst.len().div_ceil(segment), None),
                Err(error) if is_uncut(&error) => {}
                Err(error) => return (0, Some(error)),
            }
        }
        for (at, datagram) in burst.chunks(segment).enumerate() {
            if let Err(error) = self.send(datagram, to, None) {
                return (at, Some(error));
            }
        }
        (burst.len().div_ceil(segment), None)
    }

    fn try_send(
        &self,
        bytes: &[u8],
        to: Option<SocketAddr>,
        from: Option<Answer>,
        segment: Option<u16>,
    ) -> io::Result<()> {
        self.past_errors(|| datagram::send(self.as_fd(), bytes, to, from, segment))
    }

    /// An ICMP error that waits is told to whatever call comes first, which then does nothing: also if
    /// it is about another peer. Where errors are kept in their queue it comes from there, and this
    /// datagram goes after all.
    fn past_errors<T>(&self, mut send: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let tries = if self.keeps_errors { TRIES } else { 1 };
        let mut result = uninterrupted(&mut send);
        for _ in 1..tries {
            match &result {
                Err(error) if is_icmp(error) => result = uninterrupted(&mut send),
                _ => break,
            }
        }
        result
    }
}

/// Whether the kernel wouldn't cut a burst, but may take its datagrams one by one: they are longer than
/// the path takes in one piece (EINVAL, EMSGSIZE), or the interface can't do checksums (EIO).
fn is_uncut(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EMSGSIZE | libc::EIO))
}

/// Puts EMSGSIZE into words, if the length is one that no datagram has.
fn explain(error: io::Error, len: usize, to: Option<SocketAddr>) -> io::Error {
    // A shorter one can be too long for the path alone: that is the kernel's to say.
    if error.raw_os_error() != Some(libc::EMSGSIZE) || len <= MOST_V4 {
        return error;
    }
    let Some(to) = to else { return error };
    let (most, advice) = match to {
        SocketAddr::V4(_) => (MOST_V4, "a datagram over IPv4 has at most 65507 bytes"),
        SocketAddr::V6(_) => (MOST_V6, "a datagram over IPv6 has at most 65527 bytes"),
    };
    if len <= most {
        return error;
    }
    Failure::wrap(format!("send {len} bytes to {to}"), error, Some(advice))
}
