//! More at once than a listener has room for.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use reactor::{ConnectCause, ConnectOptions};
use socket2::{Domain, Socket, Type};
use tests::Subject;
use tests::open_files;
use tests::recorder::{Seen, sink};
use tests::server::Server;

use crate::network::Network;

const CROWD: usize = 5_000;

/// As many are accepted; the others find the backlog full.
const SERVED: usize = CROWD / 2;

/// The kernel repeats a SYN that found no room after a second.
const TIMEOUT: Duration = Duration::from_millis(1500);

/// Each ends connected, or with an error that says why, and nothing is left behind. It takes two
/// seconds, most of which are the kernel's.
pub(crate) fn five_thousand_at_once<P: Subject>() {
    open_files::allow(16_000, 11_000);
    let network = Network::new();
    let address: SocketAddr = "10.9.0.2:80".parse().unwrap();
    let listener = network.far.run(move || {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&address.into()).unwrap();
        listener.listen(128).unwrap();
        listener
    });
    let accepting = listener.try_clone().unwrap();
    let before = open_files::count();
    let acceptor = thread::spawn(move || {
        let accept = |_| accepting.accept().ok();
        (0..SERVED).map_while(accept).collect::<Vec<_>>()
    });
    let mut server = Server::<P>::tcp(sink);
    server.turn();
    let own = open_files::count() - before;
    let options = ConnectOptions::default().attempt_timeout(TIMEOUT);
    let all: Vec<_> = (0..CROWD).map(|_| server.ctx().connect(address, &options)).collect();
    let end = Instant::now() + TIMEOUT * 8;
    let told = |seen: &&Seen| matches!(seen, Seen::Connected(_) | Seen::ConnectFailed(_));
    while server.seen().iter().filter(told).count() < CROWD {
        assert!(Instant::now() < end, "some hear nothing");
        server.turn();
    }
    let failed = &server.reactor.handler().errors;
    for (_, error) in failed {
        assert!(matches!(error.cause(), ConnectCause::Failed), "{error}");
        assert_eq!((error.attempt_count(), error.kind()), (1, ErrorKind::TimedOut), "{error}");
    }
    let connected = CROWD - failed.len();
    assert!(connected > 128 && !failed.is_empty(), "{connected} of {CROWD} are connected");
    for conn in all {
        server.ctx().abort(conn);
    }
    while server.ctx().connections() > 0 {
        server.turn();
    }
    listener.shutdown(std::net::Shutdown::Both).unwrap();
    drop(acceptor.join().unwrap());
    // The acceptor's own descriptor ended with its thread.
    assert_eq!(open_files::count(), before + own - 1);
    server.silent();
}
