//! What the log says of clients: who they are, from where, and why they leave.

use regex::Regex;

use crate::process::{Server, Settings, chat, oper};

/// The connection that a line is about, whose end has to be this.
fn connection(line: &str, end: &str) -> String {
    let about = line.strip_suffix(end).unwrap_or_else(|| panic!("{line} has another end"));
    let (_, id) = about.trim_end_matches(": ").rsplit_once("ConnId").unwrap();
    id.to_owned()
}

#[test]
fn who_comes_and_goes_can_be_followed() {
    let server = Server::start(chat().env("RUST_LOG", "debug"));
    let mut ann = server.stranger();
    let id = connection(&server.says("a client"), "a client from 127.0.0.1");
    ann.say("NICK ann");
    ann.say("USER u 0 * :r");
    let registered = server.says(" is ");
    assert_eq!(connection(&registered, "127.0.0.1 is \"ann!u@localhost\""), id);
    ann.say("NICK other");
    ann.say("QUIT :bye");
    let end = "127.0.0.1 leaves: \"Quit: bye\", as \"other!u@localhost\"";
    assert_eq!(connection(&server.says("leaves"), end), id);
}

/// In one shape, that programs which block addresses look for, and which no client can make for another's. It
/// takes a second, for that is the least that the settings can say.
#[test]
fn who_is_refused_is_logged_with_its_address() {
    let settings =
        Settings::new("refused", "password = 'sesame'\n[limits]\nregistration-seconds = 1\n");
    let server = Server::start(settings.chat().env("RUST_LOG", "info"));
    let leaves = |source: &str, reason: &str| {
        let end = format!("127.0.0.1 leaves: \"{reason}\", as \"{source}@localhost\"");
        let line = server.says("leaves");
        assert!(line.contains("INFO"), "{line}");
        connection(&line, &end);
    };
    let mut liar = server.stranger();
    liar.say("QUIT :ConnId(1.1): 192.0.2.1 leaves: \"Bad password\", as \"x\"");
    let said = "Quit: ConnId(1.1): 192.0.2.1 leaves: \\\"Bad password\\\", as \\\"x\\\"";
    leaves("*!", said);
    let mut guest = server.stranger();
    guest.write(b"PASS guess\r\nNICK ann\r\nUSER u 0 * :r\r\n");
    leaves("ann!u", "Bad password");
    let mut flood = server.stranger();
    flood.write("PASS sesame\r\n".repeat(1_500).as_bytes());
    leaves("*!", "Excess flood");
    let _silent = server.stranger();
    leaves("*!", "Registration timed out");
}

/// What README gives for fail2ban finds each of them, with the address.
#[test]
fn the_pattern_for_those_who_block_addresses_finds_them() {
    let readme = include_str!("../../../../README.md");
    let patterns = readme.split_once("failregex = ").unwrap().1.split_once("```").unwrap().0;
    let patterns: Vec<_> = patterns
        .lines()
        .map(|line| line.trim().replace("<HOST>", r"(?P<host>[0-9a-f.:]+)"))
        .map(|pattern| Regex::new(&pattern).unwrap())
        .collect();
    let found = |line: &str| {
        let host = patterns.iter().find_map(|pattern| pattern.captures(line));
        host.map(|captures| captures["host"].to_owned())
    };
    let settings = Settings::new("pattern", &format!("password = 'sesame'\n{}", oper("secret")));
    let server = Server::start(settings.chat().env("RUST_LOG", "info"));
    let mut guest = server.stranger();
    guest.write(b"PASS guest\r\nNICK ann\r\nUSER u 0 * :r\r\n");
    assert_eq!(found(&server.says("leaves")).as_deref(), Some("127.0.0.1"));
    let mut flood = server.stranger();
    flood.write("PASS sesame\r\n".repeat(1_500).as_bytes());
    assert_eq!(found(&server.says("leaves")).as_deref(), Some("127.0.0.1"));
    let mut bob = server.stranger();
    bob.write(b"PASS sesame\r\nNICK bob\r\nUSER u 0 * :r\r\nOPER root guess\r\n");
    assert_eq!(found(&server.says("OPER")).as_deref(), Some("127.0.0.1"));
    bob.write(b"QUIT :bye\r\n");
    assert_eq!(found(&server.says("leaves")), None);
}
