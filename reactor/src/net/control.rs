//! What fcntl(2) and ioctl(2) tell of a descriptor, and change: whether calls on it block, who gets its
//! signals, and how much stands in its queues.
//!
//! # Errors
//!
//! Each error is a [`Failure`] that names the request: EBADF if the descriptor isn't
//! open; ENOTTY, EINVAL or EOPNOTSUPP if it isn't of a kind that knows the request;
//! [`Unsupported`](io::ErrorKind::Unsupported) where the system has no such request.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use socket2::SockRef;

use super::Failure;
use crate::sys::{fd, ioctl};

/// Who gets SIGIO and SIGURG of a descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Nobody: no such signals are sent.
    #[default]
    Nobody,
    /// The process with this id.
    Process(u32),
    /// The processes of the group with this id.
    Group(u32),
}

/// Whether calls that can't be done at once say [`WouldBlock`](io::ErrorKind::WouldBlock)
/// (O_NONBLOCK).
///
/// # Errors
///
/// See the [module](self).
pub fn is_nonblocking(fd: &impl AsFd) -> io::Result<bool> {
    SockRef::from(fd).nonblocking().map_err(|error| failed("F_GETFL", error))
}

/// Has calls that can't be done at once say [`WouldBlock`](io::ErrorKind::WouldBlock), or wait
/// (O_NONBLOCK).
///
/// The flag belongs to the open file: whoever has a duplicate of the descriptor shares it, such as
/// another process with the same terminal.
///
/// # Errors
///
/// See the [module](self).
pub fn set_nonblocking(fd: &impl AsFd, nonblocking: bool) -> io::Result<()> {
    SockRef::from(fd).set_nonblocking(nonblocking).map_err(|error| failed("F_SETFL", error))
}

/// Who gets the signals of a descriptor (F_GETOWN, on Linux F_GETOWN_EX).
///
/// # Errors
///
/// See the [module](self).
pub fn owner(fd: &impl AsFd) -> io::Result<Owner> {
    let owner = fd::owner(fd.as_fd()).map_err(|error| failed("F_GETOWN", error))?;
    Ok(match owner {
        0 => Owner::Nobody,
        1.. => Owner::Process(owner.unsigned_abs()),
        _ => Owner::Group(owner.unsigned_abs()),
    })
}

/// Has the signals of a descriptor sent to somebody (F_SETOWN): SIGURG when urgent data comes, and SIGIO
/// if O_ASYNC is set.
///
/// # Errors
///
/// See the [module](self). On Linux ESRCH if there is no such process; EINVAL for an id that no
/// process can have.
pub fn set_owner(fd: &impl AsFd, owner: Owner) -> io::Result<()> {
    let id = match owner {
        Owner::Nobody => Some(0),
        Owner::Process(id) => libc::pid_t::try_from(id).ok(),
        Owner::Group(id) => libc::pid_t::try_from(id).ok().map(|id| -id),
    };
    id.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
        .and_then(|id| fd::set_owner(fd.as_fd(), id))
        .map_err(|error| failed("F_SETOWN", error))
}

/// Bytes that can be read at this moment (FIONREAD): of a datagram socket, those of the next datagram
/// alone.
///
/// # Errors
///
/// See the [module](self).
pub fn readable_bytes(fd: &impl AsFd) -> io::Result<usize> {
    count("FIONREAD", ioctl::readable, fd.as_fd())
}

/// Whether a stream was read up to its urgent mark (SIOCATMARK): what is read next came after the
/// urgent byte. It stays so until that is read.
///
/// # Errors
///
/// See the [module](self).
pub fn at_mark(fd: &impl AsFd) -> io::Result<bool> {
    Ok(count("SIOCATMARK", ioctl::at_mark, fd.as_fd())? > 0)
}

/// Of TCP, bytes that the peer hasn't acknowledged, whether they were sent or not (SIOCOUTQ). Of other
/// sockets, the kernel's memory for what they sent. Linux.
///
/// # Errors
///
/// See the [module](self).
pub fn outgoing_bytes(fd: &impl AsFd) -> io::Result<usize> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return count("SIOCOUTQ", ioctl::outgoing, fd.as_fd());
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    return lacks("SIOCOUTQ", fd);
}

/// Of TCP, bytes that the kernel has and hasn't sent yet (SIOCOUTQNSD): what
/// [`TCP_NOTSENT_LOWAT`](crate::options::TCP_NOTSENT_LOWAT) bounds. Linux.
///
/// # Errors
///
/// See the [module](self).
pub fn unsent_bytes(fd: &impl AsFd) -> io::Result<usize> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return count("SIOCOUTQNSD", ioctl::unsent, fd.as_fd());
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    return lacks("SIOCOUTQNSD", fd);
}

fn count(
    request: &str,
    ask: fn(BorrowedFd<'_>) -> io::Result<libc::c_int>,
    fd: BorrowedFd<'_>,
) -> io::Result<usize> {
    let answer = ask(fd).map_err(|error| failed(request, error))?;
    Ok(usize::try_from(answer).unwrap_or(0))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn lacks(request: &str, _fd: &impl AsFd) -> io::Result<usize> {
    Err(failed(
        request,
        io::Error::new(io::ErrorKind::Unsupported, "this system has no such request"),
    ))
}

fn failed(request: &str, error: io::Error) -> io::Error {
    Failure::wrap(format!("ask for {request}"), error, None)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::process;

    use super::*;

    #[test]
    fn calls_block_or_don_t() {
        let (near, _far) = UnixStream::pair().unwrap();
        for nonblocking in [true, false] {
            set_nonblocking(&near, nonblocking).unwrap();
            assert_eq!(is_nonblocking(&near).unwrap(), nonblocking);
        }
    }

    #[test]
    fn an_owner_is_kept() {
        let (near, _far) = UnixStream::pair().unwrap();
        assert_eq!(owner(&near).unwrap(), Owner::Nobody);
        let group = rustix::process::getpgrp().as_raw_pid().unsigned_abs();
        for who in [Owner::Process(process::id()), Owner::Group(group), Owner::Nobody] {
            set_owner(&near, who).unwrap();
            assert_eq!(owner(&near).unwrap(), who);
        }
        // Its number is negated by the kernel, and -1 is no error then. It may have no such group.
        set_owner(&near, Owner::Group(1)).unwrap();
        assert!([Owner::Group(1), Owner::Nobody].contains(&owner(&near).unwrap()));
        let error = set_owner(&near, Owner::Process(u32::MAX)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().starts_with("ask for F_SETOWN: "), "{error}");
    }

    #[test]
    fn what_waits_is_counted() {
        let (near, mut far) = UnixStream::pair().unwrap();
        assert_eq!(readable_bytes(&near).unwrap(), 0);
        far.write_all(b"hello").unwrap();
        assert_eq!(readable_bytes(&near).unwrap(), 5);
        #[cfg(target_os = "linux")]
        assert!(outgoing_bytes(&far).unwrap() > 5, "the kernel's memory for them");
    }

    #[test]
    fn what_has_no_queues_says_so() {
        let file = std::fs::File::open("/dev/null").unwrap();
        for error in [at_mark(&file).map(usize::from), outgoing_bytes(&file), unsent_bytes(&file)] {
            let error = error.unwrap_err();
            assert!(error.to_string().starts_with("ask for SIOC"), "{error}");
        }
    }
}
