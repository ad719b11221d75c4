//! What the server tells of itself: MOTD, LUSERS, VERSION, ADMIN, TIME, STATS, INFO, LINKS.

use super::VERSION;
use crate::message::Message;
use crate::names;
use crate::numerics::{
    ERR_NOADMININFO, ERR_NOMOTD, ERR_NOPRIVILEGES, ERR_NOSUCHSERVER, RPL_ADMINEMAIL, RPL_ADMINLOC1,
    RPL_ADMINLOC2, RPL_ADMINME, RPL_ENDOFINFO, RPL_ENDOFLINKS, RPL_ENDOFMOTD, RPL_ENDOFSTATS,
    RPL_GLOBALUSERS, RPL_INFO, RPL_LINKS, RPL_LOCALUSERS, RPL_LUSERCHANNELS, RPL_LUSERCLIENT,
    RPL_LUSERME, RPL_LUSEROP, RPL_LUSERUNKNOWN, RPL_MOTD, RPL_MOTDSTART, RPL_STATSCOMMANDS,
    RPL_STATSOLINE, RPL_STATSUPTIME, RPL_TIME, RPL_VERSION,
};
use crate::state::UserFlag;
use crate::turn::Turn;

/// Whether a parameter that says which server is meant, means this one: by its name, a mask of it, or
/// somebody who is on it.
pub(super) fn is_ours(turn: &Turn<'_>, server: &[u8]) -> bool {
    names::fits(server, turn.state.config.name.as_bytes()) || turn.state.person(server).is_some()
}

/// The same, and says so if it isn't; without a parameter it is.
fn is_here(turn: &mut Turn<'_>, server: Option<&[u8]>) -> bool {
    let Some(server) = server.filter(|server| !is_ours(turn, server)) else { return true };
    turn.reply(ERR_NOSUCHSERVER, &[super::spoken(server)]);
    false
}

pub(super) fn lusers(turn: &mut Turn<'_>, _message: &Message<'_>) {
    tell_counts(turn);
}

/// How many are here.
pub(super) fn tell_counts(turn: &mut Turn<'_>) {
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

pub(super) fn motd(turn: &mut Turn<'_>, message: &Message<'_>) {
    if is_here(turn, message.param(0)) {
        tell_motd(turn);
    }
}

/// The message of the day.
pub(super) fn tell_motd(turn: &mut Turn<'_>) {
    let config = turn.state.config.clone();
    let Some(motd) = &config.motd else { return turn.reply(ERR_NOMOTD, &[]) };
    turn.reply(RPL_MOTDSTART, &[format!("- {} Message of the day -", config.name).as_bytes()]);
    for line in motd.lines() {
        turn.reply(RPL_MOTD, &[format!("- {line}").as_bytes()]);
    }
    turn.reply(RPL_ENDOFMOTD, &[]);
}

pub(super) fn version(turn: &mut Turn<'_>, message: &Message<'_>) {
    if is_here(turn, message.param(0)) {
        let name = turn.state.config.name.clone();
        let text = turn.state.config.description.clone();
        turn.reply(RPL_VERSION, &[VERSION.as_bytes(), name.as_bytes(), text.as_bytes()]);
        super::isupport::tell(turn);
    }
}

pub(super) fn admin(turn: &mut Turn<'_>, message: &Message<'_>) {
    if !is_here(turn, message.param(0)) {
        return;
    }
    let config = turn.state.config.clone();
    let admin = &config.admin;
    if [&admin.location, &admin.organisation, &admin.email].iter().all(|part| part.is_empty()) {
        return turn.reply(ERR_NOADMININFO, &[config.name.as_bytes()]);
    }
    turn.reply(RPL_ADMINME, &[config.name.as_bytes()]);
    turn.reply(RPL_ADMINLOC1, &[admin.location.as_bytes()]);
    turn.reply(RPL_ADMINLOC2, &[admin.organisation.as_bytes()]);
    turn.reply(RPL_ADMINEMAIL, &[admin.email.as_bytes()]);
}

pub(super) fn time(turn: &mut Turn<'_>, message: &Message<'_>) {
    if is_here(turn, message.param(0)) {
        let (name, now) = (turn.state.config.name.clone(), turn.now.readable());
        turn.reply(RPL_TIME, &[name.as_bytes(), now.as_bytes()]);
    }
}

pub(super) fn info(turn: &mut Turn<'_>, message: &Message<'_>) {
    if !is_here(turn, message.param(0)) {
        return;
    }
    let started = format!("Running since {}", turn.state.since.readable());
    for text in [VERSION, "A chat server on the event loop reactor", &started] {
        turn.reply(RPL_INFO, &[text.as_bytes()]);
    }
    turn.reply(RPL_ENDOFINFO, &[]);
}

pub(super) fn links(turn: &mut Turn<'_>, message: &Message<'_>) {
    // Of two parameters the first is the server that is asked.
    let (server, mask) = match (message.param(0), message.param(1)) {
        (server, Some(mask)) => (server, mask),
        (mask, None) => (None, mask.unwrap_or(b"*")),
    };
    if !is_here(turn, server) {
        return;
    }
    let config = turn.state.config.clone();
    let name = config.name.as_bytes();
    if names::fits(mask, name) {
        let text = format!("0 {}", config.description);
        turn.reply(RPL_LINKS, &[name, name, text.as_bytes()]);
    }
    turn.reply(RPL_ENDOFLINKS, &[super::spoken(mask)]);
}

/// `u`: since when; `m`: how often each command was used; `o`: who may be an operator, to those who are.
pub(super) fn stats(turn: &mut Turn<'_>, message: &Message<'_>) {
    if !is_here(turn, message.param(1)) {
        return;
    }
    let query = message.param(0).map(|param| &param[..1]).unwrap_or(b"*");
    let query = if query[0].is_ascii_graphic() { query } else { b"*" };
    match query {
        b"u" => {
            let seconds = (turn.now.unix() - turn.state.since.unix()).max(0);
            let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
            let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
            let text = format!("Server Up {days} days {hours}:{minutes:02}:{seconds:02}");
            turn.reply(RPL_STATSUPTIME, &[text.as_bytes()]);
        }
        b"m" => {
            let uses: Vec<_> = super::words().zip(turn.state.uses.clone()).collect();
            for (word, count) in uses.into_iter().filter(|(_, count)| *count > 0) {
                let count = count.to_string();
                turn.reply(RPL_STATSCOMMANDS, &[word.as_bytes(), count.as_bytes()]);
            }
        }
        b"o" if !turn.me().is(UserFlag::Operator) => turn.reply(ERR_NOPRIVILEGES, &[]),
        b"o" => {
            let config = turn.state.config.clone();
            for oper in &config.opers {
                turn.reply(RPL_STATSOLINE, &[b"O", b"*", b"*", oper.name.as_bytes()]);
            }
        }
        _ => {}
    }
    turn.reply(RPL_ENDOFSTATS, &[super::spoken(query)]);
}
