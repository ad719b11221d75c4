//! Operators of the server: OPER, and what they may: KILL, REHASH, WALLOPS.

use std::sync::Arc;

use bstr::{BString, ByteSlice};
use log::{info, warn};

use crate::bus::Bus;
use crate::config::{Config, Oper};
use crate::line::{Line, whole_characters};
use crate::message::Message;
use crate::names;
use crate::numerics::{
    ERR_CANTKILLSERVER, ERR_NEEDMOREPARAMS, ERR_NOOPERHOST, ERR_NOPRIVILEGES, ERR_NOSUCHNICK,
    ERR_PASSWDMISMATCH, RPL_REHASHING, RPL_YOUREOPER,
};
use crate::password::Outcome;
use crate::secret::Secret;
use crate::state::{State, User, UserFlag};
use crate::time::Moment;
use crate::turn::{Errand, Turn};

pub(super) fn oper(turn: &mut Turn<'_>, message: &Message<'_>) {
    let config = turn.state.config.clone();
    let Some(first) = config.opers.first() else { return turn.reply(ERR_NOOPERHOST, &[]) };
    if turn.me().checking {
        let text = "A password is being checked";
        return turn.fail("OPER", "TEMPORARILY_UNAVAILABLE", &[], text);
    }
    let account: BString = message.params[0].into();
    // Who isn't known is checked like the first of those who are, so that how long it takes tells nothing,
    // if all hashes were made with the same parameters.
    let known = configured(&config, &account);
    let hash = known.unwrap_or(first).password.clone();
    turn.me_mut().checking = true;
    let check = Errand::CheckPassword {
        user: turn.user,
        account,
        password: Secret(message.params[1].into()),
        hash,
        label: turn.defer_label(),
    };
    turn.errands.push(check);
}

/// Goes on with OPER when the password was compared: in a turn that is [resumed](Turn::resumed) with the
/// label of the errand. Whoever is gone by then is told nothing. The settings may have changed since: what
/// was compared counts if it is in them still.
pub fn checked(turn: &mut Turn<'_>, account: &[u8], hash: &str, outcome: Outcome) {
    if !turn.state.users.contains_key(turn.user) {
        return;
    }
    turn.me_mut().checking = false;
    let known = configured(&turn.state.config, account).is_some_and(|oper| *oper.password == hash);
    match outcome {
        Outcome::Same if known => {}
        Outcome::Busy => {
            let text = "Too many passwords are being checked";
            return turn.fail("OPER", "TEMPORARILY_UNAVAILABLE", &[], text);
        }
        Outcome::Same | Outcome::Other => {
            // What no account has may be a password that was said in its place.
            let account = configured(&turn.state.config, account);
            let account =
                account.map_or("of an unknown account".into(), |oper| format!("{:?}", oper.name));
            warn!("OPER {account} failed, by {}", logged(turn.me()));
            return turn.reply(ERR_PASSWDMISMATCH, &[]);
        }
    }
    info!("OPER {:?} succeeded, by {}", account.as_bstr(), logged(turn.me()));
    let new = !turn.me().is(UserFlag::Operator);
    turn.state.set_flag(turn.user, UserFlag::Operator, true);
    turn.me_mut().oper = Some(account.into());
    turn.reply(RPL_YOUREOPER, &[]);
    if new {
        let line = turn.my_line("MODE").param(turn.me().nick()).param("+o");
        turn.answer(line);
    }
}

/// Takes over new settings. Who is an operator by an account that isn't in them, or whose password is
/// another one there, is one no more, and is told so.
pub fn reconfigure(state: &mut State, bus: &mut dyn Bus, config: Arc<Config>, now: Moment) {
    let before = std::mem::replace(&mut state.config, config);
    let stays = |user: &User| {
        user.oper.as_ref().is_some_and(|account| {
            let now = configured(&state.config, account);
            now.is_some() && now == configured(&before, account)
        })
    };
    let operators = state.users.iter().filter(|(_, user)| user.is(UserFlag::Operator));
    let fallen: Vec<_> = operators.filter(|(_, user)| !stays(user)).map(|(id, _)| id).collect();
    for id in fallen {
        state.set_flag(id, UserFlag::Operator, false);
        let user = &state.users[id];
        info!("{} is no operator any more: the settings have changed", logged(user));
        let line = Line::new(now, state.config.name.as_bytes(), "MODE");
        bus.publish(&line.param(user.nick()).param("-o"), &mut std::iter::once(id));
        let line = Line::new(now, state.config.name.as_bytes(), "NOTICE").param(user.nick());
        let text = "You are no operator any more: the settings have changed";
        bus.publish(&line.last(text), &mut std::iter::once(id));
    }
}

fn configured<'a>(config: &'a Config, account: &[u8]) -> Option<&'a Oper> {
    config.opers.iter().find(|oper| oper.name.as_bytes() == account)
}

/// Who somebody is, for the log: whatever it has called itself, in one line of characters that can be seen.
fn logged(user: &User) -> String {
    format!("{:?} at {}", user.source(), user.place())
}

/// Whether the user is an operator; who isn't is told so.
fn may(turn: &mut Turn<'_>) -> bool {
    let may = turn.me().is(UserFlag::Operator);
    if !may {
        turn.reply(ERR_NOPRIVILEGES, &[]);
    }
    may
}

pub(super) fn kill(turn: &mut Turn<'_>, message: &Message<'_>) {
    if !may(turn) {
        return;
    }
    let target = message.params[0];
    // Also who isn't registered yet: it may keep a nick from its owner.
    let Some(victim) = turn.state.user_named(target) else {
        let is_server = names::same(target, turn.state.config.name.as_bytes());
        return match is_server {
            true => turn.reply(ERR_CANTKILLSERVER, &[]),
            false => turn.reply(ERR_NOSUCHNICK, &[super::spoken(target)]),
        };
    };
    let user = &turn.state.users[victim];
    let nick = user.nick().to_vec();
    let most = turn.state.config.limits.kick;
    let reason = whole_characters(message.param(1).unwrap_or(b"No reason given"), most);
    info!("KILL {} by {}: {:?}", logged(user), logged(turn.me()), reason.as_bstr());
    let line = turn.my_line("KILL").param(nick).last(reason);
    turn.tell(victim, line);
    let seen = [b"Killed (", turn.me().nick(), b" (", reason, b"))"].concat();
    super::leave(turn.state, victim, seen);
}

pub(super) fn rehash(turn: &mut Turn<'_>, _message: &Message<'_>) {
    if may(turn) {
        info!("REHASH by {}", logged(turn.me()));
        // The name without the folder, which is nobody's concern.
        let file = turn.state.config.file.as_ref().and_then(|file| file.file_name());
        let name = file.map_or(BString::default(), |name| name.as_encoded_bytes().into());
        turn.reply(RPL_REHASHING, &[super::spoken(&name)]);
        turn.errands.push(Errand::Rehash);
    }
}

pub(super) fn wallops(turn: &mut Turn<'_>, message: &Message<'_>) {
    if may(turn) {
        let Some(text) = message.param(0) else {
            return turn.reply(ERR_NEEDMOREPARAMS, &[b"WALLOPS"]);
        };
        let users = turn.state.users.iter();
        let told = users.filter(|(_, user)| {
            user.is_registered() && (user.is(UserFlag::Wallops) || user.is(UserFlag::Operator))
        });
        let told: Vec<_> = told.map(|(id, _)| id).collect();
        let line = turn.my_line("WALLOPS").last(text);
        turn.tell_all(told, line);
    }
}
