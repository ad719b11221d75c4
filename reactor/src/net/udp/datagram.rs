//! What has come.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::sys::ancillary::Destination;
use crate::sys::batch::Arrival;

/// Which of our addresses a datagram was sent to: an answer that is given it comes from there.
///
/// It may be kept and used for later datagrams to the same peer, on the same socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(pub(super) Destination);

impl Source {
    /// The address in the datagram's header.
    ///
    /// A broadcast or multicast address is told as such. No answer can come from it: then it comes
    /// from an address that we have on the network in question.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.0.asked
    }

    /// The index of the interface that the datagram arrived on: what
    /// [`SocketAddrV6::scope_id`](std::net::SocketAddrV6::scope_id) is for link-local addresses.
    #[must_use]
    pub fn interface(self) -> u32 {
        self.0.interface
    }
}

/// A datagram, as a handler sees it.
#[derive(Clone, Copy)]
pub struct Datagram<'a> {
    bytes: &'a [u8],
    arrival: Arrival,
}

impl<'a> Datagram<'a> {
    pub(crate) fn new(bytes: &'a [u8], arrival: Arrival) -> Self {
        Self { bytes, arrival }
    }

    /// What was sent. It may be empty: a datagram of no bytes is a datagram, and ends nothing.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Who sent it; UDP proves nothing about that.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        super::canonical(self.arrival.peer)
    }

    /// Which of our addresses it was sent to. `None` where the system doesn't tell: Linux and
    /// Android do, others aren't asked.
    #[must_use]
    pub fn local(&self) -> Option<IpAddr> {
        self.source().map(Source::address)
    }

    /// What makes an answer come from the address that was asked. `None` where
    /// [`local`](Self::local) is.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.arrival.told.destination.map(Source)
    }

    /// Whether it was longer than the buffer, and the rest is lost.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.arrival.truncated
    }

    /// How many datagrams this socket had dropped when this one came, for want of room in its [receive
    /// buffer](super::UdpOptions::receive_buffer): in all its life, counted to 2³² and anew. It tells
    /// where a stream has a gap; zero where the system doesn't count (Linux does, `SO_RXQ_OVFL`).
    #[must_use]
    pub fn drops(&self) -> u32 {
        self.arrival.told.drops
    }
}

/// The datagrams that one place of a batch holds: one, or several that came joined.
pub(crate) struct Segments<'a> {
    bytes: Option<&'a [u8]>,
    arrival: Arrival,
}

impl<'a> Segments<'a> {
    pub(crate) fn new(bytes: &'a [u8], arrival: Arrival) -> Self {
        Self { bytes: Some(bytes), arrival }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Datagram<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.bytes.take()?;
        let mut arrival = self.arrival;
        let bytes = match arrival.told.segment {
            Some(segment) if segment < bytes.len() => {
                let (first, rest) = bytes.split_at(segment);
                self.bytes = Some(rest);
                arrival.truncated = false;
                first
            }
            _ => bytes,
        };
        Some(Datagram::new(bytes, arrival))
    }
}

/// The addresses and the number of bytes; the bytes would flood a log.
impl fmt::Debug for Datagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datagram")
            .field("len", &self.bytes.len())
            .field("peer", &self.peer())
            .field("local", &self.local())
            .field("truncated", &self.is_truncated())
            .finish()
    }
}
