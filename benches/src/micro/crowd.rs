//! Many descriptors, which the contenders of a question share: they watch the same ones, one after the
//! other, so that the numbers are the same for all (select's cost grows with the highest).

use std::cell::OnceCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};

/// Something made when it is first needed, that goes with the last who shares it.
pub(super) struct Shared<T>(Rc<OnceCell<T>>);

impl<T> Shared<T> {
    pub(super) fn new() -> Self {
        Self(Rc::new(OnceCell::new()))
    }

    /// It, made by `make` if this is the first time.
    pub(super) fn get(&self, make: impl FnOnce() -> io::Result<T>) -> io::Result<&T> {
        if let Some(made) = self.0.get() {
            return Ok(made);
        }
        let made = make()?;
        Ok(self.0.get_or_init(|| made))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

/// Eventfds, of which some have a count, and are ready to be read for good.
pub(super) fn eventfds(count: usize, ready: usize) -> io::Result<Vec<EventFd>> {
    let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        all.push(EventFd::from_value_and_flags(0, flags)?);
    }
    for index in spread(ready, count) {
        all[index].write(1)?;
    }
    Ok(all)
}

/// Timers that are never set: neither readable nor writable.
pub(super) fn silent(count: usize) -> io::Result<Vec<TimerFd>> {
    let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
    (0..count).map(|_| Ok(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?)).collect()
}

/// Nonblocking pairs of Unix streams.
pub(super) fn pairs(count: usize) -> io::Result<Vec<(UnixStream, UnixStream)>> {
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let (one, other) = UnixStream::pair()?;
        one.set_nonblocking(true)?;
        other.set_nonblocking(true)?;
        all.push((one, other));
    }
    Ok(all)
}

/// A listener on a port that the system chooses.
pub(super) fn listener() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
}

/// A client that sends each message at once.
pub(super) fn client(address: SocketAddr) -> io::Result<TcpStream> {
    let client = TcpStream::connect(address)?;
    client.set_nodelay(true)?;
    Ok(client)
}

/// A connection over TCP: the accepted end, which is nonblocking, and the client's. Both send each message at once.
pub(super) fn connection(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let client = client(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    server.set_nodelay(true)?;
    server.set_nonblocking(true)?;
    Ok((server, client))
}

/// Many of them.
pub(super) fn connections(count: usize) -> io::Result<Vec<(TcpStream, TcpStream)>> {
    let listener = listener()?;
    (0..count).map(|_| connection(&listener)).collect()
}

/// `some` of `count` places, evenly distributed.
pub(super) fn spread(some: usize, count: usize) -> impl Iterator<Item = usize> + Clone {
    (0..some).map(move |index| index * count / some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_ones_are_different() {
        assert!(spread(1, 10).eq([0]));
        assert!(spread(3, 10).eq([0, 3, 6]));
        assert!(spread(10, 10).eq(0..10));
    }

    #[test]
    fn what_is_shared_is_made_once() {
        let one = Shared::new();
        let other = one.clone();
        assert!(one.get(|| Err(io::ErrorKind::Other.into())).is_err());
        assert_eq!(*one.get(|| Ok(1)).unwrap(), 1);
        assert_eq!(*other.get(|| Ok(2)).unwrap(), 1);
    }
}
