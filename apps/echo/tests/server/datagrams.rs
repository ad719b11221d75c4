//! UDP, on the port that the first line names for TCP.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use reactor::Backend;

use crate::process::{PATIENCE, Server, echo, echo_on};

fn bind(address: impl Into<SocketAddr>) -> UdpSocket {
    let socket = UdpSocket::bind(address.into()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Has a datagram echoed, and says who answered.
fn ask(client: &UdpSocket, server: SocketAddr, bytes: &[u8]) -> SocketAddr {
    client.send_to(bytes, server).unwrap();
    let mut answer = vec![1; 65_536];
    let (count, from) = client.recv_from(&mut answer).unwrap();
    assert!(answer[..count] == *bytes, "{} bytes became {count} or others", bytes.len());
    from
}

#[test]
fn every_mechanism_echoes_datagrams_of_any_size() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut echo_on(backend));
        let client = bind((Ipv4Addr::LOCALHOST, 0));
        // The most is what an IPv4 packet holds less its two headers (RFC 791, RFC 768).
        for size in [5, 0, 1500, 65_507, 1] {
            let bytes: Vec<u8> = (0..size).map(|at: u32| (at / 256 + at) as u8).collect();
            assert_eq!(ask(&client, server.address(), &bytes), server.address());
        }
    }
}

#[test]
fn the_answer_comes_from_the_address_that_was_asked() {
    let server = Server::start_as_told(echo().args(["--listen", "0.0.0.0:0"]));
    let client = bind((Ipv4Addr::LOCALHOST, 0));
    for last in [2, 1, 3] {
        let asked = SocketAddr::from(([127, 0, 0, last], server.address().port()));
        assert_eq!(ask(&client, asked, b"who are you?"), asked);
    }
}

/// Two echo servers, or one and itself, would else keep each other busy for ever, after one forged
/// datagram: from the port of the very socket, or of another one of the same server.
#[test]
fn a_datagram_from_one_of_the_servers_own_ports_is_not_answered() {
    let server = Server::start(echo().args(["--listen", "127.0.0.1:0"]));
    let addresses = server.addresses();
    assert_eq!(addresses.len(), 2);
    let client = bind((Ipv4Addr::LOCALHOST, 0));
    for from in &addresses {
        let forger = bind(([127, 0, 0, 2], from.port()));
        forger.set_nonblocking(true).unwrap();
        for to in &addresses {
            forger.send_to(b"forged", to).unwrap();
            // What was sent later is answered later.
            ask(&client, *to, b"true");
            let answer = forger.recv_from(&mut [0; 8]).unwrap_err();
            assert_eq!(answer.kind(), ErrorKind::WouldBlock, "from {from} to {to}");
        }
    }
}
