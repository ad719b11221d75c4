//! calloop: its channel, which is an event source.

use std::hint::black_box;
use std::io;

use calloop::EventLoop;
use calloop::channel::{self, Event, Sender};

use super::Inbox;

pub(super) struct Calloop {
    events: EventLoop<'static, u64>,
    received: u64,
    sender: Sender<u64>,
}

impl Inbox for Calloop {
    const NAME: &'static str = "calloop";
    type Sender = Sender<u64>;

    fn new() -> io::Result<Self> {
        let events = EventLoop::try_new().map_err(io::Error::other)?;
        let (sender, channel) = channel::channel();
        let count = |event, (): &mut (), received: &mut u64| {
            if let Event::Msg(message) = event {
                black_box(message);
                *received += 1;
            }
        };
        let inserted = events.handle().insert_source(channel, count);
        inserted.map_err(|error| io::Error::other(error.error))?;
        Ok(Self { events, received: 0, sender })
    }

    fn sender(&self) -> Sender<u64> {
        self.sender.clone()
    }

    fn post(sender: &Sender<u64>, message: u64) -> io::Result<()> {
        sender.send(message).map_err(io::Error::other)
    }

    fn receive(&mut self, count: u64) -> io::Result<()> {
        let all = self.received + count;
        while self.received < all {
            self.events.dispatch(None, &mut self.received).map_err(io::Error::other)?;
        }
        Ok(())
    }
}
