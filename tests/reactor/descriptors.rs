//! Descriptors of the user's own, of all kinds: `ready` says when, and the user does the rest.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use reactor::{Address, Interest, RawId};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use socket2::{Domain, Protocol, Socket, Type};
use tests::Subject;
use tests::recorder::{Call, Seen};
use tests::server::{Family, Server};
use tests::sockets::{Counter, pipe};

/// What each read of a registered descriptor brought; the last may be the empty one of its end.
type Reads = Rc<RefCell<Vec<Vec<u8>>>>;

/// A server that reads what is ready until it would block.
fn reading<P: Subject>(fd: impl Into<OwnedFd>) -> (Server<P>, RawId, Reads) {
    // Unix, because one of the tests has no addresses.
    let reads = Reads::default();
    let state = Rc::clone(&reads);
    let mut server = Server::<P>::new(Family::Unix, move |ctx, call| {
        let Call::Ready(raw, readiness) = call else { return };
        assert!(readiness.is_readable(), "{readiness:?}");
        loop {
            let mut buffer = [0; 64 * 1024];
            match rustix::io::read(ctx.raw(raw).unwrap(), &mut buffer) {
                Ok(count) => {
                    state.borrow_mut().push(buffer[..count].to_vec());
                    if count == 0 {
                        ctx.set_interest(raw, Interest::NONE).unwrap();
                        return;
                    }
                }
                Err(Errno::AGAIN) => return,
                Err(error) => panic!("read: {error}"),
            }
        }
    });
    let raw = server.ctx().register(fd, Interest::READABLE).unwrap();
    (server, raw, reads)
}

/// Turns until so many reads brought something.
fn until_read<P: Subject>(server: &mut Server<P>, reads: &Reads, count: usize) -> Vec<Vec<u8>> {
    server.until("it is read", |_| reads.borrow().len() >= count);
    server.silent();
    reads.take()
}

pub(super) fn a_unix_datagram_socket_works<P: Subject>() {
    let (near, far) = UnixDatagram::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let (mut server, _, reads) = reading::<P>(near);
    server.silent();
    for bytes in [&b"one"[..], b"two", &[7; 10_000]] {
        far.send(bytes).unwrap();
    }
    assert_eq!(until_read(&mut server, &reads, 3), [&b"one"[..], b"two", &[7; 10_000]]);
}

pub(super) fn a_seqpacket_socket_works<P: Subject>() {
    let (near, far) = Socket::pair(Domain::UNIX, Type::SEQPACKET, None).unwrap();
    near.set_nonblocking(true).unwrap();
    let (mut server, raw, reads) = reading::<P>(near);
    {
        let ctx = server.ctx();
        assert_eq!(Address::peer_of(&ctx.raw(raw).unwrap()).unwrap(), Address::Unnamed);
    }
    far.send(b"one").unwrap();
    far.send(b"two").unwrap();
    assert_eq!(until_read(&mut server, &reads, 2), [b"one", b"two"]);
    drop(far);
    assert_eq!(until_read(&mut server, &reads, 1), [b""]);
}

pub(super) fn both_ends_of_a_pipe_work<P: Subject>() {
    let (reader, writer) = pipe();
    let mut filled = 0;
    while let Ok(count) = rustix::io::write(&writer, &[7; 4096]) {
        filled += count;
    }
    let mut server = Server::<P>::tcp(|ctx, call| {
        if let Call::Ready(raw, readiness) = call {
            assert!(readiness.is_writable());
            ctx.set_interest(raw, Interest::NONE).unwrap();
        }
    });
    let raw = server.ctx().register(writer, Interest::WRITABLE).unwrap();
    server.silent();
    let mut buffer = vec![0; filled];
    assert_eq!(rustix::io::read(&reader, &mut buffer).unwrap(), filled);
    server.until_seen(&Seen::Ready(raw));

    let writer = server.ctx().unregister(raw).unwrap();
    let (mut server, _, reads) = reading::<P>(reader);
    server.silent();
    rustix::io::write(&writer, b"hello").unwrap();
    assert_eq!(until_read(&mut server, &reads, 1), [b"hello"]);
    drop(writer);
    assert_eq!(until_read(&mut server, &reads, 1), [b""]);
}

pub(super) fn a_listener_of_ones_own_works<P: Subject>() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Rc::new(RefCell::new(Vec::new()));
    let state = Rc::clone(&accepted);
    let mut server = Server::<P>::tcp(move |ctx, call| {
        if let Call::Ready(raw, _) = call {
            let socket = rustix::net::accept(ctx.raw(raw).unwrap()).unwrap();
            state.borrow_mut().push(TcpStream::from(socket));
        }
    });
    server.ctx().register(listener, Interest::READABLE).unwrap();
    server.silent();
    let client = TcpStream::connect(address).unwrap();
    server.until("it is accepted", |_| accepted.borrow().len() == 1);
    let peer = accepted.borrow()[0].peer_addr().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    server.silent();
}

pub(super) fn an_eventfd_works<P: Subject>() {
    let counter = Counter::new(0);
    let (mut server, _, reads) = reading::<P>(counter.duplicate());
    server.silent();
    counter.add(2);
    counter.add(3);
    assert_eq!(until_read(&mut server, &reads, 1), [5_u64.to_ne_bytes()]);
}

/// ICMP's echo (RFC 792) over the loopback interface, which shows the question and the answer.
pub(super) fn a_raw_icmp_socket_works<P: Subject>() {
    // Type 8, its checksum, and an identifier of 0x34.
    const QUESTION: [u8; 8] = [8, 0, 0xf7, 0xcb, 0, 0x34, 0, 0];
    let socket = match Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)) {
        Ok(socket) => socket,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return eprintln!("not tested: a raw socket is for root ({error})");
        }
        Err(error) => panic!("{error}"),
    };
    socket.set_nonblocking(true).unwrap();
    let sender = socket.try_clone().unwrap();
    let (mut server, _, reads) = reading::<P>(socket);
    let home = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    sender.send_to(&QUESTION, &home).unwrap();
    // Other tests' errors are ICMP, too.
    server.until("the answer comes", |_| {
        reads
            .borrow()
            .iter()
            .any(|packet| packet.get(20) == Some(&0) && packet.get(25) == Some(&0x34))
    });
}

/// rtnetlink(7): a question to the kernel itself, and its answer in several pieces.
pub(super) fn a_netlink_socket_works<P: Subject>() {
    // nlmsghdr: length, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, and a rtgenmsg.
    let mut question = Vec::new();
    question.extend_from_slice(&20_u32.to_ne_bytes());
    question.extend_from_slice(&18_u16.to_ne_bytes());
    question.extend_from_slice(&0x301_u16.to_ne_bytes());
    question.extend_from_slice(&[0; 12]);
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None).unwrap();
    let sender = socket.try_clone().unwrap();
    let (mut server, _, reads) = reading::<P>(socket);
    server.silent();
    rustix::io::write(&sender, &question).unwrap();
    // The name of the loopback interface, with the zero at its end, in an attribute.
    server.until("the interfaces come", |_| {
        reads.borrow().iter().any(|piece| piece.windows(3).any(|name| name == b"lo\0"))
    });
}

/// In a network of the test's own, whose loopback interface is down to begin with.
pub(super) fn changes_of_interfaces_are_told<P: Subject>() {
    // The network belongs to a thread.
    let told = thread::spawn(|| {
        match unshare(CloneFlags::CLONE_NEWNET) {
            Ok(()) => {}
            Err(nix::errno::Errno::EPERM) => {
                return eprintln!("not tested: a network of one's own is for root");
            }
            Err(error) => panic!("{error}"),
        }
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None).unwrap();
        // RTMGRP_LINK.
        bind(&socket, &SocketAddrNetlink::new(0, 1)).unwrap();
        let sender = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None).unwrap();
        let (mut server, _, reads) = reading::<P>(socket);
        server.silent();
        // nlmsghdr: length, RTM_NEWLINK, NLM_F_REQUEST; ifinfomsg: interface 1, IFF_UP.
        let mut up = 32_u32.to_ne_bytes().to_vec();
        up.extend_from_slice(&16_u16.to_ne_bytes());
        up.extend_from_slice(&1_u16.to_ne_bytes());
        for number in [0, 0, 0, 1, 1, 1_u32] {
            up.extend_from_slice(&number.to_ne_bytes());
        }
        rustix::io::write(&sender, &up).unwrap();
        let told = until_read(&mut server, &reads, 1);
        // The type of the first message, and the flags of the interface.
        assert_eq!(told[0][4..6], 16_u16.to_ne_bytes());
        let flags = u32::from_ne_bytes(told[0][24..28].try_into().unwrap());
        assert_eq!(flags & 1, 1, "{told:?}");
    });
    if let Err(panic) = told.join() {
        resume_unwind(panic);
    }
}
