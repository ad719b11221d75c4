//! Operators of the server: OPER, and what they may: KILL, REHASH, WALLOPS.

use bstr::BString;

use crate::line::whole_characters;
use crate::message::Message;
use crate::names;
use crate::numerics::{
    ERR_CANTKILLSERVER, ERR_NOOPERHOST, ERR_NOPRIVILEGES, ERR_NOSUCHNICK, ERR_PASSWDMISMATCH,
    RPL_REHASHING, RPL_YOUREOPER,
};
use crate::secret::Secret;
use crate::state::UserFlag;
use crate::turn::{Errand, Turn};

pub(super) fn oper(turn: &mut Turn<'_>, message: &Message<'_>) {
    let config = turn.state.config.clone();
    let Some(first) = config.opers.first() else { return turn.reply(ERR_NOOPERHOST, &[]) };
    if turn.me().checking {
        let text = "A password is being checked";
        return turn.fail("OPER", "TEMPORARILY_UNAVAILABLE", &[], text);
    }
    let account: BString = message.params[0].into();
    // Who isn't known is checked like those who are, so that how long it takes tells nothing.
    let known = config.opers.iter().find(|oper| oper.name.as_bytes() == account.as_slice());
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
/// label of the errand. Whoever is gone by then is told nothing.
pub fn checked(turn: &mut Turn<'_>, account: &[u8], fits: bool) {
    if !turn.state.users.contains_key(turn.user) {
        return;
    }
    turn.me_mut().checking = false;
    let known = turn.state.config.opers.iter().any(|oper| oper.name.as_bytes() == account);
    if !fits || !known {
        return turn.reply(ERR_PASSWDMISMATCH, &[]);
    }
    let new = !turn.me().is(UserFlag::Operator);
    turn.state.set_flag(turn.user, UserFlag::Operator, true);
    turn.me_mut().oper = Some(account.into());
    turn.reply(RPL_YOUREOPER, &[]);
    if new {
        let line = turn.my_line("MODE").param(turn.me().nick()).param("+o");
        turn.answer(line);
    }
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
    let Some((victim, user)) = turn.state.person(target) else {
        let is_server = names::same(target, turn.state.config.name.as_bytes());
        return match is_server {
            true => turn.reply(ERR_CANTKILLSERVER, &[]),
            false => turn.reply(ERR_NOSUCHNICK, &[super::spoken(target)]),
        };
    };
    let nick = user.nick().to_vec();
    let most = turn.state.config.limits.kick;
    let reason = whole_characters(message.param(1).unwrap_or(b"No reason given"), most);
    let line = turn.my_line("KILL").param(nick).last(reason);
    turn.tell(victim, line);
    let seen = [b"Killed (", turn.me().nick(), b" (", reason, b"))"].concat();
    super::leave(turn.state, victim, seen);
}

pub(super) fn rehash(turn: &mut Turn<'_>, _message: &Message<'_>) {
    if may(turn) {
        turn.reply(RPL_REHASHING, &[b"settings"]);
        turn.errands.push(Errand::Rehash);
    }
}

pub(super) fn wallops(turn: &mut Turn<'_>, message: &Message<'_>) {
    if may(turn) {
        let users = turn.state.users.iter();
        let told = users.filter(|(_, user)| {
            user.is_registered() && (user.is(UserFlag::Wallops) || user.is(UserFlag::Operator))
        });
        let told: Vec<_> = told.map(|(id, _)| id).collect();
        let line = turn.my_line("WALLOPS").last(message.params[0]);
        turn.tell_all(told, line);
    }
}
