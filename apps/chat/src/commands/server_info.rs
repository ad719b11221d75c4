//! What the server tells of itself: MOTD, LUSERS and their like.

use crate::numerics::{
    ERR_NOMOTD, RPL_ENDOFMOTD, RPL_GLOBALUSERS, RPL_LOCALUSERS, RPL_LUSERCHANNELS, RPL_LUSERCLIENT,
    RPL_LUSERME, RPL_LUSEROP, RPL_LUSERUNKNOWN, RPL_MOTD, RPL_MOTDSTART,
};
use crate::turn::Turn;

/// How many are here.
pub(super) fn lusers(turn: &mut Turn<'_>) {
    let counts = turn.state.counts();
    let (registered, invisible) = (counts.registered, counts.invisible);
    let channels = turn.state.channels.len();
    let unknown = (turn.state.users.len() - registered).to_string();
    let opers = counts.operators.to_string();
    let (here, ever) = (registered.to_string(), counts.most_registered.to_string());

    let text = format!(
        "There are {} users and {invisible} invisible on 1 servers",
        registered - invisible
    );
    turn.reply(RPL_LUSERCLIENT, &[text.as_bytes()]);
    turn.reply(RPL_LUSEROP, &[opers.as_bytes()]);
    turn.reply(RPL_LUSERUNKNOWN, &[unknown.as_bytes()]);
    turn.reply(RPL_LUSERCHANNELS, &[channels.to_string().as_bytes()]);
    turn.reply(RPL_LUSERME, &[format!("I have {registered} clients and 0 servers").as_bytes()]);
    let text = format!("Current local users {here}, max {ever}");
    turn.reply(RPL_LOCALUSERS, &[here.as_bytes(), ever.as_bytes(), text.as_bytes()]);
    let text = format!("Current global users {here}, max {ever}");
    turn.reply(RPL_GLOBALUSERS, &[here.as_bytes(), ever.as_bytes(), text.as_bytes()]);
}

/// The message of the day.
pub(super) fn motd(turn: &mut Turn<'_>) {
    let config = turn.state.config.clone();
    let Some(motd) = &config.motd else { return turn.reply(ERR_NOMOTD, &[]) };
    turn.reply(RPL_MOTDSTART, &[format!("- {} Message of the day -", config.name).as_bytes()]);
    for line in motd.lines() {
        turn.reply(RPL_MOTD, &[format!("- {line}").as_bytes()]);
    }
    turn.reply(RPL_ENDOFMOTD, &[]);
}
