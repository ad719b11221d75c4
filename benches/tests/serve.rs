//! Every server echoes real bytes, each as a process of its own.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use benches::limits;
use benches::runs::Process;
use benches::servers::{Server, Transport};

/// No answer within this is a failure, not a reason to wait for ever.
const PATIENCE: Duration = Duration::from_secs(10);

fn start(server: Server) -> Process {
    Process::start(&mut serve(&[&server.to_string()])).unwrap()
}

/// A server that ends with the test that starts it, even if that is killed.
fn serve(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.args(["serve", "--parent", &std::process::id().to_string()]).args(arguments);
    command
}

fn connect(process: &Process) -> TcpStream {
    let stream = TcpStream::connect(process.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Returns when the server's only thread has gone to sleep.
#[track_caller]
fn await_sleep(process: &Process) {
    let deadline = Instant::now() + PATIENCE;
    let path = format!("/proc/{}/stat", process.pid());
    // proc_pid_stat(5): the state follows the name, which is in parentheses.
    while !fs::read_to_string(&path).unwrap().contains(") S ") {
        assert!(Instant::now() < deadline, "the server spins");
    }
}

/// Bytes of which no two neighbouring windows are alike.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|place| (place ^ (place >> 8) ^ (place >> 16)) as u8).collect()
}

#[track_caller]
fn assert_echoes(stream: &mut TcpStream, message: &[u8]) {
    stream.write_all(message).unwrap();
    let mut echoed = vec![0; message.len()];
    stream.read_exact(&mut echoed).unwrap();
    assert_eq!(echoed, message);
}

#[test]
fn small_messages_come_back() {
    for server in Server::all() {
        let process = start(server);
        let (mut one, mut other) = (connect(&process), connect(&process));
        for round in 0..100_u8 {
            assert_echoes(&mut one, &[round; 64]);
            assert_echoes(&mut other, &[!round; 65]);
        }
    }
}

#[test]
// Takes longer than most: 17 MiB through each server.
fn a_client_that_reads_late_loses_nothing() {
    for megabytes in [1, 16] {
        let sent = bytes(megabytes * 1024 * 1024);
        for server in Server::all() {
            let process = start(server);
            let mut reader = connect(&process);
            let mut writer = reader.try_clone().unwrap();

            // Write until every buffer on the way is full, or nothing is left to write.
            writer.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
            let mut done = 0;
            while done < sent.len() {
                match writer.write(&sent[done..]) {
                    Ok(count) => done += count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => panic!("{error}"),
                }
            }

            // message-io waits for room in a busy loop.
            if server != Server::MessageIo {
                await_sleep(&process);
            }

            writer.set_write_timeout(Some(PATIENCE)).unwrap();
            let mut echoed = Vec::new();
            thread::scope(|scope| {
                scope.spawn(|| {
                    writer.write_all(&sent[done..]).unwrap();
                    writer.shutdown(Shutdown::Write).unwrap();
                });
                reader.read_to_end(&mut echoed).unwrap();
            });
            assert!(echoed == sent, "{server}: {megabytes} MiB came back changed");
        }
    }
}

#[test]
fn data_with_the_end_behind_it_comes_back_with_the_end_behind_it() {
    for server in Server::all() {
        let process = start(server);
        for message in [&b""[..], b"last words", &bytes(200_000)] {
            let mut stream = connect(&process);
            stream.write_all(message).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut echoed = Vec::new();
            stream.read_to_end(&mut echoed).unwrap();
            assert_eq!(echoed, message, "{server}");
        }
    }
}

#[test]
fn descriptors_beyond_1024_are_served() {
    limits::raise_open_files().unwrap();
    for server in Server::all() {
        let process = start(server);
        let mut streams: Vec<_> = (0..1100).map(|_| connect(&process)).collect();
        for (number, stream) in streams.iter_mut().enumerate() {
            stream.write_all(&number.to_ne_bytes()).unwrap();
        }
        // From the middle outwards, so that descriptors are freed and used again on both sides.
        streams.drain(500..600);
        streams.extend((0..100).map(|_| connect(&process)));
        for (number, stream) in (0..500).chain(600..1100).zip(&mut streams) {
            let mut echoed = [0; size_of::<usize>()];
            stream.read_exact(&mut echoed).unwrap();
            assert_eq!(usize::from_ne_bytes(echoed), number, "{server}");
        }
        for stream in &mut streams[1000..] {
            assert_echoes(stream, b"late, but served");
        }
    }
}

#[test]
fn a_lost_client_leaves_the_others_alone() {
    for server in Server::all() {
        let process = start(server);
        let mut stays = connect(&process);
        for _ in 0..50 {
            let mut leaves = connect(&process);
            leaves.write_all(&[1; 1000]).unwrap();
            // Closing with the echo unread makes the kernel send a reset.
            leaves.read_exact(&mut [0]).unwrap();
            drop(leaves);
            assert_echoes(&mut stays, b"still here");
        }
    }
}

#[test]
fn no_descriptor_left_is_a_clear_error() {
    for server in Server::all() {
        // These two go on with those that they have.
        if matches!(server, Server::Reactor(_) | Server::Awake(_) | Server::MessageIo) {
            continue;
        }
        let parent = std::process::id();
        let script = format!("ulimit -n 20; exec \"$0\" serve --parent {parent} {server}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_benches")]);
        let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        io::BufRead::read_line(&mut stdout, &mut line).unwrap();
        let address = line.split_whitespace().nth(2).unwrap();
        // The kernel accepts for the server, until the server is gone.
        let streams: Vec<_> = (0..30).map_while(|_| TcpStream::connect(address).ok()).collect();
        let output = child.wait_with_output().unwrap();
        drop(streams);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{server}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains("ulimit -n"), "{stderr}");
    }
}

/// Ours go on, and say once what is wrong.
#[test]
fn no_descriptor_left_is_told_by_ours() {
    for server in Server::all() {
        if !matches!(server, Server::Reactor(_) | Server::Awake(_)) {
            continue;
        }
        let parent = std::process::id();
        let script = format!("ulimit -n 20; exec \"$0\" serve --parent {parent} {server}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_benches")]).env_remove("RUST_LOG");
        let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let line = |from: &mut dyn io::Read| {
            let mut line = String::new();
            io::BufRead::read_line(&mut io::BufReader::new(from), &mut line).unwrap();
            line
        };
        let told = line(child.stdout.as_mut().unwrap());
        let address = told.split_whitespace().nth(2).unwrap();
        let streams: Vec<_> = (0..30).map_while(|_| TcpStream::connect(address).ok()).collect();
        let warning = line(child.stderr.as_mut().unwrap());
        assert_eq!(child.try_wait().unwrap(), None, "{server}: {warning}");
        child.kill().unwrap();
        child.wait().unwrap();
        drop(streams);
        assert!(warning.contains("connections go on, new ones wait"), "{server}: {warning}");
    }
}

#[test]
fn an_address_of_nobody_s_has_no_advice() {
    // Of TEST-NET-1 (RFC 5737), which no machine has.
    for server in Server::all() {
        let output = serve(&[&server.to_string(), "--listen", "192.0.2.1:0"]).output().unwrap();
        assert_complains(&output, 1, "listen on 192.0.2.1:0: ");
    }
}

#[test]
fn datagrams_come_back_to_whom_they_came_from() {
    for server in Server::all_over(Transport::Datagrams) {
        let process = Process::start(&mut serve(&[&server.to_string(), "--udp"])).unwrap();
        let clients: Vec<_> = (0..3).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        for round in 0..20_usize {
            for (number, client) in clients.iter().enumerate() {
                client.set_read_timeout(Some(PATIENCE)).unwrap();
                let message = vec![number as u8; round * 100 + 1];
                client.send_to(&message, process.address()).unwrap();
            }
            for (number, client) in clients.iter().enumerate() {
                let mut echoed = [0; 4096];
                let (count, from) = client.recv_from(&mut echoed).unwrap();
                assert_eq!(from, process.address(), "{server}");
                assert_eq!(echoed[..count], vec![number as u8; round * 100 + 1], "{server}");
            }
        }
        let burst = 100;
        for number in 0..burst {
            clients[0].send_to(&[number], process.address()).unwrap();
        }
        for number in 0..burst {
            let mut echoed = [0; 2];
            assert_eq!(clients[0].recv(&mut echoed).unwrap(), 1, "{server}");
            assert_eq!(echoed[0], number, "{server}");
        }
    }
}

#[test]
fn a_server_without_datagrams_says_who_has_them() {
    let without = Server::all().into_iter().filter(|server| !server.echoes(Transport::Datagrams));
    for server in without {
        let output = serve(&[&server.to_string(), "--udp"]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(&format!("{server} has no echo over UDP")), "{stderr}");
        assert!(stderr.contains("tokio"), "{stderr}");
    }
}

#[test]
fn those_of_this_build_are_listed() {
    for (arguments, transport) in
        [(&["list"][..], Transport::Streams), (&["list", "--udp"], Transport::Datagrams)]
    {
        let output = serve(arguments).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let listed: Vec<Server> = stdout.lines().map(|name| name.parse().unwrap()).collect();
        assert_eq!(listed, Server::all_over(transport));
        assert!(output.status.success());
    }
}

#[test]
fn a_port_in_use_is_a_failure() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for server in Server::all() {
        let output = serve(&[&server.to_string(), "--listen", &address]).output().unwrap();
        assert_complains(&output, 1, &format!("listen on {address} (port 0 takes a free one)"));
    }
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for (arguments, words) in [
        (&["kqueue"][..], "no server \"kqueue\" in this build, which has: "),
        (&[], "NAME"),
        (&["mio", "--listen", "nowhere"], "nowhere"),
    ] {
        assert_complains(&serve(arguments).output().unwrap(), 2, words);
    }
}

#[test]
fn a_core_that_does_not_exist_is_a_failure() {
    let output = serve(&["mio", "--core", "100000"]).output().unwrap();
    assert_complains(&output, 1, "pin to core 100000");
}

#[track_caller]
fn assert_complains(output: &Output, code: i32, words: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(words), "{stderr}");
    assert!(output.stdout.is_empty());
}
