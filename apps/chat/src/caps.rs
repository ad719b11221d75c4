//! The capabilities of IRCv3 that a client may ask for.

use crate::line::Class;

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Caps(u32);

macro_rules! caps {
    ($($name:ident $word:literal;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Bit { $($name),* }

        impl Caps {
            $(
                #[doc = concat!("*", $word, "*.")]
                pub const $name: Self = Self(1 << Bit::$name as u32);
            )*

            /// Every one, and its name.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self::$name, $word)),*];
        }
    };
}

caps! {
    ACCOUNT_NOTIFY "account-notify";
    AWAY_NOTIFY "away-notify";
    BATCH "batch";
    CAP_NOTIFY "cap-notify";
    CHGHOST "chghost";
    ECHO_MESSAGE "echo-message";
    EXTENDED_JOIN "extended-join";
    INVITE_NOTIFY "invite-notify";
    LABELED_RESPONSE "labeled-response";
    MESSAGE_TAGS "message-tags";
    MULTI_PREFIX "multi-prefix";
    SERVER_TIME "server-time";
    SETNAME "setname";
    STANDARD_REPLIES "standard-replies";
    USERHOST_IN_NAMES "userhost-in-names";
}

impl Caps {
    /// None.
    pub const NONE: Self = Self(0);

    /// The one of this name.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().find(|(_, word)| word.as_bytes() == name).map(|(cap, _)| *cap)
    }

    /// Whether all of `other` are among these.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and those.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The names of these.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().filter(move |(cap, _)| self.has(*cap)).map(|(_, word)| *word)
    }

    /// What of a line's tags is told to who has these: *server-time* and *message-tags* ask for some. The tags
    /// of *labeled-response* and *batch* are on answers alone, whatever their class.
    #[must_use]
    pub fn class(self) -> Class {
        Class::new(self.has(Self::SERVER_TIME), self.has(Self::MESSAGE_TAGS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sets() {
        let both = Caps::BATCH.with(Caps::SETNAME);
        assert_eq!(both.names().collect::<Vec<_>>(), ["batch", "setname"]);
        assert!(both.has(Caps::BATCH) && !both.has(Caps::CHGHOST) && both.has(Caps::NONE));
        assert_eq!(both.without(Caps::BATCH), Caps::SETNAME);
        assert_eq!(Caps::named(b"server-time"), Some(Caps::SERVER_TIME));
        assert_eq!(Caps::named(b"Server-Time"), None);
    }
}
