//! What the reactor calls its sources: one kind of id for each kind of source.

use std::fmt;

use crate::poller::Key;

macro_rules! ids {
    ($($(#[$docs:meta])* $name:ident)*) => {
        $(
            $(#[$docs])*
            ///
            /// It names that one for ever: what comes after it in the same place has another id, and
            /// whoever uses the old one is refused.
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub(crate) Key);

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}({}.{})", stringify!($name), self.0.slot(), self.0.generation())
                }
            }
        )*
    };
}

ids! {
    /// A connection.
    ConnId
    /// A listening socket.
    ListenerId
    /// A peer that is kept connected.
    PeerId
    /// A UDP socket.
    UdpId
    /// A descriptor that the user registered.
    RawId
}
