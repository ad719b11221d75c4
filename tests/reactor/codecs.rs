//! Codecs in the loop, as a layer between it and a handler that knows messages alone.

use std::time::Duration;

use reactor::codec::{LengthPrefixed, Lines, TooLong};
use reactor::{
    CloseReason, ConnId, ConnMap, Context, Handler, Input, ListenerId, Options, Reactor,
};
use tests::Subject;
use tests::counted::Counted;
use tests::peer::{Peer, Tail};

const MAX: usize = 2 * 1024 * 1024;

/// A codec, as the layer uses it.
trait Codec {
    fn new() -> Self;
    fn next<'a>(&mut self, input: &mut Input<'a>) -> Result<Option<&'a [u8]>, TooLong>;
    fn needs(&self) -> usize;
}

macro_rules! codec {
    ($codec:ty) => {
        impl Codec for $codec {
            fn new() -> Self {
                <$codec>::new(MAX)
            }

            fn next<'a>(&mut self, input: &mut Input<'a>) -> Result<Option<&'a [u8]>, TooLong> {
                self.next(input)
            }

            fn needs(&self) -> usize {
                self.needs()
            }
        }
    };
}

codec!(LengthPrefixed);
codec!(Lines);

/// Calls the `data` of any handler once for each message, with all of it.
struct Framed<C, H> {
    inner: H,
    codecs: ConnMap<C>,
    /// How often the loop has called.
    calls: usize,
    failed: Option<TooLong>,
    /// Bytes that the last call left: the beginning of a message.
    begun: usize,
    /// How many that were when the peer had finished.
    cut_off: Option<usize>,
}

impl<C: Codec, H: Handler> Handler for Framed<C, H> {
    type Message = H::Message;

    fn accepted(&mut self, ctx: &mut Context<'_>, conn: ConnId, listener: ListenerId) {
        self.codecs.insert(conn, C::new());
        self.inner.accepted(ctx, conn, listener);
    }

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        self.calls += 1;
        loop {
            let codec = &mut self.codecs[conn];
            match codec.next(input) {
                Ok(Some(message)) => self.inner.data(ctx, conn, &mut Input::new(message)),
                Ok(None) => {
                    self.begun = input.len();
                    return ctx.set_read_low(conn, codec.needs());
                }
                Err(error) => {
                    self.failed = Some(error);
                    return ctx.abort(conn);
                }
            }
        }
    }

    fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        self.cut_off = Some(self.begun);
        self.inner.peer_finished(ctx, conn);
    }

    fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, reason: CloseReason) {
        self.codecs.remove(conn);
        self.inner.closed(ctx, conn, reason);
    }
}

/// Answers each message by its length, as text.
#[derive(Default)]
struct Count {
    lengths: Vec<usize>,
}

impl Handler for Count {
    type Message = ();

    fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
        let length = input.take().len();
        self.lengths.push(length);
        ctx.send(conn, format!("{length} ").as_bytes());
    }
}

type Loop<C, P> = Reactor<Framed<C, Count>, Counted<P>>;

fn connect<C: Codec, P: Subject>() -> (Loop<C, P>, Peer) {
    let handler = Framed {
        inner: Count::default(),
        codecs: ConnMap::new(),
        calls: 0,
        failed: None,
        begun: 0,
        cut_off: None,
    };
    let poller = Counted::<P>::create().unwrap();
    let mut reactor = Reactor::with_options(handler, poller, Options::default()).unwrap();
    let listener = reactor.listen("127.0.0.1:0").unwrap();
    let address = reactor.context().listener_address(listener).unwrap().as_ip().unwrap();
    let peer = Peer::tcp(address);
    while reactor.context().connections() == 0 {
        reactor.turn(None).unwrap();
    }
    (reactor, peer)
}

/// Sends segment by segment, with a turn after each.
fn say<C: Codec, P: Subject>(reactor: &mut Loop<C, P>, peer: &mut Peer, bytes: &[u8], size: usize) {
    for mut segment in bytes.chunks(size) {
        while !segment.is_empty() {
            segment = &segment[peer.send_some(segment)..];
            reactor.turn(Some(Duration::ZERO)).unwrap();
        }
    }
}

/// Turns until the peer has got this.
fn hear<C: Codec, P: Subject>(reactor: &mut Loop<C, P>, peer: &mut Peer, answer: &str) {
    let mut got = Vec::new();
    while got.len() < answer.len() {
        assert_eq!(peer.read_some(&mut got, 1000), Tail::Open);
        if got.len() < answer.len() {
            reactor.turn(Some(Duration::from_millis(1))).unwrap();
        }
    }
    assert_eq!(String::from_utf8(got).unwrap(), answer);
}

/// A megabyte in segments of a kilobyte: one call with the first, which has the length, and one with
/// all of it.
pub(super) fn a_long_frame_wakes_its_handler_once<P: Subject>() {
    const LENGTH: usize = 1024 * 1024;
    let (mut reactor, mut peer) = connect::<LengthPrefixed, P>();
    let prefix = LengthPrefixed::new(MAX).prefix(&vec![0; LENGTH]).unwrap();
    let bytes = [&prefix[..], &vec![7; LENGTH]].concat();
    let events = reactor.poller().events;
    for _ in 0..2 {
        reactor.handler_mut().calls = 0;
        say(&mut reactor, &mut peer, &bytes, 1024);
        hear(&mut reactor, &mut peer, "1048576 ");
        assert_eq!(reactor.handler().calls, 2);
    }
    let events = reactor.poller().events - events;
    println!("2 frames of {LENGTH} bytes in segments of 1024: {events} events");
}

pub(super) fn frames_come_as_they_were_sent<P: Subject>() {
    let codec = LengthPrefixed::new(MAX);
    let (mut bytes, mut answer) = (Vec::new(), String::new());
    for length in [0, 1, 5, 3000, 0, 20_000, 7] {
        let frame = vec![1; length];
        bytes.extend_from_slice(&codec.prefix(&frame).unwrap());
        bytes.extend_from_slice(&frame);
        answer += &format!("{length} ");
    }
    for size in [1000, 1500, bytes.len()] {
        let (mut reactor, mut peer) = connect::<LengthPrefixed, P>();
        say(&mut reactor, &mut peer, &bytes, size);
        hear(&mut reactor, &mut peer, &answer);
        peer.finish();
        while reactor.context().connections() > 0 {
            reactor.turn(None).unwrap();
        }
        assert!(reactor.handler().codecs.is_empty());
    }
}

/// Also one that is longer than the read high-water mark, of one mebibyte.
pub(super) fn lines_come_as_they_were_sent<P: Subject>() {
    let mut bytes = b"one\ntwo\r\n\n".to_vec();
    bytes.resize(bytes.len() + 1_500_000, b'x');
    bytes.extend_from_slice(b"\r\nend\n");
    for size in [20_000, bytes.len()] {
        let (mut reactor, mut peer) = connect::<Lines, P>();
        say(&mut reactor, &mut peer, &bytes, size);
        hear(&mut reactor, &mut peer, "3 3 0 1500000 3 ");
    }
}

fn is_cut_off<C: Codec, P: Subject>(bytes: &[u8], size: usize) -> usize {
    let (mut reactor, mut peer) = connect::<C, P>();
    say(&mut reactor, &mut peer, bytes, size);
    peer.finish();
    while reactor.handler().cut_off.is_none() {
        reactor.turn(None).unwrap();
    }
    reactor.handler().cut_off.unwrap()
}

/// What the low-water mark kept from the handler is told before the end.
pub(super) fn a_message_that_is_cut_off_is_seen_at_the_end<P: Subject>() {
    let mut frames = b"\0\0\0\x05whole\0\0\x01\0".to_vec();
    frames.resize(frames.len() + 200, 7);
    for (length, begun) in [(9, 0), (10, 1), (13, 4), (14, 5), (213, 204)] {
        for size in [1, 20, length] {
            let found = is_cut_off::<LengthPrefixed, P>(&frames[..length], size);
            assert_eq!(found, begun, "{length} bytes, {size} at a time");
        }
    }
    for (text, begun) in [("whole\r\n", 0), ("whole\r", 6), ("whole\ncut", 3), ("", 0)] {
        for size in [1, 20] {
            let found = is_cut_off::<Lines, P>(text.as_bytes(), size);
            assert_eq!(found, begun, "{text:?}, {size} at a time");
        }
    }
}

pub(super) fn too_long_a_message_is_an_error_at_once<P: Subject>() {
    let (mut reactor, mut peer) = connect::<LengthPrefixed, P>();
    say(&mut reactor, &mut peer, &u32::MAX.to_be_bytes(), 4);
    while reactor.context().connections() > 0 {
        reactor.turn(None).unwrap();
    }
    let error = TooLong { length: u32::MAX as usize, max: MAX };
    assert_eq!(reactor.handler().failed, Some(error));
}
