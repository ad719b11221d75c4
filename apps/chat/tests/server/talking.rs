//! What clients say, and in which pieces.

use reactor::Backend;

use crate::process::{Server, Settings, chat, chat_on, oper};

#[test]
fn two_clients_talk_on_every_mechanism() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut chat_on(backend));
        let (mut ann, mut bob) = (server.client("ann"), server.client("bob"));
        ann.say("PRIVMSG bob :hello, bob");
        assert_eq!(bob.line(), ":ann!u@localhost PRIVMSG bob :hello, bob");
        bob.say("JOIN #c");
        bob.hears(" 366 ");
        ann.say("JOIN #c");
        bob.hears(":ann!u@localhost JOIN");
        ann.hears(" 366 ");
        bob.say("PRIVMSG #c :hello, all");
        assert_eq!(ann.line(), ":bob!u@localhost PRIVMSG #c :hello, all");
        ann.say("QUIT :bye");
        assert!(ann.rest().starts_with("ERROR "), "{backend}");
        bob.hears("QUIT :Quit: bye");
    }
}

#[test]
fn a_line_in_many_pieces_and_many_lines_in_one() {
    for backend in Backend::COMPILED {
        let server = Server::start(chat_on(backend).arg("--no-flood-control"));
        let (mut ann, mut bob) = (server.client("ann"), server.client("bob"));
        let mut said = Vec::new();
        for piece in ["PRIV", "MSG b", "ob :one", " line\r", "\nPRIV"] {
            ann.write(piece.as_bytes());
            // By its answer the server has looked at the piece, mostly.
            said.append(&mut bob.sync());
        }
        ann.write(b"MSG bob :two\nPRIVMSG bob :three\r\n\r\nPRIVMSG bob :four\r\n");
        while said.len() < 4 {
            said.push(bob.line());
        }
        let of = |text| format!(":ann!u@localhost PRIVMSG bob :{text}");
        assert_eq!(said, ["one line", "two", "three", "four"].map(of), "{backend}");
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_is_not() {
    for backend in Backend::COMPILED {
        let server = Server::start(chat_on(backend).arg("--no-flood-control"));
        let mut client = server.client("ann");
        // Beyond what is text, beyond all that is looked at, and far beyond that.
        for length in [600, 5_000, 300_000] {
            client.say(&format!("PRIVMSG ann :{}", "x".repeat(length)));
            assert!(client.line().contains(" 417 ann "), "{backend}");
            assert!(client.sync().is_empty(), "{backend}: more is said of {length} bytes");
        }
    }
}

#[test]
fn who_is_killed_is_told_before_the_end() {
    let settings = Settings::new("killed", &oper("secret"));
    let server = settings.server();
    let (mut root, mut bob) = (server.client("root"), server.client("bob"));
    let mut ann = server.client("ann");
    for client in [&mut bob, &mut ann] {
        client.say("JOIN #c");
        client.hears(" 366 ");
    }
    root.say("OPER root secret");
    root.hears("MODE root");
    root.say("KILL bob :enough");
    let rest = bob.rest();
    let told = rest.find(":root!u@localhost KILL bob :enough\r\n").unwrap();
    assert!(
        rest[told..].ends_with("\r\nERROR :Closing Link: localhost (Killed (root (enough)))\r\n")
    );
    ann.hears(":bob!u@localhost QUIT :Killed (root (enough))");
    assert!(root.sync().is_empty());
}

#[test]
fn who_has_finished_is_gone_at_once() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut chat_on(backend));
        let (mut ann, mut bob) = (server.client("ann"), server.client("bob"));
        for client in [&mut ann, &mut bob] {
            client.say("JOIN #c");
            client.hears(" 366 ");
        }
        bob.finish();
        ann.hears(":bob!u@localhost QUIT :Connection closed");
        assert!(bob.rest().ends_with("(Connection closed)\r\n"), "{backend}");
        server.client("bob");
    }
}

#[test]
fn what_a_browser_is_lured_into_saying_is_not_heard() {
    let server = Server::start(&mut chat());
    let mut ann = server.client("ann");
    for verb in ["GET", "POST", "PUT", "OPTIONS"] {
        let mut browser = server.stranger();
        let body = "NICK evil\r\nUSER u 0 * :r\r\nPRIVMSG ann :hi\r\n";
        browser.say(&format!("{verb} / HTTP/1.1\r\nHost: chat\r\n\r\n{body}"));
        let rest = browser.rest();
        assert!(rest.contains("This is no web server") && rest.lines().count() == 1, "{rest}");
    }
    assert!(ann.sync().is_empty());
}
