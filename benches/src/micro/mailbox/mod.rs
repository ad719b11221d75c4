//! What a message from another thread costs.
//!
//! Three questions: what the call costs while the loop is busy, so that it needn't be woken; how long
//! messages take from one thread and from four, until the last was received, with all threads at work at
//! the same time; and how long one takes to a loop that sleeps (two loops, each on a thread of its own,
//! answer each other in turns, and a message is half a round).

mod calloop;
mod reactor;
mod tokio;

use std::io;
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::mechanisms::{self, Mechanism, PerMechanism};
use super::{Chart, Group, Listing, in_rounds};

/// How many messages wait in a mailbox at most, where nobody receives meanwhile.
const UNREAD: u64 = 10_000;

/// A loop that receives messages.
trait Inbox: Sized {
    /// The name in charts.
    const NAME: &'static str;

    /// Posts to the loop, from any thread.
    type Sender: Clone + Send + 'static;

    fn new() -> io::Result<Self>;

    fn sender(&self) -> Self::Sender;

    fn post(sender: &Self::Sender, message: u64) -> io::Result<()>;

    /// Sleeps until so many more messages are received.
    fn receive(&mut self, count: u64) -> io::Result<()>;
}

/// What is measured of a contender.
struct Contender {
    name: &'static str,
    call: fn(u64) -> io::Result<Duration>,
    throughput: fn(u64, u64) -> io::Result<Duration>,
    latency: fn(u64) -> io::Result<Duration>,
}

impl Contender {
    fn of_inbox<I: Inbox>() -> Self {
        Self { name: I::NAME, call: call::<I>, throughput: throughput::<I>, latency: latency::<I> }
    }
}

impl PerMechanism for Contender {
    fn of<P: Mechanism>() -> Self {
        Self::of_inbox::<reactor::Reactor<P>>()
    }
}

fn contenders() -> Vec<Contender> {
    let mut all = mechanisms::each();
    all.push(Contender::of_inbox::<tokio::Tokio>());
    all.push(Contender::of_inbox::<calloop::Calloop>());
    all
}

const fn chart(question: &'static str) -> Chart {
    Chart { group: Group::Mailbox, question, over: "threads", unit: "ns per message" }
}

pub(super) fn list(listing: &mut Listing) {
    for contender in contenders() {
        listing.add(&chart("call, loop busy"), 1, contender.name, contender.call);
    }
    for threads in [1, 4] {
        for contender in contenders() {
            listing.add(&chart("until received"), threads, contender.name, move |messages| {
                (contender.throughput)(threads as u64, messages)
            });
        }
    }
    for contender in contenders() {
        listing.add(&chart("to a sleeping loop"), 1, contender.name, contender.latency);
    }
}

/// The time that the calls take which post so many messages.
fn call<I: Inbox>(messages: u64) -> io::Result<Duration> {
    let mut inbox = I::new()?;
    let sender = inbox.sender();
    let unread = messages.clamp(1, UNREAD);
    in_rounds(messages, unread as usize, || {
        let start = Instant::now();
        for message in 0..unread {
            I::post(&sender, message)?;
        }
        let took = start.elapsed();
        inbox.receive(unread)?;
        Ok(took)
    })
}

/// The time until so many messages are received, each thread posting its share.
fn throughput<I: Inbox>(threads: u64, messages: u64) -> io::Result<Duration> {
    let mut inbox = I::new()?;
    let share = messages.div_ceil(threads);
    let begin = Barrier::new(threads as usize + 1);
    thread::scope(|scope| {
        let post = |sender: I::Sender| {
            let begin = &begin;
            move || {
                begin.wait();
                (0..share).try_for_each(|message| I::post(&sender, message))
            }
        };
        let posting: Vec<_> = (0..threads).map(|_| scope.spawn(post(inbox.sender()))).collect();
        begin.wait();
        let start = Instant::now();
        inbox.receive(threads * share)?;
        let took = start.elapsed();
        for thread in posting {
            thread.join().map_err(|_| io::Error::other("a posting thread panicked"))??;
        }
        Ok(took.mul_f64(messages as f64 / (threads * share) as f64))
    })
}

/// The time that so many messages take, each of which is posted when the one before has come.
fn latency<I: Inbox>(messages: u64) -> io::Result<Duration> {
    let mut inbox = I::new()?;
    let sender = inbox.sender();
    let rounds = messages.div_ceil(2);
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let other = scope.spawn(move || {
            let mut inbox = I::new()?;
            // Nobody is there to be told only if that thread has failed, which tells why.
            let _ = tell.send(inbox.sender());
            for message in 0..rounds {
                inbox.receive(1)?;
                I::post(&sender, message)?;
            }
            io::Result::Ok(())
        });
        let answer = match told.recv() {
            Ok(other) => (|| {
                let start = Instant::now();
                for message in 0..rounds {
                    I::post(&other, message)?;
                    inbox.receive(1)?;
                }
                Ok(start.elapsed())
            })(),
            Err(_) => Err(io::Error::other("the other loop could not be made")),
        };
        other.join().map_err(|_| io::Error::other("the other loop panicked"))??;
        Ok(answer?.mul_f64(messages as f64 / (2 * rounds) as f64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_messages_are_received() {
        for contender in contenders() {
            println!("{}", contender.name);
            for messages in [1, 2, 33, 3_000] {
                (contender.call)(messages).unwrap();
                (contender.throughput)(1, messages).unwrap();
                (contender.throughput)(4, messages).unwrap();
            }
            for messages in [1, 2, 33] {
                (contender.latency)(messages).unwrap();
            }
        }
    }
}
