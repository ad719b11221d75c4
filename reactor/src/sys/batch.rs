//! recvmmsg(2): several datagrams by one call, each with its addresses. Where the system has no such
//! call, recvmsg(2), for one.

use std::fmt;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use socket2::{SockAddr, SockAddrStorage};

use super::ancillary::{Control, Told};
#[cfg(any(target_os = "linux", target_os = "android"))]
use libc::mmsghdr as Header;

/// Whether one call can take several.
pub(crate) const TAKES_SEVERAL: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// What one datagram is received with, as recvmmsg(2) has it.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
struct Header {
    msg_hdr: libc::msghdr,
    msg_len: libc::c_uint,
}

/// What was told about a datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// Who sent it.
    pub(crate) peer: SocketAddr,
    /// What its control messages say.
    pub(crate) told: Told,
    /// Whether the datagram was longer than its buffer; the rest is lost.
    pub(crate) truncated: bool,
}

/// Room for several datagrams, allocated once. What nothing was received into yet costs address space
/// alone.
pub(crate) struct Batch {
    /// Of each datagram `size` bytes, one behind the other.
    bytes: Box<[u8]>,
    size: usize,
    names: Box<[libc::sockaddr_storage]>,
    controls: Box<[Control]>,
    slices: Box<[libc::iovec]>,
    headers: Box<[Header]>,
    /// How many the last call has brought.
    count: usize,
}

// SAFETY: the pointers in `slices` and `headers` are set before each call to what the same batch owns,
// and used by nothing but that call.
unsafe impl Send for Batch {}

impl Batch {
    /// Room for `places` datagrams, each of up to `size` bytes.
    pub(crate) fn new(places: usize, size: usize) -> Self {
        // SAFETY: null pointers, zero lengths and no family are a value of each of the three. Some
        // libcs have private padding in them, so that there is no other way to make one.
        let (name, slice) = unsafe { (mem::zeroed(), mem::zeroed()) };
        // SAFETY: as above.
        let header = || unsafe { mem::zeroed() };
        Self {
            bytes: vec![0; places * size].into(),
            size,
            names: vec![name; places].into(),
            controls: vec![Control::new(); places].into(),
            slices: vec![slice; places].into(),
            headers: (0..places).map(|_| header()).collect(),
            count: 0,
        }
    }

    /// How many datagrams there is room for.
    pub(crate) fn places(&self) -> usize {
        self.headers.len()
    }

    /// Takes as many datagrams from the queue as there are and is room for, but no more than `most`,
    /// and says how many: at least one. What was there before is gone.
    ///
    /// That it were fewer than `most` means that the queue is empty, or an error waits, if the call
    /// [takes several](TAKES_SEVERAL).
    pub(crate) fn receive(&mut self, fd: BorrowedFd<'_>, most: usize) -> io::Result<usize> {
        self.count = 0;
        let most = most.min(self.places());
        // One pointer for all places: to borrow the bytes again for the next one would put an end to it.
        let bytes = self.bytes.as_mut_ptr();
        for at in 0..most {
            let place = bytes.wrapping_add(at * self.size);
            self.slices[at] = libc::iovec { iov_base: place.cast(), iov_len: self.size };
            self.controls[at] = Control::new();
            let room = self.controls[at].room();
            let header = &mut self.headers[at].msg_hdr;
            header.msg_name = (&raw mut self.names[at]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = &raw mut self.slices[at];
            header.msg_iovlen = 1;
            header.msg_control = room.as_mut_ptr().cast();
            header.msg_controllen = room.len() as _;
            header.msg_flags = 0;
        }
        // SAFETY: the first `most` headers were just pointed to a name, one slice and a control buffer
        // each, which this batch owns, which overlap with no other, and which are as long as they say.
        self.count = unsafe { receive(fd, &mut self.headers[..most]) }?;
        Ok(self.count)
    }

    /// The bytes of one of those that came.
    pub(crate) fn bytes(&self, at: usize) -> &[u8] {
        let len = if at < self.count { self.headers[at].msg_len as usize } else { 0 };
        let place = &self.bytes[at * self.size..(at + 1) * self.size];
        &place[..len.min(self.size)]
    }

    /// What was told about one of those that came.
    pub(crate) fn arrival(&self, at: usize) -> io::Result<Arrival> {
        let header = &self.headers[..self.count][at].msg_hdr;
        let peer = name(&self.names[at], header.msg_namelen).ok_or_else(|| {
            let complaint = "a datagram without an IP address of its sender";
            io::Error::new(io::ErrorKind::InvalidData, complaint)
        })?;
        #[allow(clippy::unnecessary_cast, reason = "the libcs don't agree on the type")]
        let told = header.msg_controllen as usize;
        Ok(Arrival {
            peer,
            told: self.controls[at].told(told),
            truncated: header.msg_flags & libc::MSG_TRUNC != 0,
        })
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("places", &self.places())
            .field("size", &self.size)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// The address in `storage`, of which `len` bytes are the kernel's.
pub(super) fn name(storage: &libc::sockaddr_storage, len: libc::socklen_t) -> Option<SocketAddr> {
    let mut own = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_storage` is one of the system's types of addresses.
    *unsafe { own.view_as::<libc::sockaddr_storage>() } = *storage;
    // SAFETY: all of it is initialized, and the length at most its size: a longer name would be told
    // by its full length.
    unsafe { SockAddr::new(own, len.min(size_of_val(storage) as libc::socklen_t)) }.as_socket()
}

/// # Safety
///
/// Each header points to a name, slices and a control buffer that are live, writable and as long as it says.
#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe fn receive(fd: BorrowedFd<'_>, headers: &mut [Header]) -> io::Result<usize> {
    // SAFETY: the headers are what the caller says, and as many as said; no timeout is asked for.
    let count = super::check(unsafe {
        libc::recvmmsg(
            fd.as_raw_fd(),
            headers.as_mut_ptr(),
            headers.len() as libc::c_uint,
            0,
            std::ptr::null_mut(),
        )
    })?;
    Ok(count as usize)
}

/// # Safety
///
/// The first header points to a name, slices and a control buffer that are live, writable and as long as it
/// says.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
unsafe fn receive(fd: BorrowedFd<'_>, headers: &mut [Header]) -> io::Result<usize> {
    let Some(header) = headers.first_mut() else { return Ok(0) };
    // SAFETY: the header is what the caller says.
    let len = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header.msg_hdr, 0) };
    header.msg_len = libc::c_uint::try_from(len).map_err(|_| io::Error::last_os_error())?;
    Ok(1)
}
