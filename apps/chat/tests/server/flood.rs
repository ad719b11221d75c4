//! Who talks too fast, and who doesn't listen.

use std::time::{Duration, Instant};

use reactor::{Backend, options};

use crate::process::{Server, Settings, chat_on};

/// That it is slowed down takes as long as it has to: half a second.
#[test]
fn a_flood_is_slowed_down_and_nothing_of_it_is_lost() {
    let settings = Settings::new("flood", "[limits]\nburst = 5\nlines-per-second = 100\n");
    let server = settings.server();
    let (mut ann, mut bob) = (server.client("ann"), server.client("bob"));
    let lines: String = (0..60).map(|at| format!("PRIVMSG bob :{at}\r\n")).collect();
    let start = Instant::now();
    ann.write(lines.as_bytes());
    // The last ones come although it has finished.
    ann.finish();
    for at in 0..60 {
        assert_eq!(bob.line(), format!(":ann!u@localhost PRIVMSG bob :{at}"));
    }
    assert!(start.elapsed() >= Duration::from_millis(500));
    ann.hears("Connection closed");
}

#[test]
fn too_much_of_a_flood_is_dropped_and_others_are_told() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut chat_on(backend));
        let (mut ann, mut bob) = (server.client("ann"), server.client("bob"));
        for client in [&mut ann, &mut bob] {
            client.say("JOIN #c");
            client.hears(" 366 ");
        }
        ann.write("PRIVMSG #c :again and again\r\n".repeat(1000).as_bytes());
        assert!(ann.rest().ends_with("(Excess flood)\r\n"), "{backend}");
        bob.hears(":ann!u@localhost QUIT :Excess flood");
        assert!(bob.sync().is_empty());
    }
}

/// It takes a second, until two more lines are allowed: the refused one and the question.
#[test]
fn the_rest_of_a_line_that_was_refused_is_no_flood() {
    let settings = Settings::new("endless", "[limits]\nburst = 2\nlines-per-second = 2\n");
    let server = settings.server();
    let mut ann = server.client("ann");
    ann.write(&[b'x'; 5_000]);
    ann.hears(" 417 ");
    let mut rest = vec![b'x'; 200_000];
    rest.extend_from_slice(b"\r\n");
    ann.write(&rest);
    assert!(ann.sync().is_empty());
}

#[test]
fn without_flood_control_thousands_of_lines_come_in_their_order() {
    for backend in Backend::COMPILED {
        let server = Server::start(chat_on(backend).arg("--no-flood-control"));
        let (mut ann, mut bob) = (server.client("ann"), server.client("bob"));
        let lines: String = (0..3000).map(|at| format!("PRIVMSG bob :{at}\r\n")).collect();
        ann.write(lines.as_bytes());
        // Its lines have their turns, too.
        ann.finish();
        for at in 0..3000 {
            assert_eq!(bob.line(), format!(":ann!u@localhost PRIVMSG bob :{at}"), "{backend}");
        }
    }
}

#[test]
fn who_never_reads_is_dropped_and_the_others_go_on() {
    let settings = Settings::new("send-queue", "[limits]\nsend-queue = 16384\n");
    for backend in Backend::COMPILED {
        let mut command = settings.chat();
        command.args(["--no-flood-control", "--backend", backend.name()]);
        let server = Server::start(&mut command);
        let (mut ann, mut deaf) = (server.client("ann"), server.client("deaf"));
        let mut other = server.client("other");
        // As little as the system allows, so that it is the server's turn to wait.
        options::SO_RCVBUF.set(deaf.socket(), 2048).unwrap();
        for client in [&mut deaf, &mut ann] {
            client.say("JOIN #c");
            client.hears(" 366 ");
        }
        let line = format!("PRIVMSG #c :{}\r\n", "x".repeat(400));
        let quit = loop {
            ann.write(line.repeat(100).as_bytes());
            if let Some(quit) = ann.sync().pop() {
                break quit;
            }
            assert!(other.sync().is_empty());
        };
        assert_eq!(quit, ":deaf!u@localhost QUIT :SendQ exceeded", "{backend}");
        ann.say("PRIVMSG other :still here");
        other.hears("still here");
        server.client("deaf");
    }
}
