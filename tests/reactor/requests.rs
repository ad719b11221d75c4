//! Requests over UDP that are asked again.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::Duration;

use reactor::{Requests, Retransmission, UdpId};
use tests::Subject;
use tests::counted::Counted;
use tests::recorder::Call;
use tests::rig::SILENCE;
use tests::server::Server;

use crate::udp::peer;

/// The token of the requests' timers.
const AGAIN: u64 = 7;

/// A request's first byte is its id, and so is an answer's.
struct Asker<P: Subject> {
    server: Server<Counted<P>>,
    socket: UdpId,
    state: Rc<RefCell<State>>,
}

struct State {
    requests: Requests<u8>,
    answered: Vec<u8>,
    given_up: Vec<u8>,
    /// Datagrams that answered nothing.
    strange: usize,
    /// Requests that an ICMP error was about.
    refused: Vec<u8>,
}

impl<P: Subject> Asker<P> {
    /// One that waits for so long at first, and asks so often.
    fn new(initial: Duration, attempts: u32) -> Self {
        let mut policy = Retransmission::default();
        policy.initial = initial;
        policy.least = Duration::from_millis(2);
        policy.attempts = attempts;
        let state = Rc::new(RefCell::new(State {
            requests: Requests::with(AGAIN, policy),
            answered: Vec::new(),
            given_up: Vec::new(),
            strange: 0,
            refused: Vec::new(),
        }));
        let ours = Rc::clone(&state);
        let mut server = Server::tcp(move |ctx, call| {
            let state = &mut *ours.borrow_mut();
            match call {
                Call::Datagram(socket, datagram) => {
                    let id = datagram.bytes()[0];
                    if state.requests.answer(ctx, socket, datagram, &id) {
                        state.answered.push(id);
                    } else {
                        state.strange += 1;
                    }
                }
                Call::DatagramFailed(_, error) => {
                    state.refused.extend(state.requests.asked(error.peer().unwrap()));
                }
                Call::Timer(timer, AGAIN) => {
                    state.given_up.extend(state.requests.timer(ctx, timer));
                }
                other => panic!("{other:?}"),
            }
        });
        let socket = server.ctx().bind_udp("127.0.0.1:0").unwrap();
        Self { server, socket, state }
    }

    /// One whose patience doesn't end while a test runs.
    fn patient() -> Self {
        Self::new(Duration::from_secs(60), 5)
    }

    fn ask(&mut self, peer: SocketAddr, id: u8) -> std::io::Result<()> {
        let requests = &mut self.state.borrow_mut().requests;
        requests.ask(&mut self.server.ctx(), self.socket, peer, id, vec![id, b'?'])
    }

    fn address(&mut self) -> SocketAddr {
        self.server.ctx().udp_address(self.socket).unwrap()
    }

    fn until(&mut self, what: &str, done: impl Fn(&State) -> bool) {
        let state = Rc::clone(&self.state);
        self.server.until(what, |_| done(&state.borrow()));
    }

    /// Nothing waits, and no timer is left.
    fn is_at_rest(&mut self) {
        assert!(self.state.borrow().requests.is_empty());
        assert_eq!(self.server.empty_turns(SILENCE), 1);
    }
}

/// Takes one request, and says whether it is the expected one.
fn is_asked(peer: &UdpSocket, id: u8) -> bool {
    let mut buffer = [0; 8];
    let count = peer.recv(&mut buffer).unwrap();
    buffer[..count] == [id, b'?']
}

pub(super) fn an_answer_ends_a_request<P: Subject>() {
    let mut asker = Asker::<P>::patient();
    let peers = [peer(), peer()];
    let address = asker.address();
    for (id, peer) in (0..).zip(&peers) {
        asker.ask(peer.local_addr().unwrap(), id).unwrap();
    }
    assert_eq!(asker.state.borrow().requests.len(), 2);
    for (id, peer) in [(1, &peers[1]), (0, &peers[0])] {
        assert!(is_asked(peer, id));
        peer.send_to(&[id], address).unwrap();
    }
    asker.until("both are answered", |state| state.answered.len() == 2);
    for peer in peers {
        // It was measured: what comes next doesn't wait for a minute.
        let state = asker.state.borrow();
        assert!(state.requests.timeout(peer.local_addr().unwrap()) < Duration::from_secs(60));
    }
    asker.is_at_rest();
}

pub(super) fn a_lost_datagram_is_sent_again<P: Subject>() {
    let mut asker = Asker::<P>::new(Duration::from_millis(5), 20);
    let peer = peer();
    let address = asker.address();
    asker.ask(peer.local_addr().unwrap(), 1).unwrap();
    // The first two are lost.
    let mut came = 0;
    peer.set_nonblocking(true).unwrap();
    asker.server.until("it is asked for the third time", |_| {
        came += usize::from(peer.recv(&mut [0; 8]).is_ok());
        came == 3
    });
    peer.send_to(&[1], address).unwrap();
    asker.until("it is answered", |state| !state.answered.is_empty());
    assert_eq!(asker.state.borrow().answered, [1]);
    // Nobody can say which was answered: the next one waits as long as that one did at last.
    let timeout = asker.state.borrow().requests.timeout(peer.local_addr().unwrap());
    assert!(timeout >= Duration::from_millis(20), "{timeout:?}");
    asker.server.take_seen();
    asker.is_at_rest();
}

pub(super) fn silence_is_given_up<P: Subject>() {
    let mut asker = Asker::<P>::new(Duration::from_millis(2), 4);
    let peer = peer();
    let to = peer.local_addr().unwrap();
    asker.ask(to, 1).unwrap();
    asker.until("it is given up", |state| !state.given_up.is_empty());
    assert_eq!(asker.state.borrow().given_up, [1]);
    for _ in 0..4 {
        assert!(is_asked(&peer, 1));
    }
    peer.set_nonblocking(true).unwrap();
    assert_eq!(peer.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    asker.is_at_rest();
    // What comes too late answers nothing.
    let address = asker.address();
    peer.send_to(&[1], address).unwrap();
    asker.until("it comes", |state| state.strange == 1);
    assert!(asker.state.borrow().answered.is_empty());
}

/// Also one who knows the id.
pub(super) fn a_stranger_answers_nothing<P: Subject>() {
    let mut asker = Asker::<P>::patient();
    let (friend, stranger) = (peer(), peer());
    let address = asker.address();
    asker.ask(friend.local_addr().unwrap(), 1).unwrap();
    stranger.send_to(&[1], address).unwrap();
    friend.send_to(&[2], address).unwrap();
    asker.until("both come", |state| state.strange == 2);
    assert_eq!(asker.state.borrow().requests.len(), 1);
    friend.send_to(&[1], address).unwrap();
    asker.until("it is answered", |state| state.answered == [1]);
    // And a second answer none.
    friend.send_to(&[1], address).unwrap();
    asker.until("it comes again", |state| state.strange == 3);
    assert_eq!(asker.state.borrow().answered, [1]);
    asker.is_at_rest();
}

/// What came to another socket of ours isn't an answer either.
pub(super) fn another_socket_hears_no_answer<P: Subject>() {
    let mut asker = Asker::<P>::patient();
    let peer = peer();
    let other = asker.server.ctx().bind_udp("127.0.0.1:0").unwrap();
    let elsewhere = asker.server.ctx().udp_address(other).unwrap();
    asker.ask(peer.local_addr().unwrap(), 1).unwrap();
    peer.send_to(&[1], elsewhere).unwrap();
    asker.until("it comes", |state| state.strange == 1);
    assert_eq!(asker.state.borrow().requests.len(), 1);
}

pub(super) fn a_request_can_be_cancelled<P: Subject>() {
    let mut asker = Asker::<P>::new(Duration::from_millis(2), 100);
    let peer = peer();
    asker.ask(peer.local_addr().unwrap(), 1).unwrap();
    {
        let state = &mut *asker.state.borrow_mut();
        assert!(state.requests.cancel(&mut asker.server.ctx(), &1));
        assert!(!state.requests.cancel(&mut asker.server.ctx(), &1));
    }
    asker.is_at_rest();
    assert!(is_asked(&peer, 1));
    // The answer comes too late.
    let address = asker.address();
    peer.send_to(&[1], address).unwrap();
    asker.until("it comes", |state| state.strange == 1);
}

pub(super) fn what_can_t_be_asked_waits_for_nothing<P: Subject>() {
    let mut asker = Asker::<P>::patient();
    let peer = peer();
    let to = peer.local_addr().unwrap();
    asker.ask(to, 1).unwrap();
    assert_eq!(asker.ask(to, 1).unwrap_err().kind(), ErrorKind::AlreadyExists);
    // Of the other IP version.
    asker.ask("[::1]:7".parse().unwrap(), 2).unwrap_err();
    asker.server.ctx().close_udp(asker.socket);
    assert_eq!(asker.ask(to, 3).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(asker.state.borrow().requests.len(), 1);
}

/// Only Linux tells whom an error is about, on a socket that isn't connected.
#[cfg(target_os = "linux")]
pub(super) fn an_error_names_the_requests_that_it_is_about<P: Subject>() {
    let mut asker = Asker::<P>::patient();
    let friend = peer();
    // A port that is taken elsewhere, so that nobody opens it here meanwhile.
    let nobody = SocketAddr::from(([127, 0, 0, 98], friend.local_addr().unwrap().port()));
    for (id, to) in [(1, nobody), (2, friend.local_addr().unwrap()), (3, nobody)] {
        asker.ask(to, id).unwrap();
    }
    // Each of the two errors is about both.
    asker.until("both errors come", |state| state.refused.len() == 4);
    let mut refused = asker.state.borrow().refused.clone();
    refused.sort_unstable();
    assert_eq!(refused, [1, 1, 3, 3]);
    assert_eq!(asker.state.borrow().requests.len(), 3, "none has ended");
}

/// Who is asked at the unspecified address is this machine, which answers from another one.
pub(super) fn a_request_to_the_unspecified_address_is_answered<P: Subject>() {
    let mut asker = Asker::<P>::patient();
    let peer = peer();
    let address = asker.address();
    asker.ask(([0, 0, 0, 0], peer.local_addr().unwrap().port()).into(), 1).unwrap();
    assert!(is_asked(&peer, 1));
    peer.send_to(&[1], address).unwrap();
    asker.until("it comes", |state| state.strange + state.answered.len() == 1);
    assert_eq!(asker.state.borrow().answered, [1]);
}
