//! `poll` with one array of entries without holes, so that the kernel looks at nothing in vain.

use std::convert::Infallible;
use std::ffi::c_short;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd as _, RawFd};

use super::connection::{Connection, Next, ReadUntil};
use super::{SCRATCH, socket};

pub(super) fn run(listener: &TcpListener) -> io::Result<Infallible> {
    // The listener comes first: the entry of `connections[i]` is `entries[i + 1]`.
    let mut entries = vec![entry(listener.as_raw_fd(), libc::POLLIN)];
    let mut connections: Vec<Connection> = Vec::new();
    let mut scratch = vec![0; SCRATCH];
    loop {
        let mut left = wait(&mut entries)?;
        let knocked = entries[0].revents != 0;
        left -= usize::from(knocked);
        let mut index = 0;
        while left > 0 {
            let entry = &mut entries[index + 1];
            if entry.revents == 0 {
                index += 1;
                continue;
            }
            left -= 1;
            match connections[index].echo(&mut scratch, ReadUntil::Short) {
                Next::Input => entry.events = libc::POLLIN,
                Next::Output => entry.events = libc::POLLOUT,
                Next::Close => {
                    // The last one moves here, and has yet to be looked at.
                    connections.swap_remove(index);
                    entries.swap_remove(index + 1);
                    continue;
                }
            }
            index += 1;
        }
        if knocked {
            while let Some(stream) = socket::accept(listener)? {
                let connection = Connection::new(stream);
                entries.push(entry(connection.fd(), libc::POLLIN));
                connections.push(connection);
            }
        }
    }
}

fn entry(fd: RawFd, events: c_short) -> libc::pollfd {
    libc::pollfd { fd, events, revents: 0 }
}

/// Waits until something is ready: in how many of `entries` the kernel has left a report.
fn wait(entries: &mut [libc::pollfd]) -> io::Result<usize> {
    loop {
        // SAFETY: the pointer and the length are those of one slice.
        let ready = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, -1) };
        if let Ok(ready) = usize::try_from(ready) {
            return Ok(ready);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
