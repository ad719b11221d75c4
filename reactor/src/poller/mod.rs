//! The mechanisms that wait, behind one trait.
//!
//! [`Poller`] states the contract; [`SelectPoller`], [`PollPoller`], [`EpollPoller`], [`MioPoller`] and
//! [`AdaptivePoller`] fulfil it, each compiled in by the cargo feature of its name. [`DefaultPoller`] is
//! the best one of a build, and [`AnyPoller`] chooses one at run time.

mod any;
mod deadline;
mod event;
mod table;
mod waker;

#[cfg(any(poll, epoll))]
mod bits;
#[cfg(any(epoll, mio))]
mod registrations;

#[cfg(adaptive)]
mod adaptive;
#[cfg(epoll)]
mod epoll;
#[cfg(mio)]
mod mio;
#[cfg(poll)]
mod poll;
#[cfg(select)]
mod select;

use std::fmt;
use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

pub use any::{AnyPoller, Backend, UnknownBackend};
pub use event::{Blocked, Direction, Event, Events, Interest, Key, Readiness};
pub use waker::Waker;

#[cfg(adaptive)]
pub use adaptive::AdaptivePoller;
#[cfg(epoll)]
pub use epoll::EpollPoller;
#[cfg(mio)]
pub use mio::MioPoller;
#[cfg(poll)]
pub use poll::PollPoller;
#[cfg(select)]
pub use select::SelectPoller;

/// The best mechanism of this build: epoll, else mio, else poll, else select.
///
/// Any crate in a build may upgrade the alias by enabling a feature: code that needs one mechanism
/// names it.
#[cfg(epoll)]
pub type DefaultPoller = EpollPoller;
/// The best mechanism of this build.
#[cfg(all(mio, not(epoll)))]
pub type DefaultPoller = MioPoller;
/// The best mechanism of this build.
#[cfg(all(poll, not(any(epoll, mio))))]
pub type DefaultPoller = PollPoller;
/// The best mechanism of this build.
#[cfg(all(select, not(any(epoll, mio, poll))))]
pub type DefaultPoller = SelectPoller;

/// Waits until registered descriptors are ready: *level, with a hint*.
///
/// The trait is dyn-compatible; wait and dispatch are meant to be used monomorphically.
///
/// # What a wait reports
///
/// [`wait`](Self::wait) reports a key while its interest holds a direction and the descriptor is
/// ready in it. Whoever stops half-way through a descriptor's data hears of it again.
///
/// - `readable`, `writable` and `priority` come only as far as the interest holds them. A hang-up
///   or an error counts as *every* direction that the interest holds, where the mechanism
///   [sees it](Capabilities::sees_close).
/// - An empty interest is silent, whatever happens to the descriptor.
/// - `read_closed`, `write_closed` and `error` are hints that a mechanism may leave out.
/// - More ready descriptors than the buffer has room for take turns: none starves.
/// - A descriptor whose kind the mechanism can't watch (epoll refuses regular files and /dev/null
///   with EPERM) is ready for reading and writing at all times, as it is for poll(2).
///
/// # Who is who
///
/// One descriptor number, one key, from the poller's own table:
///
/// | call | on | answer |
/// |---|---|---|
/// | `add` | a registered number, or a registered slot | [`AlreadyExists`](io::ErrorKind::AlreadyExists) |
/// | `add` | a number that isn't open | EBADF, at once |
/// | `add` | a slot above [`Key::MAX_SLOT`] | [`InvalidInput`](io::ErrorKind::InvalidInput) |
/// | `modify`, `remove` | a key that isn't registered, or an old generation | [`NotFound`](io::ErrorKind::NotFound) |
///
/// `add` and `remove` take effect in the kernel before they return. `modify` may wait for the next
/// wait, and an interest that is back where it was costs nothing; a change that the kernel refuses
/// then arrives as an event with `error` in every direction of the interest, once for each `modify`.
///
/// # Closing
///
/// `remove` comes before `close`. A descriptor closed while it is registered never makes a wait
/// fail, spin or panic: select and poll report `error` for it once and stop watching it until the
/// next `modify`; epoll and mio can't see it, and say nothing before they have to tell the kernel
/// something about it; the adaptive one is like poll for those that are busy, and like epoll for the rest.
/// The key is registered until it is removed. If the number is opened again
/// meanwhile, select and poll watch whatever it names now. While a duplicate keeps the file open,
/// epoll and mio may go on reporting it, as far as the interest holds it.
///
/// # Time, and being woken
///
/// Timeouts count milliseconds, rounded up: a wait never ends before its time without a reason,
/// and a sub-millisecond timeout never becomes a busy loop. Zero asks and doesn't wait; `None`
/// waits for ever. A signal handler that runs meanwhile neither ends a wait nor lengthens it.
/// [`Waker::wake`] ends it early, without an event.
pub trait Poller {
    /// Registers `fd` under `key`.
    ///
    /// The number stands for the descriptor until [`remove`](Self::remove), which comes before its
    /// `close`.
    ///
    /// # Errors
    ///
    /// `AlreadyExists`, `InvalidInput` and EBADF as in the table above; what else the kernel says
    /// (epoll: ENOSPC beyond `/proc/sys/fs/epoll/max_user_watches`, ELOOP or EINVAL for an epoll
    /// instance that would watch itself). After an error nothing is registered.
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()>;

    /// Changes what is wanted of `key`.
    ///
    /// # Errors
    ///
    /// `NotFound` if `key` isn't registered.
    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()>;

    /// Forgets `key`. Also right for a descriptor that was closed meanwhile.
    ///
    /// # Errors
    ///
    /// `NotFound` if `key` isn't registered.
    fn remove(&mut self, key: Key) -> io::Result<()>;

    /// Says that a call in `direction` on the descriptor of `key` returned `WouldBlock`, or came up
    /// short.
    ///
    /// An optimisation, never a duty: it spares an edge-triggered mechanism one system call.
    /// Level-triggered ones ignore it, and all ignore keys that they don't know. `WouldBlock` is
    /// believed; `Short` counts only where it proves something, which a short read does on TCP alone:
    /// a datagram socket gives one datagram a call, and a Unix stream stops at passed descriptors.
    fn blocked(&mut self, key: Key, direction: Direction, why: Blocked) {
        let _ = (key, direction, why);
    }

    /// Waits until a registered descriptor is ready, the poller is woken, or `timeout` is over, and
    /// appends what is ready to `events`.
    ///
    /// With no room left in `events` it returns at once.
    ///
    /// # Errors
    ///
    /// Only what concerns the poller as a whole, never one descriptor, and never EINTR. From poll that is
    /// `InvalidInput` while more descriptors are registered than RLIMIT_NOFILE allows; adaptive moves
    /// those that epoll takes there.
    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()>;

    /// A handle to the poller's one waker.
    fn waker(&self) -> Waker;

    /// What this mechanism is and can do.
    fn capabilities(&self) -> Capabilities;
}

/// What a mechanism is and can do, for code that asks and for people who choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The mechanism.
    pub backend: Backend,
    /// What the kernel is asked to report. The contract is level-triggered on all of them; the read
    /// low-water mark of a registered descriptor is noticed at once
    /// with edges, and up to 50 ms late without.
    pub trigger: Trigger,
    /// Whether a hang-up or an error is seen with any interest, and hinted at by `read_closed`,
    /// `write_closed` and `error`. Where it isn't, it shows as what the call of that direction
    /// would return: a hang-up as readable, an error as readable and writable.
    pub sees_close: bool,
    /// Whether the poller has a descriptor of its own ([`AsFd`](std::os::fd::AsFd)) that becomes
    /// readable when the kernel has something to report, so that another loop can wait for it.
    pub has_fd: bool,
    /// What one wait's cost grows with.
    pub cost: Cost,
}

/// When a kernel reports a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// As long as it is ready.
    Level,
    /// When it becomes ready; the poller re-arms what the caller left unfinished.
    Edge,
}

/// What the cost of one wait grows with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// The descriptors that are ready.
    Ready,
    /// The descriptors that are registered.
    Registered,
    /// The highest descriptor number.
    HighestFd,
}

/// One line for people: `epoll: level-triggered, sees close, has a descriptor, cost grows with
/// the ready descriptors`.
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trigger = match self.trigger {
            Trigger::Level => "level-triggered",
            Trigger::Edge => "edge-triggered, re-armed",
        };
        let close = if self.sees_close { "sees close" } else { "sees close as readable" };
        let fd = if self.has_fd { "has a descriptor" } else { "has no descriptor" };
        let cost = match self.cost {
            Cost::Ready => "cost grows with the ready descriptors",
            Cost::Registered => "cost grows with the registered descriptors",
            Cost::HighestFd => "cost grows with the highest descriptor number",
        };
        write!(f, "{}: {trigger}, {close}, {fd}, {cost}", self.backend)
    }
}
