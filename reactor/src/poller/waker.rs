//! Ending a wait from elsewhere.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::sys::wakeup::Wakeup;

/// Ends a poller's wait, from any thread.
///
/// All clones are the same waker. However many wakes come between two waits, they end one wait and
/// cost one system call; a wake before the wait ends that wait at once. What the waking thread wrote
/// before [`wake`](Self::wake) is visible to the woken thread after its wait.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wakeup: Wakeup,
    /// Set by the first wake, cleared by the wait that it ends.
    pending: AtomicBool,
    /// How many waits were ended.
    ended: AtomicUsize,
}

impl Waker {
    /// The waker of a new poller, which waits for [`fd`](Self::fd) to be readable.
    pub(super) fn new() -> io::Result<Self> {
        let (pending, ended) = (AtomicBool::new(false), AtomicUsize::new(0));
        Ok(Self(Arc::new(Inner { wakeup: Wakeup::new()?, pending, ended })))
    }

    /// Ends the wait that is under way, or else the next one.
    ///
    /// On a poller that is gone it does nothing.
    ///
    /// # Errors
    ///
    /// What write(2) says of the descriptor behind it; none is known to happen.
    pub fn wake(&self) -> io::Result<()> {
        if self.0.pending.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        loop {
            match self.0.wakeup.signal() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => {
                    // Nothing was signalled, so that the next wake has to try again.
                    self.0.pending.store(false, Ordering::Release);
                    return Err(error);
                }
                Ok(()) => return Ok(()),
            }
        }
    }

    /// How many waits have been ended by a wake: by that, the caller of a wait finds out whether his was.
    pub(crate) fn ended_waits(&self) -> usize {
        self.0.ended.load(Ordering::Relaxed)
    }

    /// The descriptor that a wake makes readable.
    pub(super) fn fd(&self) -> RawFd {
        self.0.wakeup.receiver()
    }

    /// Lets the next wake signal again; for a mechanism that reported the descriptor by its edge,
    /// and needn't make it unreadable.
    #[cfg(epoll)]
    pub(super) fn rearm(&self) {
        // A wake that comes before this line writes nothing, and needn't: it ends the wait that is
        // just returning.
        self.clear();
    }

    /// Makes the descriptor unreadable, and lets the next wake signal again.
    /// Says whether there was a wake.
    pub(super) fn reset(&self) -> bool {
        // The order matters: a wake between the two lines writes nothing, and ends the wait that is
        // just returning. The other way round its write would be drained and its flag would stay.
        let _ = self.0.wakeup.drain();
        self.clear()
    }

    /// Says whether there was a wake.
    fn clear(&self) -> bool {
        let woken = self.0.pending.swap(false, Ordering::AcqRel);
        if woken {
            self.0.ended.fetch_add(1, Ordering::Relaxed);
        }
        woken
    }
}
