//! Becoming somebody, and ceasing to be: PASS, NICK, USER, PING, PONG, QUIT.

use bstr::BString;

use crate::bus::Bus;
use crate::caps::Caps;
use crate::line::{Line, whole_characters};
use crate::message::Message;
use crate::names;
use crate::numerics::{
    ERR_ALREADYREGISTERED, ERR_ERRONEUSNICKNAME, ERR_INVALIDUSERNAME, ERR_NEEDMOREPARAMS,
    ERR_NICKNAMEINUSE, ERR_NONICKNAMEGIVEN, ERR_PASSWDMISMATCH, RPL_CREATED, RPL_MYINFO,
    RPL_WELCOME, RPL_YOURHOST,
};
use crate::secret::Secret;
use crate::state::{Past, State, UserId};
use crate::time::Moment;
use crate::turn::Turn;

/// What this program calls itself.
pub const VERSION: &str = concat!("reactor-chat-", env!("CARGO_PKG_VERSION"));

pub(super) fn pass(turn: &mut Turn<'_>, message: &Message<'_>) {
    if turn.me().is_registered() {
        return turn.reply(ERR_ALREADYREGISTERED, &[]);
    }
    if turn.state.config.password.is_some() {
        turn.me_mut().registration.password = Some(Secret(message.params[0].into()));
    }
}

pub(super) fn user(turn: &mut Turn<'_>, message: &Message<'_>) {
    if turn.me().is_registered() {
        return turn.reply(ERR_ALREADYREGISTERED, &[]);
    }
    let limits = &turn.state.config.limits;
    // What would look like another part of the source is no part of a name.
    let name: Vec<u8> = message.params[0]
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_graphic() && !b"!@*?:".contains(byte))
        .collect();
    let name = whole_characters(&name, limits.user).to_vec();
    let real_name = whole_characters(message.params[3], limits.real_name).to_vec();
    if message.params[0].is_empty() || message.params[3].is_empty() {
        return turn.reply(ERR_NEEDMOREPARAMS, &[b"USER"]);
    }
    if name.is_empty() {
        return turn.reply(ERR_INVALIDUSERNAME, &[]);
    }
    let me = turn.me_mut();
    me.name = name.into();
    me.real_name = real_name.into();
    welcome_if_complete(turn);
}

pub(super) fn nick(turn: &mut Turn<'_>, message: &Message<'_>) {
    let Some(nick) = message.param(0) else { return turn.reply(ERR_NONICKNAMEGIVEN, &[]) };
    if !names::is_nick(nick, turn.state.config.limits.nick) {
        return turn.reply(ERR_ERRONEUSNICKNAME, &[super::spoken(nick)]);
    }
    let me = turn.me();
    if me.nick.as_ref().is_some_and(|same| same == nick) {
        return;
    }
    let before = me.is_registered().then(|| (me.line(turn.now, "NICK"), Past::of(me, turn.now)));
    if !turn.state.name_user(turn.user, nick) {
        return turn.reply(ERR_NICKNAMEINUSE, &[nick]);
    }
    let Some((line, past)) = before else { return welcome_if_complete(turn) };
    let line = line.last(nick);
    turn.tell_peers(&line, Caps::NONE);
    turn.answer(line);
    if !names::same(&past.nick, nick) {
        super::monitor::gone(turn.state, turn.bus, &past.nick, turn.now);
        turn.state.whowas.remember(past);
        super::monitor::here(turn.state, turn.bus, turn.user, turn.now);
    }
}

/// Welcomes a client that has said all that it has to.
pub(super) fn welcome_if_complete(turn: &mut Turn<'_>) {
    let me = turn.me();
    let complete = me.nick.is_some() && !me.name.is_empty() && !me.registration.negotiating;
    if !complete || me.is_registered() {
        return;
    }
    if let Some(password) = &turn.state.config.password {
        let said = turn.me().registration.password.as_ref();
        if said.is_none_or(|said| !same_secret(said, password.as_bytes())) {
            turn.reply(ERR_PASSWDMISMATCH, &[]);
            return leave(turn.state, turn.user, "Bad password");
        }
    }
    turn.state.register(turn.user);

    let config = turn.state.config.clone();
    let source = turn.me().source();
    let text = format!("Welcome to the {} Network, {source}", config.network);
    turn.reply(RPL_WELCOME, &[text.as_bytes()]);
    let text = format!("Your host is {}, running version {VERSION}", config.name);
    turn.reply(RPL_YOURHOST, &[text.as_bytes()]);
    let text = format!("This server was started {}", turn.state.since.readable());
    turn.reply(RPL_CREATED, &[text.as_bytes()]);
    let line = turn
        .server_line(RPL_MYINFO.code)
        .param(turn.me().nick())
        .param(&config.name)
        .param(VERSION);
    turn.answer(line.param("Biow").param("CIbeiklmnostv").param("Ibeklov"));
    super::isupport::tell(turn);
    super::server_info::tell_counts(turn);
    super::server_info::tell_motd(turn);
    super::monitor::here(turn.state, turn.bus, turn.user, turn.now);
}

/// Compares in a time that doesn't tell how much of a secret was guessed.
fn same_secret(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

pub(super) fn ping(turn: &mut Turn<'_>, message: &Message<'_>) {
    let name = turn.state.config.name.clone();
    let line = turn.server_line("PONG").param(name).last(message.params[0]);
    turn.answer(line);
}

/// What it answers is that somebody is there, which every line says.
pub(super) fn pong(_turn: &mut Turn<'_>, _message: &Message<'_>) {}

pub(super) fn quit(turn: &mut Turn<'_>, message: &Message<'_>) {
    let most = turn.state.config.limits.kick;
    let reason = match message.param(0) {
        Some(said) => [b"Quit: ", whole_characters(said, most)].concat(),
        None => b"Client Quit".to_vec(),
    };
    leave(turn.state, turn.user, reason);
}

/// Marks a user whose connection has to end. It goes when the line is done that caused it, so that
/// nobody is freed who is still talked about.
pub fn leave(state: &mut State, user: UserId, reason: impl Into<Vec<u8>>) {
    if !state.leaving.iter().any(|(leaving, _)| *leaving == user) {
        state.leaving.push((user, BString::from(reason.into())));
    }
}

/// Takes those away who are leaving: their peers are told, and they themselves.
pub fn reap(state: &mut State, bus: &mut dyn Bus, now: Moment) {
    while let Some((user, reason)) = state.leaving.pop() {
        let Some(leaver) = state.users.get(user) else { continue };
        let text = [&b"Closing Link: "[..], &leaver.host, b" (", &reason, b")"].concat();
        let error = Line::sourceless(now, "ERROR").last(text);
        bus.publish(&error, &mut std::iter::once(user));
        if leaver.is_registered() {
            let quit = leaver.line(now, "QUIT").last(&reason);
            bus.publish(&quit, &mut state.peers(user).into_iter());
        }
        bus.part_with(user);
        if let Some(gone) = state.depart(user, now) {
            if gone.is_registered() {
                super::monitor::gone(state, bus, gone.nick(), now);
            }
        }
    }
}
