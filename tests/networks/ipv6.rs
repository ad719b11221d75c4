//! The other family.

use tests::Subject;

use crate::cases::{talk, the_second_wins};
use crate::network::Network;

pub(crate) fn a_connection_across<P: Subject>() {
    talk::<P>(&Network::with_ipv6(), "[fd09::2]:80");
}

pub(crate) fn a_silent_first_family_and_a_live_second<P: Subject>() {
    the_second_wins::<P>(&Network::with_ipv6(), "[fd09::2]:81", "10.9.0.2:80");
    // And the other way round, in the same process, with a network of its own.
    the_second_wins::<P>(&Network::with_ipv6(), "10.9.0.2:81", "[fd09::2]:80");
}
