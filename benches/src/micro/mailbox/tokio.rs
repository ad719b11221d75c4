//! tokio: its unbounded channel, into a current-thread runtime.

use std::hint::black_box;
use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Inbox;

pub(super) struct Tokio {
    runtime: Runtime,
    sender: UnboundedSender<u64>,
    receiver: UnboundedReceiver<u64>,
}

impl Inbox for Tokio {
    const NAME: &'static str = "tokio";
    type Sender = UnboundedSender<u64>;

    fn new() -> io::Result<Self> {
        // With I/O, as a server has it: a runtime without sleeps on a condition variable instead.
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let (sender, receiver) = unbounded_channel();
        Ok(Self { runtime, sender, receiver })
    }

    fn sender(&self) -> UnboundedSender<u64> {
        self.sender.clone()
    }

    fn post(sender: &UnboundedSender<u64>, message: u64) -> io::Result<()> {
        sender.send(message).map_err(io::Error::other)
    }

    fn receive(&mut self, count: u64) -> io::Result<()> {
        let receiver = &mut self.receiver;
        self.runtime.block_on(async {
            for _ in 0..count {
                // This inbox has a sender of its own, so that the channel never ends.
                black_box(receiver.recv().await);
            }
        });
        Ok(())
    }
}
