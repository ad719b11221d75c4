//! The control messages that tell, and choose, which of our own addresses a datagram uses:
//! `IP_PKTINFO` (ip(7)) and `IPV6_PKTINFO` (ipv6(7), RFC 3542, section 6).
//!
//! They exist in this form on Linux and Android. Elsewhere the functions here do nothing: no
//! destination is ever told, and the kernel chooses the address that an answer comes from.

use std::net::IpAddr;

pub(crate) use system::{Control, report};

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

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::io;
    use std::mem;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::os::fd::{AsRawFd, BorrowedFd};
    use std::ptr;

    use super::super::check;
    use super::{Answer, Destination};

    // SAFETY: CMSG_LEN and CMSG_SPACE are arithmetic.
    const HEADER: usize = unsafe { libc::CMSG_LEN(0) } as usize;
    const SPACE_V4: usize = space(size_of::<libc::in_pktinfo>());
    const SPACE_V6: usize = space(size_of::<libc::in6_pktinfo>());

    /// The bytes that a message takes with its header and the padding up to the next one.
    const fn space(payload: usize) -> usize {
        // SAFETY: as above.
        unsafe { libc::CMSG_SPACE(payload as u32) as usize }
    }

    /// setsockopt(2): makes each datagram tell where it was sent to.
    ///
    /// An IPv6 socket that also takes IPv4 is asked for both kinds: IPv6's has the mapped address
    /// alone, which for a broadcast is none to answer from.
    pub(crate) fn report(fd: BorrowedFd<'_>, v4: bool, v6: bool) -> io::Result<()> {
        if v4 {
            switch_on(fd, libc::IPPROTO_IP, libc::IP_PKTINFO)?;
        }
        if v6 {
            switch_on(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)?;
        }
        Ok(())
    }

    fn switch_on(fd: BorrowedFd<'_>, level: i32, option: i32) -> io::Result<()> {
        let on: libc::c_int = 1;
        let size = size_of_val(&on) as libc::socklen_t;
        // SAFETY: the pointer and the size are those of a live integer.
        check(unsafe {
            libc::setsockopt(fd.as_raw_fd(), level, option, (&raw const on).cast(), size)
        })
        .map(drop)
    }

    /// A control buffer: room for what the kernel tells, or one message for it.
    #[derive(Debug)]
    #[repr(C, align(8))]
    pub(crate) struct Control {
        bytes: [u8; SPACE_V4 + SPACE_V6],
        len: usize,
    }

    const _: () = assert!(align_of::<Control>() >= align_of::<libc::cmsghdr>());

    impl Control {
        /// Room for all that [`report`] can ask for.
        pub(crate) fn new() -> Self {
            Self { bytes: [0; SPACE_V4 + SPACE_V6], len: SPACE_V4 + SPACE_V6 }
        }

        /// The message that makes a datagram leave as `answer` says.
        pub(crate) fn answering(answer: Answer) -> Self {
            let mut control = Self::new();
            control.len = match answer.address {
                address if address.is_unspecified() && answer.interface == 0 => 0,
                IpAddr::V4(address) => control.write(
                    libc::IPPROTO_IP,
                    libc::IP_PKTINFO,
                    libc::in_pktinfo {
                        ipi_ifindex: answer.interface as _,
                        ipi_spec_dst: libc::in_addr { s_addr: u32::from(address).to_be() },
                        ipi_addr: libc::in_addr { s_addr: 0 },
                    },
                ),
                IpAddr::V6(address) => control.write(
                    libc::IPPROTO_IPV6,
                    libc::IPV6_PKTINFO,
                    libc::in6_pktinfo {
                        ipi6_addr: libc::in6_addr { s6_addr: address.octets() },
                        ipi6_ifindex: answer.interface as _,
                    },
                ),
            };
            control
        }

        /// What the kernel may read, or write.
        pub(crate) fn room(&mut self) -> &mut [u8] {
            &mut self.bytes[..self.len]
        }

        /// What the first `told` bytes, the kernel's, say.
        pub(crate) fn destination(&self, told: usize) -> Option<Destination> {
            destination(&self.bytes[..told.min(self.bytes.len())])
        }

        /// Writes one message and returns the space that it takes.
        fn write<T: Payload>(&mut self, level: i32, kind: i32, payload: T) -> usize {
            const { assert!(HEADER + size_of::<T>() <= SPACE_V4 + SPACE_V6) };
            // SAFETY: a header of zeros is a valid value. Some libcs have private padding in it, so
            // that there is no other way to make one.
            let mut header: libc::cmsghdr = unsafe { mem::zeroed() };
            header.cmsg_level = level;
            header.cmsg_type = kind;
            header.cmsg_len = (HEADER + size_of::<T>()) as _;
            let start = self.bytes.as_mut_ptr();
            // SAFETY: both fit into `bytes`, as asserted above, one behind the other.
            unsafe {
                ptr::write_unaligned(start.cast(), header);
                ptr::write_unaligned(start.add(HEADER).cast(), payload);
            }
            space(size_of::<T>())
        }
    }

    /// What `control` says about the destination; IPv4's own message counts more than IPv6's.
    ///
    /// A message that was cut short (MSG_CTRUNC) or that lies about its length says nothing.
    fn destination(control: &[u8]) -> Option<Destination> {
        let mut found = None;
        for (level, kind, data) in Messages(control) {
            match (level, kind) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let Some(info) = payload::<libc::in_pktinfo>(data) else { continue };
                    let address =
                        |it: libc::in_addr| IpAddr::V4(Ipv4Addr::from(u32::from_be(it.s_addr)));
                    // For a broadcast, `ipi_spec_dst` is our address on the network it came from.
                    return Some(Destination {
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
                    found = Some(from_v6(asked, interface));
                }
                _ => {}
            }
        }
        found
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
    trait Payload: Copy {}
    impl Payload for libc::cmsghdr {}
    impl Payload for libc::in_pktinfo {}
    impl Payload for libc::in6_pktinfo {}

    fn payload<T: Payload>(data: &[u8]) -> Option<T> {
        // SAFETY: there are enough bytes, and any bytes are a `T`.
        (data.len() >= size_of::<T>())
            .then(|| unsafe { ptr::read_unaligned(data.as_ptr().cast::<T>()) })
    }

    /// The messages in a control buffer: level, type, data. Ends where the buffer or the sense does.
    struct Messages<'a>(&'a [u8]);

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

    #[cfg(test)]
    mod tests {
        use super::*;

        fn answering(address: &str, interface: u32) -> Vec<u8> {
            let address = address.parse().expect("an address");
            Control::answering(Answer { address, interface }).room().to_vec()
        }

        fn told(address: &str, interface: u32) -> Vec<u8> {
            let mut control = Control::new();
            let payload = libc::in_pktinfo {
                ipi_ifindex: interface as _,
                ipi_spec_dst: libc::in_addr { s_addr: u32::from(Ipv4Addr::LOCALHOST).to_be() },
                ipi_addr: libc::in_addr {
                    s_addr: u32::from(address.parse::<Ipv4Addr>().expect("an address")).to_be(),
                },
            };
            control.len = control.write(libc::IPPROTO_IP, libc::IP_PKTINFO, payload);
            control.room().to_vec()
        }

        #[test]
        fn an_answer_comes_from_what_was_asked() {
            let table = [
                ("2001:db8::1", "2001:db8::1", 0),
                ("fe80::1", "fe80::1", 7),
                ("::ffff:192.0.2.1", "192.0.2.1", 0),
                ("ff02::1", "::", 0),
            ];
            for (asked, address, interface) in table {
                let found = destination(&answering(asked, 7)).expect(asked);
                let asked: IpAddr = asked.parse().expect("an address");
                let address = address.parse().expect("an address");
                assert_eq!(found.asked, asked.to_canonical());
                assert_eq!(found.answer, Answer { address, interface }, "{asked}");
                assert_eq!(found.interface, 7);
            }
        }

        #[test]
        fn a_broadcast_is_answered_from_an_address_of_ours() {
            let found = destination(&told("127.255.255.255", 1)).expect("a message");
            assert_eq!(found.asked.to_string(), "127.255.255.255");
            assert_eq!(found.answer, Answer { address: Ipv4Addr::LOCALHOST.into(), interface: 0 });
            // The same packet as an IPv6 socket tells of it, in either order.
            let mapped = answering("::ffff:127.255.255.255", 1);
            let own = told("127.255.255.255", 1);
            for both in [[&*mapped, &*own].concat(), [&*own, &*mapped].concat()] {
                assert_eq!(destination(&both), Some(found));
            }
        }

        #[test]
        fn leaving_the_choice_needs_no_message() {
            assert!(answering("0.0.0.0", 0).is_empty());
            assert!(answering("::", 0).is_empty());
            assert!(!answering("::", 1).is_empty());
        }

        #[test]
        fn a_message_cut_short_says_nothing() {
            for whole in [told("192.0.2.1", 1), answering("2001:db8::1", 1)] {
                let header = payload::<libc::cmsghdr>(&whole).expect("a header");
                #[allow(clippy::unnecessary_cast, reason = "the libcs don't agree on the type")]
                let len = header.cmsg_len as usize;
                for cut in 0..len {
                    assert_eq!(destination(&whole[..cut]), None, "{cut} bytes");
                }
                // What the kernel writes when there is too little room: less, and saying so.
                for cut in 0..len {
                    assert_eq!(destination(&with_len(&whole[..], cut)), None, "length {cut}");
                }
                assert!(destination(&whole[..len]).is_some(), "padding isn't needed");
            }
        }

        #[test]
        fn lengths_that_lie_end_the_search() {
            let whole = told("192.0.2.1", 1);
            for lie in [whole.len() + 1, usize::MAX / 2, usize::MAX] {
                assert_eq!(destination(&with_len(&whole, lie)), None, "length {lie}");
            }
        }

        #[test]
        fn strange_messages_are_skipped_and_alignment_is_not_needed() {
            let mut strange = told("192.0.2.1", 1);
            let mut header = payload::<libc::cmsghdr>(&strange).expect("a header");
            header.cmsg_type = libc::IP_TTL;
            put(&mut strange, header);
            let found = destination(&[&*strange, &*told("192.0.2.1", 1)].concat());
            assert!(found.is_some());
            for shift in 1..8 {
                let shifted = [&vec![0; shift], &*told("192.0.2.1", 1)].concat();
                assert_eq!(destination(&shifted[shift..]), found);
            }
        }

        fn with_len(whole: &[u8], len: usize) -> Vec<u8> {
            let mut changed = whole.to_vec();
            let mut header = payload::<libc::cmsghdr>(whole).expect("a header");
            header.cmsg_len = len as _;
            put(&mut changed, header);
            changed
        }

        fn put(whole: &mut [u8], header: libc::cmsghdr) {
            assert!(whole.len() >= size_of_val(&header));
            // SAFETY: there is room for it, as just asserted.
            unsafe { ptr::write_unaligned(whole.as_mut_ptr().cast(), header) }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::io;
    use std::os::fd::BorrowedFd;

    use super::{Answer, Destination};

    /// Asks for nothing.
    pub(crate) fn report(_fd: BorrowedFd<'_>, _v4: bool, _v6: bool) -> io::Result<()> {
        Ok(())
    }

    /// No control buffer.
    #[derive(Debug)]
    pub(crate) struct Control;

    impl Control {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn answering(_answer: Answer) -> Self {
            Self
        }

        pub(crate) fn room(&mut self) -> &mut [u8] {
            &mut []
        }

        pub(crate) fn destination(&self, _told: usize) -> Option<Destination> {
            None
        }
    }
}
