//! The modes of a user, which only it itself sees and changes.

use bstr::ByteSlice;

use super::changes::Changes;
use crate::commands::spoken;
use crate::numerics::{ERR_NOSUCHNICK, ERR_UMODEUNKNOWNFLAG, ERR_USERSDONTMATCH, RPL_UMODEIS};
use crate::state::UserFlag;
use crate::turn::Turn;

pub(super) fn mode(turn: &mut Turn<'_>, nick: &[u8], modes: Option<&[u8]>) {
    match (turn.state.person(nick), modes) {
        (None, _) => turn.reply(ERR_NOSUCHNICK, &[spoken(nick)]),
        (Some((user, _)), _) if user != turn.user => turn.reply(ERR_USERSDONTMATCH, &[]),
        (Some((_, me)), None) => {
            let modes = me.modes();
            turn.reply(RPL_UMODEIS, &[modes.as_bytes()]);
        }
        (Some(_), Some(modes)) => change(turn, modes),
    }
}

fn change(turn: &mut Turn<'_>, modes: &[u8]) {
    let mut changes = Changes::new(turn.my_line("MODE").param(turn.me().nick()));
    let (mut on, mut unknown) = (true, false);
    for letter in modes.chars() {
        match letter {
            '+' => on = true,
            '-' => on = false,
            _ => match UserFlag::ALL.iter().find(|(_, known)| char::from(*known) == letter) {
                Some((flag, _)) => {
                    if set(turn, *flag, on) {
                        changes.push(on, letter, None);
                    }
                }
                None => unknown = true,
            },
        }
    }
    for line in changes.lines() {
        turn.answer(line);
    }
    if unknown {
        turn.reply(ERR_UMODEUNKNOWNFLAG, &[]);
    }
}

/// Answers whether anything has changed.
fn set(turn: &mut Turn<'_>, flag: UserFlag, on: bool) -> bool {
    // An operator can resign, but nobody becomes one without OPER: that is read over (RFC 2812, section
    // 3.1.5).
    let changes = turn.me().is(flag) != on && !(flag == UserFlag::Operator && on);
    if changes {
        turn.state.set_flag(turn.user, flag, on);
    }
    changes
}
