//! Urgent data: the mark in a stream, and the byte that stands there.

use std::io::{Read, Write};
use std::net::TcpStream;

use reactor::{Blocked, Direction, Interest, Readiness};
use rustix::event::PollFlags;
use socket2::SockRef;
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::{await_bits, drain, receive_urgent, send_urgent, tcp, unix};

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

pub(super) fn a_short_read_before_an_urgent_mark_is_reported_again<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = tcp();
    far.write_all(b"ab").unwrap();
    send_urgent(&far, b'X');
    far.write_all(b"cd").unwrap();
    await_bits(&near, PollFlags::IN | PollFlags::PRI);
    let key = rig.add(&near, 0, Interest::READABLE | Interest::PRIORITY);
    assert!(rig.expect(key).contains(Readiness::READABLE | Readiness::PRIORITY));
    assert_eq!(receive_urgent(&near), b'X');
    assert_eq!(near.read(&mut [0; 100]).unwrap(), 2, "a read stops at the mark");
    rig.poller.blocked(key, Direction::Read, Blocked::Short);
    assert!(rig.expect(key).is_readable(), "what stands behind the mark is still to be read");
    assert_eq!(near.read(&mut [0; 100]).unwrap(), 2);
}

/// Once the byte is taken, the kernel says "priority" no more, and the mark still stops a read.
pub(super) fn a_mark_is_remembered_when_its_byte_was_taken<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = tcp();
    far.write_all(b"abc").unwrap();
    send_urgent(&far, b'X');
    far.write_all(b"de").unwrap();
    await_bits(&near, PollFlags::IN | PollFlags::PRI);
    let key = rig.add(&near, 0, Interest::READABLE | Interest::PRIORITY);
    assert!(rig.expect(key).is_priority());
    assert_eq!(receive_urgent(&near), b'X');
    assert_eq!(near.read(&mut [0; 1]).unwrap(), 1);
    assert_eq!(rig.expect(key), Readiness::READABLE);
    assert_eq!(near.read(&mut [0; 100]).unwrap(), 2, "a read stops at the mark");
    rig.poller.blocked(key, Direction::Read, Blocked::Short);
    assert!(rig.expect(key).is_readable(), "what stands behind the mark is still to be read");
    assert_eq!(near.read(&mut [0; 100]).unwrap(), 2);
}

/// Reads up to a mark at a time, and says so, until `wanted` is there.
fn read_in_short_pieces<P: Subject>(interest: Interest, inline: bool, wanted: &[u8]) {
    let mut rig = Rig::<P>::new();
    let (near, far): (TcpStream, TcpStream) = tcp();
    SockRef::from(&near).set_out_of_band_inline(inline).unwrap();
    (&far).write_all(b"ab").unwrap();
    send_urgent(&far, b'X');
    (&far).write_all(b"cd").unwrap();
    await_bits(&near, PollFlags::IN | PollFlags::PRI);
    let key = rig.add(&near, 0, interest);
    let mut got = Vec::new();
    while got.len() < wanted.len() {
        let readiness = rig.expect(key);
        assert!(readiness.is_readable(), "after {got:?}: {readiness:?}");
        let mut buffer = [0; 100];
        let count = (&near).read(&mut buffer).unwrap();
        got.extend_from_slice(&buffer[..count]);
        rig.poller.blocked(key, Direction::Read, Blocked::Short);
    }
    assert_eq!(got, wanted);
    rig.silent();
}

pub(super) fn a_mark_hides_nothing_from_a_reader_without_priority<P: Subject>() {
    read_in_short_pieces::<P>(Interest::READABLE, false, b"abcd");
}

pub(super) fn an_urgent_byte_in_line_is_data<P: Subject>() {
    read_in_short_pieces::<P>(Interest::READABLE, true, b"abXcd");
    read_in_short_pieces::<P>(Interest::READABLE | Interest::PRIORITY, true, b"abXcd");
}

pub(super) fn an_urgent_byte_in_line_is_readable_and_priority<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = tcp();
    SockRef::from(&near).set_out_of_band_inline(true).unwrap();
    let key = rig.add(&near, 0, Interest::READABLE | Interest::PRIORITY);
    send_urgent(&far, b'!');
    assert_eq!(rig.expect(key), Readiness::READABLE | Readiness::PRIORITY);
    rig.modify(key, Interest::READABLE);
    assert_eq!(rig.expect(key), Readiness::READABLE);
    assert_eq!(drain(&near), (b"!".to_vec(), false));
    rig.silent();
}

/// The kernel calls a Unix stream readable for an urgent byte, and until the next read also after that
/// byte was taken, although the read blocks.
pub(super) fn an_urgent_byte_taken_from_a_unix_stream_is_gone_after_a_read<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE | Interest::PRIORITY);
    send_urgent(&far, b'!');
    assert!(rig.expect(key).is_priority());
    assert_eq!(receive_urgent(&near), b'!');
    assert_eq!(drain(&near), (vec![], false));
    rig.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
    rig.silent();
    (&far).write_all(b"x").unwrap();
    assert_eq!(rig.expect(key), Readiness::READABLE);
}
