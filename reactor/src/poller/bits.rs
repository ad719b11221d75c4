//! The bits of poll(2), which are those of epoll(7).

use super::event::{Interest, Readiness};

pub(super) const IN: u32 = libc::POLLIN as u32;
pub(super) const OUT: u32 = libc::POLLOUT as u32;
pub(super) const PRI: u32 = libc::POLLPRI as u32;
pub(super) const ERR: u32 = libc::POLLERR as u32;
pub(super) const HUP: u32 = libc::POLLHUP as u32;
/// Not an open descriptor. epoll(7) never says so.
pub(super) const NVAL: u32 = libc::POLLNVAL as u32;
/// The peer will send no more. Where the kernel has no such bit, the end of the stream is IN alone.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const RDHUP: u32 = libc::POLLRDHUP as u32;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) const RDHUP: u32 = 0;

/// What to ask the kernel for.
///
/// RDHUP is asked for with reading only: it lasts, and would wake a writer for nothing.
pub(super) fn wanted(interest: Interest) -> u32 {
    let mut bits = 0;
    if interest.contains(Interest::READABLE) {
        bits |= IN | RDHUP;
    }
    if interest.contains(Interest::WRITABLE) {
        bits |= OUT;
    }
    if interest.contains(Interest::PRIORITY) {
        bits |= PRI;
    }
    bits
}

/// What the kernel said. What is rare needs the descriptor's `interest`, which is looked up only then.
#[inline]
pub(super) fn readiness(bits: u32, interest: impl FnOnce() -> Interest) -> Readiness {
    let mut readiness = Readiness::default();
    if bits & IN != 0 {
        readiness |= Readiness::READABLE;
    }
    if bits & OUT != 0 {
        readiness |= Readiness::WRITABLE;
    }
    if bits & PRI != 0 {
        readiness |= Readiness::PRIORITY;
    }
    if bits & !(IN | OUT | PRI) != 0 {
        readiness |= closing(bits, interest());
    }
    readiness
}

/// What the ends of a stream and errors add: HUP, ERR and NVAL come unasked, and are every direction
/// of `interest`.
#[cfg_attr(
    not(any(target_os = "linux", target_os = "android")),
    allow(clippy::bad_bit_mask, reason = "RDHUP is zero where there is none")
)]
#[cold]
fn closing(bits: u32, interest: Interest) -> Readiness {
    let mut readiness = Readiness::default();
    if bits & (HUP | ERR | NVAL) != 0 {
        readiness |= Readiness::all(interest);
    }
    if bits & RDHUP != 0 {
        readiness |= Readiness::READ_CLOSED;
    }
    if bits & HUP != 0 {
        readiness |= Readiness::READ_CLOSED | Readiness::WRITE_CLOSED;
    }
    if bits & (ERR | NVAL) != 0 {
        readiness |= Readiness::ERROR;
    }
    readiness
}

#[cfg(test)]
mod tests {
    use super::*;

    const R: Readiness = Readiness::READABLE;
    const W: Readiness = Readiness::WRITABLE;
    const P: Readiness = Readiness::PRIORITY;
    const RC: Readiness = Readiness::READ_CLOSED;
    const WC: Readiness = Readiness::WRITE_CLOSED;
    const E: Readiness = Readiness::ERROR;

    #[test]
    fn interest_becomes_bits() {
        let table = [
            (Interest::NONE, 0),
            (Interest::READABLE, IN | RDHUP),
            (Interest::WRITABLE, OUT),
            (Interest::PRIORITY, PRI),
            (Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY, IN | RDHUP | OUT | PRI),
        ];
        for (interest, bits) in table {
            assert_eq!(wanted(interest), bits, "{interest:?}");
        }
    }

    #[test]
    fn bits_become_readiness() {
        let both = Interest::READABLE | Interest::WRITABLE;
        let table = [
            ("data", IN, both, R),
            ("room", OUT, both, W),
            ("urgent", PRI, Interest::PRIORITY, P),
            ("FIN", IN | RDHUP, Interest::READABLE, R | RC),
            ("RST", IN | OUT | RDHUP | HUP | ERR, both, R | W | RC | WC | E),
            ("writer gone, waiting to write", HUP, Interest::WRITABLE, W | RC | WC),
            ("reader gone", OUT | ERR, Interest::WRITABLE, W | E),
            ("ICMP error while connecting", ERR, Interest::WRITABLE, W | E),
            ("not open", NVAL, both, R | W | E),
            ("hang-up, urgent only", HUP, Interest::PRIORITY, P | RC | WC),
        ];
        for (what, bits, interest, expected) in table {
            assert_eq!(readiness(bits, || interest), expected, "{what}");
        }
    }
}
