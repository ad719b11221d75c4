//! The ends of a stream, as a reader and a writer see them (KERNEL facts: FIN, RST, shutdown).

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;

use reactor::{Interest, Readiness};
use rustix::event::PollFlags;
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::{await_bits, drain, pipe, reset, tcp, unix};

const BOTH: fn() -> Interest = || Interest::READABLE | Interest::WRITABLE;

pub(super) fn a_fin_is_readable_and_then_the_end<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    far.shutdown(Shutdown::Write).unwrap();
    let readiness = rig.expect(key);
    assert!(readiness.is_readable());
    assert_eq!(readiness.is_read_closed(), rig.poller.capabilities().sees_close);
    assert_eq!(near.read(&mut [0; 8]).unwrap(), 0);
    assert!(rig.expect(key).is_readable(), "the end stays readable");
    near.write_all(b"still open this way").unwrap();
}

pub(super) fn data_comes_before_the_fin<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    far.write_all(b"last words").unwrap();
    drop(far);
    let mut got = Vec::new();
    loop {
        assert!(rig.expect(key).is_readable());
        let mut piece = [0; 4];
        match near.read(&mut piece).unwrap() {
            0 => break,
            count => got.extend_from_slice(&piece[..count]),
        }
    }
    assert_eq!(got, b"last words");
}

pub(super) fn a_reset_is_reported<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    reset(far);
    let readiness = rig.expect(key);
    assert!(readiness.is_readable());
    assert_eq!(readiness.is_error(), rig.poller.capabilities().sees_close);
    assert_eq!(near.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

pub(super) fn data_comes_before_the_reset<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = tcp();
    near.write_all(b"never read").unwrap();
    await_bits(&far, PollFlags::IN);
    far.write_all(b"last words").unwrap();
    await_bits(&near, PollFlags::IN);
    // Closed with unread input: the kernel sends an RST.
    drop(far);
    await_bits(&near, PollFlags::ERR);
    let key = rig.add(&near, 0, Interest::READABLE);
    assert!(rig.expect(key).is_readable());
    let mut got = [0; 100];
    assert_eq!(near.read(&mut got).unwrap(), 10);
    assert_eq!(&got[..10], b"last words");
    assert!(rig.expect(key).is_readable());
    assert_eq!(near.read(&mut got).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

pub(super) fn a_unix_close_is_the_end<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let key = rig.add(&near, 0, BOTH());
    far.write_all(b"bye").unwrap();
    drop(far);
    let readiness = rig.expect(key);
    assert!(readiness.contains(Readiness::READABLE | Readiness::WRITABLE));
    assert_eq!(readiness.is_write_closed(), rig.poller.capabilities().sees_close);
    assert_eq!(drain(&near), (b"bye".to_vec(), true));
    assert_eq!((&near).write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
}

pub(super) fn a_pipe_whose_writer_is_gone_ends<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (read, write) = pipe();
    let key = rig.add(&read, 0, Interest::READABLE);
    rustix::io::write(&write, b"bye").unwrap();
    drop(write);
    assert!(rig.expect(key).is_readable());
    assert_eq!(rustix::io::read(&read, &mut [0; 100]), Ok(3));
    assert!(rig.expect(key).is_readable());
    assert_eq!(rustix::io::read(&read, &mut [0; 100]), Ok(0));
}

pub(super) fn a_pipe_whose_reader_is_gone_is_writable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (read, write) = pipe();
    while rustix::io::write(&write, &[0; 4096]).is_ok() {}
    let key = rig.add(&write, 0, Interest::WRITABLE);
    rig.silent();
    drop(read);
    let readiness = rig.expect(key);
    assert!(readiness.is_writable());
    assert_eq!(readiness.is_error(), rig.poller.capabilities().sees_close);
}

pub(super) fn shutting_the_reading_side_is_readable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (mut near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    rig.silent();
    near.shutdown(Shutdown::Read).unwrap();
    assert!(rig.expect(key).is_readable());
    assert_eq!(near.read(&mut [0; 8]).unwrap(), 0);
    // TCP goes on receiving all the same.
    far.write_all(b"late").unwrap();
    assert!(rig.expect(key).is_readable());
}

pub(super) fn shutting_the_writing_side_says_nothing_new<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    let key = rig.add(&near, 0, BOTH());
    near.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rig.expect(key), Readiness::WRITABLE);
    rig.modify(key, Interest::READABLE);
    rig.silent();
    far.write_all(b"answer").unwrap();
    assert_eq!(rig.expect(key), Readiness::READABLE);
    assert_eq!(drain(&near), (b"answer".to_vec(), false));
}

pub(super) fn shutting_both_sides_is_readable_and_writable<P: Subject>() {
    for interest in [Interest::READABLE, Interest::WRITABLE, BOTH()] {
        let mut rig = Rig::<P>::new();
        let (near, _far) = tcp();
        let key = rig.add(&near, 0, Interest::READABLE);
        rig.silent();
        near.shutdown(Shutdown::Both).unwrap();
        rig.modify(key, interest);
        assert!(rig.expect(key).contains(Readiness::all(interest)), "{interest:?}");
    }
}
