//! The `mio` crate by itself: edge-triggered, each stream registered once for both directions, and, as its
//! documentation asks, read from until it would block.

use std::convert::Infallible;
use std::io;
use std::net;
use std::os::fd::AsRawFd as _;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use super::BUFFER;
use super::connection::{Next, ReadUntil, Table, accept_all};
use crate::yardstick::index_of;

/// How many reports one wait takes.
const EVENTS: usize = 1024;

pub(super) fn streams(listener: net::TcpListener) -> io::Result<Infallible> {
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(EVENTS);
    let mut buffer = vec![0; BUFFER];
    let mut connections = Table::new();
    let door = Token(index_of(listener.as_raw_fd()));
    poll.registry().register(&mut listener, door, Interest::READABLE)?;
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            if event.token() == door {
                accept_all(
                    || listener.accept(),
                    |(mut stream, _)| {
                        // Fails only for a connection that is already broken, which a read will tell.
                        let _ = stream.set_nodelay(true);
                        let index = index_of(stream.as_raw_fd());
                        let both = Interest::READABLE | Interest::WRITABLE;
                        poll.registry().register(&mut stream, Token(index), both)?;
                        connections.insert(index, stream);
                        Ok(())
                    },
                )?;
                continue;
            }
            let Token(index) = event.token();
            let Some(connection) = connections.get_mut(index) else { continue };
            if connection.echo(&mut buffer, ReadUntil::WouldBlock) == Next::Close {
                // Its documentation asks for this before a source is dropped.
                poll.registry().deregister(&mut connection.stream)?;
                connections.remove(index);
            }
        }
    }
}
