//! SO_RCVLOWAT on TCP: the kernel's own low-water mark, which every mechanism honours (socket(7)).

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;

use nix::libc;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SetStruct;
use reactor::{Interest, Readiness};
use rustix::event::PollFlags;
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::{await_bits, drain, reset, tcp};

/// Small against the buffer: under memory pressure the kernel reports sooner.
const MARK: usize = 100;

#[derive(Clone, Copy)]
struct ReceiveLowWater;
nix::setsockopt_impl!(
    ReceiveLowWater,
    libc::SOL_SOCKET,
    libc::SO_RCVLOWAT,
    i32,
    SetStruct<'_, i32>
);

fn set_mark(socket: &impl AsFd, mark: usize) {
    setsockopt(socket, ReceiveLowWater, &i32::try_from(mark).unwrap()).unwrap();
}

pub(super) fn data_below_the_mark_is_silent<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    set_mark(&near, MARK);
    let key = rig.add(&near, 0, Interest::READABLE);
    for _ in 0..3 {
        far.write_all(&[0; MARK - 1]).unwrap();
        rig.silent();
        far.write_all(&[0]).unwrap();
        assert_eq!(rig.expect(key), Readiness::READABLE);
        assert_eq!(drain(&near).0.len(), MARK);
        rig.silent();
    }
    far.write_all(&[0]).unwrap();
    rig.silent();
    set_mark(&near, 1);
    assert_eq!(rig.expect(key), Readiness::READABLE, "the mark was lowered to what is there");
}

pub(super) fn a_fin_below_the_mark_is_readable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    set_mark(&near, MARK);
    let key = rig.add(&near, 0, Interest::READABLE);
    far.write_all(b"last words").unwrap();
    rig.silent();
    far.shutdown(Shutdown::Write).unwrap();
    assert!(rig.expect(key).is_readable());
    assert_eq!(drain(&near), (b"last words".to_vec(), true));
}

pub(super) fn a_reset_below_the_mark_is_readable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = tcp();
    set_mark(&near, MARK);
    let key = rig.add(&near, 0, Interest::READABLE);
    far.write_all(b"last words").unwrap();
    rig.silent();
    reset(far);
    await_bits(&near, PollFlags::ERR);
    assert!(rig.expect(key).is_readable());
    let mut got = [0; 100];
    assert_eq!(near.read(&mut got).unwrap(), 10);
    assert!(rig.expect(key).is_readable());
    assert_eq!(near.read(&mut got).unwrap_err().kind(), ErrorKind::ConnectionReset);
}
