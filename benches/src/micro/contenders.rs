//! Who waits: what is measured of each, compiled for it.

use std::io;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::sys::eventfd::EventFd;
use nix::sys::timerfd::TimerFd;

use super::mechanisms::{self, Mechanism, PerMechanism};
use super::waiters::{Mio, Ours, PlainEpoll, PlainPoll, PlainSelect, Polling, Waiter};
use super::{burst, chain, churn, turn, wait};

/// Says how long so many operations took, with descriptors that are shared.
type Run<D> = fn(&[D], u64) -> io::Result<Duration>;
/// The same with something to choose.
type RunWith<D, O> = fn(&[D], O, u64) -> io::Result<Duration>;

/// What is measured of one that waits.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) wait: RunWith<EventFd, usize>,
    pub(super) chain: RunWith<(UnixStream, UnixStream), chain::Course>,
    pub(super) add: Run<TimerFd>,
    pub(super) remove: Run<TimerFd>,
    pub(super) modify: Run<TimerFd>,
    pub(super) restart: Run<TimerFd>,
    pub(super) empty_turn: Run<TimerFd>,
    pub(super) echo: Run<TimerFd>,
    pub(super) burst: RunWith<(TcpStream, TcpStream), usize>,
}

impl Contender {
    fn of_waiter<W: Waiter>() -> Self {
        Self {
            name: W::NAME,
            wait: wait::run::<W>,
            chain: chain::run::<W>,
            add: churn::add::<W>,
            remove: churn::remove::<W>,
            modify: churn::modify::<W>,
            restart: churn::restart::<W>,
            empty_turn: turn::waits::empty::<W>,
            echo: turn::waits::echo::<W>,
            burst: burst::run::<W>,
        }
    }
}

impl PerMechanism for Contender {
    fn of<P: Mechanism>() -> Self {
        Self::of_waiter::<Ours<P>>()
    }
}

/// The library's mechanisms.
pub(super) fn ours() -> Vec<Contender> {
    mechanisms::each()
}

/// Everybody else.
pub(super) fn others() -> Vec<Contender> {
    vec![
        Contender::of_waiter::<PlainEpoll>(),
        Contender::of_waiter::<PlainPoll>(),
        Contender::of_waiter::<PlainSelect>(),
        Contender::of_waiter::<Mio>(),
        Contender::of_waiter::<Polling>(),
    ]
}

/// All who wait for descriptors.
pub(super) fn all() -> impl Iterator<Item = Contender> {
    ours().into_iter().chain(others())
}
