//! Peers that are kept connected.

use super::{Core, Course, Due};
use crate::connecting::KeptPeer;
use crate::ids::PeerId;
use crate::net::{Backoff, ConnectCause, ConnectOptions, Target};
use crate::poller::Key;
use crate::sources::{NOBODY, Source};

impl Core {
    pub(crate) fn keep_connected(&mut self, target: Target, options: ConnectOptions) -> PeerId {
        let [first, most] = options.backoff;
        let peer = KeptPeer {
            target,
            options: options.rounds(1),
            backoff: Backoff::new(first, most),
            conn: NOBODY,
            since: None,
            timer: None,
        };
        let key = self.sources.insert(Source::Peer(Box::new(peer)));
        self.reconnect(key);
        PeerId(key)
    }

    /// Connects a peer, for the first time or again.
    pub(crate) fn reconnect(&mut self, key: Key) {
        let Some(peer) = self.sources.peer_mut(key) else { return };
        peer.timer = None;
        if self.course != Course::Run {
            return;
        }
        let (target, options) = (peer.target.clone(), peer.options.clone());
        let conn = self.connect(target, options, Some(PeerId(key)));
        if let Some(peer) = self.sources.peer_mut(key) {
            peer.conn = conn;
        }
    }

    pub(super) fn peer_is_connected(&mut self, peer: PeerId) {
        let now = self.now;
        if let Some(peer) = self.sources.peer_mut(peer.0) {
            peer.since = Some(now);
        }
    }

    /// A connect or a connection of a peer is over: the next one follows after a while, unless the target
    /// names nothing, which no time changes.
    pub(super) fn connect_again(&mut self, peer: PeerId) {
        let now = self.now;
        let Some(kept) = self.sources.peer_mut(peer.0) else { return };
        if kept.target.addresses().is_err() {
            return drop(self.sources.remove(peer.0));
        }
        let lasted = kept.since.take().map(|since| now.saturating_duration_since(since));
        if lasted.is_some_and(|lasted| lasted >= kept.options.stable_after) {
            kept.backoff.reset();
        }
        if self.course == Course::Run {
            let wait = kept.backoff.next();
            kept.timer = Some(self.timers.insert(wait, Due::Reconnect(peer.0)));
        }
    }

    pub(crate) fn let_go(&mut self, peer: PeerId) {
        if self.sources.peer_mut(peer.0).is_none() {
            return;
        }
        if let Some(Source::Peer(kept)) = self.sources.remove(peer.0) {
            if let Some(timer) = kept.timer {
                self.timers.cancel(timer);
            }
            self.end_connecting(kept.conn, ConnectCause::Cancelled);
        }
    }
}
