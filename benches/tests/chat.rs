//! The chat load tells a good server from a bad one.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use benches::chat::{FanoutReport, RegisterReport};
use chat::config::Config;
use chat::server::{Server, Setup};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reactor::Reactor;

/// No message within this is a failure, not a reason to wait for ever.
const PATIENCE: Duration = Duration::from_secs(10);

fn command(server: SocketAddr, mode: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.args(["chat", mode, "--connect", &server.to_string(), "--json", "-"]).args(more);
    for (flag, short) in [("--seconds", "0.05"), ("--warmup", "0.01"), ("--members", "5")] {
        if mode == "fanout" && !more.contains(&flag) {
            command.args([flag, short]);
        }
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a load says that must succeed.
fn json(server: SocketAddr, mode: &str, more: &[&str]) -> String {
    let output = command(server, mode, more).output().unwrap();
    assert!(output.status.success(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn fanout(server: SocketAddr, more: &[&str]) -> FanoutReport {
    serde_json::from_str(&json(server, "fanout", more)).unwrap()
}

/// What the load says about a server that it is expected to find out.
fn complaint(server: SocketAddr, more: &[&str]) -> String {
    let output = command(server, "fanout", more).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(output.stdout.is_empty(), "a report in spite of {stderr}");
    stderr
}

/// Our chat server.
fn ours() -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let setup = Setup {
            config: Config::default(),
            listen: vec!["127.0.0.1:0".into()],
            flood_control: false,
        };
        let mut reactor = Reactor::new(Server::new(setup).unwrap()).unwrap();
        let addresses = Server::begin(&mut reactor).unwrap();
        sender.send(addresses[0].parse().unwrap()).unwrap();
        reactor.run().unwrap();
    });
    receiver.recv_timeout(PATIENCE).unwrap()
}

/// What a server makes of a line of the channel that goes to one member: `(nick, number of the line, line)`.
type Pass = Arc<dyn Fn(&str, usize, String) -> Option<String> + Send + Sync>;

/// Those on the channel, and how many lines each has got.
type Members = Arc<Mutex<HashMap<String, (TcpStream, usize)>>>;

/// A small IRC server, which passes lines on as it is told.
fn server(
    pass: impl Fn(&str, usize, String) -> Option<String> + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (pass, members): (Pass, Members) = (Arc::new(pass), Members::default());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, pass, members) = (stream.unwrap(), pass.clone(), members.clone());
            thread::spawn(move || serve(&stream, &*pass, &members));
        }
    });
    address
}

fn serve(
    stream: &TcpStream,
    pass: &dyn Fn(&str, usize, String) -> Option<String>,
    members: &Members,
) {
    let mut nick = String::new();
    let mut writer = stream;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let written = if let Some(name) = line.strip_prefix("NICK ") {
            name.clone_into(&mut nick);
            // Nobody is welcome who doesn't answer.
            write!(writer, "PING :are you there\r\n")
        } else if line == "PONG :are you there" {
            write!(writer, ":s 001 {nick} :hello\r\n:s 422 {nick} :no message\r\n")
        } else if line == "JOIN #load" {
            let mut members = members.lock().unwrap();
            members.insert(nick.clone(), (stream.try_clone().unwrap(), 0));
            write!(writer, ":{nick}!load@here JOIN :#load\r\n:s 366 {nick} #load :end\r\n")
        } else if line.starts_with("PRIVMSG ") {
            let mut members = members.lock().unwrap();
            for (name, (to, count)) in members.iter_mut().filter(|(name, _)| **name != nick) {
                *count += 1;
                if let Some(line) = pass(name, *count, format!(":{nick}!load@here {line}\r\n")) {
                    // One that is gone is the load's to notice.
                    let _ = to.write_all(line.as_bytes());
                }
            }
            Ok(())
        } else {
            Ok(())
        };
        if written.is_err() {
            return;
        }
    }
}

fn end(child: Child, signal: Signal) -> Output {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn every_delivery_is_counted() {
    let address = ours();
    for more in [
        &["--members", "2"][..],
        &["--members", "20", "--outstanding", "4"],
        &["--members", "20", "--senders", "20", "--outstanding", "32", "--size", "350"],
        &["--members", "3", "--senders", "2", "--size", "10"],
    ] {
        let report = fanout(address, more);
        let receivers = report.members as u64 - 1;
        assert!(report.messages > 0, "{report:?}");
        assert_eq!(report.deliveries, report.messages * receivers, "{report:?}");
        assert!(report.latency_ns.is_some() && report.stuck.is_none(), "{report:?}");
    }
}

#[test]
fn a_small_server_serves_too() {
    let report = fanout(server(|_, _, line| Some(line)), &["--senders", "3", "--outstanding", "2"]);
    assert!(report.messages > 0 && report.deliveries == report.messages * 4, "{report:?}");
}

#[test]
fn all_clients_register() {
    let json = json(ours(), "register", &["--clients", "100", "--connects", "7"]);
    let report: RegisterReport = serde_json::from_str(&json).unwrap();
    assert_eq!((report.clients, report.registered, report.connects), (100, 100, 7));
    assert!(report.elapsed_ns > 0);
}

#[test]
fn memory_and_time_of_the_server_are_told() {
    let pid = std::process::id().to_string();
    let report = fanout(ours(), &["--pid", &pid]);
    assert!(report.server_cpu_ns.is_some() && report.server_memory.is_some(), "{report:?}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.args(["chat", "register", "--connect", &ours().to_string()]);
    let output = command.args(["--clients", "10", "--pid", &pid]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("10 of 10 clients in ") && text.contains("bytes of server memory"),
        "{text}"
    );
}

#[test]
fn a_line_that_is_lost_is_found() {
    let lossy = server(|nick, count, line| (!nick.ends_with("3") || count != 9).then_some(line));
    let stderr = complaint(lossy, &["--patience", "0.3"]);
    assert!(stderr.contains("message 9 has reached 3 of 4 members after 300ms"), "{stderr}");
    assert!(stderr.contains("00003 lacks it"), "{stderr}");
}

#[test]
fn a_changed_byte_is_found() {
    for outstanding in ["1", "4"] {
        let wrong = server(|nick, count, line| {
            let is_changed = nick.ends_with("2") && count == 9;
            Some(if is_changed { line.replace("klm", "kLm") } else { line })
        });
        let stderr = complaint(wrong, &["--outstanding", outstanding, "--size", "60"]);
        assert!(stderr.contains("00002, client 3 of 5: message "), "{stderr}");
        assert!(stderr.contains("of its text came as 'L' instead of 'l'"), "{stderr}");
    }
}

#[test]
fn a_line_that_comes_twice_is_found() {
    let twice = server(|nick, count, line| {
        Some(if nick.ends_with("1") && count == 5 { line.repeat(2) } else { line })
    });
    let stderr = complaint(twice, &[]);
    assert!(stderr.contains("00001, client 2 of 5: message 5 came twice"), "{stderr}");
}

#[test]
fn a_member_that_is_dropped_is_found() {
    let dropping = server(|nick, count, line| {
        let gone =
            if nick.ends_with("4") && count == 5 { "ERROR :Closing Link: enough\r\n" } else { "" };
        Some(format!("{gone}{line}"))
    });
    let stderr = complaint(dropping, &[]);
    assert!(stderr.contains("00004, client 5 of 5: the server says"), "{stderr}");
    assert!(stderr.contains("Closing Link: enough"), "{stderr}");
}

#[test]
fn a_refusal_is_quoted() {
    let full = server(|_, _, line| Some(line.replace("PRIVMSG #load", "404 you #load")));
    let stderr = complaint(full, &[]);
    assert!(stderr.contains("the server says") && stderr.contains(" 404 you #load"), "{stderr}");
}

#[test]
fn a_server_that_closes_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(drop));
    let stderr = complaint(address, &[]);
    assert!(stderr.contains("client ") && stderr.contains(" of 5: "), "{stderr}");
}

#[test]
fn stuck_members_are_told_by_who_is_dropped() {
    // Members 5 to 7 are stuck; two of them are gone once the others have had some lines.
    let dropping = server(|nick, count, line| {
        if ["5", "6", "7"].iter().any(|stuck| nick.ends_with(stuck)) {
            return None;
        }
        let quit =
            |last: char| format!(":{}{last}!load@here QUIT :too slow\r\n", &nick[..nick.len() - 1]);
        let quits = match count {
            3 => quit('5'),
            4 => quit('6'),
            _ => String::new(),
        };
        Some(quits + &line)
    });
    let report = fanout(dropping, &["--stuck", "3", "--warmup", "0"]);
    let stuck = report.stuck.unwrap();
    assert_eq!((stuck.members, stuck.dropped), (3, 2));
    let (first, last) = stuck.dropped_ns.unwrap();
    assert!(first <= last);
    assert_eq!(report.deliveries, report.messages * 4);
}

#[test]
fn who_reads_is_missed_when_it_quits() {
    let dropping = server(|nick, count, line| {
        let quit = format!(":{}0!load@here QUIT :bye\r\n", &nick[..nick.len() - 1]);
        Some(if count == 3 { quit + &line } else { line })
    });
    let stderr = complaint(dropping, &[]);
    assert!(
        stderr.contains("00000, client 1 of 5: the server has it gone by QUIT: \"bye\""),
        "{stderr}"
    );
}

#[test]
fn a_signal_ends_it_with_what_it_has() {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let telling = server(move |_, count, line| {
        if count == 10 {
            // The load may be over by the time that others have as many.
            let _ = sender.lock().unwrap().send(());
        }
        Some(line)
    });
    let child = command(telling, "fanout", &["--seconds", "100", "--warmup", "0"]).spawn().unwrap();
    receiver.recv_timeout(PATIENCE).unwrap();
    let output = end(child, Signal::SIGINT);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("interrupted by SIGINT") && stderr.lines().count() == 1, "{stderr}");
    let report: FanoutReport = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report.interrupted, Some(2));
    assert!(report.messages >= 9, "{report:?}");
}

#[test]
fn wrong_flags_are_said_in_one_line() {
    let address = "127.0.0.1:9".parse().unwrap();
    for (flags, words) in [
        (&["--members", "1"][..], "--members is 2 at least"),
        (&["--senders", "6"], "more than the 5 members"),
        (&["--outstanding", "5000"], "at most 4096"),
        (&["--size", "9"], "--size is 10 to 350 bytes"),
        (&["--connects", "0"], "--connects"),
    ] {
        let output = command(address, "fanout", flags).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words) && stderr.lines().count() == 1, "{stderr}");
    }
    let output = command(address, "fanout", &["--members", "9000000"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("descriptors, and the limit is"), "{stderr}");
}
