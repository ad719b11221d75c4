//! UDP with epoll: one socket, up to 32 datagrams received by one call and answered by another.

use std::convert::Infallible;
use std::ffi::c_uint;
use std::io;
use std::mem;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd as _, RawFd};
use std::ptr;

use super::{SCRATCH, epoll};

/// How many datagrams one call takes at most.
const PLACES: usize = 32;

pub(super) fn run(socket: &UdpSocket) -> io::Result<Infallible> {
    let epoll = epoll::create()?;
    epoll::add(&epoll, socket.as_raw_fd(), epoll::INPUT)?;
    let mut events = [libc::epoll_event { events: 0, u64: 0 }];
    let mut batch = Batch::new();
    loop {
        epoll::wait(&epoll, &mut events)?;
        // A batch that isn't full leaves the call that would say EAGAIN to the next wait.
        while batch.echo(socket.as_raw_fd())? == PLACES {}
    }
}

/// Room for datagrams and their senders' addresses, made once.
struct Batch {
    bytes: Vec<u8>,
    names: Vec<libc::sockaddr_storage>,
    slices: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

impl Batch {
    fn new() -> Self {
        // SAFETY: an address of no family, and headers with null pointers and zero lengths, are values of
        // these types; private padding leaves no other way to make them.
        let (name, header): (libc::sockaddr_storage, libc::mmsghdr) =
            unsafe { (mem::zeroed(), mem::zeroed()) };
        Self {
            bytes: vec![0; PLACES * SCRATCH],
            names: vec![name; PLACES],
            slices: vec![libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; PLACES],
            headers: vec![header; PLACES],
        }
    }

    /// Takes what there is and sends it back: how many datagrams.
    fn echo(&mut self, fd: RawFd) -> io::Result<usize> {
        for (place, bytes) in self.bytes.chunks_mut(SCRATCH).enumerate() {
            let slice = &mut self.slices[place];
            *slice = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
            let header = &mut self.headers[place].msg_hdr;
            header.msg_name = (&raw mut self.names[place]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = slice;
            header.msg_iovlen = 1;
        }
        let count = loop {
            // SAFETY: each header points to a name and a slice, and each slice to bytes, that this batch
            // owns, with their lengths; all were set just now, and stay for the call.
            let received = unsafe {
                libc::recvmmsg(
                    fd,
                    self.headers.as_mut_ptr(),
                    PLACES as c_uint,
                    libc::MSG_DONTWAIT,
                    ptr::null_mut(),
                )
            };
            if let Ok(count) = usize::try_from(received) {
                break count;
            }
            let error = io::Error::last_os_error();
            match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(0),
                io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            }
        };
        for (slice, header) in self.slices.iter_mut().zip(&self.headers[..count]) {
            slice.iov_len = header.msg_len as usize;
        }
        self.answer(fd, count);
        Ok(count)
    }

    /// Sends the first `count` back to where they came from. One that can't be sent is lost, as one on
    /// the way would be.
    fn answer(&mut self, fd: RawFd, count: usize) {
        let mut done = 0;
        while done < count {
            let rest = &mut self.headers[done..count];
            // SAFETY: the pointers are those of the call before, to what this batch owns; a slice's length
            // is that of what was received into it.
            let sent = unsafe {
                libc::sendmmsg(fd, rest.as_mut_ptr(), rest.len() as c_uint, libc::MSG_DONTWAIT)
            };
            // An error is that of the first, which is passed over.
            done += usize::try_from(sent).unwrap_or(1);
        }
    }
}
