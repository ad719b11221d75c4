//! The control messages of datagrams (cmsg(3)): which of our own addresses a datagram uses
//! (`IP_PKTINFO`, ip(7); `IPV6_PKTINFO`, ipv6(7) and RFC 3542, section 6), how a long buffer is cut
//! into datagrams (`UDP_SEGMENT`, `UDP_GRO`, udp(7)), and how many were dropped before (`SO_RXQ_OVFL`,
//! socket(7)).
//!
//! They exist in this form on Linux and Android. Elsewhere the functions here do nothing: nothing is
//! ever told, and the kernel chooses the address that an answer comes from.

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "ancillary/elsewhere.rs"]
mod system;
#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "ancillary/linux.rs"]
mod system;

use std::net::IpAddr;

pub(crate) use system::{Control, cuts_segments, join_segments, report};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use system::{Messages, Payload, payload};

/// What the kernel told of a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Where it was sent to.
    pub(crate) destination: Option<Destination>,
    /// How long each datagram is but the last, if several were joined to one.
    pub(crate) segment: Option<usize>,
    /// How many the socket had dropped for want of room when this one came, since it was made.
    pub(crate) drops: u32,
}

/// Where a datagram was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Destination {
    /// The address in its header: one of ours, or a broadcast or multicast address.
    pub(crate) asked: IpAddr,
    /// What an answer must say to come from the address that was asked.
    pub(crate) answer: Answer,
    /// The index of the interface that it arrived on.
    pub(crate) interface: u32,
}

/// The address and the interface that a datagram shall leave from. The unspecified address and the
/// interface 0 leave the choice to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Answer {
    pub(crate) address: IpAddr,
    pub(crate) interface: u32,
}
