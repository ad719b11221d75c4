//! The file of settings, also when it is read again.

use std::net::{TcpListener, TcpStream};

use nix::sys::signal::Signal;

use crate::process::{Server, Settings, oper};

#[test]
fn sighup_reads_the_settings_again_and_keeps_the_old_ones_if_they_are_wrong() {
    let settings = Settings::new("sighup", "motd = 'first'\n");
    let server = Server::start(settings.chat().env("RUST_LOG", "info"));
    let mut client = server.client("ann");
    let mut motd = |words: &str| {
        client.say("MOTD");
        client.hears(words);
        client.hears(" 376 ");
    };
    motd("first");
    settings.write("motd = 'second'\n");
    server.signal(Signal::SIGHUP);
    server.says("the settings were read again");
    motd("second");
    settings.write("motd = 'third'\nnick = 3\n");
    server.signal(Signal::SIGHUP);
    let line = server.says("the settings stay as they were");
    assert!(line.contains("line 2") && line.contains("nick"), "{line}");
    motd("second");
}

#[test]
fn an_operator_may_have_them_read_again_and_is_told_what_is_wrong() {
    let text = oper("secret");
    let settings = Settings::new("rehash", &text);
    let server = settings.server();
    let mut client = server.client("ann");
    client.say("REHASH");
    client.hears(" 481 ");
    client.say("OPER root guess");
    client.hears(" 464 ");
    client.say("OPER nobody secret");
    client.hears(" 464 ");
    client.say("OPER root secret");
    client.hears(" 381 ");
    client.hears("MODE ann");
    client.say("REHASH");
    let file = settings.path().file_name().unwrap().to_str().unwrap().to_owned();
    client.hears(&format!(" 382 ann {file} "));
    client.hears("NOTICE ann :The settings were read again");
    client.say("REHASH");
    client.hears(&format!(" 382 ann {file} "));
    client.hears("NOTICE ann :The settings were read again");
    settings.write("nick = 3\n");
    client.say("REHASH");
    let line = client.hears("NOTICE ann :The settings stay as they were");
    assert!(line.contains("line 1"), "{line}");
    // What follows OPER in the same piece has its rights already.
    settings.write(&text);
    let mut other = server.client("bob");
    other.write(b"OPER root secret\r\nREHASH\r\n");
    other.hears(" 381 ");
    other.hears(" 382 ");
}

#[test]
fn who_is_no_operator_in_the_new_settings_is_none_any_more() {
    let settings = Settings::new("fallen", &oper("secret"));
    let server = Server::start(settings.chat().env("RUST_LOG", "info"));
    let mut client = server.client("ann");
    client.say("OPER root secret");
    client.hears(" 381 ");
    client.hears("MODE ann");
    // Nothing has changed for it.
    server.signal(Signal::SIGHUP);
    server.says("the settings were read again");
    assert_eq!(client.sync(), [""; 0]);
    settings.write(&oper("another"));
    server.signal(Signal::SIGHUP);
    server.says("the settings were read again");
    client.hears("MODE ann -o");
    client.hears("NOTICE ann :You are no operator any more");
    client.say("REHASH");
    client.hears(" 481 ");
}

#[test]
fn what_operators_do_is_logged_and_guesses_are() {
    let settings = Settings::new("log", &oper("secret"));
    let server = Server::start(settings.chat().env("RUST_LOG", "info"));
    let mut client = server.client("ann");
    let logged = |words: &str, more: &[&str]| {
        let line = server.says(words);
        assert!(line.contains("127.0.0.1"), "{line}");
        assert!(more.iter().all(|words| line.contains(words)), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    };
    // It may be the password that was said there.
    client.say("OPER secret root");
    logged("OPER ", &["WARN", "OPER of an unknown account failed, by \"ann!"]);
    client.say("OPER root guess");
    logged("OPER ", &["WARN", "OPER \"root\" failed, by \"ann!"]);
    client.say("OPER root secret");
    logged("OPER ", &["INFO", "\"root\" succeeded", "ann!"]);
    client.say("REHASH");
    logged("REHASH", &["INFO", "ann!"]);
    let _bob = server.client("bob");
    client.say("KILL bob :\u{1b}c\u{7}enough");
    logged("KILL", &["INFO", "ann!", "bob!", "enough"]);
}

#[test]
fn listeners_follow_the_settings_and_whoever_is_there_stays() {
    let settings = Settings::new("listen", "listen = ['127.0.0.1:0']\n");
    let server = Server::start_as_told(settings.chat().env("RUST_LOG", "info"));
    let mut client = server.client("ann");
    // One that can't be had: nothing changes.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    settings.write(&format!("listen = ['{address}']\nmotd = 'new'\n"));
    server.signal(Signal::SIGHUP);
    let line = server.says("the settings stay as they were");
    assert!(line.contains(&address.to_string()) && line.contains("in use"), "{line}");
    server.client("bob");
    client.say("MOTD");
    client.hears(" 422 ");
    // Now it can.
    drop(taken);
    server.signal(Signal::SIGHUP);
    server.says("the settings were read again");
    TcpStream::connect(address).unwrap();
    assert!(TcpStream::connect(server.address()).is_err());
    client.say("MOTD");
    client.hears("new");
}
