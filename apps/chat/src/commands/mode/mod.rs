//! What holds on a channel, and for a user: MODE.

mod changes;
mod channel;
mod masks;
mod user;

use crate::message::Message;
use crate::names;
use crate::turn::Turn;

pub(super) fn mode(turn: &mut Turn<'_>, message: &Message<'_>) {
    let [target, rest @ ..] = &message.params[..] else { return };
    if !names::looks_like_channel(target) {
        return user::mode(turn, target, rest.first().copied());
    }
    let Some(id) = super::channel(turn, target) else { return };
    match rest {
        [] => channel::tell(turn, id),
        [modes, params @ ..] => channel::change(turn, id, modes, params),
    }
}
