//! The commands, a file a family, and the table that finds them.

mod cap;
mod help;
mod invite;
mod isupport;
mod joining;
mod kick;
mod list;
mod messaging;
mod mode;
mod monitor;
mod naming;
pub mod oper;
mod people;
mod registration;
mod server_info;
mod topic;
mod who;
mod whois;
mod whowas;

pub use registration::{VERSION, leave, reap};

use crate::line::whole_characters;
use crate::message::{Malformed, Message};
use crate::numerics::{
    ERR_INPUTTOOLONG, ERR_NEEDMOREPARAMS, ERR_NOSUCHCHANNEL, ERR_NOTONCHANNEL, ERR_NOTREGISTERED,
    ERR_TOOMANYTARGETS, ERR_UNKNOWNCOMMAND,
};
use crate::state::ChannelId;
use crate::turn::{STEPS_OF_LINE, Turn};

/// Bytes of a client's word that are said back to it.
const SPOKEN: usize = 100;

/// A command, and what must hold before it is looked at.
struct Command {
    word: &'static str,
    /// Parameters that it needs at least.
    params: usize,
    when: When,
    run: fn(&mut Turn<'_>, &Message<'_>),
}

/// Who may give a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum When {
    /// Also those who aren't registered yet.
    Always,
    Registered,
}

macro_rules! table {
    ($($word:literal $params:literal $when:ident $run:path;)*) => {
        &[$(Command { word: $word, params: $params, when: When::$when, run: $run }),*]
    };
}

const TABLE: &[Command] = table! {
    "PRIVMSG" 0 Registered messaging::privmsg;
    "NOTICE" 0 Registered messaging::notice;
    "TAGMSG" 0 Registered messaging::tagmsg;
    "PING" 1 Always registration::ping;
    "PONG" 0 Always registration::pong;
    "JOIN" 1 Registered joining::join;
    "PART" 1 Registered joining::part;
    "TOPIC" 1 Registered topic::topic;
    "NAMES" 0 Registered naming::names;
    "LIST" 0 Registered list::list;
    "INVITE" 0 Registered invite::invite;
    "KICK" 2 Registered kick::kick;
    "MODE" 1 Registered mode::mode;
    "WHO" 0 Registered who::who;
    "WHOIS" 0 Registered whois::whois;
    "WHOWAS" 0 Registered whowas::whowas;
    "AWAY" 0 Registered people::away;
    "SETNAME" 1 Registered people::setname;
    "USERHOST" 1 Registered people::userhost;
    "ISON" 1 Registered people::ison;
    "MONITOR" 1 Registered monitor::monitor;
    "MOTD" 0 Registered server_info::motd;
    "VERSION" 0 Registered server_info::version;
    "ADMIN" 0 Registered server_info::admin;
    "LUSERS" 0 Registered server_info::lusers;
    "TIME" 0 Registered server_info::time;
    "STATS" 0 Registered server_info::stats;
    "INFO" 0 Registered server_info::info;
    "LINKS" 0 Registered server_info::links;
    "HELP" 0 Registered help::help;
    "HELPOP" 0 Registered help::help;
    "OPER" 2 Registered oper::oper;
    "KILL" 1 Registered oper::kill;
    "REHASH" 0 Registered oper::rehash;
    "WALLOPS" 1 Registered oper::wallops;
    "CAP" 1 Always cap::cap;
    "PASS" 1 Always registration::pass;
    "NICK" 0 Always registration::nick;
    "USER" 4 Always registration::user;
    "QUIT" 0 Always registration::quit;
};

/// Does what a line asks for, if anything.
pub fn run(turn: &mut Turn<'_>, message: &Message<'_>) {
    let found = TABLE
        .iter()
        .position(|command| command.word.as_bytes().eq_ignore_ascii_case(message.command));
    if let Some(at) = found {
        turn.state.uses.resize(TABLE.len(), 0);
        turn.state.uses[at] += 1;
    }
    let found = found.map(|at| &TABLE[at]);
    let registered = turn.me().is_registered();
    match found {
        // Whether the parameters suffice comes after: irssi waits for 451 on `JOIN :`.
        Some(command) if command.when == When::Registered && !registered => {
            turn.reply(ERR_NOTREGISTERED, &[]);
        }
        // As ISUPPORT promises (IRCv3 *UTF8ONLY*).
        _ if !message.is_utf8() => {
            let word = found.map_or("*", |command| command.word);
            let text = "Message rejected, this server speaks UTF-8 only";
            turn.fail_specified(word, "INVALID_UTF8", text);
        }
        Some(command) if message.params.len() < command.params => {
            turn.reply(ERR_NEEDMOREPARAMS, &[command.word.as_bytes()]);
        }
        Some(command) => (command.run)(turn, message),
        None if registered => turn.reply(ERR_UNKNOWNCOMMAND, &[spoken(message.command)]),
        None => turn.reply(ERR_NOTREGISTERED, &[]),
    }
}

/// The words of all commands.
pub fn words() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|command| command.word)
}

/// Says why a line is no message.
pub fn refuse(turn: &mut Turn<'_>, why: Malformed) {
    match why {
        Malformed::Empty => {}
        Malformed::TooLong => turn.reply(ERR_INPUTTOOLONG, &[]),
        Malformed::Forbidden => {
            turn.fail("*", "INVALID_BYTES", &[], "A line can't have NUL, CR or LF in it");
        }
    }
}

/// A word of a client's, such that it can stand in the middle of a line, and leaves room for what follows.
fn spoken(word: &[u8]) -> &[u8] {
    whole_characters(spoken_whole(word), SPOKEN)
}

/// The same, however long it is.
fn spoken_whole(word: &[u8]) -> &[u8] {
    let fits = !word.is_empty() && word[0] != b':' && !word.contains(&b' ');
    if fits && std::str::from_utf8(word).is_ok() { word } else { b"*" }
}

/// The parts of a parameter that are divided by commas.
fn list(param: &[u8]) -> impl Iterator<Item = &[u8]> {
    param.split(|byte| *byte == b',').filter(|part| !part.is_empty())
}

/// Channels or nicks in one line of NAMES and KICK, at most.
const TARGETS: usize = 10;

/// Channels in one line of JOIN and PART, at most: clients that come back join in one line what they were on.
const JOINED: usize = 20;

/// Whether a target may be looked at, before which there were so many in the same line, of which there may be
/// `most`; if not, that is answered. Each but the first is as much work as a line of its own.
fn is_within(turn: &mut Turn<'_>, before: usize, most: usize, target: &[u8]) -> bool {
    if before >= most {
        turn.reply(ERR_TOOMANYTARGETS, &[spoken(target)]);
        return false;
    }
    if before > 0 {
        turn.work += STEPS_OF_LINE;
    }
    true
}

/// Says that a mask isn't looked at: nobody fitting it would be another answer.
fn refuse_mask(turn: &mut Turn<'_>, command: &str, mask: &[u8]) {
    let text = "A mask is not too long, and has few wildcards";
    turn.fail(command, "INVALID_MASK", &[spoken(mask)], text);
}

/// The channel of this name. Where there is none, or none that the user may know of, that is answered.
fn channel(turn: &mut Turn<'_>, name: &[u8]) -> Option<ChannelId> {
    let found = turn.state.channel_named(name);
    let known = found.filter(|id| turn.state.channels[*id].is_known_to(turn.user));
    if known.is_none() {
        turn.reply(ERR_NOSUCHCHANNEL, &[spoken(name)]);
    }
    known
}

/// The same, if the user is on it: that it isn't, is answered, too.
fn joined_channel(turn: &mut Turn<'_>, name: &[u8]) -> Option<ChannelId> {
    let id = channel(turn, name)?;
    if !turn.state.channels[id].has(turn.user) {
        turn.reply(ERR_NOTONCHANNEL, &[name]);
        return None;
    }
    Some(id)
}
