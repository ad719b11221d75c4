//! What comes in pieces: datagrams, and bytes that descriptors travel with. A short read of one piece
//! says nothing about the next.

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;

use reactor::{Blocked, Direction, Interest, Readiness};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::unix;

/// Two nonblocking UDP sockets on the loopback interface, each connected to the other.
fn udp() -> (UdpSocket, UdpSocket) {
    let [near, far] = [(); 2].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    near.connect(far.local_addr().unwrap()).unwrap();
    far.connect(near.local_addr().unwrap()).unwrap();
    for socket in [&near, &far] {
        socket.set_nonblocking(true).unwrap();
    }
    (near, far)
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

pub(super) fn datagrams_come_one_by_one<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = udp();
    let key = rig.add(&near, 0, Interest::READABLE);
    for round in 0..3_u8 {
        for piece in 0..3 {
            far.send(&[round, piece]).unwrap();
        }
        for piece in 0..3 {
            assert_eq!(rig.expect(key), Readiness::READABLE);
            let mut buffer = [0; 8];
            assert_eq!(near.recv(&mut buffer).unwrap(), 2);
            assert_eq!(buffer[..2], [round, piece]);
        }
        assert_eq!(near.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        rig.poller.blocked(key, Direction::Read, Blocked::WouldBlock);
        rig.silent();
    }
}

pub(super) fn a_short_datagram_hides_none_behind_it<P: Subject>() {
    let (udp, unix) = (udp(), UnixDatagram::pair().unwrap());
    short::<P>(&udp.0, |bytes| udp.1.send(bytes).unwrap(), |buffer| udp.0.recv(buffer).unwrap());
    short::<P>(&unix.0, |bytes| unix.1.send(bytes).unwrap(), |buffer| unix.0.recv(buffer).unwrap());
}

fn short<P: Subject>(
    near: &impl AsFd,
    send: impl Fn(&[u8]) -> usize,
    receive: impl Fn(&mut [u8]) -> usize,
) {
    let mut rig = Rig::<P>::new();
    let key = rig.add(near, 0, Interest::READABLE);
    for bytes in [b"one", b"two", b"six"] {
        send(bytes);
    }
    for _ in 0..3 {
        assert!(rig.expect(key).is_readable());
        assert_eq!(receive(&mut [0; 100]), 3);
        rig.poller.blocked(key, Direction::Read, Blocked::Short);
    }
    rig.silent();
}

/// A read of a Unix stream stops where descriptors were passed (unix(7)).
pub(super) fn a_short_read_at_passed_descriptors_hides_nothing<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE);
    let passed = far.try_clone().unwrap();
    let passed = [passed.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&passed)));
    sendmsg(&far, &[IoSlice::new(b"ab")], &mut control, SendFlags::empty()).unwrap();
    far.write_all(b"cd").unwrap();
    for _ in 0..2 {
        assert!(rig.expect(key).is_readable());
        assert_eq!(near.read(&mut [0; 100]).unwrap(), 2);
        rig.poller.blocked(key, Direction::Read, Blocked::Short);
    }
    rig.silent();
}

pub(super) fn a_refused_datagram_is_readable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = udp();
    drop(far);
    let key = rig.add(&near, 0, Interest::READABLE);
    rig.silent();
    near.send(b"x").unwrap();
    let readiness = rig.expect(key);
    assert!(readiness.is_readable());
    assert_eq!(readiness.is_error(), rig.poller.capabilities().sees_close);
    let error = near.recv(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    rig.silent();
}
