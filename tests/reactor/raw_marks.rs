//! Read low-water marks of descriptors of the user's own.

use std::fs::File;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;

use reactor::options::SO_RCVLOWAT;
use reactor::poller::{Poller as _, Trigger};
use reactor::{Interest, RawId, control};
use rustix::net::{Shutdown, shutdown};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tests::Subject;
use tests::counted::Counted;
use tests::recorder::Seen;
use tests::rig::SILENCE;
use tests::server::{Family, Server};
use tests::sockets::{Counter, pipe, receive_urgent, reset, send_urgent, tcp, unix};

const MARK: usize = 1000;

/// The reading and the writing end of each kind of stream.
fn streams() -> [(OwnedFd, OwnedFd); 3] {
    let (tcp, unix) = (tcp(), unix());
    [pipe(), (unix.0.into(), unix.1.into()), (tcp.0.into(), tcp.1.into())]
}

/// A server whose handler does nothing, and a descriptor with a mark. It has no clients.
fn server<P: Subject>(fd: OwnedFd) -> (Server<Counted<P>>, RawId) {
    let mut server = Server::<Counted<P>>::new(Family::Unix, |_, _| {});
    let raw = server.ctx().register(fd, Interest::READABLE).unwrap();
    server.ctx().set_raw_read_low(raw, MARK).unwrap();
    (server, raw)
}

fn write(to: &OwnedFd, count: usize) {
    assert_eq!(rustix::io::write(to, &vec![7; count]).unwrap(), count);
}

/// Reads `count` bytes, and looks whether no more are there.
fn read<P: Subject>(server: &mut Server<P>, raw: RawId, count: usize) {
    let ctx = server.ctx();
    let fd = ctx.raw(raw).unwrap();
    assert_eq!(control::readable_bytes(&fd).unwrap(), count);
    assert_eq!(rustix::io::read(fd, &mut vec![0; count]).unwrap(), count);
}

pub(super) fn a_descriptor_s_mark_is_exact<P: Subject>() {
    for (reader, writer) in streams() {
        let (mut server, raw) = server::<P>(reader);
        for _ in 0..2 {
            server.silent();
            write(&writer, MARK - 1);
            server.silent();
            write(&writer, 1);
            server.until_seen(&Seen::Ready(raw));
            read(&mut server, raw, MARK);
            server.take_seen();
        }
        // As long as nobody reads, it is told again: as ever.
        write(&writer, MARK);
        server.until("it is told again", |server| server.seen().len() >= 3);
    }
}

/// Looks grow rare: within 25 ms after 1, 2, 4, 8 ms and so on. On TCP the kernel keeps silent, and a
/// mechanism that tells of arrivals needs no looks.
pub(super) fn what_is_below_a_descriptor_s_mark_wakes_seldom<P: Subject>() {
    for (kind, (reader, writer)) in streams().into_iter().enumerate() {
        let (mut server, _) = server::<P>(reader);
        let edges = server.reactor.poller().capabilities().trigger == Trigger::Edge;
        write(&writer, MARK - 1);
        let waits = server.empty_turns(SILENCE);
        let kept_by_kernel = kind == 2 && cfg!(target_os = "linux");
        // The last wait is the one that brings nothing.
        let most = if kept_by_kernel {
            1
        } else if edges {
            2
        } else {
            8
        };
        assert!(waits <= most, "{waits} waits");
    }
}

pub(super) fn the_end_below_a_descriptor_s_mark_is_told<P: Subject>() {
    for (reader, writer) in streams() {
        let (mut server, raw) = server::<P>(reader);
        write(&writer, 10);
        server.silent();
        drop(writer);
        server.until_seen(&Seen::Ready(raw));
        read(&mut server, raw, 10);
    }
    // Also that of one direction alone.
    for (reader, writer) in streams().into_iter().skip(1) {
        let (mut server, raw) = server::<P>(reader);
        write(&writer, 10);
        server.silent();
        shutdown(&writer, Shutdown::Write).unwrap();
        server.until_seen(&Seen::Ready(raw));
        read(&mut server, raw, 10);
    }
    let (near, far) = tcp();
    let (mut server, raw) = server::<P>(near.into());
    reset(far);
    server.until_seen(&Seen::Ready(raw));
}

pub(super) fn a_descriptor_s_lower_mark_holds_for_what_has_come<P: Subject>() {
    for (reader, writer) in streams() {
        let (mut server, raw) = server::<P>(reader);
        write(&writer, 10);
        server.silent();
        server.ctx().set_raw_read_low(raw, 11).unwrap();
        server.silent();
        server.ctx().set_raw_read_low(raw, 10).unwrap();
        server.turn();
        assert_eq!(server.seen().last(), Some(&Seen::Ready(raw)));
        server.ctx().set_raw_read_low(raw, 1000).unwrap();
        server.take_seen();
        server.silent();
        server.ctx().set_raw_read_low(raw, 0).unwrap();
        server.turn();
        assert_eq!(server.take_seen(), [Seen::Ready(raw)]);
    }
}

/// The mark is one for reading: of a descriptor that is ready for writing, too, that is told.
pub(super) fn a_descriptor_s_mark_leaves_writing_alone<P: Subject>() {
    for (reader, writer) in streams().into_iter().skip(1) {
        let (mut server, raw) = server::<P>(reader);
        write(&writer, 10);
        server.silent();
        server.ctx().set_interest(raw, Interest::READABLE | Interest::WRITABLE).unwrap();
        server.until_seen(&Seen::Ready(raw));
        server.ctx().set_interest(raw, Interest::NONE).unwrap();
        server.take_seen();
        write(&writer, MARK);
        server.silent();
        server.ctx().set_interest(raw, Interest::READABLE).unwrap();
        server.until_seen(&Seen::Ready(raw));
    }
}

pub(super) fn a_descriptor_comes_back_without_a_mark<P: Subject>() {
    for (reader, writer) in streams() {
        let (mut server, raw) = server::<P>(reader);
        write(&writer, 10);
        server.turn();
        server.turn();
        let fd = server.ctx().unregister(raw).unwrap();
        assert_eq!(server.empty_turns(SILENCE), 1, "no timer is left");
        if let Ok(mark) = SO_RCVLOWAT.get(&fd) {
            assert_eq!(mark, 1);
        }
        assert_eq!(server.ctx().set_raw_read_low(raw, 2).unwrap_err().kind(), ErrorKind::NotFound);
    }
}

pub(super) fn what_can_t_have_a_mark_says_so<P: Subject>() {
    let (datagrams, _far) = UnixDatagram::pair().unwrap();
    let file = File::open("/proc/self/exe").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let fds: [(OwnedFd, &str); 4] = [
        (datagrams.into(), "set a read low-water mark: a socket of messages is no stream of bytes"),
        (file.into(), "set a read low-water mark: a file is no stream of bytes"),
        (listener.into(), "ask for FIONREAD: "),
        (Counter::new(0).duplicate(), "ask for FIONREAD: "),
    ];
    for (fd, complaint) in fds {
        let mut server = Server::<P>::new(Family::Unix, |_, _| {});
        let raw = server.ctx().register(fd, Interest::NONE).unwrap();
        let error = server.ctx().set_raw_read_low(raw, MARK).unwrap_err();
        assert!(error.to_string().starts_with(complaint), "{error}");
        server.ctx().set_raw_read_low(raw, 1).unwrap();
    }
}

/// As long as a TCP stream isn't read past the place of an urgent byte, FIONREAD counts up to that alone:
/// also when the byte was taken, and nothing tells of it any more.
pub(super) fn an_urgent_byte_that_was_taken_hides_nothing<P: Subject>() {
    for reads in [true, false] {
        let (near, far) = tcp();
        let mut server = Server::<P>::new(Family::Unix, |_, _| {});
        let interest = Interest::READABLE | Interest::PRIORITY;
        let raw = server.ctx().register(near, interest).unwrap();
        server.ctx().set_raw_read_low(raw, MARK).unwrap();
        let far = OwnedFd::from(far);
        write(&far, 10);
        send_urgent(&far, b'!');
        server.until_seen(&Seen::Ready(raw));
        {
            let ctx = server.ctx();
            let fd = ctx.raw(raw).unwrap();
            assert_eq!(receive_urgent(&fd), b'!');
            if reads {
                assert_eq!(rustix::io::read(fd, &mut [0; 100]).unwrap(), 10);
            }
        }
        server.turn();
        server.take_seen();
        write(&far, 10 * MARK);
        server.until_seen(&Seen::Ready(raw));
    }
}

/// The end of a terminal's input is no hang-up, and there is no byte to count.
pub(super) fn the_end_of_a_terminal_s_input_is_told<P: Subject>() {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let near = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let (mut server, raw) = server::<P>(near.into());
    server.silent();
    rustix::io::write(&terminal, b"\x04").unwrap();
    server.until_seen(&Seen::Ready(raw));
    read(&mut server, raw, 0);
}

pub(super) fn who_doesn_t_ask_for_reading_is_not_looked_after<P: Subject>() {
    for (reader, writer) in streams() {
        let (mut server, raw) = server::<P>(reader);
        write(&writer, 10);
        server.silent();
        server.ctx().set_interest(raw, Interest::NONE).unwrap();
        server.turn();
        // Longer than the longest pause between two looks.
        assert_eq!(server.empty_turns(6 * SILENCE), 1, "no timer is left");
    }
}
