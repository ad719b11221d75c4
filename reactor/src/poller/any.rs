//! The choice of a mechanism at run time.

use std::env;
use std::error::Error;
use std::fmt;
use std::io;
#[cfg(any(epoll, mio))]
use std::os::fd::AsFd;
use std::os::fd::{BorrowedFd, RawFd};
use std::str::FromStr;
use std::time::Duration;

use super::event::{Blocked, Direction, Events, Interest, Key};
use super::{Capabilities, Poller, Waker};

/// The mechanisms by name, also those that this build lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// select(2).
    Select,
    /// poll(2).
    Poll,
    /// epoll(7).
    Epoll,
    /// The mio crate.
    Mio,
    /// poll(2) for the busy descriptors, epoll(7) for the quiet ones.
    Adaptive,
}

impl Backend {
    /// The mechanisms of this build, the best first.
    pub const COMPILED: &'static [Self] = &[
        #[cfg(epoll)]
        Self::Epoll,
        #[cfg(adaptive)]
        Self::Adaptive,
        #[cfg(mio)]
        Self::Mio,
        #[cfg(poll)]
        Self::Poll,
        #[cfg(select)]
        Self::Select,
    ];

    /// The variable that [`from_env`](Self::from_env) reads.
    pub const VARIABLE: &'static str = "REACTOR_BACKEND";

    /// The name: that of the cargo feature, and what [`from_str`](FromStr::from_str) reads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Poll => "poll",
            Self::Epoll => "epoll",
            Self::Mio => "mio",
            Self::Adaptive => "adaptive",
        }
    }

    /// Whether this build has it.
    #[must_use]
    pub fn is_compiled(self) -> bool {
        Self::COMPILED.contains(&self)
    }

    /// What the variable `REACTOR_BACKEND` names; the best of this build if it is unset or empty.
    ///
    /// ```
    /// use reactor::{AnyPoller, Backend, Handler, Reactor};
    ///
    /// fn on_chosen<H: Handler>(handler: H) -> std::io::Result<Reactor<H, AnyPoller>> {
    ///     let poller = AnyPoller::new(Backend::from_env()?)?;
    ///     Reactor::with_poller(handler, poller)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_str`](FromStr::from_str).
    pub fn from_env() -> Result<Self, UnknownBackend> {
        match env::var_os(Self::VARIABLE) {
            Some(name) if !name.is_empty() => name.to_string_lossy().parse(),
            _ => Ok(Self::COMPILED[0]),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads a name in lower case.
///
/// Fails with [`UnknownBackend`] if there is no such mechanism, or not in this build.
impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        [Self::Select, Self::Poll, Self::Epoll, Self::Mio, Self::Adaptive]
            .into_iter()
            .find(|backend| backend.name() == name && backend.is_compiled())
            .ok_or_else(|| UnknownBackend { name: name.to_owned() })
    }
}

/// A mechanism that doesn't exist, or not in this build.
#[derive(Clone, PartialEq, Eq)]
pub struct UnknownBackend {
    name: String,
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Backend::COMPILED.iter().map(|backend| backend.name()).collect();
        write!(f, "no backend {:?} in this build, which has: {}", self.name, names.join(", "))
    }
}

/// As its text: that is what an error from `main` shows.
impl fmt::Debug for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for UnknownBackend {}

/// As [`InvalidInput`](io::ErrorKind::InvalidInput).
impl From<UnknownBackend> for io::Error {
    fn from(error: UnknownBackend) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// Writes the enum and what each of its methods forwards, once for all mechanisms.
macro_rules! any_poller {
    ($($mechanism:ident $backend:ident $poller:ident)*) => {
        /// One of the mechanisms of this build, chosen at run time: by
        /// [`Backend::from_env`], or by a name.
        ///
        /// ```
        /// use reactor::{AnyPoller, Backend, Poller};
        ///
        /// # fn main() -> std::io::Result<()> {
        /// # let name = Backend::COMPILED[0].name();
        /// let backend: Backend = name.parse()?;
        /// let poller = AnyPoller::new(backend)?;
        /// assert_eq!(poller.capabilities().backend, backend);
        /// # Ok(())
        /// # }
        /// ```
        #[derive(Debug)]
        #[allow(clippy::large_enum_variant, reason = "a program has one or a few of them")]
        #[non_exhaustive]
        pub enum AnyPoller {
            $(
                #[doc = concat!("[`", stringify!($poller), "`](super::", stringify!($poller), ").")]
                #[cfg($mechanism)]
                $backend(super::$poller),
            )*
        }

        impl AnyPoller {
            /// A poller of `backend`, without descriptors.
            ///
            /// # Errors
            ///
            /// [`Unsupported`](io::ErrorKind::Unsupported) if this build lacks `backend`; EMFILE or
            /// ENFILE.
            pub fn new(backend: Backend) -> io::Result<Self> {
                match backend {
                    $(
                        #[cfg($mechanism)]
                        Backend::$backend => super::$poller::new().map(Self::$backend),
                    )*
                    #[allow(unreachable_patterns, reason = "a build with all mechanisms")]
                    absent => Err(io::Error::new(
                        io::ErrorKind::Unsupported,
                        UnknownBackend { name: absent.name().to_owned() },
                    )),
                }
            }
        }

        /// Runs `$call` on the mechanism within `$self`.
        macro_rules! forward {
            ($self:ident, $poller_:ident => $call:expr) => {
                match $self {
                    $(
                        #[cfg($mechanism)]
                        AnyPoller::$backend($poller_) => $call,
                    )*
                }
            };
        }
    };
}

any_poller! {
    select Select SelectPoller
    poll Poll PollPoller
    epoll Epoll EpollPoller
    mio Mio MioPoller
    adaptive Adaptive AdaptivePoller
}

impl AnyPoller {
    /// The descriptor of the mechanism, for embedding in another loop, where it has one
    /// ([`Capabilities::has_fd`]).
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            #[cfg(epoll)]
            Self::Epoll(poller) => Some(poller.as_fd()),
            #[cfg(mio)]
            Self::Mio(poller) => Some(poller.as_fd()),
            #[allow(unreachable_patterns, reason = "a build with only these")]
            _ => None,
        }
    }
}

impl Poller for AnyPoller {
    fn add(&mut self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        forward!(self, poller => poller.add(fd, key, interest))
    }

    fn modify(&mut self, key: Key, interest: Interest) -> io::Result<()> {
        forward!(self, poller => poller.modify(key, interest))
    }

    fn remove(&mut self, key: Key) -> io::Result<()> {
        forward!(self, poller => poller.remove(key))
    }

    fn blocked(&mut self, key: Key, direction: Direction, why: Blocked) {
        forward!(self, poller => poller.blocked(key, direction, why));
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        forward!(self, poller => poller.wait(events, timeout))
    }

    fn waker(&self) -> Waker {
        forward!(self, poller => poller.waker())
    }

    fn capabilities(&self) -> Capabilities {
        forward!(self, poller => poller.capabilities())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for &backend in Backend::COMPILED {
            assert_eq!(backend.to_string().parse(), Ok(backend));
            let poller = AnyPoller::new(backend).unwrap();
            assert_eq!(poller.capabilities().backend, backend);
        }
    }

    #[test]
    fn an_unknown_name_lists_what_there_is() {
        let unknown = "kqueue".parse::<Backend>().unwrap_err();
        let error = unknown.to_string();
        assert!(error.contains("\"kqueue\"") && error.contains(Backend::COMPILED[0].name()));
        assert_eq!(format!("{unknown:?}"), error);
        assert!("".parse::<Backend>().is_err());
    }
}
