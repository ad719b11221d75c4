//! A descriptor that the handler registered, and its read low-water mark.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use socket2::{SockRef, Type};

use crate::net::{control, options::SO_RCVLOWAT};
use crate::poller::{Interest, Readiness, Trigger};
use crate::sys;
use crate::timer::TimerId;

/// How long after what is below the mark to look again: at first, and at most.
const PAUSE: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(50)];

/// What shows that no more will come, or that a read ends before all that has come.
#[cfg(any(target_os = "linux", target_os = "android"))]
const ENDS: i16 = libc::POLLPRI | libc::POLLRDHUP;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const ENDS: i16 = libc::POLLPRI;

/// Whether the kernel keeps to the mark on TCP (SO_RCVLOWAT).
const KERNEL_HELPS: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// The mark can't be left to the kernel, which keeps to it on TCP alone, and there not always. A mechanism
/// that tells of each arrival can be left to do so. Any other would report the same again and again: it
/// isn't asked for reading below the mark, and a timer looks how much there is.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) fd: OwnedFd,
    /// What `ready` is to tell, which may be less than what this turn's wait was asked for.
    pub(crate) interest: Interest,
    /// Bytes that must be there for reading to be told.
    low: usize,
    /// What it is, once it had a mark.
    stream: Option<Stream>,
    /// How many there were when they were last looked at.
    seen: usize,
    /// Whether urgent data ever came. On TCP, FIONREAD counts up to the place of the urgent byte alone as
    /// long as reading hasn't passed it, also when it was taken, and nothing tells of it any more.
    had_urgent: bool,
    /// How long to wait before the next look.
    pause: Duration,
    /// Runs until then.
    pub(crate) timer: Option<TimerId>,
    /// Whether the poller waits for the next arrival, and tells nothing of what is there.
    pub(crate) awaits_arrival: bool,
}

impl Raw {
    pub(crate) fn new(fd: OwnedFd, interest: Interest) -> Self {
        Self {
            fd,
            interest,
            low: 1,
            stream: None,
            seen: 0,
            had_urgent: false,
            pause: PAUSE[0],
            timer: None,
            awaits_arrival: false,
        }
    }

    /// Whether there is a mark to look at.
    pub(crate) fn has_mark(&self) -> bool {
        self.low > 1
    }

    /// What the poller is to be asked for.
    pub(crate) fn asks_for(&self) -> Interest {
        if self.timer.is_some() { self.interest - Interest::READABLE } else { self.interest }
    }

    pub(crate) fn set_low(&mut self, low: usize) -> io::Result<()> {
        let low = low.max(1);
        if low > 1 {
            if self.stream.is_none() {
                self.stream = Some(Stream::of(&self.fd)?);
            }
            control::readable_bytes(&self.fd)?;
        }
        if KERNEL_HELPS && low != self.low && self.is_tcp() {
            SO_RCVLOWAT.set(&self.fd, low.min(i32::MAX as usize))?;
        }
        self.low = low;
        Ok(())
    }

    /// A wait has found this: also what is told without a mark, which may be set later.
    pub(crate) fn note(&mut self, readiness: Readiness) {
        self.had_urgent |= readiness.is_priority();
    }

    /// Whether there is enough to be told of reading, or nothing more to wait for.
    pub(crate) fn is_enough(&mut self) -> bool {
        // Asked before the bytes are counted: what is readable then, and has none, is at its end, as a
        // terminal without a hang-up, or at the place of an urgent byte, with others behind it.
        let Ok(bits) = sys::poll::now(self.fd.as_raw_fd(), libc::POLLIN | ENDS) else {
            return true;
        };
        let Ok(count) = control::readable_bytes(&self.fd) else { return true };
        if count != self.seen {
            self.pause = PAUSE[0];
        }
        self.seen = count;
        self.had_urgent |= bits & libc::POLLPRI != 0;
        let is_readable = bits & libc::POLLIN != 0;
        // Where the kernel keeps to the mark its word is enough, once there may be bytes that aren't
        // counted. It is early by a few at worst, when memory is short.
        let hides = self.had_urgent && KERNEL_HELPS && self.is_tcp();
        count >= self.low || bits & !libc::POLLIN != 0 || is_readable && (count == 0 || hides)
    }

    /// Whether the arrival of more is told by a mechanism with this trigger. On TCP it may not be, since
    /// the kernel keeps silent below the mark, and lets a few bytes through only when it runs short.
    pub(crate) fn hears_arrivals(&self, trigger: Trigger) -> bool {
        trigger == Trigger::Edge && !self.is_tcp()
    }

    /// Whether it is TCP. Without a mark nobody needs to know.
    fn is_tcp(&self) -> bool {
        self.stream.is_some_and(|stream| stream.is_tcp)
    }

    /// How long to wait before the next look: twice as long each time that nothing has come.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE[1]);
        pause
    }
}

/// What a mark has to know of the stream that a descriptor is.
#[derive(Clone, Copy, Debug)]
struct Stream {
    is_tcp: bool,
}

impl Stream {
    /// Of datagrams only the next one is counted, and a file's end would never show.
    fn of(fd: &OwnedFd) -> io::Result<Self> {
        let kind = SockRef::from(fd).r#type();
        if kind.is_ok_and(|kind| kind != Type::STREAM) {
            return Err(no_stream("a socket of messages"));
        }
        if sys::fd::is_file(fd.as_fd())? {
            return Err(no_stream("a file"));
        }
        Ok(Self { is_tcp: sys::socket::is_tcp(fd.as_raw_fd()) })
    }
}

fn no_stream(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("set a read low-water mark: {what} is no stream of bytes"),
    )
}
