//! What can be asked of a socket by its number, and told to it.

use std::io;
use std::os::fd::RawFd;

use super::check;

/// Whether `fd` is a stream socket over IPv4 or IPv6. What isn't a socket isn't one.
pub(crate) fn is_tcp(fd: RawFd) -> bool {
    let inet = |family| matches!(family, libc::AF_INET | libc::AF_INET6);
    kind(fd).is_ok_and(|kind| kind == libc::SOCK_STREAM) && family(fd).is_ok_and(inet)
}

/// SO_TYPE, socket(7).
fn kind(fd: RawFd) -> io::Result<libc::c_int> {
    let mut kind: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the pointers are those of a live integer and of its length.
    check(unsafe {
        libc::getsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_TYPE,
            (&raw mut kind).cast(),
            &raw mut length,
        )
    })?;
    Ok(kind)
}

/// The family of the socket's own address, getsockname(2).
fn family(fd: RawFd) -> io::Result<libc::c_int> {
    // SAFETY: all bytes zero is a valid sockaddr_storage.
    let mut address: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    // SAFETY: the pointers are those of a live sockaddr_storage and of its length.
    check(unsafe { libc::getsockname(fd, (&raw mut address).cast(), &raw mut length) })?;
    Ok(libc::c_int::from(address.ss_family))
}

/// IP_BIND_ADDRESS_NO_PORT, ip(7): bind(2) to port 0 leaves the choice of the port to connect(2), which
/// can share one among several peers.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn choose_port_late(fd: RawFd) -> io::Result<()> {
    let yes: libc::c_int = 1;
    // SAFETY: the pointer is that of a live integer, the length is its size.
    check(unsafe {
        libc::setsockopt(
            fd,
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const yes).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    })
    .map(drop)
}
