//! The client of the examples that ends its side first: against the echo server of the examples, and
//! against others.

#[path = "../../reactor/examples/echo.rs"]
#[allow(dead_code, reason = "its main isn't run")]
mod echo;
#[path = "../../reactor/examples/half_close.rs"]
#[allow(dead_code, reason = "its main isn't run")]
mod half_close;

use std::time::{Duration, Instant};

use reactor::{ConnectOptions, Reactor, Status, Target};
use tests::Subject;
use tests::listening::Listening;
use tests::peer::Tail;
use tests::rig::PATIENCE;

use echo::Echo;
use half_close::HalfClose;

type Client<P> = Reactor<HalfClose<Vec<u8>>, P>;

fn client<P: Subject>(request: &[u8], server: Target) -> Client<P> {
    let client = HalfClose::new(request, Vec::new());
    let mut reactor = Reactor::with_poller(client, P::create().unwrap()).unwrap();
    reactor.context().connect(server, &ConnectOptions::default());
    reactor
}

/// Turns, doing `meanwhile` what the server does, until that says that it is over or the client has
/// stopped.
fn until<P: Subject>(client: &mut Client<P>, mut meanwhile: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while client.turn(Some(Duration::from_millis(1))).unwrap() != Status::Stopped && !meanwhile() {
        assert!(Instant::now() < end, "it never ends");
    }
}

/// What is printed of an answer to `request` by the echo server.
fn echoed<P: Subject>(request: &[u8]) -> Vec<u8> {
    let mut server = Reactor::with_poller(Echo, P::create().unwrap()).unwrap();
    let listener = server.listen("127.0.0.1:0").unwrap();
    let address = server.context().listener_address(listener).unwrap();
    let mut client = client::<P>(request, address.into());
    until(&mut client, || {
        server.turn(Some(Duration::ZERO)).unwrap();
        false
    });
    assert_eq!(client.handler().failure, None);
    std::mem::take(&mut client.handler_mut().output)
}

/// More than the sockets hold: the end waits for it.
pub(super) fn all_that_was_asked_comes_back<P: Subject>() {
    let request: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 7) as u8).collect();
    let output = echoed::<P>(&request);
    assert!(output == request, "{} of {} bytes came", output.len(), request.len());
}

pub(super) fn nothing_asked_is_nothing_back<P: Subject>() {
    assert_eq!(echoed::<P>(b""), b"");
}

/// A server that doesn't say a word before it has read to the end.
pub(super) fn the_answer_follows_the_end<P: Subject>() {
    let listening = Listening::tcp();
    let mut client = client::<P>(b"how many?", listening.target());
    until(&mut client, || true);
    let mut server = listening.accept();
    let mut request = Vec::new();
    until(&mut client, || server.read_some(&mut request, 100) == Tail::End);
    assert_eq!(request, b"how many?");
    server.send(b"nine ");
    until(&mut client, || true);
    server.send(b"bytes");
    drop(server);
    until(&mut client, || false);
    assert_eq!(client.handler().output, b"nine bytes");
    assert_eq!(client.handler().failure, None);
}

pub(super) fn an_answer_that_is_cut_off_isn_t_whole<P: Subject>() {
    let listening = Listening::tcp();
    let mut client = client::<P>(b"tell me all", listening.target());
    until(&mut client, || true);
    let mut server = listening.accept();
    let mut request = Vec::new();
    until(&mut client, || server.read_some(&mut request, 100) == Tail::End);
    server.send(b"it was a dark and");
    server.reset();
    until(&mut client, || false);
    let failure = client.handler().failure.as_ref().unwrap();
    assert!(failure.contains("reset"), "{failure}");
}

pub(super) fn nobody_answers<P: Subject>() {
    let nobody = Listening::nobody();
    let mut client = client::<P>(b"is anybody there?", nobody.target());
    until(&mut client, || false);
    let failure = client.handler().failure.as_ref().unwrap();
    assert!(failure.starts_with(&format!("connect {}: ", nobody.address())), "{failure}");
}
