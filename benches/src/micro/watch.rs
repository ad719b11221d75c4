//! Which bench runs, and for how long it does.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Bench, Case, Failed};

/// Knows the bench that runs, so that another thread can tell whether it hangs.
#[derive(Debug, Default)]
pub struct Watch(Mutex<Option<Running>>);

#[derive(Clone, Debug)]
struct Running {
    case: Case,
    operations: u64,
    since: Instant,
}

impl Watch {
    /// Runs a bench.
    ///
    /// # Errors
    ///
    /// Those of [`Bench::run`].
    pub fn run(&self, bench: &mut Bench, operations: u64) -> io::Result<Duration> {
        let case = bench.case.clone();
        *self.lock() = Some(Running { case, operations, since: Instant::now() });
        let took = bench.run(operations);
        *self.lock() = None;
        took
    }

    /// What runs, or was running when it panicked.
    pub fn running(&self) -> Option<Case> {
        self.lock().as_ref().map(|running| running.case.clone())
    }

    /// What has been running for longer than `patience`.
    pub fn overdue(&self, patience: Duration) -> Option<Failed> {
        let Running { case, operations, since } = self.lock().clone()?;
        if since.elapsed() < patience {
            return None;
        }
        let unit = &case.unit;
        let error = format!(
            "waited for {patience:?}, and in vain, for the end of {operations} operations ({unit})"
        );
        Some(Failed { case, error })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
