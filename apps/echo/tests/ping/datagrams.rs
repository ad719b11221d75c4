//! UDP, where anything may happen to an answer.

use nix::sys::signal::Signal;
use reactor::Backend;

use crate::process::{Client, lines, ping, udp};
use crate::server::{Server, echo_on};

#[test]
fn every_mechanism_pings_by_udp() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut echo_on(backend));
        let address = server.address().to_string();
        for (size, interval) in [("8", "1ms"), ("65507", "0")] {
            let arguments =
                [&address, "--udp", "--count", "3", "--size", size, "--interval", interval];
            let output = ping(backend, &arguments).output().unwrap();
            let lines = lines(&output);
            assert_eq!(output.status.code(), Some(0), "{lines:?}");
            let start = format!("{size} bytes from {address}: seq=3 time=");
            assert!(lines[2].starts_with(&start), "{lines:?}");
            assert!(lines[3].ends_with(": 3 sent, 3 answered, 0 lost (0.0 %)"), "{lines:?}");
        }
    }
}

#[test]
fn what_gets_no_answer_is_lost() {
    let (_silent, address) = udp();
    for backend in Backend::COMPILED {
        let arguments =
            [&address, "--udp", "--count", "2", "--interval", "1ms", "--timeout", "30ms"];
        let output = ping(backend, &arguments).output().unwrap();
        let lines = lines(&output);
        assert_eq!((output.status.code(), lines.len()), (Some(1), 3), "{lines:?}");
        assert!(lines[0].contains("no answer") && lines[0].contains("seq=1 "), "{lines:?}");
        assert!(lines[1].contains("no answer") && lines[1].contains("seq=2 "), "{lines:?}");
        assert!(lines[2].ends_with(": 2 sent, 0 answered, 2 lost (100.0 %)"), "{lines:?}");
    }
}

/// The errors stand for the answers, which so needn't be waited for.
#[test]
fn who_is_refused_hears_it_of_every_message() {
    // It hears of nobody but itself: to all others its port is closed.
    let (deaf, address) = udp();
    deaf.connect(&address).unwrap();
    for backend in Backend::COMPILED {
        let arguments = [&address, "--udp", "--count", "3", "--interval", "1ms"];
        let output = ping(backend, &arguments).output().unwrap();
        let lines = lines(&output);
        assert_eq!((output.status.code(), lines.len()), (Some(1), 4), "{lines:?}");
        for line in &lines[..3] {
            assert!(line.starts_with(&format!("{address}: Connection refused")), "{line}");
        }
        let counts = ": 3 sent, 0 answered, 3 lost (100.0 %), 3 refused or failed";
        assert!(lines[3].ends_with(counts), "{lines:?}");
    }
}

/// An error is as good as a timeout, also for when the next message goes.
#[test]
fn who_is_refused_is_asked_again_at_once() {
    let (deaf, address) = udp();
    deaf.connect(&address).unwrap();
    for backend in Backend::COMPILED {
        let arguments = [&address, "--udp", "--count", "3", "--interval", "0", "--timeout", "1h"];
        let client = Client::start(&mut ping(backend, &arguments));
        let summary = client.says("---");
        assert!(summary.ends_with(", 3 refused or failed"), "{summary}");
    }
}

#[test]
fn late_double_and_changed_answers_are_told_apart() {
    for backend in Backend::COMPILED {
        let (server, address) = udp();
        let arguments = [&address, "--udp", "--interval", "0", "--timeout", "50ms"];
        let client = Client::start(&mut ping(backend, &arguments));
        let (mut first, mut second) = ([0; 64], [0; 64]);
        let (_, peer) = server.recv_from(&mut first).unwrap();
        client.says("no answer");
        server.recv_from(&mut second).unwrap();
        assert_eq!((first[7], second[7]), (1, 2));
        server.send_to(&first, peer).unwrap();
        assert!(client.says("seq=1 ").ends_with(" ms, late"));
        server.send_to(&first, peer).unwrap();
        assert!(client.says("seq=1 ").ends_with(" duplicate"));
        second[20] ^= 1;
        server.send_to(&second, peer).unwrap();
        client.says("seq=2 changed, from byte 20 on");
        for stray in [&second[..0], &first[..63], &[0; 64], &[0xff; 64]] {
            server.send_to(stray, peer).unwrap();
            client.says(&format!("{} bytes from {address}: no message that was sent", stray.len()));
        }
        client.signal(Signal::SIGINT);
        let summary = client.says("---");
        assert!(summary.contains(" 1 late, 1 duplicate, 5 changed"), "{summary}");
        assert_eq!(client.end().0, Some(1));
    }
}

/// What a signal finds on its way is neither answered nor lost.
#[test]
fn a_signal_waits_for_nobody() {
    let (server, address) = udp();
    for backend in Backend::COMPILED {
        let client = Client::start(&mut ping(backend, &[&address, "--udp", "--interval", "1h"]));
        server.recv_from(&mut [0; 64]).unwrap();
        client.signal(Signal::SIGINT);
        let (code, lines, errors) = client.end();
        assert_eq!((code, errors.as_str(), lines.len()), (Some(1), "", 1), "{lines:?}");
        let counts = ": 1 sent, 0 answered, 0 lost (0.0 %), 1 still out";
        assert!(lines[0].ends_with(counts), "{lines:?}");
    }
}
