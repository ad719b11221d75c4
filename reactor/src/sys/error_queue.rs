//! The error queue of a socket (`IP_RECVERR`, ip(7); `IPV6_RECVERR`, ipv6(7)): what ICMP said of
//! datagrams, and of which. Linux and Android have it; elsewhere it is always empty.

use std::net::SocketAddr;

pub(crate) use system::{enable, take};

/// An error that waited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Where the datagram was sent to that it is about.
    pub(crate) peer: Option<SocketAddr>,
    /// Its number.
    pub(crate) errno: i32,
    /// Whether it came by ICMP. If not, a call of our own has been told of it, too.
    pub(crate) by_icmp: bool,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::io;
    use std::mem;
    use std::os::fd::{AsRawFd, BorrowedFd};

    use super::super::ancillary::{Messages, Payload, payload};
    use super::super::{batch, sockopt};
    use super::Entry;

    impl Payload for libc::sock_extended_err {}

    /// Room for the error and for all else that a socket may tell of a datagram.
    #[repr(align(8))]
    struct Room([u8; 512]);

    /// setsockopt(2): has errors kept in the queue. An IPv6 socket that also sends to IPv4 needs both
    /// kinds. Says whether there is a queue.
    pub(crate) fn enable(fd: BorrowedFd<'_>, v4: bool, v6: bool) -> io::Result<bool> {
        if v4 {
            sockopt::set(fd, libc::IPPROTO_IP, libc::IP_RECVERR, 1)?;
        }
        if v6 {
            sockopt::set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1)?;
        }
        Ok(true)
    }

    /// recvmsg(2) with MSG_ERRQUEUE: takes one error from the queue; `WouldBlock` if there is none. The
    /// bytes of the datagram that it is about are dropped.
    pub(crate) fn take(fd: BorrowedFd<'_>) -> io::Result<Entry> {
        // SAFETY: no family and no address are a value of it.
        let mut name: libc::sockaddr_storage = unsafe { mem::zeroed() };
        let mut control = Room([0; 512]);
        // SAFETY: null pointers, zero lengths and no flags are an empty message. Some libcs have
        // private padding, so that there is no other way to make one.
        let mut message: libc::msghdr = unsafe { mem::zeroed() };
        message.msg_name = (&raw mut name).cast();
        message.msg_namelen = size_of_val(&name) as libc::socklen_t;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = control.0.len() as _;
        // SAFETY: `message` points to a name and a control buffer that are live, writable and as long
        // as it says, and to no slice.
        let result = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, libc::MSG_ERRQUEUE) };
        if result == -1 {
            return Err(io::Error::last_os_error());
        }
        #[allow(clippy::unnecessary_cast, reason = "the libcs don't agree on the type")]
        let told = &control.0[..(message.msg_controllen as usize).min(control.0.len())];
        let error = Messages(told).find_map(|(level, kind, data)| match (level, kind) {
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                payload::<libc::sock_extended_err>(data)
            }
            _ => None,
        });
        let complaint = "an entry of the error queue without an error";
        let error = error.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, complaint))?;
        Ok(Entry {
            peer: batch::name(&name, message.msg_namelen),
            errno: i32::try_from(error.ee_errno).unwrap_or_default(),
            by_icmp: matches!(error.ee_origin, libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6),
        })
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::io;
    use std::os::fd::BorrowedFd;

    use super::Entry;

    /// There is no queue.
    pub(crate) fn enable(_fd: BorrowedFd<'_>, _v4: bool, _v6: bool) -> io::Result<bool> {
        Ok(false)
    }

    /// Never anything.
    pub(crate) fn take(_fd: BorrowedFd<'_>) -> io::Result<Entry> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}
