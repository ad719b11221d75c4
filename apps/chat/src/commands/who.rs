//! Who is here: WHO, and WHOX (IRCv3), with which clients choose what they are told.

use crate::caps::Caps;
use crate::line::Line;
use crate::message::Message;
use crate::names;
use crate::numerics::{ERR_TOOMANYMATCHES, RPL_ENDOFWHO, RPL_WHOREPLY, RPL_WHOSPCRPL};
use crate::state::{ChannelId, State, User, UserFlag, UserId};
use crate::turn::Turn;

/// Users that are told at most, so that nobody is drowned in answers, nor dropped for not reading them.
const MOST: usize = 500;

/// What it takes to look at a user, beside comparing a mask with its names.
const STEPS_OF_USER: u64 = 10;

/// What WHOX asks for: `%fields,token`.
struct Wanted<'a> {
    fields: &'a [u8],
    token: &'a [u8],
}

impl<'a> Wanted<'a> {
    fn parse(text: &'a [u8]) -> Self {
        let mut parts = text.splitn(2, |byte| *byte == b',');
        let fields = parts.next().unwrap_or_default();
        let token = parts.next().unwrap_or_default();
        let fits = matches!(token.len(), 1..=3) && token.iter().all(u8::is_ascii_digit);
        Self { fields, token: if fits { token } else { b"0" } }
    }
}

pub(super) fn who(turn: &mut Turn<'_>, message: &Message<'_>) {
    let mask = message.param(0).unwrap_or(b"*");
    let options = message.params.get(1).copied().unwrap_or_default();
    let (flags, wanted) = match options.iter().position(|byte| *byte == b'%') {
        Some(at) => (&options[..at], Some(Wanted::parse(&options[at + 1..]))),
        None => (options, None),
    };
    let only_operators = flags.iter().any(|flag| flag.eq_ignore_ascii_case(&b'o'));
    // A channel is found by its name, whatever that has in it.
    if !names::looks_like_channel(mask) && !names::is_cheap(mask) {
        super::refuse_mask(turn, "WHO", mask);
        return turn.reply(RPL_ENDOFWHO, &[super::spoken(mask)]);
    }
    let (found, on) = find(turn.state, turn.user, mask, only_operators, &mut turn.work);
    for (count, id) in found.into_iter().enumerate() {
        if count == MOST {
            turn.reply(ERR_TOOMANYMATCHES, &[b"WHO"]);
            break;
        }
        let channel = on.or_else(|| channel_of(turn.state, turn.user, id));
        let line = match &wanted {
            Some(wanted) => extended(turn, id, channel, wanted),
            None => plain(turn, id, channel),
        };
        if !turn.row(line, "WHO") {
            break;
        }
    }
    turn.reply(RPL_ENDOFWHO, &[super::spoken(mask)]);
}

/// Whom `asker` is told of, and one more if there are more than [`MOST`]; and the channel that is told with them
/// if they were found there. What it took is added to `steps`.
fn find(
    state: &State,
    asker: UserId,
    mask: &[u8],
    only_operators: bool,
    steps: &mut u64,
) -> (Vec<UserId>, Option<ChannelId>) {
    let wanted = |user: &User| !only_operators || user.is(UserFlag::Operator);
    if names::looks_like_channel(mask) {
        let Some(id) = state.channel_named(mask) else { return (Vec::new(), None) };
        let members = state.channels[id].members().iter().map(|member| member.user);
        let shown = members.filter(|user| {
            *steps += STEPS_OF_USER;
            wanted(&state.users[*user]) && state.shows_member(asker, id, *user)
        });
        return (shown.take(MOST + 1).collect(), Some(id));
    }
    // Who knows the nick finds its owner, invisible or not.
    if let Some((id, user)) = state.person(mask) {
        return (Some(id).filter(|_| wanted(user)).into_iter().collect(), None);
    }
    let mask = if mask == b"0" { b"*" } else { mask };
    let all = state.users[asker].is(UserFlag::Operator);
    let found = state.users.iter().filter(|(id, user)| {
        *steps += STEPS_OF_USER;
        let mut fits = |text: &[u8]| names::fits_counting(mask, text, steps);
        if !wanted(user)
            || !user.is_registered()
            || !(fits(user.nick()) || fits(&user.name) || fits(&user.host) || fits(&user.real_name))
        {
            return false;
        }
        if all || *id == asker || !user.is(UserFlag::Invisible) {
            return true;
        }
        *steps += STEPS_OF_USER * state.users[asker].channels.len() as u64;
        state.share_a_channel(asker, *id)
    });
    (found.map(|(id, _)| id).take(MOST + 1).collect(), None)
}

/// A channel on which `asker` may know that `user` is.
fn channel_of(state: &State, asker: UserId, user: UserId) -> Option<ChannelId> {
    let mut channels = state.users[user].channels.iter().copied();
    channels.find(|id| state.shows_member(asker, *id, user))
}

/// `H` for here or `G` for gone, `*` for an operator, `B` for a bot, and the rank on the channel.
fn flags(turn: &Turn<'_>, id: UserId, channel: Option<ChannelId>) -> String {
    let user = &turn.state.users[id];
    let mut flags = String::from(if user.away.is_some() { "G" } else { "H" });
    if user.is(UserFlag::Operator) {
        flags.push('*');
    }
    if user.is(UserFlag::Bot) {
        flags.push('B');
    }
    let rank = channel.and_then(|channel| turn.state.channels[channel].rank(id));
    flags + rank.unwrap_or_default().prefix(turn.me().caps.has(Caps::MULTI_PREFIX))
}

fn channel_name<'a>(turn: &'a Turn<'_>, channel: Option<ChannelId>) -> &'a [u8] {
    channel.map_or(b"*", |channel| turn.state.channels[channel].name.as_slice())
}

fn plain(turn: &Turn<'_>, id: UserId, channel: Option<ChannelId>) -> Line {
    let user = &turn.state.users[id];
    turn.server_line(RPL_WHOREPLY.code)
        .param(turn.me().nick())
        .param(channel_name(turn, channel))
        .param(&user.name)
        .param(&user.host)
        .param(&turn.state.config.name)
        .param(user.nick())
        .param(flags(turn, id, channel))
        .last([b"0 ", user.real_name.as_slice()].concat())
}

/// In the order of WHOX, whatever the order in which it was asked for.
fn extended(turn: &Turn<'_>, id: UserId, channel: Option<ChannelId>, wanted: &Wanted<'_>) -> Line {
    let user = &turn.state.users[id];
    let may_know = id == turn.user || turn.me().is(UserFlag::Operator);
    let mut line = turn.server_line(RPL_WHOSPCRPL.code).param(turn.me().nick());
    for field in b"tcuihsnfdlao".iter().filter(|field| wanted.fields.contains(field)) {
        line = match field {
            b't' => line.param(wanted.token),
            b'c' => line.param(channel_name(turn, channel)),
            b'u' => line.param(&user.name),
            b'i' => {
                let address = user.shown_address().filter(|_| may_know);
                line.param(address.as_deref().unwrap_or("255.255.255.255"))
            }
            b'h' => line.param(&user.host),
            b's' => line.param(&turn.state.config.name),
            b'n' => line.param(user.nick()),
            b'f' => line.param(flags(turn, id, channel)),
            b'l' => line.param(user.idle(turn.now).to_string()),
            b'o' => line.param("n/a"),
            // Neither other servers nor accounts: no hops, and nobody is logged in.
            _ => line.param("0"),
        };
    }
    if wanted.fields.contains(&b'r') { line.last(&user.real_name) } else { line }
}
