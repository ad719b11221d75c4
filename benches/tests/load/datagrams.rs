//! Over UDP.

use std::net::{SocketAddr, UdpSocket};
use std::thread;

use crate::{complaint, report};

/// A server that answers each datagram, the first being number 1, by what `answer` makes of it, as often
/// as that says.
fn server(mut answer: impl FnMut(u64, &mut Vec<u8>) -> usize + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = vec![0; 65536];
        for number in 1.. {
            // ICMP tells of answers to a load that has ended.
            let Ok((length, peer)) = socket.recv_from(&mut buffer) else { continue };
            let mut echo = buffer[..length].to_vec();
            for _ in 0..answer(number, &mut echo) {
                socket.send_to(&echo, peer).unwrap();
            }
        }
    });
    address
}

#[test]
fn datagrams_of_any_length_come_back() {
    let address = server(|_, _| 1);
    for (size, depth) in [("8", "1"), ("64", "3"), ("65507", "1")] {
        let report =
            report(address, &["udp", "--connections", "2", "--size", size, "--depth", depth]);
        assert!(report.messages >= 2, "{report:?}");
        assert_eq!(report.late, Some(0), "{report:?}");
    }
}

#[test]
fn what_is_lost_is_counted_and_holds_nobody_up() {
    let address = server(|number, _| usize::from(number % 4 != 0));
    let arguments = ["udp", "--connections", "1", "--timeout", "0.01", "--seconds", "0.1"];
    let report = report(address, &arguments);
    // Of each four in a row the fourth is lost, wherever the measured time begins.
    let lost = report.lost.unwrap();
    assert!(lost > 0, "{report:?}");
    assert!((report.messages + lost) / 4 <= lost, "{report:?}");
}

#[test]
fn what_comes_twice_is_counted_once() {
    let address = server(|_, _| 2);
    let report = report(address, &["udp", "--connections", "1"]);
    assert!(report.late.unwrap() > 0, "{report:?}");
}

#[test]
fn a_server_that_is_silent_is_no_server() {
    let address = server(|_, _| 0);
    let stderr = complaint(address, &["udp", "--timeout", "0.01"]);
    assert!(stderr.contains(&format!("nothing came back from {address}")), "{stderr}");
}

#[test]
fn nobody_there_is_an_error() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let stderr = complaint(address, &["udp"]);
    assert!(stderr.contains(&format!("UDP to {address}: Connection refused")), "{stderr}");
}

#[test]
fn wrong_bytes_and_lengths_are_found() {
    type Change = fn(&mut Vec<u8>);
    let table: [(Change, &str); 4] = [
        (|echo| echo[17] ^= 1, "connection 0, message 1: byte 17 came back as"),
        (|echo| echo.truncate(63), "connection 0: 63 bytes came back instead of 64"),
        (|echo| echo.push(0), "connection 0: 65 bytes came back instead of 64"),
        (|echo| echo[0] ^= 1, "was never sent"),
    ];
    for (change, words) in table {
        let address = server(move |_, echo| {
            change(echo);
            1
        });
        let stderr = complaint(address, &["udp", "--connections", "1"]);
        assert!(stderr.contains(words), "{stderr}");
    }
}
