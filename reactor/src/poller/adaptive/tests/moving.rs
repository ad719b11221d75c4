//! Moving between the two mechanisms against everything that a descriptor can do meanwhile.
//!
//! The judge is poll(2) itself, asked about one descriptor at a time: what it says before a wait has to be
//! reported, and what it doesn't say afterwards mustn't be.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use proptest::prelude::*;
use socket2::SockRef;

use super::super::super::bits;
use super::super::super::event::Readiness;
use super::super::*;
use super::still;
use crate::sys;

/// A descriptor that may be watched, and what makes things happen to it.
enum Pair {
    Tcp(TcpStream, Option<TcpStream>),
    Unix(UnixStream, Option<UnixStream>),
    /// Ready at all times, and nothing for epoll.
    Null(File),
}

impl Pair {
    fn tcp() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (near, _) = listener.accept().unwrap();
        near.set_nonblocking(true).unwrap();
        far.set_nonblocking(true).unwrap();
        Self::Tcp(near, Some(far))
    }

    fn unix() -> Self {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        far.set_nonblocking(true).unwrap();
        Self::Unix(near, Some(far))
    }

    fn make(kind: u8) -> Self {
        match kind % 8 {
            0..4 => Self::tcp(),
            4..7 => Self::unix(),
            _ => Self::null(),
        }
    }

    fn null() -> Self {
        Self::Null(File::open("/dev/null").unwrap())
    }

    fn near(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(near, _) => near.as_fd(),
            Self::Unix(near, _) => near.as_fd(),
            Self::Null(file) => file.as_fd(),
        }
    }

    fn fd(&self) -> RawFd {
        self.near().as_raw_fd()
    }

    /// Data from the other side.
    fn send(&self, count: usize) {
        let bytes = vec![b'x'; count];
        let _ = match self {
            Self::Tcp(_, Some(far)) => (&*far).write(&bytes),
            Self::Unix(_, Some(far)) => (&*far).write(&bytes),
            _ => Ok(0),
        };
    }

    fn send_urgent(&self) {
        if let Self::Tcp(_, Some(far)) = self {
            let _ = SockRef::from(far).send_out_of_band(b"!");
        }
    }

    /// The other side has sent all.
    fn finish(&self) {
        let _ = match self {
            Self::Tcp(_, Some(far)) => far.shutdown(std::net::Shutdown::Write),
            Self::Unix(_, Some(far)) => far.shutdown(std::net::Shutdown::Write),
            _ => Ok(()),
        };
    }

    /// The other side goes; with a reset if it can.
    fn go(&mut self) {
        match self {
            Self::Tcp(_, far) => {
                if let Some(far) = far.take() {
                    SockRef::from(&far).set_linger(Some(Duration::ZERO)).unwrap();
                }
            }
            Self::Unix(_, far) => drop(far.take()),
            Self::Null(_) => {}
        }
    }

    /// Our side reads so much.
    fn read(&self, count: usize) {
        let mut buffer = vec![0; count];
        let _ = match self {
            Self::Tcp(near, _) => (&*near).read(&mut buffer),
            Self::Unix(near, _) => (&*near).read(&mut buffer),
            Self::Null(file) => (&*file).read(&mut buffer),
        };
    }

    /// Our side writes until nothing more goes in.
    fn clog(&self) {
        let bytes = vec![0; 1 << 16];
        loop {
            let written = match self {
                Self::Tcp(near, _) => (&*near).write(&bytes),
                Self::Unix(near, _) => (&*near).write(&bytes),
                Self::Null(_) => Ok(0),
            };
            if !matches!(written, Ok(1..)) {
                return;
            }
        }
    }

    /// The other side reads all that there is.
    fn unclog(&self) {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = match self {
                Self::Tcp(_, Some(far)) => (&*far).read(&mut buffer),
                Self::Unix(_, Some(far)) => (&*far).read(&mut buffer),
                _ => Ok(0),
            };
            if !matches!(read, Ok(1..)) {
                return;
            }
        }
    }

    /// What poll(2) says of it, in the words of the contract.
    fn truth(&self, interest: Interest) -> Readiness {
        if interest.is_empty() {
            return Readiness::default();
        }
        let seen = sys::poll::now(self.fd(), bits::wanted(interest) as i16).unwrap();
        bits::readiness(u32::from(seen as u16), || interest).within(interest)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Send(u8, u16),
    SendUrgent(u8),
    Finish(u8),
    Go(u8),
    Read(u8, u16),
    Clog(u8),
    Unclog(u8),
    Modify(u8, u8),
    /// Removed, closed, and another one opened, which gets the number.
    Replace(u8, u8),
    /// Closed before it is removed, with or without a duplicate that keeps its file open, and another one
    /// opened.
    CloseFirst(u8, u8),
    /// Removed, and added again while things are going on.
    Readd(u8),
    Heat(u8),
    Cool(u8),
    Wake,
    /// A wait through a buffer that holds so many.
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PAIRS;
    prop_oneof![
        6 => (who.clone(), 1..2000u16).prop_map(|(who, count)| Step::Send(who, count)),
        2 => who.clone().prop_map(Step::SendUrgent),
        1 => who.clone().prop_map(Step::Finish),
        1 => who.clone().prop_map(Step::Go),
        5 => (who.clone(), 1..2000u16).prop_map(|(who, count)| Step::Read(who, count)),
        2 => who.clone().prop_map(Step::Clog),
        2 => who.clone().prop_map(Step::Unclog),
        4 => (who.clone(), 0..8u8).prop_map(|(who, interest)| Step::Modify(who, interest)),
        2 => (who.clone(), any::<u8>()).prop_map(|(who, kind)| Step::Replace(who, kind)),
        1 => (who.clone(), any::<u8>()).prop_map(|(who, kind)| Step::CloseFirst(who, kind)),
        1 => who.clone().prop_map(Step::Readd),
        8 => who.clone().prop_map(Step::Heat),
        8 => who.prop_map(Step::Cool),
        1 => Just(Step::Wake),
        4 => (1..4u8).prop_map(Step::Wait),
    ]
}

const PAIRS: u8 = 6;
const ANYTHING: Interest = Interest::READABLE.union(Interest::WRITABLE).union(Interest::PRIORITY);

struct World {
    poller: AdaptivePoller,
    pairs: Vec<(Pair, Key, Interest)>,
    /// Of descriptors that were closed while they were watched.
    duplicates: Vec<OwnedFd>,
}

impl World {
    fn new(poller: AdaptivePoller) -> Self {
        let mut world = Self { poller, pairs: Vec::new(), duplicates: Vec::new() };
        for n in 0..PAIRS {
            let (pair, key) = (Pair::make(n + 2), Key::new(u32::from(n), 0));
            world.poller.add(pair.fd(), key, Interest::READABLE).unwrap();
            world.pairs.push((pair, key, Interest::READABLE));
        }
        world
    }

    fn take(&mut self, step: &Step) {
        let poller = &mut self.poller;
        let at = |who: &u8| usize::from(*who);
        match step {
            Step::Send(who, count) => self.pairs[at(who)].0.send(usize::from(*count)),
            Step::SendUrgent(who) => self.pairs[at(who)].0.send_urgent(),
            Step::Finish(who) => self.pairs[at(who)].0.finish(),
            Step::Go(who) => self.pairs[at(who)].0.go(),
            Step::Read(who, count) => self.pairs[at(who)].0.read(usize::from(*count)),
            Step::Clog(who) => self.pairs[at(who)].0.clog(),
            Step::Unclog(who) => self.pairs[at(who)].0.unclog(),
            Step::Modify(who, wanted) => {
                let (_, key, interest) = &mut self.pairs[at(who)];
                *interest = interests(*wanted);
                poller.modify(*key, *interest).unwrap();
            }
            Step::Replace(who, kind) => {
                let (pair, key, _) = &mut self.pairs[at(who)];
                poller.remove(*key).unwrap();
                // Opened first where the old one is still open, so half of them get another number.
                if kind & 16 == 0 {
                    *pair = Pair::null();
                }
                self.open(*who, *kind);
            }
            Step::CloseFirst(who, kind) => {
                let (pair, key, _) = &mut self.pairs[at(who)];
                if kind & 16 == 0 {
                    self.duplicates.push(pair.near().try_clone_to_owned().unwrap());
                }
                *pair = Pair::null();
                if kind & 32 == 0 {
                    // epoll can't have it any more; what this wait says of it is anybody's guess.
                    poller.cool(*key);
                    poller.wait(&mut Events::default(), Some(Duration::ZERO)).unwrap();
                }
                poller.remove(*key).unwrap();
                self.open(*who, *kind);
            }
            Step::Readd(who) => {
                let (pair, key, interest) = &self.pairs[at(who)];
                poller.remove(*key).unwrap();
                poller.add(pair.fd(), *key, *interest).unwrap();
            }
            Step::Heat(who) => poller.heat(self.pairs[at(who)].1),
            Step::Cool(who) => {
                poller.cool(self.pairs[at(who)].1);
            }
            Step::Wake => {
                poller.waker().wake().unwrap();
                // It ends a wait that would be for ever, at once, and that is all that is seen of it.
                let mut events = Events::default();
                poller.wait(&mut events, None).unwrap();
            }
            Step::Wait(room) => {
                let mut events = Events::with_capacity(usize::from(*room));
                poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
                self.check(&events);
            }
        }
    }

    /// Puts a new pair in the place of a removed one, under a new key.
    fn open(&mut self, who: u8, kind: u8) {
        let (pair, key, interest) = &mut self.pairs[usize::from(who)];
        *pair = Pair::make(kind);
        let old = std::mem::replace(key, Key::new(key.slot(), key.generation() + 1));
        self.poller.add(pair.fd(), *key, *interest).unwrap();
        assert!(self.poller.modify(old, Interest::READABLE).is_err());
        assert!(self.poller.remove(old).is_err());
    }

    /// Nobody is reported for nothing, nor twice.
    fn check(&self, events: &Events) {
        for (n, event) in events.iter().enumerate() {
            let (pair, _, interest) =
                self.pairs.iter().find(|(_, key, _)| *key == event.key()).expect("a known key");
            let now = pair.truth(*interest).directions(*interest);
            let said = event.readiness().directions(*interest);
            assert_eq!(said - now, Interest::NONE, "{event:?} of {interest:?}, and it is {now:?}");
            assert!(!said.is_empty(), "{event:?} without a direction");
            let again = events.iter().skip(n + 1).any(|other| other.key() == event.key());
            assert!(!again, "{event:?} twice in {events:?}");
        }
    }

    /// All who are ready are reported by one wait with room for them.
    fn look(&mut self) {
        let before: Vec<_> = self
            .pairs
            .iter()
            .map(|(pair, key, interest)| (*key, pair.truth(*interest).directions(*interest)))
            .collect();
        let mut events = Events::default();
        self.poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
        self.check(&events);
        if events.is_empty() {
            // Nor would the next one spin for what is left of a closed one.
            let cold = self.poller.cold.as_fd().as_raw_fd();
            assert_eq!(sys::poll::now(cold, libc::POLLIN).unwrap(), 0);
        }
        for (key, ready) in before {
            let said = events
                .iter()
                .find(|event| event.key() == key)
                .map_or(Interest::NONE, |event| event.readiness().directions(ANYTHING));
            assert_eq!(ready - said, Interest::NONE, "{key:?} is {ready:?}, in {events:?}");
        }
    }
}

fn interests(bits: u8) -> Interest {
    let parts = [Interest::READABLE, Interest::WRITABLE, Interest::PRIORITY];
    let chosen = parts.into_iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0);
    chosen.fold(Interest::NONE, |all, (_, part)| all | part)
}

impl World {
    /// Who is ready takes turns in a buffer for one: nobody starves.
    fn take_turns(&mut self) {
        let ready = |(pair, key, interest): &(Pair, Key, Interest)| {
            (!pair.truth(*interest).directions(*interest).is_empty()).then_some(*key)
        };
        let mut waiting: Vec<_> = self.pairs.iter().filter_map(ready).collect();
        // Files and sockets take turns, so do hot and cold, and so do those of one kind.
        for _ in 0..4 * PAIRS {
            let mut events = Events::with_capacity(1);
            self.poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
            waiting.retain(|key| events.iter().all(|event| event.key() != *key));
        }
        assert!(waiting.is_empty(), "starved: {waiting:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    /// Whatever happens, and whoever moves meanwhile, each wait says what poll(2) says.
    #[test]
    fn nothing_is_lost_by_moving(
        restless in any::<bool>(),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let poller = if restless { AdaptivePoller::restless().unwrap() } else { still() };
        let mut world = World::new(poller);
        for step in &steps {
            world.take(step);
            world.look();
        }
        world.take_turns();
    }

    /// The same without a wait after each step: moves and events pile up.
    #[test]
    fn nothing_is_lost_between_waits(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new(still());
        steps.iter().for_each(|step| world.take(step));
        world.look();
        world.take_turns();
    }
}
