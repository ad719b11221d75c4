//! Linux and Android.

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::BorrowedFd;
use std::ptr;

use super::{Answer, Destination, Told};
use crate::sys::sockopt;

// SAFETY: CMSG_LEN and CMSG_SPACE are arithmetic.
const HEADER: usize = unsafe { libc::CMSG_LEN(0) } as usize;
const SPACE_V4: usize = space(size_of::<libc::in_pktinfo>());
const SPACE_V6: usize = space(size_of::<libc::in6_pktinfo>());
/// What a socket tells that was asked for all there is.
const SPACE: usize = SPACE_V4 + SPACE_V6 + 2 * space(size_of::<libc::c_int>());

/// The bytes that a message takes with its header and the padding up to the next one.
const fn space(payload: usize) -> usize {
    // SAFETY: as above.
    unsafe { libc::CMSG_SPACE(payload as u32) as usize }
}

/// setsockopt(2): makes each datagram tell where it was sent to, and what was dropped before it.
///
/// An IPv6 socket that also takes IPv4 is asked for both kinds: IPv6's has the mapped address
/// alone, which for a broadcast is none to answer from.
pub(crate) fn report(fd: BorrowedFd<'_>, v4: bool, v6: bool) -> io::Result<()> {
    if v4 {
        sockopt::set(fd, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
    }
    if v6 {
        sockopt::set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
    }
    sockopt::set(fd, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)
}

/// setsockopt(2): has datagrams of one sender and one length come joined, where they came at once
/// (Linux 5.0).
pub(crate) fn join_segments(fd: BorrowedFd<'_>) -> io::Result<()> {
    sockopt::set(fd, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Whether the kernel knows `UDP_SEGMENT` (Linux 4.18): an older one would send what is to be cut in one
/// piece.
pub(crate) fn cuts_segments(fd: BorrowedFd<'_>) -> bool {
    sockopt::get(fd, libc::SOL_UDP, libc::UDP_SEGMENT).is_ok()
}

/// A control buffer: room for what the kernel tells, or messages for it.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct Control {
    bytes: [u8; SPACE],
    len: usize,
}

const _: () = assert!(align_of::<Control>() >= align_of::<libc::cmsghdr>());

impl Control {
    /// Room for all that [`report`] can ask for.
    pub(crate) fn new() -> Self {
        Self { bytes: [0; SPACE], len: SPACE }
    }

    /// The messages that make datagrams leave as `answer` says, each of `segment` bytes but the last.
    pub(crate) fn sending(answer: Option<Answer>, segment: Option<u16>) -> Self {
        let mut control = Self { bytes: [0; SPACE], len: 0 };
        match answer {
            Some(Answer { address, interface: 0 }) if address.is_unspecified() => {}
            Some(Answer { address: IpAddr::V4(address), interface }) => control.write(
                libc::IPPROTO_IP,
                libc::IP_PKTINFO,
                libc::in_pktinfo {
                    ipi_ifindex: interface as _,
                    ipi_spec_dst: libc::in_addr { s_addr: u32::from(address).to_be() },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                },
            ),
            Some(Answer { address: IpAddr::V6(address), interface }) => control.write(
                libc::IPPROTO_IPV6,
                libc::IPV6_PKTINFO,
                libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr { s6_addr: address.octets() },
                    ipi6_ifindex: interface as _,
                },
            ),
            None => {}
        }
        if let Some(segment) = segment {
            control.write(libc::SOL_UDP, libc::UDP_SEGMENT, segment);
        }
        control
    }

    /// What the kernel may read, or write.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }

    /// What the first `bytes` bytes, the kernel's, say.
    pub(crate) fn told(&self, bytes: usize) -> Told {
        told(&self.bytes[..bytes.min(self.bytes.len())])
    }

    /// Writes one message behind those that there are.
    fn write<T: Payload>(&mut self, level: i32, kind: i32, payload: T) {
        let size = space(size_of::<T>());
        let Some(room) = self.bytes.get_mut(self.len..self.len + size) else { return };
        // SAFETY: a header of zeros is a valid value. Some libcs have private padding in it, so
        // that there is no other way to make one.
        let mut header: libc::cmsghdr = unsafe { mem::zeroed() };
        header.cmsg_level = level;
        header.cmsg_type = kind;
        header.cmsg_len = (HEADER + size_of::<T>()) as _;
        let start = room.as_mut_ptr();
        // SAFETY: both fit into `room`, which has the space that the two take, one behind the other.
        unsafe {
            ptr::write_unaligned(start.cast(), header);
            ptr::write_unaligned(start.add(HEADER).cast(), payload);
        }
        self.len += size;
    }
}

/// What `control` says; of the destination, IPv4's own message counts more than IPv6's.
///
/// A message that was cut short (MSG_CTRUNC) or that lies about its length says nothing.
fn told(control: &[u8]) -> Told {
    let mut told = Told::default();
    for (level, kind, data) in Messages(control) {
        match (level, kind) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                let Some(info) = payload::<libc::in_pktinfo>(data) else { continue };
                let address =
                    |it: libc::in_addr| IpAddr::V4(Ipv4Addr::from(u32::from_be(it.s_addr)));
                // For a broadcast, `ipi_spec_dst` is our address on the network it came from.
                told.destination = Some(Destination {
                    asked: address(info.ipi_addr),
                    answer: Answer { address: address(info.ipi_spec_dst), interface: 0 },
                    interface: info.ipi_ifindex as u32,
                });
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                let Some(info) = payload::<libc::in6_pktinfo>(data) else { continue };
                let asked = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                #[allow(clippy::unnecessary_cast, reason = "Android's is signed")]
                let interface = info.ipi6_ifindex as u32;
                told.destination.get_or_insert_with(|| from_v6(asked, interface));
            }
            (libc::SOL_UDP, libc::UDP_GRO) => {
                let segment = payload::<libc::c_int>(data).unwrap_or_default();
                told.segment = usize::try_from(segment).ok().filter(|segment| *segment > 0);
            }
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                told.drops = payload(data).unwrap_or_default();
            }
            _ => {}
        }
    }
    told
}

/// From an IPv6 packet, or from an IPv4 one on an IPv6 socket.
fn from_v6(asked: Ipv6Addr, interface: u32) -> Destination {
    // A link-local address means nothing without its interface. Any other must not be tied to
    // one, since the way back may lead through another. Multicast is no address to send from.
    let answer = if asked.is_multicast() {
        Answer { address: IpAddr::V6(Ipv6Addr::UNSPECIFIED), interface: 0 }
    } else if asked.is_unicast_link_local() {
        Answer { address: IpAddr::V6(asked), interface }
    } else {
        Answer { address: asked.to_canonical(), interface: 0 }
    };
    Destination { asked: asked.to_canonical(), answer, interface }
}

/// Integers and arrays of them without padding: any bytes are a value.
pub(in crate::sys) trait Payload: Copy {}
impl Payload for u16 {}
impl Payload for u32 {}
impl Payload for libc::c_int {}
impl Payload for libc::cmsghdr {}
impl Payload for libc::in_pktinfo {}
impl Payload for libc::in6_pktinfo {}

pub(in crate::sys) fn payload<T: Payload>(data: &[u8]) -> Option<T> {
    // SAFETY: there are enough bytes, and any bytes are a `T`.
    (data.len() >= size_of::<T>())
        .then(|| unsafe { ptr::read_unaligned(data.as_ptr().cast::<T>()) })
}

/// The messages in a control buffer: level, type, data. Ends where the buffer or the sense does.
pub(in crate::sys) struct Messages<'a>(pub(in crate::sys) &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = (i32, i32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let header = payload::<libc::cmsghdr>(self.0)?;
        #[allow(clippy::unnecessary_cast, reason = "the libcs don't agree on the type")]
        let len = header.cmsg_len as usize;
        let data = self.0.get(HEADER..len)?;
        self.0 = self.0.get(space(data.len())..).unwrap_or_default();
        Some((header.cmsg_level, header.cmsg_type, data))
    }
}
