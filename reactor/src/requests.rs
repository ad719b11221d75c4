//! Requests over UDP: asked again until they are answered, by the peer that was asked.

mod exchange;
mod round_trip;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;

use crate::context::Context;
use crate::ids::UdpId;
use crate::net::{Datagram, canonical};
use crate::timer::TimerId;
use exchange::{Exchange, Next};
use round_trip::RoundTrip;

/// Peers whose round trips are remembered: more than that, and one is forgotten, and asked with the
/// initial timeout again.
const PEERS: usize = 1024;

/// When a request is asked again, and when it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retransmission {
    /// How long to wait for a peer of whom nothing is known: 1 s (RFC 6298, section 2.1).
    pub initial: Duration,
    /// The least to wait, however fast the peer is: 1 s (section 2.4). In a network of one's own it can
    /// be less.
    pub least: Duration,
    /// The most to wait, however often there was no answer: 60 s (section 2.5).
    pub most: Duration,
    /// How often a request is sent before it is given up, the first time included: 5; at least once.
    pub attempts: u32,
}

impl Default for Retransmission {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            least: Duration::from_secs(1),
            most: Duration::from_secs(60),
            attempts: 5,
        }
    }
}

/// Requests that wait for their answers; `K` is what a request and its answer have in common, such as the
/// id in a DNS header.
///
/// A handler has one for each protocol that it asks by, and tells it of its timers and of what comes:
///
/// ```
/// use reactor::{Context, Datagram, Handler, Input, ConnId, Requests, TimerId, UdpId};
///
/// const ASK_AGAIN: u64 = 1;
///
/// struct Client {
///     requests: Requests<u8>,
/// }
///
/// impl Handler for Client {
///     type Message = ();
///
///     fn datagram(&mut self, ctx: &mut Context<'_>, socket: UdpId, datagram: &Datagram<'_>) {
///         let Some(id) = datagram.bytes().first() else { return };
///         if self.requests.answer(ctx, socket, datagram, id) {
///             println!("{id} is answered");
///         }
///     }
///
///     fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId, token: u64) {
///         if token == ASK_AGAIN {
///             if let Some(id) = self.requests.timer(ctx, timer) {
///                 println!("{id} is given up");
///             }
///         }
///     }
///
///     fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
/// }
///
/// let client = Client { requests: Requests::new(ASK_AGAIN) };
/// ```
///
/// How long it waits for an answer adapts to the round trips of each peer, as TCP does (RFC 6298, as
/// RFC 8085, section 3.1.1, asks of UDP): a round trip is measured only if the request was sent once,
/// since an answer doesn't say to which of several it belongs (Karn's rule). A request that isn't
/// answered in time waits twice as long the next time; that is its own affair, and others begin with what
/// is known of the peer. Only once it is answered after all does its [`timeout`](Self::timeout) become
/// the peer's, if that is longer, until a round trip is measured (sections 5.5 and 5.7). Times are those
/// of the [turn](Context::now).
///
/// A request may come to the peer more than once, and so must do no harm the second time.
///
/// Groups and broadcast addresses can't be asked by it: each of those who answer does so from an address
/// of its own, which isn't that of the peer that was asked. The example `discovery` asks them.
#[derive(Debug)]
pub struct Requests<K> {
    token: u64,
    policy: Retransmission,
    pending: HashMap<K, Pending>,
    timers: HashMap<TimerId, K>,
    peers: HashMap<SocketAddr, RoundTrip>,
}

#[derive(Debug)]
struct Pending {
    socket: UdpId,
    peer: SocketAddr,
    bytes: Bytes,
    timer: TimerId,
    exchange: Exchange,
}

impl<K: Clone + Eq + Hash> Requests<K> {
    /// None yet. Their timers have `token`, by which the handler knows them.
    #[must_use]
    pub fn new(token: u64) -> Self {
        Self::with(token, Retransmission::default())
    }

    /// None yet, with times of one's own.
    #[must_use]
    pub fn with(token: u64, policy: Retransmission) -> Self {
        Self {
            token,
            policy,
            pending: HashMap::new(),
            timers: HashMap::new(),
            peers: HashMap::new(),
        }
    }

    /// Sends `bytes` to `peer`, and again until it is answered, given up or cancelled.
    ///
    /// The unspecified address (`0.0.0.0`, `::`) is this machine's loopback address here: an answer must come
    /// from whom was asked, and from there none ever comes.
    ///
    /// A datagram that finds no room in the send buffer (`WouldBlock`) or in the interface's queue
    /// (ENOBUFS), or no memory (ENOMEM), is lost like any other, and sent again when it is time.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if a request with this `id` waits; what [`Context::send_to`] says otherwise.
    /// Then nothing was asked.
    pub fn ask(
        &mut self,
        ctx: &mut Context<'_>,
        socket: UdpId,
        peer: SocketAddr,
        id: K,
        bytes: impl Into<Bytes>,
    ) -> io::Result<()> {
        if self.pending.contains_key(&id) {
            let complaint = "a request with this id waits for its answer";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, complaint));
        }
        let (peer, bytes) = (host(peer), bytes.into());
        match ctx.send_to(socket, &bytes, peer) {
            Err(error) if !is_loss(&error) => return Err(error),
            _ => {}
        }
        let exchange = Exchange::new(ctx.now(), self.timeout(peer));
        let timer = ctx.after(exchange.timeout(), self.token);
        self.timers.insert(timer, id.clone());
        self.pending.insert(id, Pending { socket, peer, bytes, timer, exchange });
        Ok(())
    }

    /// Whether `datagram` answers the request `id`: whether that waits, and it came to the socket that
    /// asked, from the peer that was asked. Then it waits no more.
    ///
    /// A second answer, and one after the request was given up, answer nothing. Who can guess the id
    /// and forge the address can forge an answer: ids had better be random (RFC 5452).
    #[must_use]
    pub fn answer(
        &mut self,
        ctx: &mut Context<'_>,
        socket: UdpId,
        datagram: &Datagram<'_>,
        id: &K,
    ) -> bool {
        let from = datagram.peer();
        let asked = |pending: &Pending| pending.socket == socket && is_same(pending.peer, from);
        if !self.pending.get(id).is_some_and(asked) {
            return false;
        }
        let Some(pending) = self.end(ctx, id) else { return false };
        let sample = pending.exchange.answered(ctx.now());
        let policy = self.policy;
        let trip = self.remember(pending.peer);
        match sample {
            Some(time) => trip.sample(&policy, time),
            None => trip.keep(pending.exchange.timeout()),
        }
        true
    }

    /// Is to be called for each [timer](crate::Handler::timer) with the token of these requests: sends
    /// the request again that had no answer in time. If it was sent often enough it is given up, and
    /// this is its id.
    #[must_use]
    pub fn timer(&mut self, ctx: &mut Context<'_>, timer: TimerId) -> Option<K> {
        let id = self.timers.get(&timer)?.clone();
        let pending = self.pending.get_mut(&id)?;
        match pending.exchange.expired(&self.policy) {
            Next::Again(timeout) => {
                // Whatever has become of it, the next try is the next chance.
                if let Err(error) = ctx.send_to(pending.socket, &pending.bytes, pending.peer) {
                    log::debug!("ask {} again: {error}", pending.peer);
                }
                ctx.rearm(timer, timeout);
                None
            }
            Next::GiveUp => {
                // What was known of its round trips isn't true any more.
                self.peers.remove(&pending.peer);
                self.end(ctx, &id);
                Some(id)
            }
        }
    }

    /// Forgets a request; its answer will be a stranger's. Says whether there was one.
    pub fn cancel(&mut self, ctx: &mut Context<'_>, id: &K) -> bool {
        self.end(ctx, id).is_some()
    }

    /// The requests that wait for this peer: those that an ICMP error of it is about, see
    /// [`datagram_failed`](crate::Handler::datagram_failed). Such an error ends none of them, since it is
    /// no proof, and a server that is just starting answers the next try.
    pub fn asked(&self, peer: SocketAddr) -> impl Iterator<Item = &K> {
        let peer = host(peer);
        self.pending.iter().filter(move |(_, one)| is_same(one.peer, peer)).map(|(id, _)| id)
    }

    /// How long the next request waits for this peer before it is sent again.
    #[must_use]
    pub fn timeout(&self, peer: SocketAddr) -> Duration {
        let known = self.peers.get(&host(peer)).copied();
        known.unwrap_or_else(|| RoundTrip::new(&self.policy)).timeout()
    }

    /// How many requests wait for an answer.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    fn end(&mut self, ctx: &mut Context<'_>, id: &K) -> Option<Pending> {
        let pending = self.pending.remove(id)?;
        self.timers.remove(&pending.timer);
        ctx.cancel(pending.timer);
        Some(pending)
    }

    fn remember(&mut self, peer: SocketAddr) -> &mut RoundTrip {
        if self.peers.len() >= PEERS && !self.peers.contains_key(&peer) {
            if let Some(one) = self.peers.keys().next().copied() {
                self.peers.remove(&one);
            }
        }
        self.peers.entry(peer).or_insert_with(|| RoundTrip::new(&self.policy))
    }
}

/// Whom `peer` means: one address for each host.
fn host(peer: SocketAddr) -> SocketAddr {
    let mut peer = canonical(peer);
    if peer.ip().is_unspecified() {
        peer.set_ip(match peer {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    peer
}

/// Whether a datagram that wasn't sent is as good as lost: there was no room for it.
fn is_loss(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
        || matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::ENOMEM))
}

/// Whether two addresses are those of one peer. Only a link-local one needs its interface, and who asked
/// may have left the choice of it to the kernel.
fn is_same(asked: SocketAddr, from: SocketAddr) -> bool {
    let scope = match (asked, from) {
        (SocketAddr::V6(asked), SocketAddr::V6(from)) => {
            asked.scope_id() == from.scope_id() || asked.scope_id() == 0 || from.scope_id() == 0
        }
        _ => true,
    };
    scope && asked.ip() == from.ip() && asked.port() == from.port()
}
