//! What an echo costs where many connections have a message at once: the wait, a read and a write for each,
//! over TCP on the loopback interface.
//!
//! It is the whole of a server that has more to do than it can, without a load beside it that decides how many
//! messages a wait finds. What the clients do isn't counted.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use super::crowd::{Shared, connections, spread};
use super::turn::MESSAGE;
use super::turn::waits::{SCRATCH, pass};
use super::waiters::{Patience, Waiter};
use super::{Chart, Group, Listing, Sizes, contenders, in_rounds};

const CONNECTIONS: &[usize] = &[50, 1_000, 5_000];
const FEW: &[usize] = &[50, 1_000];

/// How many of so many have a message.
type Share = fn(usize) -> usize;

const SHARES: [(&str, Share); 2] =
    [("10 % have a message", |count| count / 10), ("100 % have a message", |count| count)];

pub(super) fn list(listing: &mut Listing, sizes: Sizes) {
    for (question, share) in SHARES {
        let chart =
            Chart { group: Group::Burst, question, over: "connections", unit: "ns per message" };
        for count in sizes.of(CONNECTIONS, FEW) {
            if !listing.has_room(&chart, count, 2 * count) {
                continue;
            }
            let (busy, crowd) = (share(count), Shared::new());
            for contender in contenders::all() {
                let crowd = crowd.clone();
                listing.add(&chart, count, contender.name, move |messages| {
                    (contender.burst)(crowd.get(|| connections(count))?, busy, messages)
                });
            }
        }
    }
}

/// The time that `messages` echoes take, of which `busy` of `crowd` have one each at once.
pub(super) fn run<W: Waiter>(
    crowd: &[(TcpStream, TcpStream)],
    busy: usize,
    messages: u64,
) -> io::Result<Duration> {
    let mut waiter = W::new(crowd.len())?;
    for (token, (server, _)) in crowd.iter().enumerate() {
        waiter.add(server.as_fd(), token)?;
    }
    let clients = || spread(busy, crowd.len()).map(|token| &crowd[token].1);
    let send = || clients().try_for_each(|mut client| client.write_all(&[7; MESSAGE]));
    send()?;
    for _ in 0..waiter.learning(busy) {
        waiter.wait(Patience::Endless, |_| {})?;
    }
    let to_end = waiter.is_edge_triggered();
    let mut scratch = vec![0; SCRATCH];
    let mut is_sent = true;
    in_rounds(messages, busy, || {
        if !std::mem::replace(&mut is_sent, false) {
            send()?;
        }
        let start = Instant::now();
        let (mut left, mut failure) = (busy * MESSAGE, None);
        while left > 0 {
            waiter.wait(Patience::Endless, |token| {
                match pass(&crowd[token].0, &mut scratch, to_end) {
                    Ok(passed) => left = left.saturating_sub(passed),
                    Err(error) => failure = Some(error),
                }
            })?;
            if let Some(failure) = failure.take() {
                return Err(failure);
            }
        }
        let took = start.elapsed();
        clients().try_for_each(|mut client| client.read_exact(&mut [0; MESSAGE]))?;
        Ok(took)
    })
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn every_message_is_echoed() {
        for contender in contenders::all() {
            let crowd = connections(20).unwrap();
            for messages in [1, 40] {
                for busy in [2, 20] {
                    (contender.burst)(&crowd, busy, messages).unwrap();
                    for (server, client) in &crowd {
                        client.set_nonblocking(true).unwrap();
                        for mut end in [server, client] {
                            let left = end.read(&mut [0]).unwrap_err().kind();
                            assert_eq!(left, ErrorKind::WouldBlock, "{}", contender.name);
                        }
                        client.set_nonblocking(false).unwrap();
                    }
                }
            }
        }
    }
}
