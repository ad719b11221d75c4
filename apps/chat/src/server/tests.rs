//! A server with more on it than a test could connect.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use reactor::{AnyPoller, Backend, Reactor};

use super::{Server, Setup};
use crate::config::{Config, Limits};
use crate::state::Rank;
use crate::time::Moment;

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(10);

const SEND_QUEUE: usize = 16 * 1024;

/// A server with ten channels, and this many members on each, who are nowhere.
fn crowded(backend: Backend, members: usize) -> Reactor<Server, AnyPoller> {
    let limits = Limits { send_queue: SEND_QUEUE, ..Limits::default() };
    let listen = vec!["127.0.0.1:0".into()];
    let config = Config { limits, listen, ..Config::default() };
    let setup = Setup { config, file: None, listen: Vec::new(), flood_control: false };
    let poller = AnyPoller::new(backend).expect("a poller");
    let mut reactor =
        Reactor::with_poller(Server::new(setup).expect("a server"), poller).expect("a reactor");
    let (server, mut ctx) = reactor.parts();
    server.listening.change(&mut ctx, &server.state.config).expect("an address");
    let (state, now) = (&mut server.state, Moment::now());
    let channels: Vec<_> =
        (0..10).map(|at| state.open_channel(format!("#{at}").as_bytes(), now)).collect();
    for at in 0..members {
        let user = state.arrive(None, "h".repeat(63).into(), now);
        assert!(state.name_user(user, format!("somebody-with-a-long-name-{at}").as_bytes()));
        channels.iter().for_each(|channel| state.join(user, *channel, Rank::default()));
    }
    reactor
}

/// It takes a second: fifty thousand names are told, on each mechanism.
#[test]
fn an_answer_that_is_longer_than_the_queue_arrives_and_what_follows_waits() {
    for backend in Backend::COMPILED {
        let mut reactor = crowded(*backend, 5_000);
        let (server, ctx) = reactor.parts();
        let names = server.listening.names(&ctx).expect("an address");
        let mut client = TcpStream::connect(&names[0]).expect("a connection");
        client.set_nonblocking(true).expect("a socket");
        let lines = "CAP REQ :userhost-in-names\r\nNICK ann\r\nUSER u 0 * :r\r\nCAP END\r\n\
                     JOIN #0,#1,#2,#3,#4,#5,#6,#7,#8,#9\r\nPING :end\r\n";
        client.write_all(lines.as_bytes()).expect("room");
        let start = Instant::now();
        let user = loop {
            assert!(start.elapsed() < PATIENCE, "{backend}: no answer");
            reactor.turn(Some(Duration::from_millis(10))).expect("a turn");
            let server = reactor.handler();
            let user = server.state.user_named(b"ann");
            if let Some(user) = user.filter(|user| server.routes.is_answered(*user)) {
                break user;
            }
        };
        let conn = reactor.handler().routes.get(user).expect("a connection");
        let cap = |reactor: &mut Reactor<Server, AnyPoller>| {
            reactor.context().limits(conn).map(|limits| limits.write_cap)
        };
        assert!(cap(&mut reactor) > Some(SEND_QUEUE));
        let (mut heard, mut piece) = (Vec::new(), vec![0; 256 * 1024]);
        while !heard.ends_with(b" PONG chat.local :end\r\n") {
            assert!(start.elapsed() < PATIENCE, "{backend}: {} bytes have come", heard.len());
            match client.read(&mut piece) {
                Ok(0) => panic!("{backend}: it was dropped after {} bytes", heard.len()),
                Ok(count) => heard.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    reactor.turn(Some(Duration::from_millis(10))).expect("a turn");
                }
                Err(error) => panic!("{backend}: {error}"),
            }
        }
        let told = String::from_utf8(heard).expect("text");
        assert_eq!(told.matches("!@hhh").count(), 50_000, "{backend}");
        assert_eq!(told.matches(" 366 ").count(), 10, "{backend}");
        assert!(!reactor.handler().routes.is_answered(user));
        assert_eq!(cap(&mut reactor), Some(SEND_QUEUE), "{backend}");
    }
}
