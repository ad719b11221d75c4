//! The plain loops echo real bytes, each as a process of its own.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use benches::limits;
use benches::ratio::Server;

const MECHANISMS: [&str; 3] = ["epoll", "poll", "select"];

/// No answer within this is a failure, not a reason to wait for ever.
const PATIENCE: Duration = Duration::from_secs(10);

fn yardstick(mechanism: &str) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    Server::start(command.args(["serve", "--mechanism", mechanism, "--listen", "127.0.0.1:0"]))
        .unwrap()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Returns when the server's only thread has gone to sleep.
#[track_caller]
fn await_sleep(server: &Server) {
    let deadline = Instant::now() + PATIENCE;
    let path = format!("/proc/{}/stat", server.pid());
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
    for mechanism in MECHANISMS {
        let server = yardstick(mechanism);
        let (mut one, mut other) = (connect(&server), connect(&server));
        for round in 0..100_u8 {
            assert_echoes(&mut one, &[round; 64]);
            assert_echoes(&mut other, &[!round; 65]);
        }
    }
}

#[test]
fn a_client_that_reads_late_loses_nothing() {
    for megabytes in [1, 16] {
        let sent = bytes(megabytes * 1024 * 1024);
        for mechanism in MECHANISMS {
            let server = yardstick(mechanism);
            let mut reader = connect(&server);
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

            await_sleep(&server);

            writer.set_write_timeout(Some(PATIENCE)).unwrap();
            let mut echoed = Vec::new();
            thread::scope(|scope| {
                scope.spawn(|| {
                    writer.write_all(&sent[done..]).unwrap();
                    writer.shutdown(Shutdown::Write).unwrap();
                });
                reader.read_to_end(&mut echoed).unwrap();
            });
            assert!(echoed == sent, "{mechanism}: {megabytes} MiB came back changed");
        }
    }
}

#[test]
fn data_with_the_end_behind_it_comes_back_with_the_end_behind_it() {
    for mechanism in MECHANISMS {
        let server = yardstick(mechanism);
        for message in [&b""[..], b"last words", &bytes(200_000)] {
            let mut stream = connect(&server);
            stream.write_all(message).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut echoed = Vec::new();
            stream.read_to_end(&mut echoed).unwrap();
            assert_eq!(echoed, message, "{mechanism}");
        }
    }
}

#[test]
fn descriptors_beyond_1024_are_served() {
    limits::raise_open_files().unwrap();
    for mechanism in MECHANISMS {
        let server = yardstick(mechanism);
        let mut streams: Vec<_> = (0..1100).map(|_| connect(&server)).collect();
        for (number, stream) in streams.iter_mut().enumerate() {
            stream.write_all(&number.to_ne_bytes()).unwrap();
        }
        // From the middle outwards, so that descriptors are freed and used again on both sides.
        streams.drain(500..600);
        streams.extend((0..100).map(|_| connect(&server)));
        for (number, stream) in (0..500).chain(600..1100).zip(&mut streams) {
            let mut echoed = [0; size_of::<usize>()];
            stream.read_exact(&mut echoed).unwrap();
            assert_eq!(usize::from_ne_bytes(echoed), number, "{mechanism}");
        }
        for stream in &mut streams[1000..] {
            assert_echoes(stream, b"late, but served");
        }
    }
}

#[test]
fn a_lost_client_leaves_the_others_alone() {
    for mechanism in MECHANISMS {
        let server = yardstick(mechanism);
        let mut stays = connect(&server);
        for _ in 0..50 {
            let mut leaves = connect(&server);
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
    for mechanism in MECHANISMS {
        let script = format!("ulimit -n 20; exec \"$0\" serve --mechanism {mechanism}");
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
        assert_eq!(output.status.code(), Some(1), "{mechanism}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains("ulimit -n"), "{stderr}");
    }
}

#[test]
fn a_port_in_use_is_a_failure_and_a_wrong_flag_a_usage_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, code, words) in [
        (["--listen", &address], 1, address.as_str()),
        (["--mechanism", "kqueue"], 2, "kqueue"),
        (["--listen", "nowhere"], 2, "nowhere"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_benches"))
            .arg("serve")
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}
