//! What is ready is reported, as far as the interest holds it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};

use reactor::{Interest, Readiness};
use rustix::event::PollFlags;
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::{await_bits, drain, receive_urgent, send_urgent, tcp, unix};

const ALL: fn() -> Interest = || Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;

pub(super) fn data_is_readable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    rig.silent();
    far.write_all(b"hello").unwrap();
    assert_eq!(rig.expect(key), Readiness::READABLE);
    assert_eq!(drain(&near), (b"hello".to_vec(), false));
    rig.silent();
}

pub(super) fn room_is_writable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, _far) = tcp();
    let key = rig.add(&near, 0, Interest::WRITABLE);
    assert_eq!(rig.expect(key), Readiness::WRITABLE);
}

pub(super) fn both_directions_come_at_once<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    far.write_all(b"x").unwrap();
    let key = rig.add(&near, 0, Interest::READABLE | Interest::WRITABLE);
    assert_eq!(rig.expect(key), Readiness::READABLE | Readiness::WRITABLE);
}

pub(super) fn urgent_data_is_priority<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = tcp();
    let key = rig.add(&near, 0, Interest::PRIORITY);
    send_urgent(&far, b'!');
    assert_eq!(rig.expect(key), Readiness::PRIORITY);
    assert_eq!(receive_urgent(&near), b'!');
    rig.silent();
}

pub(super) fn urgent_data_alone_is_not_readable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE | Interest::PRIORITY);
    send_urgent(&far, b'!');
    // A read on a false `readable` would lose the urgent byte.
    assert_eq!(rig.expect(key), Readiness::PRIORITY);
    far.write_all(b"x").unwrap();
    await_bits(&near, PollFlags::IN);
    assert_eq!(rig.expect(key), Readiness::PRIORITY | Readiness::READABLE);
    assert_eq!(receive_urgent(&near), b'!');
}

pub(super) fn urgent_data_without_interest_is_silent<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = tcp();
    rig.add(&near, 0, Interest::READABLE);
    send_urgent(&far, b'!');
    await_bits(&near, PollFlags::PRI);
    rig.silent();
}

pub(super) fn data_behind_an_urgent_mark_follows<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE | Interest::PRIORITY);
    far.write_all(b"ab").unwrap();
    send_urgent(&far, b'X');
    far.write_all(b"cd").unwrap();
    await_bits(&near, PollFlags::IN | PollFlags::PRI);
    assert!(rig.expect(key).contains(Readiness::READABLE | Readiness::PRIORITY));
    assert_eq!(receive_urgent(&near), b'X');
    let mut got = Vec::new();
    while got.len() < 4 {
        assert!(rig.expect(key).is_readable());
        let mut buffer = [0; 100];
        let count = near.read(&mut buffer).unwrap();
        got.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(got, b"abcd");
    rig.silent();
}

pub(super) fn an_urgent_byte_on_a_unix_stream_is_priority<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = unix();
    let key = rig.add(&near, 0, Interest::PRIORITY);
    send_urgent(&far, b'!');
    assert_eq!(rig.expect(key), Readiness::PRIORITY);
    assert_eq!(receive_urgent(&near), b'!');
}

pub(super) fn a_datagram_of_no_bytes_is_readable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let key = rig.add(&near, 0, Interest::READABLE);
    far.send_to(b"", near.local_addr().unwrap()).unwrap();
    assert_eq!(rig.expect(key), Readiness::READABLE);
    assert_eq!(near.recv(&mut [0; 8]).unwrap(), 0);
    rig.silent();
}

pub(super) fn a_new_connection_makes_a_listener_readable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let key = rig.add(&listener, 0, Interest::READABLE);
    rig.silent();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert_eq!(rig.expect(key), Readiness::READABLE);
    drop(listener.accept().unwrap());
    rig.silent();
}

pub(super) fn readiness_is_masked_by_the_interest<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    far.write_all(b"x").unwrap();
    send_urgent(&far, b'!');
    await_bits(&near, PollFlags::IN | PollFlags::PRI);
    let key = rig.add(&near, 0, Interest::NONE);
    rig.silent();
    for (interest, expected) in [
        (Interest::READABLE, Readiness::READABLE),
        (Interest::WRITABLE, Readiness::WRITABLE),
        (Interest::PRIORITY, Readiness::PRIORITY),
        (ALL(), Readiness::all(ALL())),
        (Interest::READABLE | Interest::WRITABLE, Readiness::READABLE | Readiness::WRITABLE),
    ] {
        rig.modify(key, interest);
        assert_eq!(rig.expect(key), expected, "{interest:?}");
    }
}
