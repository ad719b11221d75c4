//! Servers that are no echo servers, or not for long.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::{answer, complaint, load, server};

/// What the load says about a server that treats each connection by `serve`.
fn complaint_about(more: &[&str], serve: fn(TcpStream)) -> String {
    complaint(server(serve), more)
}

#[test]
fn one_wrong_byte_is_found() {
    let stderr = complaint_about(&["--connections", "1"], |stream| {
        answer(stream, |number, echo| echo[17] ^= u8::from(number == 6));
    });
    assert!(stderr.contains("connection 0, message 7: byte 17 came back as"), "{stderr}");
}

#[test]
fn an_echo_of_the_message_before_is_found() {
    let stderr = complaint_about(&[], |stream| {
        let mut before = vec![0; 64];
        answer(stream, |number, echo| {
            if number == 5 {
                echo.swap_with_slice(&mut before);
            } else {
                before.copy_from_slice(echo);
            }
        });
    });
    assert!(stderr.contains("message 6: byte 0 came back as"), "{stderr}");
}

#[test]
fn one_byte_too_many_is_found() {
    let stderr = complaint_about(&[], |stream| answer(stream, |_, echo| echo.push(0)));
    assert!(
        stderr.contains("message 1: 1 bytes more") || stderr.contains("message 2: byte 0"),
        "{stderr}"
    );
}

#[test]
fn a_lost_connection_is_found() {
    let stderr = complaint_about(&[], |mut stream| stream.read_exact(&mut [0; 64]).unwrap());
    assert!(stderr.contains("was lost"), "{stderr}");
}

#[test]
fn an_echo_that_breaks_off_is_found() {
    let stderr = complaint_about(&[], |mut stream| {
        let mut message = [0; 64];
        stream.read_exact(&mut message).unwrap();
        stream.write_all(&message[..32]).unwrap();
    });
    assert!(stderr.contains("was lost"), "{stderr}");
}

#[test]
fn a_silent_server_is_given_up() {
    let stderr = complaint_about(&["--connections", "7", "--patience", "0.1"], |stream| {
        answer(stream, |_, echo| echo.clear());
    });
    assert!(stderr.contains("7 of 7 connections still await an echo"), "{stderr}");
}

#[test]
fn nobody_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let output = load(address, &[]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("connection 1 of 50: connect {address}: ")), "{stderr}");
}

#[test]
fn a_wrong_byte_is_found_in_every_mode() {
    let modes: [&[&str]; 6] = [
        &["echo", "--rate", "5000"],
        &["echo", "--depth", "5"],
        &["crowd", "--idle", "3"],
        &["slow", "--slow", "0"],
        &["bulk", "--size", "64"],
        &["connect"],
    ];
    for mode in modes {
        let address = server(move |stream| {
            answer(stream, |number, echo| {
                echo[9] ^= u8::from(number == 20 || mode[0] == "connect");
            });
        });
        let mut arguments = mode.to_vec();
        arguments.extend(["--connections", "1", "--seconds", "0.2"]);
        let stderr = complaint(address, &arguments);
        let message = if mode[0] == "connect" { 1 } else { 21 };
        let expected = format!("connection 0, message {message}: byte 9 came back as");
        assert!(stderr.contains(&expected), "{mode:?}: {stderr}");
    }
}

#[test]
fn an_idle_connection_that_is_lost_is_found() {
    // It is the last one to greet, and the server closes it then.
    let stderr = complaint_about(
        &["crowd", "--connections", "1", "--idle", "1", "--warmup", "0.5"],
        |mut stream| {
            let mut message = [0; 64];
            stream.read_exact(&mut message).unwrap();
            stream.write_all(&message).unwrap();
            // Only the idle one has sent nothing more by then.
            stream.set_read_timeout(Some(std::time::Duration::from_millis(100))).unwrap();
            answer(stream, |_, _| {});
        },
    );
    assert!(stderr.contains("connection 1, message 1 was lost: the server closed it"), "{stderr}");
}
