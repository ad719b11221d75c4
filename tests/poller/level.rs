//! Level, with a hint: what is still ready comes again, marked blocked or not.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use reactor::{Blocked, Direction, Interest, Key, Readiness};
use rustix::event::PollFlags;
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::{Counter, await_bits, drain, tcp, unix};

pub(super) fn what_is_left_is_reported_again<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    far.write_all(b"x").unwrap();
    let key = rig.add(&near, 0, Interest::READABLE);
    for _ in 0..5 {
        assert!(rig.expect(key).is_readable(), "nobody read it");
    }
}

pub(super) fn nothing_is_lost_when_stopping_half_way<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    let sent: Vec<u8> = (0..100).collect();
    far.write_all(&sent).unwrap();
    let mut got = Vec::new();
    while got.len() < sent.len() {
        assert!(rig.expect(key).is_readable());
        let mut piece = [0; 7];
        let count = near.read(&mut piece).unwrap();
        got.extend_from_slice(&piece[..count]);
    }
    assert_eq!(got, sent);
    rig.silent();
}

pub(super) fn new_data_after_would_block_is_reported<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    for round in 0..5_u8 {
        far.write_all(&[round]).unwrap();
        assert!(rig.expect(key).is_readable());
        assert_eq!(drain(&near), (vec![round], false));
        rig.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
    }
    rig.silent();
}

pub(super) fn new_data_after_a_short_read_is_reported<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    for round in 0..5_u8 {
        far.write_all(&[round]).unwrap();
        assert!(rig.expect(key).is_readable());
        assert_eq!(near.read(&mut [0; 100]).unwrap(), 1);
        rig.poller.blocked(key, Direction::Read, Blocked::Short);
    }
    rig.silent();
}

/// Writes until the socket takes no more; says how the last call ended.
fn fill(mut socket: impl Write) -> Blocked {
    let chunk = [0; 100_000];
    loop {
        match socket.write(&chunk) {
            Ok(count) if count < chunk.len() => return Blocked::Short,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Blocked::WouldBlock,
            Err(error) => panic!("write: {error}"),
        }
    }
}

pub(super) fn room_after_would_block_is_reported<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = unix();
    let key = rig.add(&near, 0, Interest::WRITABLE);
    for _ in 0..3 {
        assert!(rig.expect(key).is_writable());
        while fill(&near) == Blocked::Short {}
        rig.poller.blocked(key, Direction::Write, Blocked::WouldBlock);
        rig.silent();
        drain(&far);
    }
    assert!(rig.expect(key).is_writable());
}

pub(super) fn room_after_a_short_write_is_reported<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = tcp();
    let key = rig.add(&near, 0, Interest::WRITABLE);
    for _ in 0..3 {
        assert!(rig.expect(key).is_writable());
        rig.poller.blocked(key, Direction::Write, fill(&near));
        // The peer's kernel goes on taking bytes for a while, so that room may come at once.
        for _ in 0..50 {
            drain(&far);
        }
    }
    rig.expect_until(key, Readiness::WRITABLE);
}

pub(super) fn an_eventfd_read_fully_is_silent<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let counter = Counter::new(0);
    let key = rig.add(&counter, 0, Interest::READABLE);
    for round in 1..=5 {
        counter.add(round);
        assert!(rig.expect(key).is_readable());
        // Read to its end, and nobody says so.
        assert_eq!(counter.read(), round);
        rig.silent();
    }
}

pub(super) fn a_listener_with_a_second_connection_is_reported_again<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let key = rig.add(&listener, 0, Interest::READABLE);
    let address = listener.local_addr().unwrap();
    let _clients = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
    let mut accepted = Vec::new();
    for _ in 0..2 {
        assert!(rig.expect(key).is_readable());
        accepted.push(listener.accept().unwrap());
    }
    rig.silent();
}

pub(super) fn a_short_read_before_the_end_is_reported_again<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = tcp();
    far.write_all(b"last words").unwrap();
    drop(far);
    await_bits(&near, PollFlags::IN | PollFlags::RDHUP);
    let key = rig.add(&near, 0, Interest::READABLE);
    assert!(rig.expect(key).is_readable());
    assert_eq!(near.read(&mut [0; 100]).unwrap(), 10);
    rig.poller.blocked(key, Direction::Read, Blocked::Short);
    assert!(rig.expect(key).is_readable(), "the end of the stream is still to be read");
    assert_eq!(near.read(&mut [0; 100]).unwrap(), 0);
}

pub(super) fn a_blocked_direction_leaves_the_other_alone<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    far.write_all(b"x").unwrap();
    let key = rig.add(&near, 0, Interest::READABLE | Interest::WRITABLE);
    assert_eq!(rig.expect(key), Readiness::READABLE | Readiness::WRITABLE);
    drain(&near);
    rig.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
    assert_eq!(rig.expect(key), Readiness::WRITABLE);
}

pub(super) fn a_hint_for_a_stranger_is_ignored<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    far.write_all(b"x").unwrap();
    let key = rig.add(&near, 5, Interest::READABLE);
    assert!(rig.expect(key).is_readable());
    for stranger in [Key::new(5, 1), Key::new(4, 0), Key::new(Key::MAX_SLOT, 0)] {
        rig.poller.blocked(stranger, Direction::Read, Blocked::WouldBlock);
        rig.poller.blocked(stranger, Direction::Write, Blocked::Short);
    }
    assert!(rig.expect(key).is_readable(), "another's hint is not its own");
}
