//! A connect in the loop: what it holds, and a peer that is connected again and again.

use std::time::Instant;

use socket2::Socket;

use crate::ids::PeerId;
use crate::net::{AttemptId, Backoff, ConnectCause, ConnectOptions, Race, Target, Ticket};
use crate::poller::Key;
use crate::timer::TimerId;

/// A connect that is under way, in the place where its connection will be.
#[derive(Debug)]
pub(crate) struct Connecting {
    pub(crate) race: Race,
    pub(crate) options: ConnectOptions,
    /// Its attempts' sockets.
    pub(crate) attempts: Vec<(AttemptId, Key)>,
    /// Runs until the race is to go on by itself.
    pub(crate) timer: Option<TimerId>,
    /// Held while its name is looked up.
    pub(crate) lookup: Option<Ticket>,
    pub(crate) peer: Option<PeerId>,
    /// It stands in the list of those that are to go on.
    pub(crate) due: bool,
    /// It is to end.
    pub(crate) ending: Option<ConnectCause>,
}

impl Connecting {
    pub(crate) fn new(
        target: Target,
        options: ConnectOptions,
        peer: Option<PeerId>,
        now: Instant,
    ) -> Self {
        Self {
            race: Race::new(target, &options, now),
            options,
            attempts: Vec::new(),
            timer: None,
            lookup: None,
            peer,
            due: false,
            ending: None,
        }
    }
}

/// The socket of one attempt, which waits to be writable.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) socket: Socket,
    pub(crate) id: AttemptId,
    /// The connect that it belongs to.
    pub(crate) connect: Key,
}

/// A peer that is kept connected.
#[derive(Debug)]
pub(crate) struct KeptPeer {
    pub(crate) target: Target,
    pub(crate) options: ConnectOptions,
    pub(crate) backoff: Backoff,
    /// The connect, or the connection; it may be over.
    pub(crate) conn: Key,
    /// When it was connected.
    pub(crate) since: Option<Instant>,
    /// Runs between two connects.
    pub(crate) timer: Option<TimerId>,
}
