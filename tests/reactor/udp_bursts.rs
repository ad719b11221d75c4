//! Many datagrams at once.

use std::cell::Cell;
use std::rc::Rc;

use reactor::{Failure, Ipv6, UdpId, UdpOptions};
use tests::Subject;
use tests::counted::Counted;
use tests::recorder::{Call, Seen, sink};
use tests::rig::SILENCE;
use tests::server::Server;

use crate::udp::{datagrams, peer};

/// Two sockets of one server, and the second's id.
fn pair<P: Subject>(server: &mut Server<P>, options: &UdpOptions) -> (UdpId, UdpId) {
    let from = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let to = server.ctx().bind_udp_with("127.0.0.1:0", options).unwrap();
    (from, to)
}

/// More than one call takes, and more than a turn's.
pub(super) fn a_burst_comes_in_order<P: Subject>() {
    const MANY: u8 = 200;
    let mut server = Server::<Counted<P>>::tcp(sink);
    let socket = server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let to = server.ctx().udp_address(socket).unwrap();
    let peer = peer();
    let from = peer.local_addr().unwrap();
    // Also as many as one call takes, and one more and less.
    for count in [31, 32, 33, 64, MANY] {
        for number in 0..count {
            // Of different lengths: what one place held before isn't seen in it.
            peer.send_to(&vec![number; usize::from(MANY - number)], to).unwrap();
        }
        let expected: Vec<_> = (0..count)
            .map(|number| Seen::Datagram(vec![number; usize::from(MANY - number)], from))
            .collect();
        server.until("all come", |server| datagrams(server.seen()) == usize::from(count));
        assert_eq!(server.take_seen(), expected);
        assert!(server.empty_turns(SILENCE) <= 2, "and nothing spins");
    }
}

/// More than one call sends, to several, by IPv4 through a socket of IPv6, too.
pub(super) fn a_batch_goes_to_its_addresses<P: Subject>() {
    for address in ["127.0.0.1:0", "[::]:0"] {
        let mut server = Server::<P>::tcp(sink);
        let both = UdpOptions::default().ipv6(Ipv6::DualStack);
        // A machine without IPv6 has no such address.
        let Ok(socket) = server.ctx().bind_udp_with(address, &both) else { continue };
        let peers = [peer(), peer(), peer()];
        let addresses = peers.each_ref().map(|peer| peer.local_addr().unwrap());
        let bytes: Vec<_> = (0..100_u8).map(|number| vec![number; usize::from(number)]).collect();
        let batch: Vec<_> = (0..).zip(&bytes).map(|(at, it)| (addresses[at % 3], &**it)).collect();
        for count in [0, 1, 32, 33, 100] {
            assert_eq!(server.ctx().send_batch(socket, &batch[..count]).unwrap(), count);
            for (at, expected) in bytes[..count].iter().enumerate() {
                let mut buffer = [0; 128];
                let count = peers[at % 3].recv(&mut buffer).unwrap();
                assert_eq!(buffer[..count], **expected);
            }
        }
        // What can't go keeps back what comes after it, and nothing that came before.
        let long = vec![0; 70_000];
        let mut spoilt = batch[..3].to_vec();
        spoilt[1].1 = &long;
        assert_eq!(server.ctx().send_batch(socket, &spoilt).unwrap(), 1);
        assert_eq!(peers[0].recv(&mut [0; 8]).unwrap(), 0);
        let error = server.ctx().send_batch(socket, &spoilt[1..]).unwrap_err();
        assert!(Failure::of(&error).is_some(), "{error}");
        peers[2].set_nonblocking(true).unwrap();
        peers[2].recv(&mut [0; 8]).unwrap_err();
        server.silent();
    }
}

/// The bytes of a burst, and the datagrams of which it consists.
fn burst(bytes: usize, segment: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let bytes: Vec<u8> = (0..bytes).map(|at| (at / segment * 7 + at) as u8).collect();
    let datagrams = bytes.chunks(segment).map(<[u8]>::to_vec).collect();
    (bytes, datagrams)
}

fn is_cut_and_comes<P: Subject>(options: &UdpOptions, address: &str) {
    let mut server = Server::<P>::tcp(sink);
    // A machine without IPv6 has no such address.
    let Ok(from) = server.ctx().bind_udp(address) else { return };
    let to = server.ctx().bind_udp_with(address, options).unwrap();
    let sender = server.ctx().udp_address(from).unwrap();
    let receiver = server.ctx().udp_address(to).unwrap();
    // One alone, equal ones, a shorter one at the end, more than one call takes, longer ones than the
    // loopback interface has in one piece.
    for (bytes, segment) in
        [(10, 100), (100, 100), (1000, 100), (1001, 100), (9999, 100), (130, 1), (60_000, 1200)]
    {
        let (all, datagrams) = burst(bytes, segment);
        let sent = server.ctx().send_segments(from, &all, segment, receiver).unwrap();
        assert_eq!(sent, datagrams.len(), "{bytes} by {segment}");
        let what = format!("{bytes} by {segment}");
        server.until(&what, |server| crate::udp::datagrams(server.seen()) == sent);
        let expected: Vec<_> =
            datagrams.into_iter().map(|bytes| Seen::Datagram(bytes, sender)).collect();
        assert!(server.take_seen() == expected, "{bytes} by {segment}");
    }
    assert_eq!(server.ctx().send_segments(from, b"", 100, receiver).unwrap(), 0);
    server.ctx().send_segments(from, b"x", 0, receiver).unwrap_err();
    // Longer than any datagram: not even the first goes.
    server.ctx().send_segments(from, &[0; 140_000], 70_000, receiver).unwrap_err();
    server.silent();
}

pub(super) fn a_burst_is_cut_into_datagrams<P: Subject>() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        is_cut_and_comes::<P>(&UdpOptions::default().receive_buffer(1 << 20), address);
    }
}

pub(super) fn joined_datagrams_come_one_by_one<P: Subject>() {
    let joined = UdpOptions::default().receive_buffer(1 << 20).join_segments(true);
    for address in ["127.0.0.1:0", "[::1]:0"] {
        is_cut_and_comes::<P>(&joined, address);
    }
    // Whoever closes the socket at the first gets no second.
    let count = Rc::new(Cell::new(0));
    let ours = Rc::clone(&count);
    let mut server = Server::<P>::tcp(move |ctx, call| {
        if let Call::Datagram(socket, _) = call {
            ours.set(ours.get() + 1);
            ctx.close_udp(socket);
        }
    });
    let (from, to) = pair(&mut server, &joined);
    let address = server.ctx().udp_address(to).unwrap();
    server.ctx().send_segments(from, &[0; 1000], 100, address).unwrap();
    server.until("one comes", |_| count.get() > 0);
    server.silent();
    assert_eq!(count.get(), 1);
}

/// Linux counts; other systems have no such figure.
#[cfg(target_os = "linux")]
pub(super) fn what_is_dropped_is_counted<P: Subject>() {
    const MANY: u32 = 500;
    let told = Rc::new(Cell::new(0));
    let ours = Rc::clone(&told);
    let mut server = Server::<P>::tcp(move |_, call| {
        if let Call::Datagram(_, datagram) = call {
            ours.set(datagram.drops());
        }
    });
    let small = UdpOptions::default().receive_buffer(10_000);
    let (from, to) = pair(&mut server, &small);
    let address = server.ctx().udp_address(to).unwrap();
    assert_eq!(server.ctx().udp_drops(to).unwrap(), 0);
    for _ in 0..MANY {
        server.ctx().send_to(from, &[0; 100], address).unwrap();
    }
    // Over the loopback interface it has come or is lost when the call returns.
    let drops = server.ctx().udp_drops(to).unwrap();
    assert!(drops > 0 && drops < MANY, "{drops}");
    server.until("the others come", |server| datagrams(server.seen()) == (MANY - drops) as usize);
    assert_eq!(told.get(), 0, "they came before the first was dropped");
    server.ctx().send_to(from, b"after", address).unwrap();
    server.until("one more comes", |_| told.get() > 0);
    assert_eq!(told.get(), drops);
    assert_eq!(server.ctx().udp_drops(to).unwrap(), drops);
    server.ctx().close_udp(to);
    assert_eq!(server.ctx().udp_drops(to).unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

#[cfg(target_os = "linux")]
pub(super) fn a_larger_buffer_holds_a_longer_burst<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let mut drops = Vec::new();
    for bytes in [5_000, 20_000, 80_000] {
        let options = UdpOptions::default().receive_buffer(bytes);
        let (from, to) = pair(&mut server, &options);
        let address = server.ctx().udp_address(to).unwrap();
        for _ in 0..300 {
            server.ctx().send_to(from, &[0; 10], address).unwrap();
        }
        drops.push(server.ctx().udp_drops(to).unwrap());
    }
    assert!(drops.is_sorted_by(|a, b| a > b), "{drops:?}");
}
