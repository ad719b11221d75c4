//! Who was here: WHOWAS.

use crate::message::Message;
use crate::numerics::{
    ERR_NONICKNAMEGIVEN, ERR_WASNOSUCHNICK, RPL_ENDOFWHOWAS, RPL_WHOISSERVER, RPL_WHOWASUSER,
};
use crate::turn::Turn;

pub(super) fn whowas(turn: &mut Turn<'_>, message: &Message<'_>) {
    let Some(nick) = message.param(0) else { return turn.reply(ERR_NONICKNAMEGIVEN, &[]) };
    // Without a count that is positive everything is told (RFC 2812, section 3.6.3).
    let count =
        message.params.get(1).and_then(|count| std::str::from_utf8(count).ok()?.parse().ok());
    let count = count.filter(|count| *count > 0).unwrap_or(usize::MAX);
    let called = turn.state.whowas.called(nick, &mut turn.work);
    let found: Vec<_> = called.take(count).cloned().collect();
    let server = turn.state.config.name.clone();
    if found.is_empty() {
        turn.reply(ERR_WASNOSUCHNICK, &[super::spoken(nick)]);
    }
    for past in found {
        let params: &[&[u8]] = &[&past.nick, &past.name, &past.host, b"*", &past.real_name];
        let line = turn.numeric(RPL_WHOWASUSER, params);
        if !turn.row(line, "WHOWAS") {
            break;
        }
        let until = past.until.readable();
        let params: &[&[u8]] = &[&past.nick, server.as_bytes(), until.as_bytes()];
        let line = turn.numeric(RPL_WHOISSERVER, params);
        if !turn.row(line, "WHOWAS") {
            break;
        }
    }
    turn.reply(RPL_ENDOFWHOWAS, &[super::spoken(nick)]);
}
