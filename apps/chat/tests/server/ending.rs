//! Signals, and what they cost whom.

use std::net::TcpStream;

use nix::sys::signal::Signal;
use reactor::{Backend, options};

use crate::process::{Server, chat, chat_on};

#[test]
fn everybody_is_told_of_the_end() {
    for backend in Backend::COMPILED {
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let server = Server::start(&mut chat_on(backend));
            let address = server.address();
            let (mut ann, mut stranger) = (server.client("ann"), server.stranger());
            stranger.sync();
            server.signal(signal);
            for client in [&mut ann, &mut stranger] {
                let rest = client.rest();
                assert_eq!(rest, "ERROR :Closing Link: the server shuts down\r\n", "{backend}");
            }
            drop((ann, stranger));
            assert_eq!(server.end(), Some(0), "{backend}");
            assert!(TcpStream::connect(address).is_err());
        }
    }
}

/// It takes a second, for which the server waits for a client's end.
#[test]
fn who_does_not_close_does_not_keep_the_server() {
    let server = Server::start(&mut chat());
    let mut client = server.client("ann");
    server.signal(Signal::SIGTERM);
    assert!(client.rest().starts_with("ERROR "));
    // Nothing begins again meanwhile.
    server.signal(Signal::SIGHUP);
    assert_eq!(server.end(), Some(0));
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    for (signals, code) in
        [([Signal::SIGINT, Signal::SIGINT], 130), ([Signal::SIGINT, Signal::SIGTERM], 143)]
    {
        let server = Server::start(chat().arg("--no-flood-control"));
        let (mut ann, deaf) = (server.client("ann"), server.client("deaf"));
        // The server has bytes for it in its queue, and so waits for it.
        options::SO_RCVBUF.set(deaf.socket(), 2048).unwrap();
        let line = format!("PRIVMSG deaf :{}\r\n", "x".repeat(400));
        ann.write(line.repeat(100).as_bytes());
        ann.sync();
        server.signal(signals[0]);
        assert!(ann.rest().starts_with("ERROR "));
        server.signal(signals[1]);
        assert_eq!(server.end(), Some(code));
    }
}
