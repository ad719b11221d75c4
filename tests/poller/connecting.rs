//! A connect under way, as the poller sees its end, and what was never connected or not for long.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use reactor::{Interest, Readiness};
use rustix::event::PollFlags;
use rustix::io::Errno;
use socket2::{Domain, Socket, Type};
use tests::Subject;
use tests::rig::Rig;
use tests::sockets::{await_bits, reset};

/// A socket whose connect to `address` is under way or over.
fn connect(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => {}
        Err(error) => panic!("connect: {error}"),
    }
    socket
}

pub(super) fn a_connect_that_succeeds_is_writable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let socket = connect(listener.local_addr().unwrap());
    let key = rig.add(&socket, 0, Interest::WRITABLE);
    assert_eq!(rig.expect(key), Readiness::WRITABLE);
    assert!(socket.take_error().unwrap().is_none());
    socket.peer_addr().unwrap();
}

pub(super) fn a_connect_that_is_refused_is_writable<P: Subject>() {
    let mut rig = Rig::<P>::new();
    // Bound and not listening: nobody else can take the port and answer.
    let closed = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    closed.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let address = closed.local_addr().unwrap().as_socket().unwrap();
    let socket = connect(address);
    let key = rig.add(&socket, 0, Interest::WRITABLE);
    let readiness = rig.expect(key);
    assert!(readiness.is_writable());
    assert_eq!(readiness.is_error(), rig.poller.capabilities().sees_close);
    let error = socket.take_error().unwrap().expect("the connect failed");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(socket.peer_addr().is_err());
    assert!(rig.expect(key).is_writable(), "still ready, also when the error is read");
}

/// Why a socket is registered after connect(2) was called, and not before.
pub(super) fn a_socket_never_connected_is_ready_for_everything<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let key = rig.add(&socket, 0, Interest::READABLE | Interest::WRITABLE);
    for _ in 0..3 {
        let readiness = rig.expect(key);
        assert!(readiness.contains(Readiness::READABLE | Readiness::WRITABLE), "{readiness:?}");
        assert_eq!(readiness.is_write_closed(), rig.poller.capabilities().sees_close);
    }
    rig.modify(key, Interest::NONE);
    rig.silent();
}

pub(super) fn a_connection_reset_before_its_accept_is_accepted<P: Subject>() {
    let mut rig = Rig::<P>::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let waiting = rig.add(&listener, 0, Interest::READABLE);
    reset(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    assert_eq!(rig.expect(waiting), Readiness::READABLE);
    let (accepted, _) = listener.accept().unwrap();
    rig.silent();
    await_bits(&accepted, PollFlags::ERR);
    let key = rig.add(&accepted, 1, Interest::READABLE);
    let readiness = rig.expect(key);
    assert!(readiness.is_readable());
    assert_eq!(readiness.is_error(), rig.poller.capabilities().sees_close);
    let error = accepted.take_error().unwrap().expect("the reset is told");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(rig.expect(key).is_readable(), "still ready, also when the error is read");
}
