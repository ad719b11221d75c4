//! sendmsg(2) for datagrams, connect(2) to nobody, and the count of those that were dropped.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use socket2::SockAddr;

use super::ancillary::{Answer, Control};
use super::check;

/// sendmsg(2): sends `bytes` as one datagram, or as several of `segment` bytes each but the last;
/// without `to`, to the connected peer.
///
/// `from` and `segment` are ignored where the system has no way to say them (see
/// [`super::ancillary`]).
pub(crate) fn send(
    fd: BorrowedFd<'_>,
    bytes: &[u8],
    to: Option<SocketAddr>,
    from: Option<Answer>,
    segment: Option<u16>,
) -> io::Result<()> {
    let name = to.map(SockAddr::from);
    let mut bytes =
        libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: null pointers, zero lengths and no flags are an empty message. Some libcs have private
    // padding, so that there is no other way to make one.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    if let Some(name) = &name {
        message.msg_name = name.as_ptr().cast_mut().cast();
        message.msg_namelen = name.len();
    }
    message.msg_iov = &raw mut bytes;
    message.msg_iovlen = 1;
    let mut control =
        (from.is_some() || segment.is_some()).then(|| Control::sending(from, segment));
    if let Some(control) = &mut control {
        let room = control.room();
        message.msg_control = room.as_mut_ptr().cast();
        message.msg_controllen = room.len() as _;
    }
    // SAFETY: `message` points to a name, one slice and a control buffer that are live (or null)
    // and as long as it says; the kernel only reads them.
    let result = unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, 0) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Datagrams that one call sends at most.
pub(crate) const TOGETHER: usize = 32;

/// sendmmsg(2): sends the first [`TOGETHER`] of `datagrams`, each to its address, and says how many went:
/// at least one. What kept the next one from going is told to the next call.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn send_several(
    fd: BorrowedFd<'_>,
    datagrams: &[(SocketAddr, &[u8])],
) -> io::Result<usize> {
    let count = datagrams.len().min(TOGETHER);
    let names: [SockAddr; TOGETHER] = std::array::from_fn(|at| {
        let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
        SockAddr::from(datagrams.get(at).map_or(nobody, |datagram| datagram.0))
    });
    // SAFETY: null pointers, zero lengths and no flags are an empty slice, and an empty message. Some
    // libcs have private padding, so that there is no other way to make one.
    let (mut slices, mut headers): ([libc::iovec; TOGETHER], [libc::mmsghdr; TOGETHER]) =
        unsafe { (mem::zeroed(), mem::zeroed()) };
    for (at, (_, bytes)) in datagrams.iter().take(count).enumerate() {
        slices[at] =
            libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        let header = &mut headers[at].msg_hdr;
        header.msg_name = names[at].as_ptr().cast_mut().cast();
        header.msg_namelen = names[at].len();
        header.msg_iov = &raw mut slices[at];
        header.msg_iovlen = 1;
    }
    // SAFETY: the first `count` headers point to a name and one slice each that are live and as long as
    // they say, which the kernel only reads; it writes into the headers alone.
    let sent = check(unsafe {
        libc::sendmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), count as libc::c_uint, 0)
    })?;
    Ok(sent as usize)
}

/// sendmsg(2), for the first of `datagrams`.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn send_several(
    fd: BorrowedFd<'_>,
    datagrams: &[(SocketAddr, &[u8])],
) -> io::Result<usize> {
    let Some((to, bytes)) = datagrams.first() else { return Ok(0) };
    send(fd, bytes, Some(*to), None, None).map(|()| 1)
}

/// connect(2) with AF_UNSPEC: the socket has no peer any more. The BSDs answer with EAFNOSUPPORT, and
/// have done so nevertheless.
pub(crate) fn disconnect(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: zeros are an address of no family, which is what AF_UNSPEC is.
    let mut nobody: libc::sockaddr = unsafe { mem::zeroed() };
    nobody.sa_family = libc::AF_UNSPEC as _;
    let len = size_of_val(&nobody) as libc::socklen_t;
    // SAFETY: the pointer and the length are those of a live address, which the kernel only reads.
    check(unsafe { libc::connect(fd.as_raw_fd(), &raw const nobody, len) }).map(drop)
}

/// getsockopt(2) with SO_MEMINFO: how many datagrams the socket has dropped since it was made (Linux
/// 4.12). It counts to 2³² and begins anew.
#[cfg(target_os = "linux")]
pub(crate) fn drops(fd: BorrowedFd<'_>) -> io::Result<u32> {
    /// SK_MEMINFO_DROPS, in linux/sock_diag.h, is the last of those that there must be.
    const DROPS: usize = 8;
    let mut info = [0_u32; DROPS + 1];
    let mut length = size_of_val(&info) as libc::socklen_t;
    // SAFETY: the pointers are those of a live array and of its length, in bytes. The kernel writes no
    // more than that length.
    check(unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    })?;
    // A kernel that knows fewer of them has written no more.
    if (length as usize) < size_of_val(&info) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(info[DROPS])
}

/// No such count.
#[cfg(not(target_os = "linux"))]
pub(crate) fn drops(_fd: BorrowedFd<'_>) -> io::Result<u32> {
    Err(io::ErrorKind::Unsupported.into())
}
