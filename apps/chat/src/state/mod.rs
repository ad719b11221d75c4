//! Who is here, where they talk, and what holds for them. No sockets, no lines: those are the commands'.

mod channel;
mod mask_list;
mod monitor;
mod user;
mod whowas;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use bstr::BString;
use slotmap::{SlotMap, new_key_type};

pub use channel::{Channel, ChannelFlag, Member, Rank, Topic};
pub use mask_list::{Entry, MaskList, full};
pub use monitor::Monitors;
pub use user::{Registration, User, UserFlag};
pub use whowas::{Past, Whowas};

use crate::config::Config;
use crate::names::{self, Folded};
use crate::time::Moment;

new_key_type! {
    /// Names a user, registered or about to be; never another one, also when that one is gone.
    pub struct UserId;

    /// Names a channel; never another one, also when that one is gone.
    pub struct ChannelId;
}

/// How many there are, kept so that nobody has to be counted when somebody asks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Registered users.
    pub registered: usize,
    /// The most that were registered at once.
    pub most_registered: usize,
    /// Registered users who are invisible.
    pub invisible: usize,
    /// Registered users who are operators of the server.
    pub operators: usize,
}

impl Counts {
    fn flag(&mut self, flag: UserFlag) -> Option<&mut usize> {
        match flag {
            UserFlag::Invisible => Some(&mut self.invisible),
            UserFlag::Operator => Some(&mut self.operators),
            UserFlag::Bot | UserFlag::Wallops => None,
        }
    }
}

/// The whole of the chat.
pub struct State {
    /// What the operator of the server has set.
    pub config: Arc<Config>,
    /// When the server began.
    pub since: Moment,
    /// Everybody, by their ID.
    pub users: SlotMap<UserId, User>,
    /// Every channel, by its ID; none is empty.
    pub channels: SlotMap<ChannelId, Channel>,
    /// Who was here.
    pub whowas: Whowas,
    /// Who wants to know when somebody comes and goes.
    pub monitors: Monitors,
    /// Users whose connection has to end, with the reason: they are taken away when nothing else is
    /// going on.
    pub leaving: Vec<(UserId, BString)>,
    /// How often each command was given, in the order of the table of commands.
    pub uses: Vec<u64>,
    counts: Counts,
    nicks: HashMap<Folded, UserId>,
    channel_names: HashMap<Folded, ChannelId>,
    last_message: u64,
}

impl State {
    /// A server with nobody on it.
    #[must_use]
    pub fn new(config: Arc<Config>, since: Moment) -> Self {
        Self {
            whowas: Whowas::new(config.limits.whowas),
            config,
            since,
            users: SlotMap::with_key(),
            channels: SlotMap::with_key(),
            monitors: Monitors::default(),
            leaving: Vec::new(),
            uses: Vec::new(),
            counts: Counts::default(),
            nicks: HashMap::new(),
            channel_names: HashMap::new(),
            last_message: 0,
        }
    }

    /// Somebody has connected: `host` is what others are told of where from.
    pub fn arrive(&mut self, address: Option<IpAddr>, host: BString, now: Moment) -> UserId {
        self.users.insert(User::new(address, host, now))
    }

    /// How many there are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Makes a user somebody, once.
    pub fn register(&mut self, user: UserId) {
        let user = &mut self.users[user];
        user.registration.password = None;
        if !std::mem::replace(&mut user.registration.done, true) {
            let counts = &mut self.counts;
            counts.registered += 1;
            counts.most_registered = counts.most_registered.max(counts.registered);
            for (flag, _) in UserFlag::ALL.into_iter().filter(|(flag, _)| user.is(*flag)) {
                counts.flag(flag).into_iter().for_each(|count| *count += 1);
            }
        }
    }

    /// Turns a flag of a user's on or off; who is no operator any more has no account of one.
    pub fn set_flag(&mut self, user: UserId, flag: UserFlag, on: bool) {
        let user = &mut self.users[user];
        if user.is(flag) != on && user.is_registered() {
            if let Some(count) = self.counts.flag(flag) {
                *count = if on { *count + 1 } else { *count - 1 };
            }
        }
        user.set(flag, on);
        if flag == UserFlag::Operator && !on {
            user.oper = None;
        }
    }

    /// Whether `asker` may be told that `user` is on a channel: it is there too, or neither is the
    /// channel secret nor the user invisible.
    #[must_use]
    pub fn shows_member(&self, asker: UserId, channel: ChannelId, user: UserId) -> bool {
        let on = &self.channels[channel];
        asker == user
            || on.has(asker)
            || !(on.is(ChannelFlag::Secret) || self.users[user].is(UserFlag::Invisible))
    }

    /// The user who has this nick.
    #[must_use]
    pub fn user_named(&self, nick: &[u8]) -> Option<UserId> {
        self.nicks.get(&Folded::new(nick)).copied()
    }

    /// The registered user who has this nick.
    #[must_use]
    pub fn person(&self, nick: &[u8]) -> Option<(UserId, &User)> {
        let id = self.user_named(nick)?;
        let user = &self.users[id];
        user.is_registered().then_some((id, user))
    }

    /// The channel of this name.
    #[must_use]
    pub fn channel_named(&self, name: &[u8]) -> Option<ChannelId> {
        self.channel_names.get(&Folded::new(name)).copied()
    }

    /// Gives `user` a nick that nobody else has; the one before is free again.
    ///
    /// Answers whether it could: not if somebody else has it.
    pub fn name_user(&mut self, user: UserId, nick: &[u8]) -> bool {
        let folded = Folded::new(nick);
        if self.nicks.get(&folded).is_some_and(|owner| *owner != user) {
            return false;
        }
        let before = self.users[user].nick.replace(nick.into());
        if let Some(before) = before {
            self.nicks.remove(&Folded::new(&before));
        }
        self.nicks.insert(folded, user);
        true
    }

    /// The channel of this name, made now if there is none.
    pub fn open_channel(&mut self, name: &[u8], now: Moment) -> ChannelId {
        let folded = Folded::new(name);
        let channels = &mut self.channels;
        *self
            .channel_names
            .entry(folded)
            .or_insert_with(|| channels.insert(Channel::new(name, now)))
    }

    /// Puts `user` on a channel.
    pub fn join(&mut self, user: UserId, channel: ChannelId, rank: Rank) {
        if self.channels[channel].insert(user, rank) {
            self.users[user].channels.push(channel);
        }
    }

    /// Lets `user` come to a channel, whatever would keep it from there.
    pub fn invite(&mut self, user: UserId, channel: ChannelId) {
        let invited = &mut self.channels[channel].invited;
        if invited.contains(&user) {
            return;
        }
        invited.push(user);
        let channels = &self.channels;
        let invitations = &mut self.users[user].invitations;
        // Those to channels that are gone make room.
        invitations.retain(|other| *other != channel && channels.contains_key(*other));
        invitations.push(channel);
    }

    /// Takes back the invitations of those whom a new ban fits.
    ///
    /// Adds to `steps` what was compared for that.
    pub fn uninvite(&mut self, channel: ChannelId, ban: &[u8], steps: &mut u64) {
        let (users, channel) = (&self.users, &mut self.channels[channel]);
        let mut banned = |user: &User| {
            let name = user.source();
            names::fits_counting(ban, &name, steps)
                && !channel.exceptions.fits([name.as_slice()], steps)
        };
        channel.invited.retain(|user| users.get(*user).is_some_and(|user| !banned(user)));
    }

    /// Takes `user` off a channel, which is gone with its last member.
    pub fn part(&mut self, user: UserId, channel: ChannelId) {
        self.users[user].channels.retain(|joined| *joined != channel);
        self.channels[channel].remove(user);
        if self.channels[channel].members().is_empty() {
            if let Some(gone) = self.channels.remove(channel) {
                self.channel_names.remove(&Folded::new(&gone.name));
            }
        }
    }

    /// Takes a user away from everywhere, and gives its last state.
    pub fn depart(&mut self, user: UserId, now: Moment) -> Option<User> {
        let channels = self.users.get(user)?.channels.clone();
        for channel in channels {
            self.part(user, channel);
        }
        self.monitors.forget(user);
        let gone = self.users.remove(user)?;
        for channel in &gone.invitations {
            if let Some(channel) = self.channels.get_mut(*channel) {
                channel.invited.retain(|invited| *invited != user);
            }
        }
        if let Some(nick) = &gone.nick {
            self.nicks.remove(&Folded::new(nick));
        }
        if gone.is_registered() {
            self.counts.registered -= 1;
            for (flag, _) in UserFlag::ALL.into_iter().filter(|(flag, _)| gone.is(*flag)) {
                self.counts.flag(flag).into_iter().for_each(|count| *count -= 1);
            }
            self.whowas.remember(Past::of(&gone, now));
        }
        Some(gone)
    }

    /// Whether two users share a channel.
    #[must_use]
    pub fn share_a_channel(&self, one: UserId, other: UserId) -> bool {
        self.users[one].channels.iter().any(|channel| self.channels[*channel].has(other))
    }

    /// Everybody who shares a channel with `user`, each once, without `user`.
    #[must_use]
    pub fn peers(&self, user: UserId) -> Vec<UserId> {
        let channels = self.users[user].channels.iter();
        let mut peers: Vec<_> = channels
            .flat_map(|id| self.channels[*id].members())
            .map(|member| member.user)
            .collect();
        peers.sort_unstable();
        peers.dedup();
        peers.retain(|peer| *peer != user);
        peers
    }

    /// A number that no message had before.
    pub fn next_message(&mut self) -> u64 {
        self.last_message += 1;
        self.last_message
    }
}
