//! The mio crate: edges, made level by re-arming what the caller left unfinished.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Poll, Token};

use super::deadline::ask_until;
use super::event::{Blocked, Direction, Event, Events, Interest, Key, Readiness};
use super::registrations::{InterestList, Registrations};
use super::waker::Waker;
use super::{Backend, Capabilities, Cost, Poller, Trigger};
use crate::sys;

/// No key's token: its slot is the one above [`Key::MAX_SLOT`], which is refused.
const WAKER: Token = Token(usize::MAX);

/// Waits with the mio crate: epoll on Linux, kqueue on macOS and the BSDs.
///
/// Edge-triggered underneath: a descriptor that was reported and not marked by
/// [`blocked`](Poller::blocked) costs one system call before the next wait.
#[derive(Debug)]
pub struct MioPoller {
    registrations: Registrations<Poll>,
    buffer: mio::Events,
    waker: Waker,
    /// What was last reported, by slot.
    edges: Vec<Edge>,
    /// Whom the last wait reported.
    reported: Vec<Key>,
}

/// What is known of the edge that a descriptor last showed.
#[derive(Clone, Copy, Debug, Default)]
struct Edge {
    /// The directions that were reported, and that nobody has seen blocked since.
    unfinished: Interest,
    /// Whether a short read means that nothing is left: not if the end of the stream, an error or
    /// an urgent mark stood behind the data.
    short_is_all: bool,
    /// Whether there was an urgent mark, and no read has blocked since. Once its byte is taken nothing
    /// tells of the mark any more, and it may stand ahead for many reads.
    marked: bool,
    /// Whether it ever means that: on TCP. A datagram socket gives one datagram a call, and a Unix
    /// stream stops at passed descriptors.
    is_tcp: bool,
}

impl MioPoller {
    /// A poller without descriptors.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE: it needs two descriptors.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new()?;
        poll.registry().register(&mut SourceFd(&waker.fd()), WAKER, mio::Interest::READABLE)?;
        Ok(Self {
            registrations: Registrations::new(poll, waker.fd()),
            buffer: mio::Events::with_capacity(0),
            waker,
            edges: Vec::new(),
            reported: Vec::new(),
        })
    }

    /// Appends what mio has put into the buffer; says whether the waker was there.
    fn report(&mut self, events: &mut Events) -> bool {
        let mut woken = false;
        for raw in &self.buffer {
            let token = raw.token();
            if token == WAKER {
                woken = true;
                continue;
            }
            let index = Key::token_index(token.0);
            let entry = self.registrations.table.at(index);
            // An entry that nobody owns: its descriptor was closed before it was removed.
            let Some(entry) = entry.filter(|entry| entry.key.to_token() == token.0) else {
                continue;
            };
            let (key, directions) = (entry.key, entry.interest);
            let readiness = readiness(raw, entry.fd, directions);
            if readiness.directions(directions).is_empty() {
                continue;
            }
            let edge = &mut self.edges[index];
            let known = !edge.unfinished.is_empty();
            edge.unfinished |= readiness.directions(directions);
            edge.marked |= raw.is_priority();
            edge.short_is_all =
                edge.is_tcp && !(raw.is_read_closed() || raw.is_error() || edge.marked);
            if known {
                // kqueue reports the two directions one by one.
                events.merge(key, readiness);
            } else {
                self.reported.push(key);
                events.push(Event::new(key, readiness));
            }
        }
        woken
    }
}

/// What mio says, masked by `interest`.
fn readiness(raw: &mio::event::Event, fd: RawFd, interest: Interest) -> Readiness {
    let mut readiness = Readiness::default();
    if raw.is_readable() && interest.contains(Interest::READABLE) {
        // mio calls urgent data readable, too; reading it as such would lose it.
        if !raw.is_priority() || has_data(fd) {
            readiness |= Readiness::READABLE;
        }
    }
    if raw.is_writable() {
        readiness |= Readiness::WRITABLE;
    }
    if raw.is_priority() {
        readiness |= Readiness::PRIORITY;
    }
    readiness = Readiness::all(readiness.directions(interest));
    if raw.is_read_closed() || raw.is_write_closed() || raw.is_error() {
        readiness |= closing(raw, interest);
    }
    readiness
}

/// What the ends of a stream and errors add.
#[cold]
fn closing(raw: &mio::event::Event, interest: Interest) -> Readiness {
    let mut readiness = Readiness::default();
    // mio says `read_closed` and `write_closed` at once for a hang-up, which is every direction.
    let (read_closed, write_closed) = (raw.is_read_closed(), raw.is_write_closed());
    if raw.is_error() || (read_closed && write_closed) {
        readiness |= Readiness::all(interest);
    }
    if read_closed {
        readiness |= Readiness::READ_CLOSED;
    }
    if write_closed && (read_closed || !raw.is_error()) {
        readiness |= Readiness::WRITE_CLOSED;
    }
    if raw.is_error() {
        readiness |= Readiness::ERROR;
    }
    readiness
}

/// Whether there is something to read besides urgent data; in doubt there is.
fn has_data(fd: RawFd) -> bool {
    sys::poll::now(fd, libc::POLLIN).is_ok_and(|bits| bits != 0)
}

impl InterestList for Poll {
    fn add(&self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        let Some(interest) = to_mio(interest) else { return Err(unsupported(fd)) };
        self.registry().register(&mut SourceFd(&fd), Token(key.to_token()), interest)
    }

    fn modify(&self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        let Some(interest) = to_mio(interest) else { return Err(unsupported(fd)) };
        self.registry().reregister(&mut SourceFd(&fd), Token(key.to_token()), interest)
    }

    fn delete(&self, fd: RawFd) -> io::Result<()> {
        self.registry().deregister(&mut SourceFd(&fd))
    }
}

/// The interest in mio's words; `None` for what it can't watch on this system.
fn to_mio(interest: Interest) -> Option<mio::Interest> {
    let parts = [
        (Interest::READABLE, Some(mio::Interest::READABLE)),
        (Interest::WRITABLE, Some(mio::Interest::WRITABLE)),
        (Interest::PRIORITY, PRIORITY),
    ];
    parts
        .into_iter()
        .filter(|(part, _)| interest.contains(*part))
        .map(|(_, part)| part)
        .reduce(|some, more| Some(some? | more?))?
        .map(with_mark)
}

/// A reader hears of an urgent mark, too, although it isn't told: a read stops there, and a short one
/// would seem to have taken everything.
fn with_mark(interest: mio::Interest) -> mio::Interest {
    match PRIORITY {
        Some(priority) if interest.is_readable() => interest | priority,
        _ => interest,
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const PRIORITY: Option<mio::Interest> = Some(mio::Interest::PRIORITY);
/// kqueue has no such filter in mio.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PRIORITY: Option<mio::Interest> = None;

fn unsupported(fd: RawFd) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("watch descriptor {fd}: mio can't report priority on this system"),
    )
}

/// For embedding in another loop: readable when the kernel has something to report, or the poller was
/// woken.
///
/// What waits in user space shows with a wait alone: changed interests, descriptors that the caller left
/// unfinished, and files that are always ready. So let a wait of zero length come before each wait of the
/// outer loop.
impl AsFd for MioPoller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        sys::fd::of_mio(&self.registrations.list)
    }
}

impl Poller for MioPoller {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        self.registrations.add(fd, key, interest)?;
        if self.edges.len() <= key.index() {
            self.edges.resize(key.index() + 1, Edge::default());
        }
        self.edges[key.index()] = Edge { is_tcp: sys::socket::is_tcp(fd), ..Edge::default() };
        Ok(())
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        self.registrations.modify(key, interest)
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        self.registrations.remove(key)
    }

    fn blocked(&mut self, key: Key, direction: Direction, why: Blocked) {
        if self.registrations.table.get(key).is_none() {
            return;
        }
        let edge = &mut self.edges[key.index()];
        if (why, direction) == (Blocked::WouldBlock, Direction::Read) {
            edge.marked = false;
        }
        let sure = match (why, direction) {
            (Blocked::WouldBlock, _) | (Blocked::Short, Direction::Write) => true,
            (Blocked::Short, Direction::Read) => edge.short_is_all,
        };
        if sure {
            edge.unfinished -= direction.into();
        }
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        for key in self.reported.drain(..) {
            let unfinished = std::mem::take(&mut self.edges[key.index()].unfinished);
            if !unfinished.is_empty() {
                self.registrations.refresh(key);
            }
        }
        let before = events.len();
        let ready = self.registrations.begin(events);
        ask_until(if ready { Some(Duration::ZERO) } else { timeout }, |millis| {
            let room = events.room();
            if room == 0 {
                return Ok(true);
            }
            if self.buffer.capacity() != room {
                self.buffer = mio::Events::with_capacity(room);
            }
            let timeout = u64::try_from(millis).ok().map(Duration::from_millis);
            self.registrations.list.poll(&mut self.buffer, timeout)?;
            let woken = self.report(events);
            if woken {
                self.waker.reset();
            }
            Ok(woken || events.len() > before)
        })?;
        self.registrations.end(events);
        Ok(())
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            backend: Backend::Mio,
            trigger: Trigger::Edge,
            sees_close: true,
            has_fd: true,
            cost: Cost::Ready,
        }
    }
}
