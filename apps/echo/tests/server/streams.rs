//! TCP and Unix streams.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

use reactor::Backend;

use crate::process::{Client, Directory, PATIENCE, Server, connect_to, echo, echo_on};

#[test]
fn every_mechanism_echoes_what_comes() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut echo_on(backend));
        let first = format!("listening on {} ({backend})", server.address());
        assert!(server.line.starts_with(&first), "{}", server.line);
        let (mut one, mut two) = (server.connect(), server.connect());
        one.ping();
        two.ping();
        one.ping();
    }
}

#[test]
fn every_mechanism_answers_an_end_with_an_end() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut echo_on(backend));
        for bytes in [&b""[..], b"the last words"] {
            let mut client = server.connect();
            std::io::Write::write_all(&mut client.0, bytes).unwrap();
            client.0.shutdown(Shutdown::Write).unwrap();
            client.expect(bytes);
            client.expect_end();
        }
    }
}

/// The server must stop reading meanwhile, keep little in memory, and lose nothing, although all of
/// it is read after the client's own end. 16 MiB there and back, and 200 ms until the client counts as
/// stuck, once for each mechanism, are what this test takes.
#[test]
fn every_mechanism_waits_for_a_slow_reader() {
    const SIZE: usize = 16 * 1024 * 1024;
    let bytes: Vec<u8> = (0..SIZE).map(|at| (at / 251 + at) as u8).collect();
    for backend in Backend::COMPILED {
        let server = Server::start(&mut echo_on(backend));
        let mut client = server.connect();
        client.ping();
        let before = server.peak_memory();
        let sent = client.send_until_stuck(&bytes);
        let writer = {
            let mut stream = client.0.try_clone().unwrap();
            let rest = bytes[sent..].to_vec();
            thread::spawn(move || {
                std::io::Write::write_all(&mut stream, &rest).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
            })
        };
        client.expect(&bytes);
        client.expect_end();
        writer.join().unwrap();
        let grown = server.peak_memory() - before;
        assert!(grown < 4 * 1024, "{backend}: {grown} KiB more after {sent} bytes unread");
    }
}

#[test]
fn several_addresses_and_paths_are_served_and_named_in_one_line() {
    let directory = Directory::new("several");
    let path = directory.path("socket");
    let server = Server::start_as_told(
        echo().args(["--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0", "--unix"]).arg(&path),
    );
    let named = server.line.strip_prefix("listening on ").unwrap().split_once(" (").unwrap().0;
    let [one, two, last] = named.split(" and ").collect::<Vec<_>>()[..] else { panic!("{named}") };
    for address in [one, two] {
        connect_to(address.parse().unwrap()).ping();
    }
    assert_eq!(last, path.to_str().unwrap());
    unix_client(&path).ping();
}

#[test]
fn a_name_is_looked_up() {
    let server = Server::start_as_told(echo().args(["--listen", "localhost:0"]));
    assert!(server.address().ip().is_loopback(), "{}", server.line);
    server.connect().ping();
}

#[test]
fn every_mechanism_serves_a_unix_socket_alone() {
    for backend in Backend::COMPILED {
        let directory = Directory::new(&format!("alone-{backend}"));
        let path = directory.path("socket");
        let server = Server::start_as_told(echo_on(backend).arg("--unix").arg(&path));
        let first = format!("listening on {} ({backend})", path.display());
        assert!(server.line.starts_with(&first), "{}", server.line);
        let mut client = unix_client(&path);
        client.ping();
        client.0.shutdown(Shutdown::Write).unwrap();
        client.expect_end();
    }
}

fn unix_client(path: &std::path::Path) -> Client<UnixStream> {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    Client(stream)
}
