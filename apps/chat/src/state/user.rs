//! A user: who it is, what it may, what it has asked for.

use std::net::IpAddr;

use bstr::BString;

use super::ChannelId;
use crate::caps::Caps;
use crate::line::Line;
use crate::secret::Secret;
use crate::time::Moment;

/// A mode of a user that is on or off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UserFlag {
    /// `B`: a bot.
    Bot,
    /// `i`: strangers don't find it by masks.
    Invisible,
    /// `o`: an operator of the server.
    Operator,
    /// `w`: wants WALLOPS.
    Wallops,
}

impl UserFlag {
    /// Every one, and its letter.
    pub const ALL: [(Self, u8); 4] =
        [(Self::Bot, b'B'), (Self::Invisible, b'i'), (Self::Operator, b'o'), (Self::Wallops, b'w')];
}

/// How far a client has come before it is somebody.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// What PASS said, if it matters.
    pub password: Option<Secret<BString>>,
    /// CAP has begun, and hasn't ended.
    pub negotiating: bool,
    /// All is said: the welcome is next, or was.
    pub(super) done: bool,
}

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// Its name, once it has said one.
    pub nick: Option<BString>,
    /// What USER said first; until then empty.
    pub name: BString,
    /// What others are told of where it is.
    pub host: BString,
    /// Where it is; none for one on a Unix socket.
    pub address: Option<IpAddr>,
    /// What USER said last.
    pub real_name: BString,
    /// Why it is away, if it is.
    pub away: Option<BString>,
    /// What it has asked for.
    pub caps: Caps,
    /// It has said `CAP LS 302` or later.
    pub cap_302: bool,
    /// Where it is.
    pub channels: Vec<ChannelId>,
    /// Where it was invited to; it may be void by now.
    pub(super) invitations: Vec<ChannelId>,
    /// How far it has come.
    pub registration: Registration,
    /// When it connected.
    pub since: Moment,
    /// When it last talked.
    pub talked: Moment,
    /// What OPER said is being checked.
    pub checking: bool,
    /// The account of an operator, if it is one.
    pub oper: Option<BString>,
    flags: u8,
}

impl User {
    /// Somebody who has said nothing yet.
    #[must_use]
    pub fn new(address: Option<IpAddr>, host: BString, now: Moment) -> Self {
        Self {
            nick: None,
            name: BString::default(),
            host,
            address,
            real_name: BString::default(),
            away: None,
            caps: Caps::NONE,
            cap_302: false,
            channels: Vec::new(),
            invitations: Vec::new(),
            registration: Registration::default(),
            since: now,
            talked: now,
            checking: false,
            oper: None,
            flags: 0,
        }
    }

    /// Whether it is somebody: welcomed.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.registration.done
    }

    /// Its nick, or `*`.
    #[must_use]
    pub fn nick(&self) -> &[u8] {
        self.nick.as_ref().map_or(b"*", |nick| nick.as_slice())
    }

    /// `nick!user@host`, as others see it. Masks are matched against this alone: if a ban could fit the
    /// address, whoever sets bans would find it by trying.
    #[must_use]
    pub fn source(&self) -> BString {
        [self.nick(), b"!", &self.name, b"@", &self.host].concat().into()
    }

    /// A line of its own; that of a bot says so, whatever it tells of (IRCv3 *bot-mode*).
    #[must_use]
    pub fn line(&self, now: Moment, command: &str) -> Line {
        let line = Line::new(now, &self.source(), command);
        if self.is(UserFlag::Bot) { line.tag("bot", "") } else { line }
    }

    /// Its address, such that it can stand in the middle of a line; none on a Unix socket.
    #[must_use]
    pub fn shown_address(&self) -> Option<String> {
        let address = self.address?.to_string();
        Some(if address.starts_with(':') { format!("0{address}") } else { address })
    }

    /// Where it is, for the log.
    #[must_use]
    pub fn place(&self) -> String {
        self.address.map_or("a Unix socket".into(), |address| address.to_string())
    }

    /// Seconds since it last talked.
    #[must_use]
    pub fn idle(&self, now: Moment) -> i64 {
        (now.unix() - self.talked.unix()).max(0)
    }

    /// Whether a flag is on.
    #[must_use]
    pub fn is(&self, flag: UserFlag) -> bool {
        self.flags & (1 << flag as u8) != 0
    }

    /// Turns a flag on or off: through the state, which counts.
    pub(super) fn set(&mut self, flag: UserFlag, on: bool) {
        let bit = 1 << flag as u8;
        self.flags = if on { self.flags | bit } else { self.flags & !bit };
    }

    /// The flags that are on, as MODE tells them: `+iw`.
    #[must_use]
    pub fn modes(&self) -> String {
        let on = UserFlag::ALL.iter().filter(|(flag, _)| self.is(*flag));
        std::iter::once('+').chain(on.map(|(_, letter)| char::from(*letter))).collect()
    }
}
