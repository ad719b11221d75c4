//! The kernel's own low-water mark, which spares the loop the wake-ups below the handler's.

use std::os::fd::AsRawFd;

use log::debug;
use socket2::Socket;

use crate::net::options::SO_RCVLOWAT;
use crate::sys;

/// The highest mark, in bytes: what is to come to be told in pieces of this size costs few wake-ups
/// anyway, and Linux makes room for twice the mark in the receive buffer, which a peer could fill.
const MOST: u32 = 128 * 1024;
/// A mark that rises by fewer bytes isn't worth a system call: they mostly come at once, in a segment of
/// the shortest usual size (RFC 9293, section 3.7.1).
const WORTH: u32 = 536;

/// Whether a mark is raised for each byte that it could be higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rise {
    /// For each: the mark is one that stays.
    Exact,
    /// If that is worth a system call: the next message has another one.
    Worthwhile,
}

/// SO_RCVLOWAT, as it was last set: a hint alone. The kernel keeps to it on TCP, but says that there is
/// something to read also below it, at the end of the stream, after an error, and when memory or the
/// window is short; what is exact is counted by the loop. It may be lower than the handler's mark, and
/// never higher than what that still lacks.
///
/// Nothing is set as long as the mark is one byte, so that who sets the option himself has his way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KernelMark(u32);

impl KernelMark {
    /// On this socket the kernel doesn't help.
    const USELESS: Self = Self(u32::MAX);

    /// Whether the kernel may keep silent about bytes that have come.
    pub(super) fn is_raised(self) -> bool {
        self.0 > 1 && self != Self::USELESS
    }

    /// Has the kernel wake the loop when `missing` more bytes have come, or some sooner.
    pub(super) fn follow(&mut self, socket: &Socket, missing: usize, rise: Rise) {
        let Some(mark) = self.next(missing, rise) else { return };
        let helps = cfg!(any(target_os = "linux", target_os = "android"));
        if !helps || (*self == Self::default() && !sys::socket::is_tcp(socket.as_raw_fd())) {
            *self = Self::USELESS;
            return;
        }
        *self = match SO_RCVLOWAT.set(socket, mark as usize) {
            Ok(()) => Self(mark),
            Err(error) => {
                debug!("{error}");
                Self::USELESS
            }
        };
    }

    /// What to set next, if anything.
    fn next(self, missing: usize, rise: Rise) -> Option<u32> {
        let set = self.0.max(1);
        let mark = u32::try_from(missing).map_or(MOST, |missing| missing.clamp(1, MOST));
        let least = match rise {
            Rise::Exact => 1,
            Rise::Worthwhile => WORTH,
        };
        let changes = mark < set || mark - set >= least;
        (self != Self::USELESS && changes).then_some(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_lowered_always_and_raised_if_that_is_worth_it() {
        use Rise::{Exact, Worthwhile};
        const SMALL: u32 = 100;
        let cases = [
            (0, 1, Exact, None),
            (0, 0, Exact, None),
            (0, 2, Exact, Some(2)),
            (0, 2, Worthwhile, None),
            (0, 537, Worthwhile, Some(537)),
            (SMALL, 100, Exact, None),
            (SMALL, 101, Exact, Some(101)),
            (SMALL, 101, Worthwhile, None),
            (SMALL, 635, Worthwhile, None),
            (SMALL, 636, Worthwhile, Some(636)),
            (SMALL, 99, Worthwhile, Some(99)),
            (SMALL, 0, Worthwhile, Some(1)),
            (SMALL, usize::MAX, Worthwhile, Some(MOST)),
            (MOST, usize::MAX, Exact, None),
            (MOST, MOST as usize, Worthwhile, None),
            (u32::MAX, 1, Exact, None),
            (u32::MAX, usize::MAX, Exact, None),
        ];
        for (set, missing, rise, next) in cases {
            assert_eq!(KernelMark(set).next(missing, rise), next, "{set}, {missing}, {rise:?}");
        }
    }
}
