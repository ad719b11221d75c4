//! An event-loop library for people who write their own network servers and want no async runtime:
//! a thread, a loop, a handler, and nothing hidden.

mod sys;

pub mod poller;

pub use poller::{
    AnyPoller, Backend, Blocked, Capabilities, DefaultPoller, Direction, Event, Events, Interest,
    Key, Poller, Readiness, Waker,
};

#[cfg(epoll)]
pub use poller::EpollPoller;
#[cfg(mio)]
pub use poller::MioPoller;
#[cfg(poll)]
pub use poller::PollPoller;
#[cfg(select)]
pub use poller::SelectPoller;
