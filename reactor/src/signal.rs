//! Signals as events: a flag for each, and a socket that wakes the loop.

use std::fmt;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts;
use signal_hook::low_level::{pipe, signal_name, unregister};

use crate::net::Failure;

/// A signal that a process can catch and go on from.
///
/// The constants are those that servers use; any other comes [from its number](Self::try_from).
///
/// A loop that watches a signal is told of it by a callback, in its own thread, where everything is
/// allowed. What came more than once before the loop got round to it is told once, as the kernel does
/// too: whoever watches [`CHILD`](Self::CHILD) asks waitpid(2) with `WNOHANG` until nobody is left.
/// All loops of a process that watch a signal hear of it.
///
/// # Afterwards
///
/// The first watch of a signal in a process replaces what the process did on it, for good: handlers
/// that were there before go on to run, but the default action (to end the process, for most) doesn't
/// come back when the loop is gone. A process that goes on without its loop, and without another
/// that watches, ignores the signal from then on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(i32);

impl Signal {
    /// SIGHUP: the terminal is gone; by custom also "read your configuration again".
    pub const HANGUP: Self = Self(consts::SIGHUP);
    /// SIGINT: Ctrl-C.
    pub const INTERRUPT: Self = Self(consts::SIGINT);
    /// SIGQUIT: Ctrl-\\.
    pub const QUIT: Self = Self(consts::SIGQUIT);
    /// SIGUSR1: whatever the application says.
    pub const USER1: Self = Self(consts::SIGUSR1);
    /// SIGUSR2: whatever the application says.
    pub const USER2: Self = Self(consts::SIGUSR2);
    /// SIGPIPE: somebody wrote to a pipe or socket that has no reader. Sockets of the loop don't
    /// raise it.
    pub const PIPE: Self = Self(consts::SIGPIPE);
    /// SIGALRM: a timer of alarm(2) or setitimer(2) ran out.
    pub const ALARM: Self = Self(consts::SIGALRM);
    /// SIGTERM: the polite request to end.
    pub const TERMINATE: Self = Self(consts::SIGTERM);
    /// SIGCHLD: children ended, stopped or went on; how many, waitpid(2) tells.
    pub const CHILD: Self = Self(consts::SIGCHLD);
    /// SIGCONT: the process went on after a stop.
    pub const CONTINUE: Self = Self(consts::SIGCONT);
    /// SIGWINCH: the terminal's window has another size.
    pub const WINDOW_SIZE: Self = Self(consts::SIGWINCH);

    /// The number that kill(2) takes.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }
}

/// The signal of a number, for real-time signals and those without a constant.
///
/// # Errors
///
/// [`InvalidInput`](io::ErrorKind::InvalidInput) for SIGKILL and SIGSTOP, which can't be caught, and
/// for SIGILL, SIGFPE, SIGSEGV and SIGBUS, whose handler would return to the instruction that failed.
/// That a system has no such number shows when it is watched.
impl TryFrom<i32> for Signal {
    type Error = io::Error;

    fn try_from(number: i32) -> io::Result<Self> {
        let signal = Self(number);
        if consts::FORBIDDEN.contains(&number) || number == consts::SIGBUS {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{signal} can't be watched: no process goes on from it"),
            ));
        }
        Ok(signal)
    }
}

/// The signal's name, as `SIGTERM`; its number where there is none, as `signal 40`.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match signal_name(self.0) {
            Some(name) => f.pad(name),
            None => f.pad(&format!("signal {}", self.0)),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signal({self})")
    }
}

/// The signals that one loop watches.
///
/// The handler of a signal sets its flag and writes a byte, which makes the
/// [descriptor](AsFd::as_fd) readable until [`take`](Self::take). The flags say what came, the bytes
/// only that something did; so neither a full socket loses a signal, nor does a byte without a flag
/// (a child that was forked and got a signal before its exec shares the socket, not the flags)
/// invent one.
#[derive(Debug)]
pub(crate) struct Signals {
    receiver: UnixStream,
    sender: UnixStream,
    watched: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    signal: Signal,
    came: Arc<AtomicBool>,
    actions: [SigId; 2],
}

impl Signals {
    /// Nothing watched yet; it costs two descriptors, and each signal another.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE: out of descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        let (receiver, sender) = UnixStream::pair()
            .map_err(|error| Failure::wrap("make a socket pair for signals", error, None))?;
        receiver.set_nonblocking(true)?;
        sender.set_nonblocking(true)?;
        Ok(Self { receiver, sender, watched: Vec::new() })
    }

    /// Watches `signal`; nothing changes if it is watched.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE: out of descriptors. EINVAL: the system has no such signal, or keeps it to
    /// itself. After an error it isn't watched.
    pub(crate) fn watch(&mut self, signal: Signal) -> io::Result<()> {
        if self.watched.iter().any(|watched| watched.signal == signal) {
            return Ok(());
        }
        let watched = Watched::new(signal, &self.sender)
            .map_err(|error| Failure::wrap(format!("watch {signal}"), error, None))?;
        self.watched.push(watched);
        Ok(())
    }

    /// Makes the descriptor unreadable, and says which of the watched signals came since the last
    /// time, each once, in the order in which they were first watched.
    pub(crate) fn take(&mut self) -> Vec<Signal> {
        // The bytes first: a signal that comes between the two steps is told now, and its byte only
        // makes the next call find nothing. The other way round its flag would stay without a byte.
        self.drain();
        self.watched
            .iter()
            .filter(|watched| watched.came.swap(false, Ordering::SeqCst))
            .map(|watched| watched.signal)
            .collect()
    }

    fn drain(&mut self) {
        let mut bytes = [0; 64];
        loop {
            match self.receiver.read(&mut bytes) {
                Ok(count) if count == bytes.len() => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Empty, or it was: a byte that came meanwhile is reported again.
                _ => return,
            }
        }
    }
}

impl Watched {
    fn new(signal: Signal, sender: &UnixStream) -> io::Result<Self> {
        let sender = sender.try_clone()?;
        let came = Arc::new(AtomicBool::new(false));
        // Actions run in this order, so that whoever reads the byte finds the flag.
        let flag = signal_hook::flag::register(signal.number(), Arc::clone(&came))?;
        let byte = pipe::register(signal.number(), sender).inspect_err(|_| {
            unregister(flag);
        })?;
        Ok(Self { signal, came, actions: [flag, byte] })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        for action in self.actions {
            unregister(action);
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // Before the receiver is closed: to write to a socket that nobody reads raises SIGPIPE. No
        // action runs any more when its `unregister` has returned.
        self.watched.clear();
    }
}

/// To be registered for reading.
impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::time::Duration;

    use signal_hook::low_level::raise;

    use super::*;
    use crate::poller::{DefaultPoller, Events, Interest, Key, Poller};

    // A signal reaches the whole process, and with it all tests that run at the same time: each has
    // signals of its own. `raise` returns when the handler has run.

    fn watching(signals: &[Signal]) -> Signals {
        let mut watching = Signals::new().unwrap();
        for signal in signals {
            watching.watch(*signal).unwrap();
        }
        watching
    }

    #[test]
    fn signals_wake_and_are_told_once() {
        let mut signals = watching(&[Signal::USER1, Signal::CONTINUE, Signal::USER1]);
        let mut poller = DefaultPoller::new().unwrap();
        let key = Key::new(0, 0);
        poller.add(signals.as_fd().as_raw_fd(), key, Interest::READABLE).unwrap();
        let mut events = Events::default();
        let mut is_reported = |timeout| {
            events.clear();
            poller.wait(&mut events, timeout).unwrap();
            !events.is_empty()
        };
        assert!(!is_reported(Some(Duration::ZERO)));
        assert_eq!(signals.take(), []);

        for _ in 0..3 {
            raise(Signal::USER1.number()).unwrap();
        }
        assert!(is_reported(None));
        assert_eq!(signals.take(), [Signal::USER1]);
        assert!(!is_reported(Some(Duration::ZERO)));
        assert_eq!(signals.take(), []);

        raise(Signal::CONTINUE.number()).unwrap();
        raise(Signal::USER1.number()).unwrap();
        assert!(is_reported(None));
        assert_eq!(signals.take(), [Signal::USER1, Signal::CONTINUE]);
    }

    #[test]
    fn all_who_watch_are_told_until_they_are_gone() {
        let mut first = watching(&[Signal::USER2]);
        let mut second = watching(&[Signal::USER2, Signal::HANGUP]);
        let raise = || raise(Signal::USER2.number()).unwrap();
        raise();
        assert_eq!(first.take(), [Signal::USER2]);
        assert_eq!(second.take(), [Signal::USER2]);
        drop(first);
        raise();
        assert_eq!(second.take(), [Signal::USER2]);
        // Nobody watches, and the default action (to end this process) doesn't come back.
        drop(second);
        raise();
        let mut third = watching(&[Signal::USER2]);
        assert_eq!(third.take(), []);
        raise();
        assert_eq!(third.take(), [Signal::USER2]);
    }

    #[test]
    fn a_flood_fills_the_socket_and_loses_nothing() {
        let mut signals = watching(&[Signal::ALARM, Signal::WINDOW_SIZE]);
        for _ in 0..10_000 {
            raise(Signal::ALARM.number()).unwrap();
        }
        raise(Signal::WINDOW_SIZE.number()).unwrap();
        assert_eq!(signals.take(), [Signal::ALARM, Signal::WINDOW_SIZE]);
        assert_eq!(signals.receiver.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn what_no_process_goes_on_from_is_refused() {
        for number in consts::FORBIDDEN.iter().copied().chain([consts::SIGBUS]) {
            let error = Signal::try_from(number).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
        assert_eq!(
            Signal::try_from(consts::SIGKILL).unwrap_err().to_string(),
            "SIGKILL can't be watched: no process goes on from it"
        );
        assert_eq!(Signal::try_from(consts::SIGTERM).unwrap(), Signal::TERMINATE);
    }

    #[test]
    fn a_number_that_the_system_does_not_have_is_refused_when_it_is_watched() {
        let mut signals = Signals::new().unwrap();
        for number in [-1, 0, 4711] {
            let error = signals.watch(Signal::try_from(number).unwrap()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().starts_with(&format!("watch signal {number}: ")), "{error}");
            let cause = Failure::of(&error).unwrap().cause();
            assert_eq!(cause.raw_os_error(), Some(libc::EINVAL), "{error:?}");
        }
        assert_eq!(signals.take(), []);
        assert!(signals.watched.is_empty());
    }

    #[test]
    fn signals_have_names() {
        assert_eq!(Signal::TERMINATE.to_string(), "SIGTERM");
        assert_eq!(format!("{:?}", Signal::WINDOW_SIZE), "Signal(SIGWINCH)");
        assert_eq!(Signal::try_from(50).unwrap().to_string(), "signal 50");
    }
}
