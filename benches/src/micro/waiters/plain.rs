//! The yardsticks.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::{Patience, Waiter, Wanted};
use crate::yardstick::waiting::{EpollWait, PollWait, SelectWait};

pub(in crate::micro) struct PlainEpoll(EpollWait);

impl Waiter for PlainEpoll {
    const NAME: &'static str = "plain-epoll";

    fn new(capacity: usize) -> io::Result<Self> {
        EpollWait::new(capacity).map(Self)
    }

    fn is_edge_triggered(&self) -> bool {
        false
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: usize) -> io::Result<()> {
        self.0.add(fd.as_raw_fd(), token)
    }

    fn set(&mut self, fd: BorrowedFd<'_>, token: usize, _: Wanted, to: Wanted) -> io::Result<()> {
        self.0.set(fd.as_raw_fd(), token, to)
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _: usize) -> io::Result<()> {
        self.0.remove(fd.as_raw_fd())
    }

    fn wait(&mut self, patience: Patience, ready: impl FnMut(usize)) -> io::Result<()> {
        self.0.wait(patience, ready)
    }
}

pub(in crate::micro) struct PlainPoll(PollWait);

impl Waiter for PlainPoll {
    const NAME: &'static str = "plain-poll";

    fn new(capacity: usize) -> io::Result<Self> {
        Ok(Self(PollWait::new(capacity)))
    }

    fn is_edge_triggered(&self) -> bool {
        false
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: usize) -> io::Result<()> {
        self.0.add(fd.as_raw_fd(), token);
        Ok(())
    }

    fn set(&mut self, fd: BorrowedFd<'_>, token: usize, _: Wanted, to: Wanted) -> io::Result<()> {
        self.0.set(fd.as_raw_fd(), token, to);
        Ok(())
    }

    fn remove(&mut self, _: BorrowedFd<'_>, token: usize) -> io::Result<()> {
        self.0.remove(token);
        Ok(())
    }

    fn wait(&mut self, patience: Patience, ready: impl FnMut(usize)) -> io::Result<()> {
        self.0.wait(patience, ready)
    }
}

pub(in crate::micro) struct PlainSelect(SelectWait);

impl Waiter for PlainSelect {
    const NAME: &'static str = "plain-select";

    fn new(_: usize) -> io::Result<Self> {
        Ok(Self(SelectWait::new()))
    }

    fn is_edge_triggered(&self) -> bool {
        false
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: usize) -> io::Result<()> {
        self.0.add(fd.as_raw_fd(), token);
        Ok(())
    }

    fn set(&mut self, fd: BorrowedFd<'_>, _: usize, _: Wanted, to: Wanted) -> io::Result<()> {
        self.0.set(fd.as_raw_fd(), to);
        Ok(())
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _: usize) -> io::Result<()> {
        self.0.remove(fd.as_raw_fd());
        Ok(())
    }

    fn wait(&mut self, patience: Patience, ready: impl FnMut(usize)) -> io::Result<()> {
        self.0.wait(patience, ready)
    }
}
