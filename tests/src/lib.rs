//! What the suites share: a poller under test with its events, a reactor under test with a handler
//! that remembers, sockets to test them on, and a process of its own for those who change what a
//! process has only once.

pub mod counted;
pub mod listening;
pub mod open_files;
pub mod own_process;
pub mod peer;
pub mod recorder;
#[cfg(all(feature = "adaptive", any(target_os = "linux", target_os = "android")))]
pub mod restless;
pub mod rig;
pub mod server;
pub mod sockets;

use std::io;

use reactor::{AnyPoller, Backend, Poller};

/// A poller that the harness can make.
pub trait Subject: Poller + Sized {
    /// Whether a descriptor moves as soon as it is reported.
    const IS_RESTLESS: bool = false;

    /// The mechanism that it is to be.
    fn backend() -> Backend;

    /// A poller without descriptors.
    fn create() -> io::Result<Self>;
}

#[cfg(feature = "select")]
impl Subject for reactor::SelectPoller {
    fn backend() -> Backend {
        Backend::Select
    }

    fn create() -> io::Result<Self> {
        Self::new()
    }
}

#[cfg(feature = "poll")]
impl Subject for reactor::PollPoller {
    fn backend() -> Backend {
        Backend::Poll
    }

    fn create() -> io::Result<Self> {
        Self::new()
    }
}

#[cfg(all(feature = "epoll", any(target_os = "linux", target_os = "android")))]
impl Subject for reactor::EpollPoller {
    fn backend() -> Backend {
        Backend::Epoll
    }

    fn create() -> io::Result<Self> {
        Self::new()
    }
}

#[cfg(all(feature = "adaptive", any(target_os = "linux", target_os = "android")))]
impl Subject for reactor::AdaptivePoller {
    fn backend() -> Backend {
        Backend::Adaptive
    }

    fn create() -> io::Result<Self> {
        Self::new()
    }
}

#[cfg(feature = "mio")]
impl Subject for reactor::MioPoller {
    fn backend() -> Backend {
        Backend::Mio
    }

    fn create() -> io::Result<Self> {
        Self::new()
    }
}

/// The mechanism that `REACTOR_BACKEND` names, or the best one of the build.
impl Subject for AnyPoller {
    fn backend() -> Backend {
        Backend::from_env().expect("the variable names a mechanism of this build")
    }

    fn create() -> io::Result<Self> {
        Self::new(Self::backend())
    }
}
