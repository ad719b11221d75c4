//! What one turn of a loop costs, with so many silent descriptors besides: an empty one, one with a due
//! timer, one with a message from a mailbox, and one in which 64 bytes are echoed over the loopback
//! interface. The echo is counted with the client's own write and read, which are the same for all.
//!
//! Those that only wait (plain loops, mio, polling) have the empty turn and the echo.

mod loops;
pub(super) mod waits;

use super::crowd::{Shared, silent};
use super::{Chart, Group, Listing, Lot, Sizes, contenders};

const SILENT: &[usize] = &[1, 100, 1_000];
const FEW: &[usize] = &[1, 1_000];

/// Bytes of a message.
pub(super) const MESSAGE: usize = 64;
/// A timer is due at the next millisecond at the earliest: so many are enough for a sample.
const TIMERS: u64 = 20;

pub(super) fn list(listing: &mut Listing, sizes: Sizes) {
    for question in ["empty", "a due timer", "a message", "an echo"] {
        let chart =
            Chart { group: Group::Turn, question, over: "silent descriptors", unit: "ns per turn" };
        for count in sizes.of(SILENT, FEW) {
            // The loops own theirs, besides those that are shared.
            if listing.has_room(&chart, count, 2 * count) {
                add(listing, &chart, count);
            }
        }
    }
}

fn add(listing: &mut Listing, chart: &Chart, count: usize) {
    let crowd = Shared::new();
    for contender in loops::contenders() {
        let crowd = crowd.clone();
        let (run, lot) = match chart.question {
            "empty" => (contender.empty, Lot::Any),
            "a due timer" => (contender.timer, Lot::Of(TIMERS)),
            "a message" => (contender.message, Lot::Any),
            _ => (contender.echo, Lot::Any),
        };
        listing.add_lots(chart, count, contender.name, lot, move |turns| {
            run(crowd.get(|| silent(count))?, turns)
        });
    }
    for contender in contenders::others() {
        let crowd = crowd.clone();
        let run = match chart.question {
            "empty" => contender.empty_turn,
            "an echo" => contender.echo,
            _ => continue,
        };
        listing.add(chart, count, contender.name, move |turns| {
            run(crowd.get(|| silent(count))?, turns)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_do_what_they_should() {
        let crowd = silent(3).unwrap();
        for contender in loops::contenders() {
            println!("{}", contender.name);
            (contender.empty)(&crowd, 3).unwrap();
            (contender.timer)(&crowd, 2).unwrap();
            (contender.message)(&crowd, 3).unwrap();
            (contender.echo)(&crowd, 3).unwrap();
        }
        for contender in contenders::all() {
            println!("{}", contender.name);
            (contender.empty_turn)(&crowd, 3).unwrap();
            (contender.echo)(&crowd, 3).unwrap();
        }
    }
}
