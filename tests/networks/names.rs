//! Names, and servers of names that say nothing.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use reactor::ConnectOptions;
use tests::Subject;
use tests::listening::Listening;
use tests::recorder::sink;
use tests::server::Server;

use crate::namespace::call;
use crate::network::Network;

/// In the place of each server that the system asks for names: it hears the questions, and is silent.
fn silent_servers() -> Vec<UdpSocket> {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let mut servers: Vec<IpAddr> = named.filter_map(|rest| rest.trim().parse().ok()).collect();
    if servers.is_empty() {
        servers.push(Ipv4Addr::LOCALHOST.into());
    }
    let bind = |server: IpAddr| {
        if !server.is_loopback() {
            call(&format!("ip address add {server} dev lo")).unwrap();
        }
        let socket = UdpSocket::bind((server, 53)).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    servers.into_iter().map(bind).collect()
}

fn was_asked(servers: &[UdpSocket]) -> bool {
    servers.iter().any(|server| match server.recv(&mut [0; 512]) {
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
        Err(error) => panic!("{error}"),
    })
}

/// The system's resolver blocks for as long as it waits for an answer, some ten seconds.
pub(crate) fn one_that_is_slow_holds_no_other_up<P: Subject>() {
    let _network = Network::new();
    let servers = silent_servers();
    let mut server = Server::<P>::tcp(sink);
    let options = ConnectOptions::default();
    let slow = server.ctx().connect("silent.example:80", &options);
    server.until("the name is asked for", |_| was_asked(&servers));
    let listening = Listening::tcp();
    let quick = server.ctx().connect(("localhost", listening.address().port()), &options);
    server.until_connected(quick);
    assert!(server.reactor.handler().error_of(slow).is_none(), "it has waited for the slow one");
}
