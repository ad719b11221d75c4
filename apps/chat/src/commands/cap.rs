//! Negotiating capabilities: CAP (IRCv3 *capability-negotiation*, version 302).

use crate::caps::Caps;
use crate::line::whole_characters;
use crate::message::Message;
use crate::numerics::ERR_INVALIDCAPCMD;
use crate::turn::Turn;

/// Bytes of a list of capabilities that can be asked for at once, such that the answer fits a line.
const MOST: usize = 350;

pub(super) fn cap(turn: &mut Turn<'_>, message: &Message<'_>) {
    let sub = message.params[0].to_ascii_uppercase();
    let param = message.params.get(1).copied().unwrap_or_default();
    match &sub[..] {
        b"LS" => {
            begin(turn);
            let version =
                std::str::from_utf8(param).ok().and_then(|version| version.parse::<u32>().ok());
            if version.is_some_and(|version| version >= 302) {
                let me = turn.me_mut();
                me.cap_302 = true;
                // It comes with the version, asked for or not.
                me.caps = me.caps.with(Caps::CAP_NOTIFY);
            }
            let all: Vec<_> = Caps::ALL.iter().map(|(_, name)| *name).collect();
            answer(turn, "LS", all.join(" ").as_bytes());
        }
        b"LIST" => {
            let on: Vec<_> = turn.me().caps.names().collect();
            answer(turn, "LIST", on.join(" ").as_bytes());
        }
        b"REQ" => {
            begin(turn);
            request(turn, param);
        }
        b"END" => {
            turn.me_mut().registration.negotiating = false;
            super::registration::welcome_if_complete(turn);
        }
        _ => turn.reply(ERR_INVALIDCAPCMD, &[super::spoken(message.params[0])]),
    }
}

/// Registration waits for CAP END from now on.
fn begin(turn: &mut Turn<'_>) {
    if !turn.me().is_registered() {
        turn.me_mut().registration.negotiating = true;
    }
}

/// All that is asked for, or nothing of it.
fn request(turn: &mut Turn<'_>, wanted: &[u8]) {
    // What is acknowledged is told whole: no list of ours is as long as this.
    if wanted.len() > MOST {
        return answer(turn, "NAK", whole_characters(wanted, MOST));
    }
    let me = turn.me();
    let (mut caps, is_302) = (me.caps, me.cap_302);
    for word in wanted.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        let (name, on) = word.strip_prefix(b"-").map_or((word, true), |name| (name, false));
        match Caps::named(name) {
            Some(cap) if on => caps = caps.with(cap),
            Some(Caps::CAP_NOTIFY) if is_302 => return answer(turn, "NAK", wanted),
            Some(cap) => caps = caps.without(cap),
            None => return answer(turn, "NAK", wanted),
        }
    }
    turn.me_mut().caps = caps;
    answer(turn, "ACK", wanted);
    turn.bus.classify(turn.user, caps.class());
}

fn answer(turn: &mut Turn<'_>, sub: &str, rest: &[u8]) {
    let line = turn.server_line("CAP").param(turn.me().nick()).param(sub).last(rest);
    turn.answer(line);
}
