//! How many clients are served, and for how long.

use std::io::Write;
use std::time::{Duration, Instant};

use reactor::Backend;

use crate::process::{Server, echo_on, echo_with_few_descriptors, eventually};

#[test]
fn at_the_most_connections_the_next_client_waits_until_one_leaves() {
    for backend in Backend::COMPILED {
        let server = Server::start(echo_on(backend).args(["--max-connections", "2"]));
        let (mut one, mut two) = (server.connect(), server.connect());
        one.ping();
        two.ping();
        // The system completes the connection, and the server doesn't accept it.
        let mut three = server.connect();
        three.0.write_all(b"patience").unwrap();
        for _ in 0..10 {
            one.ping();
            two.ping();
        }
        assert!(three.is_silent(), "{backend}");
        drop(one);
        three.expect(b"patience");
        two.ping();
        three.ping();
    }
}

#[test]
fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    const TIMEOUT: Duration = Duration::from_millis(150);
    for backend in Backend::COMPILED {
        let server = Server::start(echo_on(backend).args(["--idle-timeout", "150ms"]));
        let start = Instant::now();
        let (mut busy, mut idle) = (server.connect(), server.connect());
        while idle.is_silent() {
            busy.ping();
        }
        idle.expect_end();
        assert!(start.elapsed() >= TIMEOUT);
        busy.ping();
    }
}

/// The server is at its limit of descriptors: whom it serves, it goes on to serve; others are turned
/// away, at a leisurely pace; and when some leave, others take their places.
#[test]
fn a_full_table_of_descriptors_hurts_new_clients_alone() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut echo_with_few_descriptors(24, backend));
        let mut clients = Vec::new();
        loop {
            let mut client = server.connect();
            if client.try_ping().is_err() {
                break;
            }
            clients.push(client);
        }
        assert!(clients.len() >= 4, "{backend}: {} clients", clients.len());

        let (start, before) = (Instant::now(), server.cpu_time());
        for _ in 0..3 {
            assert!(server.connect().try_ping().is_err());
        }
        let (elapsed, used) = (start.elapsed(), server.cpu_time() - before);
        assert!(used < elapsed / 3, "{backend}: busy for {used:?} of {elapsed:?}");
        server.says("files");

        clients.iter_mut().for_each(crate::process::Client::ping);
        clients.truncate(2);
        let mut late = eventually(|| {
            let mut client = server.connect();
            client.try_ping().map(|()| client)
        });
        late.ping();
        clients.iter_mut().for_each(crate::process::Client::ping);
    }
}
