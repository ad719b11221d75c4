//! What the flags say, and what is said of wrong ones.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;

use reactor::Backend;

use crate::process::{Directory, Server, assert_one_line, echo, run};

#[test]
fn the_list_of_mechanisms_is_that_of_the_build() {
    let output = run(&["--backend", "list"]);
    assert!(output.status.success());
    let names: Vec<_> = Backend::COMPILED.iter().map(|backend| format!("{backend}\n")).collect();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), names.concat());
}

#[test]
fn the_variable_names_the_mechanism() {
    let worst = Backend::COMPILED.last().unwrap();
    let server = Server::start(echo().env(Backend::VARIABLE, worst.name()));
    assert!(server.line.contains(&format!("({worst})")), "{}", server.line);
    let output = echo().env(Backend::VARIABLE, "kqueue").output().unwrap();
    assert_one_line(&output, 2, &["\"kqueue\"", Backend::COMPILED[0].name()]);
}

#[test]
fn a_mechanism_that_the_build_lacks_is_wrong_usage() {
    let lacks = |name: &&str| Backend::COMPILED.iter().all(|backend| backend.name() != *name);
    for name in ["select", "poll", "epoll", "mio", "kqueue"].iter().filter(|name| lacks(name)) {
        assert_one_line(&run(&["--backend", name]), 2, &[name, "--help"]);
    }
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    for arguments in [
        &["--listen", "nowhere"][..],
        &["--listen"],
        &["--loud"],
        &["--max-connections", "0"],
        &["--max-connections", "many"],
        &["--idle-timeout", "0"],
        &["--idle-timeout", "soon"],
        &["--idle-timeout", "-1"],
        &["--drain-timeout", "late"],
        &["--stats", "1d"],
        &["7007"],
    ] {
        assert_one_line(&run(arguments), 2, &[arguments[0], "--help"]);
    }
}

#[test]
fn a_taken_address_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_one_line(&run(&["--listen", &address]), 1, &[&address, "in use", "--listen"]);

    // Not where clients of other programs have their ports, whose number TCP would then refuse.
    let taken = UdpSocket::bind("127.0.0.7:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_one_line(&run(&["--listen", &address]), 1, &["UDP", &address, "in use", "--listen"]);

    let directory = Directory::new("taken");
    let path = directory.path("socket");
    let _taken = UnixListener::bind(&path).unwrap();
    let path = path.to_str().unwrap();
    assert_one_line(&run(&["--unix", path]), 1, &[path, "in use", "--unix"]);
}

#[test]
fn help_and_version_succeed() {
    for flag in ["--help", "--version"] {
        let output = run(&[flag]);
        assert!(output.status.success());
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
}

#[test]
fn figures_come_periodically() {
    let server = Server::start(echo().args(["--stats", "20ms"]));
    let mut client = server.connect();
    client.ping();
    // The first line that is later than the answer.
    let line = loop {
        let line = server.says("stats: connections=1 ");
        if figure(&line, "messages") > 0.0 {
            break line;
        }
    };
    assert_eq!(figure(&line, "bytes"), 5.0);
    assert!(figure(&line, "bytes/s") > 0.0 && figure(&line, "messages/s") > 0.0, "{line}");
    assert!(figure(&line, "lag_ms") >= 0.0, "{line}");
    assert!(figure(&line, "udp_drops") >= 0.0, "{line}");
    drop(client);
    let later = server.says("stats: connections=0 ");
    assert!(figure(&later, "turns") > figure(&line, "turns"), "{later}");
    assert_eq!(figure(&later, "messages"), figure(&line, "messages"));
}

/// The figure of this name in a line of `--stats`.
fn figure(line: &str, name: &str) -> f64 {
    let found = line.split(' ').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("no {name}: {line}")).parse().unwrap()
}

#[test]
fn the_log_tells_what_it_is_asked_for() {
    let server = Server::start(echo().env("RUST_LOG", "debug"));
    server.says("waits with");
    server.connect().ping();
    server.says("accepted");
    server.says("finished");
}
