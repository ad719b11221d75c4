//! The `polling` crate, which smol stands on: oneshot, its default and what its documentation shows. Each
//! report is followed by a call that asks for the next one.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd as _};
use std::rc::Rc;

use polling::{Event, Events, PollMode, Poller};

use super::BUFFER;
use super::connection::{Next, ReadUntil, Table, accept_all};
use crate::yardstick::index_of;
use crate::yardstick::waiting::watch;

pub(super) fn streams(listener: &TcpListener) -> io::Result<Infallible> {
    let poller = Rc::new(Poller::new()?);
    let mut events = Events::new();
    let mut buffer = vec![0; BUFFER];
    let mut connections = Table::new();
    let door = index_of(listener.as_raw_fd());
    let listener = Registered::new(&poller, listener, door)?;
    loop {
        events.clear();
        match poller.wait(&mut events, None) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in events.iter() {
            let key = event.key;
            if key == door {
                accept_all(
                    || listener.source.accept(),
                    |(stream, _)| {
                        stream.set_nonblocking(true)?;
                        // Fails only for a connection that is already broken, which a read will tell.
                        let _ = stream.set_nodelay(true);
                        let key = index_of(stream.as_raw_fd());
                        connections.insert(key, Registered::new(&poller, stream, key)?);
                        Ok(())
                    },
                )?;
                poller.modify(listener.source, Event::readable(door))?;
                continue;
            }
            let Some(connection) = connections.get_mut(key) else { continue };
            let next = match connection.echo(&mut buffer, ReadUntil::Short) {
                Next::Input => Event::readable(key),
                Next::Output => Event::writable(key),
                Next::Close => {
                    connections.remove(key);
                    continue;
                }
            };
            poller.modify(&connection.stream.source, next)?;
        }
    }
}

/// A source that leaves its poller before it is dropped.
struct Registered<S: AsFd> {
    poller: Rc<Poller>,
    source: S,
}

impl<S: AsFd> Registered<S> {
    /// Asks for the first report of input.
    fn new(poller: &Rc<Poller>, source: S, key: usize) -> io::Result<Self> {
        watch(poller, source.as_fd(), Event::readable(key), PollMode::Oneshot)?;
        Ok(Self { poller: Rc::clone(poller), source })
    }
}

impl<S: AsFd> Drop for Registered<S> {
    fn drop(&mut self) {
        // Fails only for what isn't registered.
        let _ = self.poller.delete(&self.source);
    }
}

impl Read for Registered<TcpStream> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

impl Write for Registered<TcpStream> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.source.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.source.flush()
    }
}
