//! Signals as callbacks. Each case has a process of its own, whose signals nobody else gets.

use std::thread;

use nix::sys::signal::{Signal as Raised, raise};
use reactor::{Sent, Signal};
use rustix::process::{getpid, kill_process};
use tests::Subject;
use tests::counted::Counted;
use tests::recorder::{Seen, sink};
use tests::rig::SILENCE;
use tests::server::Server;

const ALL: [(Signal, Raised); 4] = [
    (Signal::USER1, Raised::SIGUSR1),
    (Signal::HANGUP, Raised::SIGHUP),
    (Signal::TERMINATE, Raised::SIGTERM),
    (Signal::INTERRUPT, Raised::SIGINT),
];

fn watching<P: Subject>() -> Server<Counted<P>> {
    let mut server = Server::<Counted<P>>::tcp(sink);
    for (signal, _) in ALL {
        server.ctx().watch_signal(signal).unwrap();
        server.ctx().watch_signal(signal).unwrap();
    }
    server
}

pub(super) fn signals_are_callbacks<P: Subject>() {
    let mut server = watching::<P>();
    for (signal, raised) in ALL {
        raise(raised).unwrap();
        server.until_seen(&Seen::Signal(signal));
        assert_eq!(server.empty_turns(SILENCE), 1);
        assert_eq!(server.take_seen(), [Seen::Signal(signal)]);
    }
}

pub(super) fn a_signal_ends_a_wait<P: Subject>() {
    let mut server = watching::<P>();
    let thread = thread::spawn(|| {
        kill_process(getpid(), rustix::process::Signal::TERM).unwrap();
    });
    while server.seen().is_empty() {
        server.reactor.turn(None).unwrap();
    }
    assert_eq!(server.seen(), [Seen::Signal(Signal::TERMINATE)]);
    thread.join().unwrap();
}

/// As the kernel does it: many that came before anybody looked are one.
pub(super) fn many_of_one_are_told_once<P: Subject>() {
    let mut server = watching::<P>();
    for _ in 0..10_000 {
        raise(Raised::SIGUSR1).unwrap();
    }
    raise(Raised::SIGHUP).unwrap();
    server.until("both came", |server| server.seen().len() >= 2);
    server.silent();
    assert_eq!(server.seen().len(), 2);
    assert!(server.seen().contains(&Seen::Signal(Signal::USER1)));
    assert!(server.seen().contains(&Seen::Signal(Signal::HANGUP)));
}

/// Writing to a peer that is gone is an error of that connection, whatever SIGPIPE does by default:
/// here it would end the process, which the Rust runtime spares a test otherwise.
pub(super) fn a_broken_pipe_ends_no_process<P: Subject>() {
    use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
    let mut mask = SigSet::empty();
    mask.add(Raised::SIGPIPE);
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), None).unwrap();
    for family in tests::server::Family::ALL {
        let mut server = Server::<P>::new(family, sink);
        let (peer, conn) = server.connect();
        server.ctx().pause(conn);
        server.turn();
        drop(peer);
        server.until("it is closed", |server| {
            if server.ctx().send(conn, b"x") == Sent::Refused {
                server.ctx().resume(conn);
            }
            server.ctx().connections() == 0
        });
    }
    let pending = sigpending();
    assert!(!pending, "SIGPIPE was raised");
}

/// Whether SIGPIPE is pending, as the kernel tells of this thread or process.
fn sigpending() -> bool {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let bit = 1_u64 << (Raised::SIGPIPE as u64 - 1);
    status.lines().filter(|line| line.starts_with("SigPnd") || line.starts_with("ShdPnd")).any(
        |line| {
            let mask = line.split_whitespace().nth(1).unwrap();
            u64::from_str_radix(mask, 16).unwrap() & bit != 0
        },
    )
}
