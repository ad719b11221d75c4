//! What there is to say: HELP, HELPOP.

use crate::message::Message;
use crate::numerics::{ERR_HELPNOTFOUND, RPL_ENDOFHELP, RPL_HELPSTART, RPL_HELPTXT};
use crate::turn::Turn;

/// Each command: what follows its word, and what it does, in lines.
const USAGES: &[(&str, &str, &str)] = &[
    ("ADMIN", "[<server>]", "Tells who is responsible for the server."),
    ("AWAY", "[:<reason>]", "Marks you as away, or without a reason as back."),
    ("CAP", "LS|LIST|REQ|END [:<capabilities>]", "Asks for extensions of the protocol."),
    ("HELP", "[<command>]", "Tells how to give a command."),
    ("HELPOP", "[<command>]", "Tells how to give a command."),
    ("INFO", "[<server>]", "Tells what the server runs."),
    ("INVITE", "<nick> <channel>", "Invites somebody to a channel."),
    ("ISON", "<nick> [<nick> ...]", "Tells who of these is here."),
    ("JOIN", "<channel>{,<channel>} [<key>{,<key>}]", "Puts you on channels."),
    ("KICK", "<channel> <nick>{,<nick>} [:<reason>]", "Takes somebody off a channel."),
    ("KILL", "<nick> [:<reason>]", "Ends somebody's connection. For operators."),
    ("LINKS", "[<mask>]", "Tells which servers there are."),
    ("LIST", "[<mask>|<condition>{,...}]", "Tells which channels there are."),
    ("LUSERS", "", "Tells how many are here."),
    ("MODE", "<nick>|<channel> [<modes> [<parameter> ...]]", MODES),
    ("MONITOR", "+|-|C|L|S [<nick>{,<nick>}]", "Watches for people who come and go."),
    ("MOTD", "[<server>]", "Tells the message of the day."),
    ("NAMES", "<channel>{,<channel>}", "Tells who is on a channel."),
    ("NICK", "<nick>", "Gives you a name, or another one."),
    ("NOTICE", "<target>{,<target>} :<text>", "Says something that nobody answers by itself."),
    ("OPER", "<name> [:]<password>", "Makes you an operator. Spaces in a password need the colon."),
    ("PART", "<channel>{,<channel>} [:<reason>]", "Takes you off channels."),
    ("PASS", "[:]<password>", "Says the server's password, at first. Spaces in it need the colon."),
    ("PING", "<token>", "Asks whether the server is there."),
    ("PONG", "<token>", "Answers PING."),
    ("PRIVMSG", "<target>{,<target>} :<text>", "Says something to people or channels."),
    ("QUIT", "[:<reason>]", "Ends your connection."),
    ("REHASH", "", "Has the server read its settings again. For operators."),
    ("SETNAME", ":<real name>", "Changes your real name."),
    ("STATS", "m|o|u", "Tells of commands, operators, or the time since the start."),
    ("TAGMSG", "<target>{,<target>}", "Sends tags without a text."),
    ("TIME", "[<server>]", "Tells the time."),
    ("TOPIC", "<channel> [:<text>]", "Tells or changes what a channel is about."),
    ("USER", "<name> 0 * :<real name>", "Says who you are, before you are registered."),
    ("USERHOST", "<nick> [<nick> ...]", "Tells where people are."),
    ("VERSION", "[<server>]", "Tells what the server runs and supports."),
    ("WALLOPS", ":<text>", "Says something to all who have user mode +w. For operators."),
    ("WHO", "[<mask> [o|%<fields>[,<token>]]]", "Tells who is on a channel, or fits a mask."),
    ("WHOIS", "[<server>] <nick>", "Tells who somebody is."),
    ("WHOWAS", "<nick> [<count>]", "Tells who somebody was."),
];

/// What MODE does, with every mode that there is.
const MODES: &str = "\
Tells or changes modes. Of a channel:
+b <mask>: who fits it is banned, and can neither join nor talk.
+e <mask>: who fits it is let in in spite of bans.
+I <mask>: who fits it needs no invitation.
+k <key>: who joins has to say it.
+l <number>: no more may be on it.
+o <nick>: rules the channel.
+v <nick>: may talk where not everybody may.
+C: no CTCP but actions.
+i: who joins has to be invited.
+m: nobody talks but who has +o or +v.
+n: nobody talks from outside.
+s: it isn't shown to those outside.
+t: nobody changes the topic but who has +o.
Of yourself:
+B: you are a bot.
+i: strangers don't find you by masks.
+o: you are an operator of the server; OPER gives it.
+w: you are told what WALLOPS says.";

pub(super) fn help(turn: &mut Turn<'_>, message: &Message<'_>) {
    let Some(subject) = message.param(0) else { return index(turn) };
    let found = USAGES.iter().find(|(word, ..)| word.as_bytes().eq_ignore_ascii_case(subject));
    // Only what the table of commands has is there to be helped with.
    let found = found.filter(|(word, ..)| super::words().any(|there| there == *word));
    let Some((word, params, what)) = found else {
        return turn.reply(ERR_HELPNOTFOUND, &[super::spoken(subject)]);
    };
    let usage = format!("{word} {params}");
    turn.reply(RPL_HELPSTART, &[word.as_bytes(), usage.trim_end().as_bytes()]);
    for line in what.lines() {
        turn.reply(RPL_HELPTXT, &[word.as_bytes(), line.as_bytes()]);
    }
    turn.reply(RPL_ENDOFHELP, &[word.as_bytes()]);
}

fn index(turn: &mut Turn<'_>) {
    let mut words: Vec<_> = super::words().collect();
    words.sort_unstable();
    turn.reply(RPL_HELPSTART, &[b"*", b"HELP <command> tells more of one of these:"]);
    turn.reply_list(RPL_HELPTXT, &[b"*"], words, b' ');
    turn.reply(RPL_ENDOFHELP, &[b"*"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_usage() {
        assert!(USAGES.is_sorted_by_key(|(word, ..)| word));
        for word in super::super::words() {
            assert!(USAGES.iter().any(|(there, ..)| *there == word), "{word}");
        }
    }
}
