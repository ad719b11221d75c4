//! What the server knows of a connection.

use std::net::IpAddr;
use std::time::Instant;

use reactor::TimerId;

use super::incoming::Incoming;
use super::presence::Presence;
use crate::flood::Allowance;
use crate::state::UserId;

/// Bytes that a client may have sent beyond what it is allowed to; who sends more is dropped.
pub(super) const BACKLOG: usize = 16 * 1024;

/// A connection.
pub(super) struct Client {
    pub(super) user: UserId,
    /// Where it is; none on a Unix socket.
    pub(super) address: Option<IpAddr>,
    /// When to look whether it is still there, and whether it has registered.
    pub(super) watch: TimerId,
    /// When it is read from again.
    pub(super) held: Option<TimerId>,
    /// Its password is being compared: what it says next comes after the answer.
    pub(super) checking: bool,
    /// Bytes of a long answer that it hadn't taken yet when it was last looked at.
    pub(super) waiting: usize,
    /// Bytes that it may have sent beyond what it is allowed to.
    pub(super) backlog: usize,
    pub(super) allowance: Allowance,
    pub(super) incoming: Incoming,
    pub(super) presence: Presence,
}

impl Client {
    pub(super) fn new(user: UserId, address: Option<IpAddr>, watch: TimerId, now: Instant) -> Self {
        Self {
            user,
            address,
            watch,
            held: None,
            checking: false,
            waiting: 0,
            backlog: BACKLOG,
            allowance: Allowance::new(now),
            incoming: Incoming::new(),
            presence: Presence::new(now),
        }
    }
}
