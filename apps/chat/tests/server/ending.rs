//! Clients that leave, signals, and what they cost whom.

use std::io;
use std::net::TcpStream;

use nix::sys::signal::Signal;
use reactor::{Backend, options};

use crate::process::{Server, Settings, chat, chat_on, eventually, oper};

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

/// After each byte of all that one might say, without having read anything: that ends in an RST.
#[test]
fn who_leaves_at_any_moment_harms_nobody() {
    let settings = Settings::new("leaving", &oper("secret"));
    let said = "NICK leaver\r\nUSER u 0 * :r\r\nJOIN #c\r\nPRIVMSG #c :hi\r\nOPER root secret\r\nREHASH\r\n\
                MONITOR + stays\r\nKILL leaver :me\r\nQUIT\r\nPING x\r\n";
    for backend in Backend::COMPILED {
        let mut command = settings.chat();
        let server =
            Server::start(command.args(["--no-flood-control", "--backend", backend.name()]));
        let mut stays = server.client("stays");
        stays.say("JOIN #c");
        stays.hears(" 366 ");
        for end in 0..=said.len() {
            server.stranger().write(&said.as_bytes()[..end]);
        }
        // In the end everybody has gone, from everywhere.
        eventually(|| {
            stays.say("NAMES #c");
            let here = stays.hears(" 353 ");
            stays.say("LUSERS");
            let known = stays.hears(" 255 ");
            match here.ends_with("#c :@stays") && known.contains("I have 1 ") {
                true => Ok(()),
                false => Err(io::Error::other(format!("{backend}: {here} {known}"))),
            }
        });
        stays.say("OPER root secret");
        stays.hears(" 381 ");
        // One who hadn't registered may still be on its way out.
        eventually(|| server.try_client("leaver").map(drop));
    }
}
