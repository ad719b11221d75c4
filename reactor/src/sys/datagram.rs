//! recvmsg(2) and sendmsg(2) for datagrams: one whole datagram a call, with its addresses.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use socket2::{SockAddr, SockAddrStorage};

use super::packet_info::{Answer, Control, Destination};

/// What recvmsg(2) told about a datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// Bytes at the front of the buffer.
    pub(crate) len: usize,
    /// Who sent it.
    pub(crate) peer: SocketAddr,
    /// Which of our addresses it was sent to, if the socket
    /// [was asked to tell](super::packet_info::report) and the system can.
    pub(crate) destination: Option<Destination>,
    /// Whether the datagram was longer than the buffer; the rest is lost.
    pub(crate) truncated: bool,
}

/// recvmsg(2): takes the next datagram from the queue.
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Arrival> {
    let mut name = SockAddrStorage::zeroed();
    let name_size = name.size_of();
    let mut bytes = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut control = Control::new();
    let room = control.room();
    let mut message = empty();
    message.msg_name = (&raw mut name).cast();
    message.msg_namelen = name_size;
    message.msg_iov = &raw mut bytes;
    message.msg_iovlen = 1;
    message.msg_control = room.as_mut_ptr().cast();
    message.msg_controllen = room.len() as _;

    // SAFETY: `message` points to a name, one slice and a control buffer that are all live, writable
    // and as long as it says.
    let len = check_size(unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, 0) })?;

    // SAFETY: the kernel has filled `name` as its family says. The length is at most what there is
    // room for: a longer name would be reported by its full length.
    let peer = unsafe { SockAddr::new(name, message.msg_namelen.min(name_size)) };
    let peer = peer.as_socket().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "a datagram without an IP address of its sender")
    })?;
    #[allow(clippy::unnecessary_cast, reason = "the libcs don't agree on the type")]
    let told = message.msg_controllen as usize;
    Ok(Arrival {
        len,
        peer,
        destination: control.destination(told),
        truncated: message.msg_flags & libc::MSG_TRUNC != 0,
    })
}

/// sendmsg(2): sends `bytes` as one datagram; without `to`, to the connected peer.
///
/// `from` is ignored where the system has no way to say it (see [`super::packet_info`]).
pub(crate) fn send(
    fd: BorrowedFd<'_>,
    bytes: &[u8],
    to: Option<SocketAddr>,
    from: Option<Answer>,
) -> io::Result<()> {
    let name = to.map(SockAddr::from);
    let mut bytes =
        libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut control = from.map(Control::answering);
    let mut message = empty();
    if let Some(name) = &name {
        message.msg_name = name.as_ptr().cast_mut().cast();
        message.msg_namelen = name.len();
    }
    message.msg_iov = &raw mut bytes;
    message.msg_iovlen = 1;
    if let Some(control) = &mut control {
        let room = control.room();
        message.msg_control = room.as_mut_ptr().cast();
        message.msg_controllen = room.len() as _;
    }
    // SAFETY: `message` points to a name, one slice and a control buffer that are live (or null)
    // and as long as it says; the kernel only reads them.
    check_size(unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, 0) }).map(drop)
}

fn empty() -> libc::msghdr {
    // SAFETY: null pointers, zero lengths and no flags are an empty message. Some libcs have
    // private padding, so that there is no other way to make one.
    unsafe { mem::zeroed() }
}

fn check_size(result: libc::ssize_t) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
