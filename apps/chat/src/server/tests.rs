//! A server with more on it than a test could connect.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use bstr::ByteSlice;
use reactor::{AnyPoller, Backend, ConnId, Handler, Reactor, Signal};

use super::routes::MOST_BEYOND;
use super::{Server, Setup};
use crate::config::{Config, Limits};
use crate::state::{Rank, UserFlag, UserId};
use crate::time::Moment;

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

const SEND_QUEUE: usize = 16 * 1024;

const JOIN_ALL: &str = "JOIN #0,#1,#2,#3,#4,#5,#6,#7,#8,#9\r\n";

/// A server and its clients, in one thread.
struct Chat {
    reactor: Reactor<Server, AnyPoller>,
    backend: Backend,
    begun: Instant,
}

impl Chat {
    /// A server with ten channels, and this many members on each, who are nowhere.
    fn new(backend: Backend, members: usize, flood_control: bool, mut limits: Limits) -> Self {
        limits.send_queue = SEND_QUEUE;
        let listen = vec!["127.0.0.1:0".into()];
        let config = Config { limits, listen, ..Config::default() };
        let setup = Setup { config, listen: Vec::new(), flood_control };
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
        Self { reactor, backend, begun: Instant::now() }
    }

    /// The same without flood control.
    fn crowded(backend: Backend, members: usize) -> Self {
        Self::new(backend, members, false, Limits::default())
    }

    fn turn(&mut self, waits_for: &str) {
        assert!(self.begun.elapsed() < PATIENCE, "{}: no {waits_for}", self.backend);
        self.reactor.turn(Some(Duration::from_millis(10))).expect("a turn");
    }

    /// A client that says this once it is somebody.
    fn client(&mut self, nick: &str, lines: &str) -> TcpStream {
        let (server, ctx) = self.reactor.parts();
        let names = server.listening.names(&ctx).expect("an address");
        let mut client = TcpStream::connect(&names[0]).expect("a connection");
        client.set_nonblocking(true).expect("a socket");
        let begin = format!(
            "CAP REQ :userhost-in-names\r\nNICK {nick}\r\nUSER u 0 * :r\r\nCAP END\r\n{lines}"
        );
        client.write_all(begin.as_bytes()).expect("room");
        client
    }

    /// The same, and it is held for a long answer.
    fn held(&mut self, nick: &str, lines: &str) -> (TcpStream, UserId) {
        let client = self.client(nick, lines);
        loop {
            self.turn("answer");
            let server = self.reactor.handler();
            let user = server.state.user_named(nick.as_bytes());
            if let Some(user) = user.filter(|user| server.routes.is_answered(*user)) {
                return (client, user);
            }
        }
    }

    /// What a client hears up to a piece with these words in its last line or two, or up to the connection's end if
    /// there are none.
    fn hears(&mut self, client: &mut TcpStream, end: Option<&str>) -> String {
        let (mut heard, mut piece) = (Vec::new(), vec![0; 256 * 1024]);
        let is_last =
            |heard: &[u8], end| heard[heard.len().saturating_sub(256)..].contains_str(end);
        while end.is_none_or(|end: &str| !is_last(&heard, end)) {
            match client.read(&mut piece) {
                Ok(0) if end.is_none() => break,
                Ok(0) => panic!("{}: it was dropped after {} bytes", self.backend, heard.len()),
                Ok(count) => heard.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.turn("end"),
                Err(error) => panic!("{}: {error}", self.backend),
            }
        }
        String::from_utf8(heard).expect("text")
    }

    fn conn(&self, user: UserId) -> ConnId {
        self.reactor.handler().routes.get(user).expect("a connection")
    }

    /// What may be queued for a connection.
    fn cap(&mut self, conn: ConnId) -> Option<usize> {
        self.reactor.context().limits(conn).map(|limits| limits.write_cap)
    }
}

/// It takes a second: fifty thousand names are told, on each mechanism.
#[test]
fn an_answer_that_is_longer_than_the_queue_arrives_and_what_follows_waits() {
    for backend in Backend::COMPILED {
        let mut chat = Chat::crowded(*backend, 5_000);
        let (mut client, user) = chat.held("ann", &format!("{JOIN_ALL}PING :end\r\n"));
        let conn = chat.conn(user);
        assert!(chat.cap(conn) > Some(SEND_QUEUE));
        let told = chat.hears(&mut client, Some("PONG chat.local :end"));
        assert_eq!(told.matches("!@hhh").count(), 50_000, "{backend}");
        assert_eq!(told.matches(" 366 ").count(), 10, "{backend}");
        assert!(!chat.reactor.handler().routes.is_answered(user));
        assert_eq!(chat.cap(conn), Some(SEND_QUEUE), "{backend}");
    }
}

#[test]
fn while_clients_hold_too_much_in_all_who_joins_is_told_fewer_names() {
    for backend in Backend::COMPILED {
        let mut chat = Chat::crowded(*backend, 1_000);
        let (deaf, user) = chat.held("deaf", JOIN_ALL);
        let conn = chat.conn(user);
        let beyond = chat.reactor.handler().routes.beyond;
        assert_eq!(chat.cap(conn), Some(SEND_QUEUE + beyond), "{backend}");
        // As if many did that.
        chat.reactor.handler_mut().routes.beyond += MOST_BEYOND;
        let lines = format!("{JOIN_ALL}PING :end\r\n");
        let mut ann = chat.client("ann", &lines);
        let told = chat.hears(&mut ann, Some("PONG chat.local :end"));
        assert!(told.len() < SEND_QUEUE, "{backend}: {} bytes", told.len());
        for (line, count) in [(" JOIN #", 10), (" 366 ", 10), (" 416 ann NAMES ", 10)] {
            assert_eq!(told.matches(line).count(), count, "{backend}: {line}");
        }
        chat.reactor.handler_mut().routes.beyond -= MOST_BEYOND;
        // Who has gone holds nothing any more.
        drop(deaf);
        while chat.reactor.handler().clients.contains(conn) {
            chat.turn("end of the deaf client");
        }
        assert_eq!(chat.reactor.handler().routes.beyond, 0, "{backend}");
        let mut bob = chat.client("bob", &lines);
        let told = chat.hears(&mut bob, Some("PONG chat.local :end"));
        assert_eq!(told.matches("!@hhh").count(), 10_000, "{backend}");
        assert_eq!(chat.reactor.handler().routes.beyond, 0, "{backend}");
    }
}

/// Others say something, an operator kills it, the server ends: in any case the answer comes first, and whole.
#[test]
fn what_comes_meanwhile_comes_after_a_long_answer() {
    for backend in Backend::COMPILED {
        let assert_whole = |told: &str| {
            assert_eq!(told.matches("!@hhh").count(), 10_000, "{backend}");
            assert_eq!(told.matches(" 366 ").count(), 10, "{backend}");
        };
        let mut chat = Chat::crowded(*backend, 1_000);
        let (mut ann, _) = chat.held("ann", JOIN_ALL);
        let mut bob = chat.client("bob", "JOIN #0\r\nPRIVMSG #0 :hello\r\nPING :end\r\n");
        chat.hears(&mut bob, Some("PONG chat.local :end"));
        let told = chat.hears(&mut ann, Some(" PRIVMSG #0 :hello\r\n"));
        assert_whole(&told);

        let (mut victim, user) = chat.held("victim", JOIN_ALL);
        let server = chat.reactor.handler_mut();
        let root = server.state.user_named(b"bob").expect("bob");
        server.state.set_flag(root, UserFlag::Operator, true);
        bob.write_all(b"KILL victim :enough\r\nPING :killed\r\n").expect("room");
        chat.hears(&mut bob, Some("PONG chat.local :killed"));
        assert!(!chat.reactor.handler().state.users.contains_key(user), "{backend}");
        let told = chat.hears(&mut victim, None);
        assert_whole(&told);
        assert!(told.ends_with(" (Killed (bob (enough)))\r\n"), "{backend}");

        let (mut late, _) = chat.held("late", JOIN_ALL);
        let (server, mut ctx) = chat.reactor.parts();
        server.signal(&mut ctx, Signal::TERMINATE);
        let told = chat.hears(&mut late, None);
        assert_whole(&told);
        assert!(told.ends_with("ERROR :Closing Link: the server shuts down\r\n"), "{backend}");
    }
}

/// It takes two and a half seconds, on all mechanisms at once: longer than a client may be silent.
#[test]
fn who_takes_a_long_answer_slowly_is_there_and_gets_all_of_it() {
    let slow = |backend: Backend| {
        let limits = Limits { ping_seconds: 1, drop_seconds: 2, ..Limits::default() };
        let mut chat = Chat::new(backend, 5_000, false, limits);
        let (mut ann, user) = chat.held("ann", &format!("{JOIN_ALL}PING :end\r\n"));
        let (mut heard, mut piece) = (Vec::new(), [0; 4 * 1024]);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(2_500) {
            chat.turn("end of the time");
            // At 400 bytes a millisecond it has most of it still to take in the end.
            if heard.len() as u128 > begun.elapsed().as_millis() * 400 {
                continue;
            }
            match ann.read(&mut piece) {
                Ok(count) => heard.extend_from_slice(&piece[..count]),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{backend}"),
            }
        }
        assert!(chat.reactor.handler().routes.is_answered(user), "{backend}");
        let rest = chat.hears(&mut ann, Some("PONG chat.local :end"));
        let told = String::from_utf8(heard).expect("text") + &rest;
        assert_eq!(told.matches("!@hhh").count(), 50_000, "{backend}");
    };
    thread::scope(|scope| {
        for backend in Backend::COMPILED {
            scope.spawn(|| slow(*backend));
        }
    });
}

#[test]
fn what_is_said_during_a_long_answer_is_no_flood() {
    for backend in Backend::COMPILED {
        let limits = Limits { burst: 20, lines_per_second: 1000, ..Limits::default() };
        let mut chat = Chat::new(*backend, 1_000, true, limits);
        let (mut ann, _) = chat.held("ann", JOIN_ALL);
        let line = format!("PING :{}\r\n", "x".repeat(400));
        ann.write_all(line.repeat(100).as_bytes()).expect("room");
        ann.write_all(b"PING :end\r\n").expect("room");
        let told = chat.hears(&mut ann, Some("PONG chat.local :end"));
        assert_eq!(told.matches(" PONG ").count(), 101, "{backend}");
    }
}

#[test]
fn a_line_that_was_much_work_keeps_the_next_one_waiting() {
    for backend in Backend::COMPILED {
        // Enough for each line that is said, if each were worth one.
        let limits = Limits { burst: 6, lines_per_second: 1, ..Limits::default() };
        let mut chat = Chat::new(*backend, 1, true, limits);
        let _ann = chat.client("ann", &format!("{JOIN_ALL}PING :end\r\n"));
        let wait = loop {
            chat.turn("wait");
            let now = chat.reactor.context().now();
            let server = chat.reactor.handler();
            if let Some(client) = server.clients.values().find(|client| client.held.is_some()) {
                let mut allowance = client.allowance;
                break allowance.take(now, 6, Duration::from_secs(1)).expect_err("it owes");
            }
        };
        // Nine channels beside the first, less the moment that has passed.
        assert!(wait > Duration::from_secs(2), "{backend}: {wait:?}");
    }
}
