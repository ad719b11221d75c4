//! What a reactor is made with.

use std::time::Duration;

use crate::connection::Limits;

/// How a reactor is set up.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The limits that connections begin with.
    pub limits: Limits,
    /// How many messages may wait in the mailbox; without it there is no bound.
    pub mailbox_capacity: Option<usize>,
    /// For how long [`turn`](crate::Reactor::turn) and [`run`](crate::Reactor::run) look again and again before they
    /// sleep; without it, not at all. A core that sleeps takes 20 µs and more to wake up: 50 µs spent
    /// awake shorten the round trips of a few busy connections, at the price of a core that is busy all
    /// that time. A loop to which nothing came within that time sleeps at once the next time, so that an
    /// idle one costs nothing.
    pub spin: Duration,
}
