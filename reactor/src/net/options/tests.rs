//! Through real sockets: what is set is read back, and has its effect.

mod effects;
mod sets;
mod values;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use socket2::{Domain, Type};

use super::*;

fn new(domain: Domain, kind: Type) -> Socket {
    let socket = Socket::new(domain, kind, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn tcp() -> Socket {
    new(Domain::IPV4, Type::STREAM)
}

fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// A machine without IPv6 has no such sockets; whatever else goes wrong is no reason.
fn v6(kind: Type) -> Option<Socket> {
    match Socket::new(Domain::IPV6, kind, None) {
        Ok(socket) => Some(socket),
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => None,
        Err(error) => panic!("{error}"),
    }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
