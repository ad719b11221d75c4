//! Everything that the loop watches, by key.

use std::os::fd::{AsFd, AsRawFd, RawFd};

use crate::acceptor::Acceptor;
use crate::connecting::{Attempt, Connecting, KeptPeer};
use crate::connection::Connection;
use crate::net::UdpSocket;
use crate::poller::Key;
use crate::raw::Raw;
use crate::signal::Signals;

/// The key of no source: no table is so large that it has this slot.
pub(crate) const NOBODY: Key = Key::new(u32::MAX, u32::MAX);

/// The sources, in places that are the slots of their keys.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    places: Vec<Place>,
    /// Places without a source, to be used again.
    vacant: Vec<u32>,
    /// Counts all sources there ever were, so that a place used again has another key.
    generation: u32,
}

/// To look a source up is on the way of every message: one comparison tells that the key is that of
/// the source which is here now.
#[derive(Debug)]
struct Place {
    /// `NOBODY` where there is none.
    key: Key,
    source: Option<Source>,
}

/// One thing with an id, most with a descriptor. Only connections are many: the rest is boxed, so as not
/// to make their places larger.
#[derive(Debug)]
pub(crate) enum Source {
    Connection(Connection),
    /// Becomes a connection in its place, if an attempt succeeds.
    Connecting(Box<Connecting>),
    Attempt(Box<Attempt>),
    Peer(Box<KeptPeer>),
    Acceptor(Box<Acceptor>),
    Udp(Box<UdpSocket>),
    Raw(Raw),
    Signals(Box<Signals>),
}

impl Source {
    pub(crate) fn fd(&self) -> RawFd {
        match self {
            Self::Connection(connection) => connection.socket.as_raw_fd(),
            Self::Attempt(attempt) => attempt.socket.as_raw_fd(),
            // They have none, and a poller would say so.
            Self::Connecting(_) | Self::Peer(_) => -1,
            Self::Acceptor(acceptor) => acceptor.fd(),
            Self::Udp(socket) => socket.as_fd().as_raw_fd(),
            Self::Raw(raw) => raw.fd.as_raw_fd(),
            Self::Signals(signals) => signals.as_fd().as_raw_fd(),
        }
    }
}

/// Which kind of source a key names: enough to choose what to do with its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Connection,
    Connecting,
    Attempt,
    Peer,
    Acceptor,
    Udp,
    Raw,
    Signals,
}

impl Sources {
    /// Files a source, and says under which key.
    pub(crate) fn insert(&mut self, source: Source) -> Key {
        self.generation = self.generation.wrapping_add(1);
        let source = Some(source);
        if let Some(slot) = self.vacant.pop() {
            let key = Key::new(slot, self.generation);
            self.places[slot as usize] = Place { key, source };
            return key;
        }
        // A process has far fewer descriptors than a u32 counts.
        let key = Key::new(self.places.len() as u32, self.generation);
        self.places.push(Place { key, source });
        key
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Source> {
        let place = self.places.get_mut(key.slot() as usize).filter(|place| place.key == key)?;
        place.key = NOBODY;
        self.vacant.push(key.slot());
        place.source.take()
    }

    /// Puts another source in the place of one, under the same key. Says which one it was.
    pub(crate) fn replace(&mut self, key: Key, source: Source) -> Option<Source> {
        self.get_mut(key).map(|place| std::mem::replace(place, source))
    }

    #[inline]
    fn get(&self, key: Key) -> Option<&Source> {
        let place = self.places.get(key.slot() as usize)?;
        if place.key == key { place.source.as_ref() } else { None }
    }

    #[inline]
    fn get_mut(&mut self, key: Key) -> Option<&mut Source> {
        let place = self.places.get_mut(key.slot() as usize)?;
        if place.key == key { place.source.as_mut() } else { None }
    }

    #[inline]
    pub(crate) fn kind(&self, key: Key) -> Option<Kind> {
        Some(match self.get(key)? {
            Source::Connection(_) => Kind::Connection,
            Source::Connecting(_) => Kind::Connecting,
            Source::Attempt(_) => Kind::Attempt,
            Source::Peer(_) => Kind::Peer,
            Source::Acceptor(_) => Kind::Acceptor,
            Source::Udp(_) => Kind::Udp,
            Source::Raw(_) => Kind::Raw,
            Source::Signals(_) => Kind::Signals,
        })
    }

    #[inline]
    pub(crate) fn connection(&self, key: Key) -> Option<&Connection> {
        match self.get(key)? {
            Source::Connection(connection) => Some(connection),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn connection_mut(&mut self, key: Key) -> Option<&mut Connection> {
        match self.get_mut(key)? {
            Source::Connection(connection) => Some(connection),
            _ => None,
        }
    }

    pub(crate) fn connecting_mut(&mut self, key: Key) -> Option<&mut Connecting> {
        match self.get_mut(key)? {
            Source::Connecting(connecting) => Some(connecting),
            _ => None,
        }
    }

    pub(crate) fn attempt(&self, key: Key) -> Option<&Attempt> {
        match self.get(key)? {
            Source::Attempt(attempt) => Some(attempt),
            _ => None,
        }
    }

    pub(crate) fn peer_mut(&mut self, key: Key) -> Option<&mut KeptPeer> {
        match self.get_mut(key)? {
            Source::Peer(peer) => Some(peer),
            _ => None,
        }
    }

    pub(crate) fn acceptor(&self, key: Key) -> Option<&Acceptor> {
        match self.get(key)? {
            Source::Acceptor(acceptor) => Some(acceptor),
            _ => None,
        }
    }

    pub(crate) fn acceptor_mut(&mut self, key: Key) -> Option<&mut Acceptor> {
        match self.get_mut(key)? {
            Source::Acceptor(acceptor) => Some(acceptor),
            _ => None,
        }
    }

    pub(crate) fn udp(&self, key: Key) -> Option<&UdpSocket> {
        match self.get(key)? {
            Source::Udp(socket) => Some(socket),
            _ => None,
        }
    }

    pub(crate) fn udp_mut(&mut self, key: Key) -> Option<&mut UdpSocket> {
        match self.get_mut(key)? {
            Source::Udp(socket) => Some(socket),
            _ => None,
        }
    }

    pub(crate) fn raw(&self, key: Key) -> Option<&Raw> {
        match self.get(key)? {
            Source::Raw(raw) => Some(raw),
            _ => None,
        }
    }

    pub(crate) fn raw_mut(&mut self, key: Key) -> Option<&mut Raw> {
        match self.get_mut(key)? {
            Source::Raw(raw) => Some(raw),
            _ => None,
        }
    }

    pub(crate) fn signals_mut(&mut self, key: Key) -> Option<&mut Signals> {
        match self.get_mut(key)? {
            Source::Signals(signals) => Some(signals),
            _ => None,
        }
    }

    /// The keys of all sources of one kind.
    pub(crate) fn keys(&self, kind: Kind) -> Vec<Key> {
        let keys = self.places.iter().map(|place| place.key);
        keys.filter(|key| self.kind(*key) == Some(kind)).collect()
    }

    /// Closes everything at once.
    pub(crate) fn clear(&mut self) {
        *self = Self { generation: self.generation, ..Self::default() };
    }
}
