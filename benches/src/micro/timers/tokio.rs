//! tokio, on its current-thread runtime: a timer is a `Sleep`, pinned on the heap so that it can be kept
//! and re-armed, and set by its first poll. Firing wakes a waker that counts; what a task does when it is
//! woken comes on top of that.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Timers;

pub(super) struct Tokio {
    runtime: Runtime,
    fired: Arc<Counter>,
    waker: Waker,
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Timers for Tokio {
    const NAME: &'static str = "tokio";
    type Timer = Pin<Box<Sleep>>;

    fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let fired = Arc::new(Counter::default());
        Ok(Self { runtime, waker: Waker::from(Arc::clone(&fired)), fired })
    }

    fn insert(&mut self, after: &[Duration], timers: &mut Vec<Self::Timer>) -> io::Result<()> {
        let _entered = self.runtime.enter();
        let mut context = Context::from_waker(&self.waker);
        // Once for all, as the library's turn has one time for all.
        let now = Instant::now();
        for after in after {
            let mut timer = Box::pin(sleep_until(now + *after));
            // It isn't due yet.
            let _ = timer.as_mut().poll(&mut context);
            timers.push(timer);
        }
        Ok(())
    }

    fn rearm(&mut self, timers: &mut [Self::Timer], after: &[Duration]) -> io::Result<()> {
        let now = Instant::now();
        for (timer, after) in timers.iter_mut().zip(after) {
            timer.as_mut().reset(now + *after);
        }
        Ok(())
    }

    fn cancel(&mut self, timers: Vec<Self::Timer>) -> io::Result<()> {
        drop(timers);
        Ok(())
    }

    fn turn(&mut self) -> io::Result<usize> {
        // With nothing else to do, the runtime looks for due timers before it goes on.
        self.runtime.block_on(yield_now());
        Ok(self.fired.0.load(Ordering::Relaxed))
    }
}
