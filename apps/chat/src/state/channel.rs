//! A channel: its members, its modes, its topic.

use bstr::BString;

use super::{MaskList, UserId};
use crate::time::Moment;

/// What a member of a channel may do there: the letters of MODE, and the signs before the nick.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rank {
    /// `o`, `@`: rules the channel.
    pub operator: bool,
    /// `v`, `+`: may talk when it is moderated.
    pub voice: bool,
}

impl Rank {
    /// The highest sign, or all of them for those with *multi-prefix*.
    #[must_use]
    pub fn prefix(self, all: bool) -> &'static str {
        match (self.operator, self.voice) {
            (true, true) if all => "@+",
            (true, _) => "@",
            (false, true) => "+",
            (false, false) => "",
        }
    }
}

/// Somebody on a channel.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// As what.
    pub rank: Rank,
}

/// A mode of a channel that is on or off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChannelFlag {
    /// `C`: no CTCP but actions.
    NoCtcp,
    /// `i`: by invitation only.
    InviteOnly,
    /// `m`: only who has a rank may talk.
    Moderated,
    /// `n`: nobody talks from outside.
    NoExternal,
    /// `s`: strangers aren't told that it exists.
    Secret,
    /// `t`: only operators change the topic.
    TopicLocked,
}

impl ChannelFlag {
    /// Every one, and its letter.
    pub const ALL: [(Self, u8); 6] = [
        (Self::NoCtcp, b'C'),
        (Self::InviteOnly, b'i'),
        (Self::Moderated, b'm'),
        (Self::NoExternal, b'n'),
        (Self::Secret, b's'),
        (Self::TopicLocked, b't'),
    ];
}

/// What a channel is about, and who said so.
#[derive(Clone, Debug)]
pub struct Topic {
    /// The text; never empty.
    pub text: BString,
    /// `nick!user@host`.
    pub by: BString,
    /// When.
    pub at: Moment,
}

/// A channel.
#[derive(Clone, Debug)]
pub struct Channel {
    /// As who made it has spelt it.
    pub name: BString,
    /// When it was made.
    pub created: Moment,
    /// What it is about.
    pub topic: Option<Topic>,
    /// `k`: the password for joining.
    pub key: Option<BString>,
    /// `l`: no more members than this may join.
    pub limit: Option<u32>,
    /// `b`: who may neither join nor talk.
    pub bans: MaskList,
    /// `e`: who may, although banned.
    pub exceptions: MaskList,
    /// `I`: who may join without an invitation.
    pub invite_exceptions: MaskList,
    /// Who was invited, and hasn't come yet.
    pub(super) invited: Vec<UserId>,
    flags: u8,
    /// In the order of their IDs.
    members: Vec<Member>,
}

impl Channel {
    /// A channel with nobody on it, with the modes that a new one has: `n` and `t`.
    #[must_use]
    pub fn new(name: &[u8], now: Moment) -> Self {
        let mut channel = Self {
            name: name.into(),
            created: now,
            topic: None,
            key: None,
            limit: None,
            bans: MaskList::default(),
            exceptions: MaskList::default(),
            invite_exceptions: MaskList::default(),
            invited: Vec::new(),
            flags: 0,
            members: Vec::new(),
        };
        channel.set(ChannelFlag::NoExternal, true);
        channel.set(ChannelFlag::TopicLocked, true);
        channel
    }

    /// Whether a flag is on.
    #[must_use]
    pub fn is(&self, flag: ChannelFlag) -> bool {
        self.flags & (1 << flag as u8) != 0
    }

    /// Turns a flag on or off.
    pub fn set(&mut self, flag: ChannelFlag, on: bool) {
        let bit = 1 << flag as u8;
        self.flags = if on { self.flags | bit } else { self.flags & !bit };
    }

    /// Who is on it.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// What `user` is on it, if it is.
    #[must_use]
    pub fn rank(&self, user: UserId) -> Option<Rank> {
        self.find(user).ok().map(|at| self.members[at].rank)
    }

    /// The same, to be changed.
    pub fn rank_mut(&mut self, user: UserId) -> Option<&mut Rank> {
        self.find(user).ok().map(|at| &mut self.members[at].rank)
    }

    /// Whether `user` is on it.
    #[must_use]
    pub fn has(&self, user: UserId) -> bool {
        self.find(user).is_ok()
    }

    /// Whether `user` was invited.
    #[must_use]
    pub fn has_invited(&self, user: UserId) -> bool {
        self.invited.contains(&user)
    }

    /// Whether `user` is an operator of it.
    #[must_use]
    pub fn is_operator(&self, user: UserId) -> bool {
        self.rank(user).is_some_and(|rank| rank.operator)
    }

    /// Whether `user` may know that it exists.
    #[must_use]
    pub fn is_known_to(&self, user: UserId) -> bool {
        !self.is(ChannelFlag::Secret) || self.has(user)
    }

    /// Adds a member; not if it is one.
    pub(super) fn insert(&mut self, user: UserId, rank: Rank) -> bool {
        let Err(at) = self.find(user) else { return false };
        self.members.insert(at, Member { user, rank });
        self.invited.retain(|invited| *invited != user);
        true
    }

    pub(super) fn remove(&mut self, user: UserId) {
        if let Ok(at) = self.find(user) {
            self.members.remove(at);
        }
    }

    fn find(&self, user: UserId) -> Result<usize, usize> {
        self.members.binary_search_by_key(&user, |member| member.user)
    }
}
