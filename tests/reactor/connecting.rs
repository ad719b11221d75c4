//! From `connect` to `connected` or `connect_failed`.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use reactor::{
    Address, ConnectCause, ConnectOptions, Sent, SocketOptions, Status, Target, options,
};
use rustix::io::Errno;
use socket2::SockAddr;
use tests::Subject;
use tests::counted::Counted;
use tests::listening::Listening;
use tests::peer::Tail;
use tests::recorder::{Call, End, Seen, echo, sink};
use tests::rig::{PATIENCE, SILENCE, thread_cpu};
use tests::server::{Family, Server};

/// Long enough for a connect to be seen, short enough to be waited for.
const MOMENT: Duration = Duration::from_millis(30);

fn options() -> ConnectOptions {
    ConnectOptions::default().timeout(PATIENCE)
}

fn briefly() -> ConnectOptions {
    options().attempt_timeout(MOMENT)
}

fn listening<P: Subject>(server: &Server<P>, family: Family) -> Listening {
    match family {
        Family::Tcp => Listening::tcp(),
        Family::Unix => Listening::unix(&server.directory().join("listening")),
    }
}

pub(super) fn a_connection_that_was_made_is_as_any_other<P: Subject>() {
    for family in Family::ALL {
        let mut server = Server::<P>::new(family, echo);
        let listening = listening(&server, family);
        let conn = server.ctx().connect(listening.target(), &options());
        server.until_connected(conn);
        assert_eq!(server.ctx().connections(), 1);
        assert_eq!(server.ctx().listener_of(conn), None);
        assert_eq!(server.ctx().peer_of(conn), None);
        let mut peer = listening.accept();
        peer.send(b"hello");
        assert_eq!(server.receive(&mut peer, 5), b"hello");
        assert_eq!(server.ctx().send(conn, b"more"), Sent::Queued);
        assert_eq!(server.receive(&mut peer, 4), b"more");
        peer.finish();
        assert_eq!(server.receive_all(&mut peer), (vec![], Tail::End));
        drop(peer);
        assert_eq!(server.until_closed(conn), End::Finished);
        let expected = [
            Seen::Connected(conn),
            Seen::Data(conn, b"hello".to_vec()),
            Seen::PeerFinished(conn),
            Seen::Closed(conn, End::Finished),
        ];
        assert_eq!(server.seen(), expected);
        assert_eq!(server.ctx().connections(), 0);
        server.silent();
    }
}

/// Both ends in one loop.
pub(super) fn the_families_of_addresses<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let mut targets = vec![];
    let listener = server.listener;
    targets.push(Target::from(server.ctx().listener_address(listener).unwrap()));
    if let Ok(listener) = server.ctx().listen((Ipv6Addr::LOCALHOST, 0)) {
        targets.push(server.ctx().listener_address(listener).unwrap().into());
    }
    let (path, options) = (server.directory().join("path"), reactor::ListenOptions::default());
    server.ctx().listen_unix(&path, &options).unwrap();
    targets.push(path.into());
    if cfg!(any(target_os = "linux", target_os = "android")) {
        let name = format!("{}-hidden", server.directory().display()).into_bytes();
        server.ctx().listen_abstract(&name, &options).unwrap();
        targets.push(Target::abstract_name(name));
    }
    for target in targets {
        let conn = server.ctx().connect(target.clone(), &self::options());
        let accepted = server.next_accepted();
        server.until_connected(conn);
        let address = server.ctx().peer_address(conn).unwrap();
        assert_eq!(address.to_string(), target.to_string());
        assert_eq!(server.ctx().local_address(accepted).unwrap(), address);
        server.ctx().send(conn, b"hello");
        server.until_seen(&Seen::Data(accepted, b"hello".to_vec()));
        server.ctx().abort(conn);
        server.until_closed(accepted);
    }
}

pub(super) fn nothing_comes_before_the_turn_ends<P: Subject>() {
    let mut server = Server::<P>::new(Family::Unix, sink);
    let listening = listening(&server, Family::Unix);
    let good = server.ctx().connect(listening.target(), &options());
    let bad = server.ctx().connect("nowhere", &options());
    assert_eq!(server.seen(), []);
    server.turn();
    assert_eq!(server.seen(), [Seen::Connected(good), Seen::ConnectFailed(bad)]);
}

pub(super) fn who_is_refused_is_told_so<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let nobody = Listening::nobody();
    let conn = server.ctx().connect(nobody.target(), &options());
    let error = server.until_failed(conn);
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(error.raw_os_error(), Some(Errno::CONNREFUSED.raw_os_error()));
    assert_eq!(error.attempts()[0].address, Address::Ip(nobody.address()));
    let text = format!("connect {}: ", nobody.address());
    assert!(error.to_string().starts_with(&text), "{error}");
    assert_eq!(server.seen(), [Seen::ConnectFailed(conn)]);
    server.silent();
}

pub(super) fn a_path_without_a_socket_is_an_error<P: Subject>() {
    let mut server = Server::<P>::new(Family::Unix, sink);
    let nowhere = server.directory().join("nowhere");
    let deaf = Listening::bound(&SockAddr::unix(server.directory().join("deaf")).unwrap());
    let too_long = server.directory().join("x".repeat(200));
    for (target, kind) in [
        (Target::from(nowhere), io::ErrorKind::NotFound),
        (deaf.target(), io::ErrorKind::ConnectionRefused),
        (Target::from(too_long), io::ErrorKind::InvalidInput),
        (Target::from(Address::Unnamed), io::ErrorKind::InvalidInput),
    ] {
        let conn = server.ctx().connect(target, &options());
        assert_eq!(server.until_failed(conn).kind(), kind);
    }
}

pub(super) fn what_is_no_target_is_an_error<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    for target in [Target::from("localhost"), Target::from("a:http"), Target::from(vec![])] {
        // However often it may be tried.
        let conn = server.ctx().connect(target, &options().rounds(None));
        let error = server.until_failed(conn);
        assert!(matches!(error.cause(), ConnectCause::Unresolved(_)));
        assert_eq!((error.kind(), error.attempts().len()), (io::ErrorKind::InvalidInput, 0));
    }
}

pub(super) fn a_full_backlog_takes_no_longer_than_its_time<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (listening, _waiting) = Listening::full_tcp();
    let start = Instant::now();
    let conn = server.ctx().connect(listening.target(), &briefly());
    let error = server.until_failed(conn);
    assert!(matches!(error.cause(), ConnectCause::Failed));
    assert_eq!((error.kind(), error.raw_os_error()), (io::ErrorKind::TimedOut, None));
    assert!(error.to_string().contains(": timed out after "), "{error}");
    assert!(start.elapsed() >= MOMENT);
    server.silent();
}

fn full_unix<P: Subject>(server: &Server<P>) -> (Listening, Vec<socket2::Socket>) {
    Listening::full(&SockAddr::unix(server.directory().join("full")).unwrap())
}

pub(super) fn a_full_unix_backlog_is_waited_for<P: Subject>() {
    let mut server = Server::<P>::tcp(echo);
    let (listening, waiting) = full_unix(&server);
    let conn = server.ctx().connect(listening.target(), &options());
    server.silent();
    for _ in waiting {
        drop(listening.accept());
    }
    server.until_connected(conn);
    let mut peer = listening.accept();
    peer.send(b"x");
    assert_eq!(server.receive(&mut peer, 1), b"x");
}

pub(super) fn a_full_unix_backlog_takes_no_longer_than_its_time<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (listening, _waiting) = full_unix(&server);
    let conn = server.ctx().connect(listening.target(), &briefly());
    let error = server.until_failed(conn);
    assert_eq!(error.raw_os_error(), Some(Errno::AGAIN.raw_os_error()));
    assert_eq!(error.attempt_count(), 1);
    assert!(error.to_string().ends_with("; its backlog stayed full"), "{error}");
}

/// The source's address and port are the target's: the kernel connects such a socket to itself.
pub(super) fn nobody_is_connected_to_himself<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    // Linux has all of 127.0.0.0/8: nobody else takes the port meanwhile, nor this test on another
    // mechanism.
    static RUNS: AtomicU8 = AtomicU8::new(1);
    let linux = cfg!(any(target_os = "linux", target_os = "android"));
    let ip = [127, 9, 9, RUNS.fetch_add(1, Ordering::Relaxed)];
    let ip = if linux { ip } else { [127, 0, 0, 1] };
    let address = Listening::bound(&SocketAddr::from((ip, 0)).into()).address();
    let conn = server.ctx().connect(address, &options().source(address));
    let error = server.until_failed(conn);
    assert_eq!((error.kind(), error.raw_os_error()), (io::ErrorKind::ConnectionRefused, None));
    assert!(error.to_string().ends_with("was connected to itself"), "{error}");
    // And nothing lingers at the port.
    let _ = Listening::bound(&address.into());
}

/// Before the loop has seen that it was connected, or after: it is told once, and so is the reset.
pub(super) fn a_peer_that_resets_at_once<P: Subject>() {
    let reset = io::ErrorKind::ConnectionReset;
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    for early in [true, false] {
        let conn = server.ctx().connect(listening.target(), &options());
        if !early {
            server.until_connected(conn);
        }
        // The turn in which it is begun ends without a look at it.
        while !server.seen().contains(&Seen::Connected(conn)) && server.ctx().turns() == 0 {
            server.reactor.turn(Some(Duration::ZERO)).unwrap();
        }
        listening.accept().reset();
        server.until("the end", |server| {
            server.reactor.handler().error_of(conn).is_some()
                || server.seen().contains(&Seen::Closed(conn, End::Error(reset)))
        });
        if let Some(error) = server.reactor.handler().error_of(conn) {
            assert!(early);
            assert_eq!(error.kind(), reset);
        }
    }
    server.silent();
    assert_eq!(server.reactor.handler().open(), 0);
}

pub(super) fn what_is_cancelled_fails_once<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (tcp, _waiting) = Listening::full_tcp();
    let (unix, _crowd) = full_unix(&server);
    for target in [tcp.target(), unix.target()] {
        for abort in [true, false] {
            let conn = server.ctx().connect(target.clone(), &options().rounds(None));
            server.silent();
            for _ in 0..2 {
                if abort {
                    server.ctx().abort(conn);
                } else {
                    server.ctx().close(conn);
                }
            }
            let error = server.until_failed(conn);
            assert!(matches!(error.cause(), ConnectCause::Cancelled));
            assert!(error.elapsed() >= SILENCE, "{error}");
            assert!(error.to_string().contains(": cancelled after "), "{error}");
            server.silent();
        }
    }
    assert_eq!(server.seen().len(), 4);
}

pub(super) fn what_is_cancelled_at_once_never_begins<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    let cancelled = server.ctx().connect(listening.target(), &options());
    server.ctx().close(cancelled);
    let conn = server.ctx().connect(listening.target(), &options());
    server.until_connected(conn);
    let error = server.until_failed(cancelled);
    assert_eq!(error.attempt_count(), 0);
    let local = server.ctx().local_address(conn).unwrap();
    assert_eq!(Address::Ip(listening.accept().peer_address()), local, "it was the first to come");
}

pub(super) fn what_isn_t_connected_takes_nothing<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (listening, _waiting) = Listening::full_tcp();
    let conn = server.ctx().connect(listening.target(), &options());
    for _ in 0..2 {
        let mut ctx = server.ctx();
        assert_eq!(ctx.send(conn, b"x"), Sent::Refused);
        assert_eq!(ctx.send_shared(conn, b"x"[..].into()), Sent::Refused);
        assert_eq!((ctx.queued(conn), ctx.connections()), (0, 0));
        assert!(ctx.limits(conn).is_none() && ctx.socket(conn).is_none());
        ctx.pause(conn);
        ctx.resume(conn);
        ctx.finish(conn);
        ctx.set_limits(conn, reactor::Limits::default());
        assert_eq!(ctx.peer_address(conn).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(ctx.local_address(conn).unwrap_err().kind(), io::ErrorKind::NotFound);
        server.silent();
    }
}

/// One that fails is followed by one that succeeds, and so on.
pub(super) fn a_connect_may_follow_in_each_callback<P: Subject>() {
    let listening = Listening::tcp();
    let (good, bad) = (listening.target(), Listening::nobody().target());
    let mut left = 20;
    let mut server = Server::<P>::tcp(move |ctx, call| match call {
        Call::ConnectFailed(..) => drop(ctx.connect(good.clone(), &options())),
        Call::Connected(conn) => ctx.abort(conn),
        Call::Closed(..) if left > 0 => {
            left -= 1;
            ctx.connect(bad.clone(), &options());
        }
        _ => {}
    });
    server.ctx().connect("nowhere", &options());
    server.until("all is seen", |server| server.seen().len() == 3 + 20 * 3);
    server.silent();
    assert_eq!(server.ctx().connections(), 0);
}

pub(super) fn a_stop_ends_connects<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (listening, _waiting) = Listening::full_tcp();
    let under_way = server.ctx().connect(listening.target(), &options());
    let resolving = server.ctx().connect("localhost:1", &options());
    server.turn();
    let new = server.ctx().connect(listening.target(), &options());
    server.ctx().stop();
    server.until("the loop stops", |server| server.turn() == Status::Stopped);
    for conn in [under_way, resolving, new] {
        let error = server.reactor.handler().error_of(conn).expect("it has ended");
        let refused = conn == resolving && error.kind() == io::ErrorKind::ConnectionRefused;
        assert!(refused || matches!(error.cause(), ConnectCause::Stopped), "{error}");
    }
}

pub(super) fn a_shut_down_ends_connects<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let (_peer, conn) = server.connect();
    server.clog(conn);
    let (listening, _waiting) = Listening::full_tcp();
    let connect = server.ctx().connect(listening.target(), &options());
    server.turn();
    server.ctx().shut_down(PATIENCE);
    let error = server.until_failed(connect);
    assert!(matches!(error.cause(), ConnectCause::Stopped));
    assert!(error.to_string().contains("the loop stopped after "), "{error}");
    assert_eq!(server.ctx().connections(), 1, "that one goes on to drain");
}

/// Also if whoever fails tries again at once: that keeps nobody busy.
pub(super) fn a_connect_while_shutting_down_fails_when_it_stops<P: Subject>() {
    let (listening, _waiting) = Listening::full_tcp();
    let target = listening.target();
    let mut server = Server::<Counted<P>>::tcp(move |ctx, call| match call {
        Call::ConnectFailed(..) => drop(ctx.connect(target.clone(), &options())),
        other => sink(ctx, other),
    });
    let (_peer, conn) = server.connect();
    server.clog(conn);
    let connect = server.ctx().connect(listening.target(), &options());
    server.turn();
    server.ctx().shut_down(MOMENT * 2);
    server.until_failed(connect);
    let before = server.reactor.poller().waits;
    server.until("the loop stops", |server| server.reactor.turn(None).unwrap() == Status::Stopped);
    let waits = server.reactor.poller().waits - before;
    assert!(waits < 20, "{waits} waits");
    let failed = |seen: &&Seen| matches!(seen, Seen::ConnectFailed(_));
    assert_eq!(server.seen().iter().filter(failed).count(), 2);
}

pub(super) fn a_connect_in_the_last_callbacks_is_none<P: Subject>() {
    let mut server = Server::<P>::tcp(|ctx, call| match call {
        Call::ConnectFailed(..) | Call::Closed(..) => {
            let conn = ctx.connect("127.0.0.1:1", &options());
            assert_eq!(ctx.send(conn, b"x"), Sent::Refused);
            ctx.close(conn);
            ctx.stop();
            ctx.shut_down(PATIENCE);
        }
        _ => {}
    });
    let (_peer, _) = server.connect();
    let (listening, _waiting) = Listening::full_tcp();
    server.ctx().connect(listening.target(), &options());
    server.turn();
    server.ctx().stop();
    assert_eq!(server.turn(), Status::Stopped);
    assert_eq!(server.seen().len(), 3, "accepted, failed, closed");
    // Nor afterwards.
    server.ctx().connect(listening.target(), &options());
    assert_eq!(server.reactor.turn(None).unwrap(), Status::Stopped);
    assert_eq!(server.seen().len(), 3);
}

pub(super) fn a_source_address_is_used<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    // Linux has all of 127.0.0.0/8.
    let source: SocketAddr = if cfg!(any(target_os = "linux", target_os = "android")) {
        "127.1.2.3:0".parse().unwrap()
    } else {
        "127.0.0.1:0".parse().unwrap()
    };
    let conn = server.ctx().connect(listening.target(), &options().source(source));
    server.until_connected(conn);
    assert_eq!(listening.accept().peer_address().ip(), source.ip());
}

/// The number is inside an error that says which option it was.
pub(super) fn an_option_that_is_refused_is_told<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    let refused = SocketOptions::default().keepalive_count(1000);
    let options = options().socket(refused);
    let conn = server.ctx().connect(listening.target(), &options);
    let error = server.until_failed(conn);
    assert!(error.to_string().contains("TCP_KEEPCNT"), "{error}");
    assert_eq!(error.raw_os_error(), Some(Errno::INVAL.raw_os_error()), "{error}");
    // And after many rounds, of which the last is told.
    let options = options.rounds(None).backoff(MOMENT / 10, MOMENT / 10).timeout(MOMENT);
    let conn = server.ctx().connect(listening.target(), &options);
    let error = server.until_failed(conn);
    assert!(matches!(error.cause(), ConnectCause::TimedOut), "{error}");
    assert!(error.to_string().contains("TCP_KEEPCNT"), "{error}");
}

pub(super) fn a_source_of_another_family_is_told<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    for (target, source) in [("127.0.0.1:1", "[::1]:0"), ("[::1]:1", "127.0.0.1:0")] {
        let options = options().source(source.parse().unwrap());
        let conn = server.ctx().connect(target, &options);
        let error = server.until_failed(conn);
        let address = source.rsplit_once(':').unwrap().0.trim_matches(['[', ']']);
        assert!(error.to_string().contains(address), "it doesn't name the source: {error}");
    }
}

pub(super) fn a_source_that_no_interface_has_is_told<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    // An address of a documentation network (RFC 5737), which nobody has.
    let options = options().source("192.0.2.1:0".parse().unwrap());
    let conn = server.ctx().connect(listening.target(), &options);
    let error = server.until_failed(conn);
    assert_eq!(error.raw_os_error(), Some(Errno::ADDRNOTAVAIL.raw_os_error()), "{error}");
    assert!(error.to_string().contains("bind to 192.0.2.1:0: "), "{error}");
}

pub(super) fn a_connection_has_the_options_that_were_chosen<P: Subject>() {
    let mut server = Server::<P>::tcp(sink);
    let listening = Listening::tcp();
    let chosen = SocketOptions::default().keepalive(true).keepalive_idle(PATIENCE);
    for nodelay in [true, false] {
        let options = options().socket(chosen.clone()).nodelay(nodelay);
        let conn = server.ctx().connect(listening.target(), &options);
        server.until_connected(conn);
        let ctx = server.ctx();
        let socket = ctx.socket(conn).unwrap();
        assert_eq!(options::TCP_NODELAY.get(&socket).unwrap(), nodelay);
        assert_eq!(options::TCP_KEEPIDLE.get(&socket).unwrap(), PATIENCE);
    }
}

pub(super) fn a_pending_connect_wakes_nobody<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(sink);
    let (listening, _waiting) = Listening::full_tcp();
    server.ctx().connect(listening.target(), &options());
    server.turn();
    assert_eq!(server.empty_turns(SILENCE), 1);
}

/// There is no readiness to wait for, and so there are timers: not too many.
pub(super) fn a_full_unix_backlog_burns_no_processor<P: Subject>() {
    let mut server = Server::<Counted<P>>::tcp(sink);
    let (listening, _waiting) = full_unix(&server);
    server.ctx().connect(listening.target(), &options());
    let (start, cpu) = (Instant::now(), thread_cpu());
    let waits = server.empty_turns(SILENCE * 4);
    assert!(waits < 20, "{waits} waits");
    let burnt = thread_cpu().saturating_sub(cpu);
    assert!(burnt < start.elapsed() / 2, "{burnt:?}");
}

pub(super) fn an_idle_timeout_holds_for_those_that_were_made<P: Subject>() {
    let idle = |limits: &mut reactor::Limits| limits.idle_timeout = Some(MOMENT);
    let mut server = Server::<P>::with(Family::Tcp, idle, sink);
    let listening = Listening::tcp();
    let conn = server.ctx().connect(listening.target(), &options());
    server.until_connected(conn);
    let _peer = listening.accept();
    assert_eq!(server.until_closed(conn), End::Idle);
}
