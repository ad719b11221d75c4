//! A plain loop straight on the [`Poller`] trait.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use log::{debug, warn};
use reactor::{Blocked, Direction, Events, Interest, Key, Poller, Readiness};
use slab::Slab;

/// Bytes that one read takes at most.
const BUFFER: usize = 64 * 1024;
/// Full reads of one connection, and accepted connections, before the others have their turn.
const BUDGET: usize = 16;
/// How long to wait before accepting again when there was no descriptor left.
const BACKOFF: Duration = Duration::from_millis(100);
/// The listener's slot; those of the connections follow.
const LISTENER: Key = Key::new(0, 0);

/// The listener, its connections, and the poller that watches them.
pub(crate) struct Server<P> {
    poller: P,
    listener: TcpListener,
    /// Whether accepting waits for a descriptor.
    starved: bool,
    connections: Slab<Connection>,
    /// Distinguishes the connections that use a slot one after the other.
    generation: u32,
    buffer: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    key: Key,
    /// What the peer hasn't taken yet. While there is any, nothing more is read.
    pending: Vec<u8>,
}

/// Whether a connection goes on.
#[derive(PartialEq, Eq)]
enum Fate {
    Open,
    Closed,
}

impl<P: Poller> Server<P> {
    pub(crate) fn new(mut poller: P, listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        poller.add(listener.as_raw_fd(), LISTENER, Interest::READABLE)?;
        Ok(Self {
            poller,
            listener,
            starved: false,
            connections: Slab::new(),
            generation: 0,
            buffer: vec![0; BUFFER],
        })
    }

    /// Serves until the poller itself fails.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut events = Events::default();
        loop {
            events.clear();
            self.poller.wait(&mut events, self.starved.then_some(BACKOFF))?;
            if self.starved && events.is_empty() {
                self.poller.modify(LISTENER, Interest::READABLE)?;
            }
            for event in &events {
                if event.key() == LISTENER {
                    self.accept()?;
                } else {
                    self.serve(event.key(), event.readiness())?;
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        for _ in 0..BUDGET {
            match self.listener.accept() {
                Ok((stream, peer)) => {
                    self.starved = false;
                    if let Err(error) = self.open(stream) {
                        warn!("{peer}: {error}");
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.poller.blocked(LISTENER, Direction::Read, Blocked::WouldBlock);
                    break;
                }
                Err(error) if is_starvation(&error) => {
                    if !std::mem::replace(&mut self.starved, true) {
                        warn!("accept: {error}; new connections wait");
                    }
                    self.poller.modify(LISTENER, Interest::NONE)?;
                    break;
                }
                // The connection is gone already (accept(2), "Error handling"): on to the next one.
                Err(error) => debug!("accept: {error}"),
            }
        }
        Ok(())
    }

    fn open(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let vacant = self.connections.vacant_entry();
        let slot = u32::try_from(vacant.key() + 1).map_err(io::Error::other)?;
        self.generation = self.generation.wrapping_add(1);
        let key = Key::new(slot, self.generation);
        self.poller.add(stream.as_raw_fd(), key, Interest::READABLE)?;
        vacant.insert(Connection { stream, key, pending: Vec::new() });
        Ok(())
    }

    fn serve(&mut self, key: Key, readiness: Readiness) -> io::Result<()> {
        let index = key.slot() as usize - 1;
        let Some(connection) = self.connections.get_mut(index).filter(|open| open.key == key)
        else {
            return Ok(());
        };
        let fate = if readiness.is_writable() {
            connection.flush(&mut self.poller)
        } else {
            connection.echo(&mut self.poller, &mut self.buffer)
        };
        if !matches!(fate, Ok(Fate::Open)) {
            if let Err(error) = fate {
                debug!("{key:?}: {error}");
            }
            self.close(index, key)?;
        }
        Ok(())
    }

    fn close(&mut self, index: usize, key: Key) -> io::Result<()> {
        self.poller.remove(key)?;
        self.connections.remove(index);
        if self.starved {
            self.poller.modify(LISTENER, Interest::READABLE)?;
        }
        Ok(())
    }
}

impl Connection {
    /// Sends back what the peer has sent, until nothing is left, the peer takes no more, or the
    /// budget is used up.
    fn echo(&mut self, poller: &mut impl Poller, buffer: &mut [u8]) -> io::Result<Fate> {
        for _ in 0..BUDGET {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Ok(Fate::Closed),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    poller.blocked(self.key, Direction::Read, Blocked::WouldBlock);
                    return Ok(Fate::Open);
                }
                Err(error) => return Err(error),
            };
            let sent = send(&mut self.stream, &buffer[..count])?;
            if sent < count {
                self.pending.extend_from_slice(&buffer[sent..count]);
                poller.modify(self.key, Interest::WRITABLE)?;
                return Ok(Fate::Open);
            }
            if count < buffer.len() {
                poller.blocked(self.key, Direction::Read, Blocked::Short);
                break;
            }
        }
        Ok(Fate::Open)
    }

    /// Sends what is pending, and goes back to reading when all is gone.
    fn flush(&mut self, poller: &mut impl Poller) -> io::Result<Fate> {
        let sent = send(&mut self.stream, &self.pending)?;
        self.pending.drain(..sent);
        if self.pending.is_empty() {
            self.pending = Vec::new();
            poller.modify(self.key, Interest::READABLE)?;
        } else {
            poller.blocked(self.key, Direction::Write, Blocked::Short);
        }
        Ok(Fate::Open)
    }
}

/// Sends as much as the socket takes: none if it would block.
fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match stream.write(bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            answer => return answer,
        }
    }
}

/// Whether accept(2) failed for want of descriptors or memory, and would fail again at once.
fn is_starvation(error: &io::Error) -> bool {
    const FULL: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error.raw_os_error().is_some_and(|errno| FULL.contains(&errno))
}
