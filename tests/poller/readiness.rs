//! What is ready is reported, as far as the interest holds it.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use reactor::{Interest, Readiness};
use rustix::event::PollFlags;
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::{await_bits, drain, send_urgent, tcp, unix};

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
