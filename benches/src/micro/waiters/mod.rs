//! Those that wait for descriptors: the library's mechanisms, plain loops, mio and polling.
//!
//! What is measured is written once against [`Waiter`] and compiled once for each of them.

mod mio;
mod plain;
mod polling;
mod reactor;

use std::io;
use std::os::fd::BorrowedFd;

pub(super) use crate::yardstick::waiting::{Patience, Wanted};
pub(super) use mio::Mio;
pub(super) use plain::{PlainEpoll, PlainPoll, PlainSelect};
pub(super) use polling::Polling;
pub(super) use reactor::Ours;

/// Waits for descriptors, each with a token of its own; tokens are small and dense.
pub(super) trait Waiter: Sized {
    /// The name in charts.
    const NAME: &'static str;

    /// Nobody, with room for the reports of `capacity` descriptors in one wait.
    fn new(capacity: usize) -> io::Result<Self>;

    /// Whether a descriptor is reported once when it becomes ready, so that whoever is told has to
    /// read until a read would block.
    fn is_edge_triggered(&self) -> bool;

    /// How many waits that report the same `ready` ones it takes one that learns who they are.
    fn learning(&self, ready: usize) -> usize {
        let _ = ready;
        0
    }

    /// Watches a descriptor for reading.
    fn add(&mut self, fd: BorrowedFd<'_>, token: usize) -> io::Result<()>;

    /// Watches a registered descriptor for something else. `was` is what it is watched for so far.
    fn set(
        &mut self,
        fd: BorrowedFd<'_>,
        token: usize,
        was: Wanted,
        wanted: Wanted,
    ) -> io::Result<()>;

    /// Forgets a descriptor, of which reading is wanted.
    fn remove(&mut self, fd: BorrowedFd<'_>, token: usize) -> io::Result<()>;

    /// Waits, and calls `ready` with the token of each descriptor that is.
    fn wait(&mut self, patience: Patience, ready: impl FnMut(usize)) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
