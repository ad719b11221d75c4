//! The lists of masks of a channel: bans, and what goes before them.

use super::channel::Asked;
use crate::names;
use crate::numerics::{
    ERR_BANLISTFULL, Numeric, RPL_BANLIST, RPL_ENDOFBANLIST, RPL_ENDOFEXCEPTLIST,
    RPL_ENDOFINVEXLIST, RPL_EXCEPTLIST, RPL_INVEXLIST,
};
use crate::state::{Channel, Entry, MaskList, full};

/// Adds a mask to a list or takes it away, or tells the list if there is none to change.
pub(super) fn change(asked: &mut Asked<'_, '_, '_>, on: bool, letter: char) {
    match asked.param().filter(|mask| !mask.is_empty()) {
        None => tell(asked, letter),
        Some(_) if !asked.may_change() => {}
        Some(mask) if on => add(asked, letter, mask),
        Some(mask) => {
            let removed = list(asked.channel(), letter).remove(&full(mask));
            if let Some(mask) = removed {
                asked.changes.push(false, letter, Some(&mask));
            }
        }
    }
}

fn add(asked: &mut Asked<'_, '_, '_>, letter: char, mask: &[u8]) {
    let mask = full(mask);
    let forbidden = |byte: &u8| matches!(byte, 0..=b' ' | b',' | 0x7f);
    if !names::is_cheap(&mask) || mask[0] == b':' || mask.iter().any(forbidden) {
        return asked.refuse_param(
            letter,
            b"*",
            "A mask is one word, not too long, with few wildcards",
        );
    }
    let most = asked.turn.state.config.limits.masks;
    let entry = Entry { mask: mask.clone(), by: asked.turn.me().source(), at: asked.turn.now };
    let list = list(asked.channel(), letter);
    if list.has(&mask) {
        return;
    }
    if list.entries().len() < most {
        list.add(entry);
        asked.changes.push(true, letter, Some(&mask));
        if letter == 'b' {
            let turn = &mut *asked.turn;
            turn.state.uninvite(asked.id, &mask, &mut turn.work);
        }
    } else if asked.is_first(ERR_BANLISTFULL, letter) {
        let name = asked.channel().name.clone();
        asked.turn.reply(ERR_BANLISTFULL, &[&name, letter.to_string().as_bytes()]);
    }
}

/// Bans are told to everybody who may know of the channel; who is let in in spite of them, or without an
/// invitation, to operators.
fn tell(asked: &mut Asked<'_, '_, '_>, letter: char) {
    let (each, end) = replies(letter);
    if !asked.is_first(end, letter) || (letter != 'b' && !asked.may_change()) {
        return;
    }
    let entries = list(asked.channel(), letter).entries().to_vec();
    let name = asked.channel().name.clone();
    for entry in entries {
        let at = entry.at.unix().to_string();
        asked.turn.reply(each, &[&name, &entry.mask, &entry.by, at.as_bytes()]);
    }
    asked.turn.reply(end, &[&name]);
}

fn replies(letter: char) -> (Numeric, Numeric) {
    match letter {
        'e' => (RPL_EXCEPTLIST, RPL_ENDOFEXCEPTLIST),
        'I' => (RPL_INVEXLIST, RPL_ENDOFINVEXLIST),
        _ => (RPL_BANLIST, RPL_ENDOFBANLIST),
    }
}

fn list(channel: &mut Channel, letter: char) -> &mut MaskList {
    match letter {
        'e' => &mut channel.exceptions,
        'I' => &mut channel.invite_exceptions,
        _ => &mut channel.bans,
    }
}
