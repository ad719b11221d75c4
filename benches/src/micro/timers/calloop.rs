//! calloop: a timer is an event source, kept with its dispatcher so that it can be re-armed.

use std::io;
use std::time::{Duration, Instant};

use calloop::timer::{TimeoutAction, Timer};
use calloop::{Dispatcher, EventLoop, RegistrationToken};

use super::Timers;

pub(super) struct Calloop {
    events: EventLoop<'static, usize>,
    fired: usize,
}

impl Timers for Calloop {
    const NAME: &'static str = "calloop";
    const MOST: Option<(usize, &'static str)> =
        Some((10_000, "its every insertion and cancellation goes over all sources"));
    type Timer = (Dispatcher<'static, Timer, usize>, RegistrationToken);

    fn new() -> io::Result<Self> {
        Ok(Self { events: EventLoop::try_new().map_err(io::Error::other)?, fired: 0 })
    }

    fn insert(&mut self, after: &[Duration], timers: &mut Vec<Self::Timer>) -> io::Result<()> {
        let handle = self.events.handle();
        let now = Instant::now();
        for after in after {
            let timer = Timer::from_deadline(now + *after);
            let timer = Dispatcher::new(timer, |_, (), fired: &mut usize| {
                *fired += 1;
                TimeoutAction::Drop
            });
            let token = handle.register_dispatcher(timer.clone()).map_err(io::Error::other)?;
            timers.push((timer, token));
        }
        Ok(())
    }

    fn rearm(&mut self, timers: &mut [Self::Timer], after: &[Duration]) -> io::Result<()> {
        let handle = self.events.handle();
        let now = Instant::now();
        for ((timer, token), after) in timers.iter().zip(after) {
            timer.as_source_mut().set_deadline(now + *after);
            handle.update(token).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn cancel(&mut self, timers: Vec<Self::Timer>) -> io::Result<()> {
        let handle = self.events.handle();
        for (_, token) in timers {
            handle.remove(token);
        }
        Ok(())
    }

    fn turn(&mut self) -> io::Result<usize> {
        self.events.dispatch(Duration::ZERO, &mut self.fired).map_err(io::Error::other)?;
        Ok(self.fired)
    }
}
