//! Changing what is wanted, and the masks of hang-ups and errors.

use std::io::Write;
use std::net::Shutdown;

use reactor::{Interest, Readiness};
use rustix::event::PollFlags;
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::{await_bits, drain, pipe, reset, tcp, unix};

pub(super) fn an_empty_interest_is_silent<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::NONE);
    far.write_all(b"x").unwrap();
    await_bits(&near, PollFlags::IN);
    rig.silent();
    rig.modify(key, Interest::READABLE);
    assert!(rig.expect(key).is_readable());
    rig.modify(key, Interest::NONE);
    rig.silent();
}

pub(super) fn an_empty_interest_is_silent_after_a_close<P: Subject>() {
    for heard_of_before in [false, true] {
        let mut rig = Rig::<P>::new();
        let (near, far) = unix();
        let key = rig.add(&near, 0, Interest::NONE);
        if heard_of_before {
            rig.modify(key, Interest::READABLE);
            rig.silent();
            rig.modify(key, Interest::NONE);
        }
        drop(far);
        await_bits(&near, PollFlags::IN | PollFlags::HUP);
        rig.silent();
        rig.modify(key, Interest::READABLE);
        assert!(rig.expect(key).is_readable(), "the end of the stream waited");
    }
}

pub(super) fn an_empty_interest_is_silent_after_a_reset<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    rig.silent();
    rig.modify(key, Interest::NONE);
    reset(far);
    await_bits(&near, PollFlags::IN | PollFlags::HUP);
    rig.silent();
    rig.modify(key, Interest::WRITABLE);
    assert!(rig.expect(key).is_writable());
}

pub(super) fn an_interest_that_returns_finds_its_data<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    rig.modify(key, Interest::NONE);
    rig.silent();
    far.write_all(b"x").unwrap();
    await_bits(&near, PollFlags::IN);
    rig.modify(key, Interest::READABLE);
    assert!(rig.expect(key).is_readable());
}

pub(super) fn an_interest_added_later_finds_what_is_ready<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = tcp();
    let key = rig.add(&near, 0, Interest::READABLE);
    rig.silent();
    rig.modify(key, Interest::READABLE | Interest::WRITABLE);
    assert_eq!(rig.expect(key), Readiness::WRITABLE);
    far.write_all(b"x").unwrap();
    await_bits(&near, PollFlags::IN);
    assert_eq!(rig.expect(key), Readiness::READABLE | Readiness::WRITABLE);
}

pub(super) fn an_interest_taken_away_is_silent<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE | Interest::WRITABLE);
    assert_eq!(rig.expect(key), Readiness::WRITABLE);
    rig.modify(key, Interest::READABLE);
    rig.silent();
    far.write_all(b"x").unwrap();
    assert_eq!(rig.expect(key), Readiness::READABLE);
}

pub(super) fn an_interest_that_is_back_hears_the_next_data<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, mut far) = unix();
    let key = rig.add(&near, 0, Interest::READABLE);
    rig.silent();
    for byte in 0..3 {
        rig.modify(key, Interest::NONE);
        rig.modify(key, Interest::READABLE | Interest::WRITABLE);
        far.write_all(&[byte]).unwrap();
        rig.modify(key, Interest::READABLE);
        assert_eq!(rig.expect(key), Readiness::READABLE);
        assert_eq!(drain(&near), (vec![byte], false));
    }
    rig.silent();
}

pub(super) fn a_writer_hears_that_the_other_end_is_gone<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (read, write) = pipe();
    let key = rig.add(&write, 0, Interest::WRITABLE);
    assert!(rig.expect(key).is_writable());
    drop(read);
    assert!(rig.expect(key).is_writable());
    let error = rustix::io::write(&write, b"x").unwrap_err();
    assert_eq!(error, rustix::io::Errno::PIPE);
}

/// The reading end of a pipe whose writer is gone shows HUP and nothing else.
pub(super) fn a_hang_up_counts_as_every_direction<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (read, write) = pipe();
    drop(write);
    let key = rig.add(&read, 0, Interest::WRITABLE);
    if rig.poller.capabilities().sees_close {
        for _ in 0..3 {
            assert!(rig.expect(key).is_writable());
        }
    } else {
        // The write set of select(2) has no bit for it.
        rig.silent();
    }
    rig.modify(key, Interest::READABLE);
    assert!(rig.expect(key).is_readable());
    assert_eq!(rustix::io::read(&read, &mut [0; 8]), Ok(0));
}

pub(super) fn a_reset_counts_as_every_direction<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = tcp();
    let key = rig.add(&near, 0, Interest::NONE);
    reset(far);
    await_bits(&near, PollFlags::HUP | PollFlags::ERR);
    for interest in [Interest::READABLE, Interest::WRITABLE, Interest::PRIORITY] {
        rig.modify(key, interest);
        if interest == Interest::PRIORITY && !rig.poller.capabilities().sees_close {
            // The third set of select(2) has bits for urgent data alone.
            rig.silent();
            continue;
        }
        for _ in 0..3 {
            assert!(rig.expect(key).contains(Readiness::all(interest)), "{interest:?}");
        }
    }
}

pub(super) fn a_half_close_does_not_wake_a_writer<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let (near, far) = unix();
    while (&near).write(&[0; 100_000]).is_ok() {}
    let key = rig.add(&near, 0, Interest::WRITABLE);
    rig.silent();
    far.shutdown(Shutdown::Write).unwrap();
    await_bits(&near, PollFlags::IN | PollFlags::RDHUP);
    rig.silent();
    drain(&far);
    assert!(rig.expect(key).is_writable());
}
