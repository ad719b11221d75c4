//! Signals, and what they cost whom.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use reactor::Backend;

use crate::process::{Client, Directory, Server, echo, echo_on};

/// A client that has sent much, and reads none of it. The server has bytes for it in its queue.
fn stuck_client(server: &Server) -> Client<TcpStream> {
    let mut client = server.connect();
    client.send_until_stuck(&vec![7; 64 * 1024 * 1024]);
    client
}

#[test]
fn either_signal_ends_an_unused_server() {
    for backend in Backend::COMPILED {
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let server = Server::start(&mut echo_on(backend));
            server.signal(signal);
            let (status, lines) = server.end();
            assert_eq!(status.code(), Some(0));
            assert_eq!(lines.len(), 2, "{lines:?}");
            assert!(lines[0].contains(signal.as_str()), "{lines:?}");
            assert!(lines[1].contains("nothing was dropped"), "{lines:?}");
        }
    }
}

#[test]
fn a_client_that_waits_is_told_of_the_end_and_nothing_is_dropped() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut echo_on(backend));
        let mut client = server.connect();
        client.ping();
        server.signal(Signal::SIGTERM);
        client.expect_end();
        let refused = TcpStream::connect(server.address());
        assert!(refused.is_err(), "{backend} still accepts");
        drop(client);
        let (status, lines) = server.end();
        assert_eq!(status.code(), Some(0));
        assert!(lines[0].contains("SIGTERM: 1 connection "), "{lines:?}");
        assert!(lines[1].contains("nothing was dropped"), "{lines:?}");
    }
}

/// To be sure that a client is stuck takes 200 ms, once for each mechanism.
#[test]
fn a_stuck_client_has_until_the_deadline() {
    for backend in Backend::COMPILED {
        let server = Server::start(echo_on(backend).args(["--drain-timeout", "50ms"]));
        let _client = stuck_client(&server);
        let start = Instant::now();
        server.signal(Signal::SIGTERM);
        let (status, lines) = server.end();
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert_eq!(status.code(), Some(0));
        let dropped = lines[1].split_once("dropped 1 connection, with ").unwrap().1;
        let bytes: usize = dropped.split_whitespace().next().unwrap().parse().unwrap();
        assert!(bytes > 0, "{backend}: {lines:?}");
    }
}

/// Once the system has all of it, the server needn't wait, and the client loses nothing.
#[test]
fn what_was_sent_arrives_although_the_deadline_is_over() {
    let bytes: Vec<u8> = (0..300_000).map(|at: u32| (at / 251 + at) as u8).collect();
    for backend in Backend::COMPILED {
        let server =
            Server::start(echo_on(backend).args(["--drain-timeout", "50ms", "--stats", "5ms"]));
        let mut client = server.connect();
        client.0.write_all(&bytes).unwrap();
        server.says(" bytes=300000 ");
        server.signal(Signal::SIGTERM);
        let (status, lines) = server.end();
        assert_eq!(status.code(), Some(0));
        assert!(lines.last().unwrap().contains("nothing was dropped"), "{lines:?}");
        client.expect(&bytes);
        client.expect_end();
    }
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    for (signals, code) in
        [([Signal::SIGINT, Signal::SIGINT], 130), ([Signal::SIGINT, Signal::SIGTERM], 143)]
    {
        let directory = Directory::new(&format!("second-{code}"));
        let path = directory.path("socket");
        let server = Server::start(echo().args(["--drain-timeout", "1h", "--unix"]).arg(&path));
        let _client = stuck_client(&server);
        server.signal(signals[0]);
        server.says(signals[0].as_str());
        server.signal(signals[1]);
        assert_eq!(server.end().0.code(), Some(code));
        assert!(!path.exists(), "the socket's file is left behind");
    }
}
