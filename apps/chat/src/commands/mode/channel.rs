//! The modes of a channel: flags, the key, the limit, ranks. Lists of masks are [`masks`].

use bstr::ByteSlice;

use super::changes::Changes;
use super::masks;
use crate::commands::spoken;
use crate::numerics::{
    ERR_CHANOPRIVSNEEDED, ERR_INVALIDMODEPARAM, ERR_NOSUCHNICK, ERR_NOTONCHANNEL, ERR_UNKNOWNMODE,
    ERR_USERNOTINCHANNEL, Numeric, RPL_CHANNELMODEIS, RPL_CREATIONTIME,
};
use crate::state::{Channel, ChannelFlag, ChannelId};
use crate::turn::Turn;

/// Tells what holds: the key to members only.
pub(super) fn tell(turn: &mut Turn<'_>, id: ChannelId) {
    let channel = &turn.state.channels[id];
    let (name, created) = (channel.name.clone(), channel.created.unix().to_string());
    let on = ChannelFlag::ALL.iter().filter(|(flag, _)| channel.is(*flag));
    let mut modes: Vec<u8> = std::iter::once(b'+').chain(on.map(|(_, letter)| *letter)).collect();
    let mut params = Vec::new();
    if let Some(key) = &channel.key {
        modes.push(b'k');
        params.push(if channel.has(turn.user) { key.to_vec() } else { b"*".to_vec() });
    }
    if let Some(limit) = channel.limit {
        modes.push(b'l');
        params.push(limit.to_string().into());
    }
    let mut told: Vec<&[u8]> = vec![&name, &modes];
    told.extend(params.iter().map(Vec::as_slice));
    turn.reply(RPL_CHANNELMODEIS, &told);
    turn.reply(RPL_CREATIONTIME, &[&name, created.as_bytes()]);
}

/// Does what a command asks for, letter by letter, and tells the channel what has changed.
pub(super) fn change(turn: &mut Turn<'_>, id: ChannelId, modes: &[u8], params: &[&[u8]]) {
    let start = turn.my_line("MODE").param(&turn.state.channels[id].name);
    let changes = Changes::new(start);
    let mut asked = Asked { turn, id, params: params.iter(), changes, answered: Vec::new() };
    let mut on = true;
    for letter in modes.chars() {
        match letter {
            '+' => on = true,
            '-' => on = false,
            _ => asked.change(on, letter),
        }
    }
    let Asked { turn, changes, .. } = asked;
    for line in changes.lines() {
        turn.tell_channel(id, line, |_, _| true);
    }
}

/// A command that is about to be done.
pub(super) struct Asked<'t, 'a, 'p> {
    pub(super) turn: &'t mut Turn<'a>,
    pub(super) id: ChannelId,
    params: std::slice::Iter<'p, &'p [u8]>,
    pub(super) changes: Changes,
    /// What isn't answered again: one line could ask for the same hundreds of times.
    answered: Vec<(&'static str, char)>,
}

impl<'p> Asked<'_, '_, 'p> {
    fn change(&mut self, on: bool, letter: char) {
        let flag = ChannelFlag::ALL.iter().find(|(_, known)| char::from(*known) == letter);
        match (letter, flag) {
            (_, Some((flag, _))) => self.set_flag(*flag, on, letter),
            ('b' | 'e' | 'I', _) => masks::change(self, on, letter),
            ('k', _) => self.set_key(on),
            ('l', _) => self.set_limit(on),
            ('o' | 'v', _) => self.set_rank(on, letter),
            _ => {
                let mut utf8 = [0; 4];
                let letters = letter.encode_utf8(&mut utf8).as_bytes();
                self.refuse(ERR_UNKNOWNMODE, letter, &[spoken(letters)]);
            }
        }
    }

    pub(super) fn channel(&mut self) -> &mut Channel {
        &mut self.turn.state.channels[self.id]
    }

    pub(super) fn param(&mut self) -> Option<&'p [u8]> {
        self.params.next().copied()
    }

    /// Whether something is answered for the first time.
    pub(super) fn is_first(&mut self, numeric: Numeric, letter: char) -> bool {
        let new = !self.answered.contains(&(numeric.code, letter));
        if new {
            self.answered.push((numeric.code, letter));
        }
        new
    }

    fn refuse(&mut self, numeric: Numeric, letter: char, params: &[&[u8]]) {
        if self.is_first(numeric, letter) {
            self.turn.reply(numeric, params);
        }
    }

    /// Answers that a mode doesn't take such a parameter.
    pub(super) fn refuse_param(&mut self, letter: char, param: &[u8], text: &str) {
        if self.is_first(ERR_INVALIDMODEPARAM, letter) {
            let name = self.channel().name.clone();
            let letter = letter.to_string();
            let params = [&name, letter.as_bytes(), spoken(param), text.as_bytes()];
            self.turn.reply(ERR_INVALIDMODEPARAM, &params);
        }
    }

    /// Whether the user may change modes, as of now: who has just resigned may not.
    pub(super) fn may_change(&mut self) -> bool {
        let user = self.turn.user;
        let channel = self.channel();
        let (may, inside, name) =
            (channel.is_operator(user), channel.has(user), channel.name.clone());
        if !may {
            let why = if inside { ERR_CHANOPRIVSNEEDED } else { ERR_NOTONCHANNEL };
            self.refuse(why, '*', &[&name]);
        }
        may
    }

    fn set_flag(&mut self, flag: ChannelFlag, on: bool, letter: char) {
        if self.may_change() && self.channel().is(flag) != on {
            self.channel().set(flag, on);
            self.changes.push(on, letter, None);
        }
    }

    fn set_key(&mut self, on: bool) {
        let param = self.param();
        if !self.may_change() {
            return;
        }
        if !on {
            // Clients count on a parameter here, too; whether it is the key is nobody's concern.
            if self.channel().key.take().is_some() {
                self.changes.push(false, 'k', Some(b"*"));
            }
            return;
        }
        let most = self.turn.state.config.limits.key;
        let Some(key) = param.filter(|key| is_key(key, most)) else {
            return self.refuse_param(
                'k',
                b"*",
                "A key is one word without commas, and not too long",
            );
        };
        if self.channel().key.as_ref().is_none_or(|before| before != key) {
            self.channel().key = Some(key.into());
            self.changes.push(true, 'k', Some(key));
        }
    }

    fn set_limit(&mut self, on: bool) {
        let param = if on { self.param() } else { None };
        if !self.may_change() {
            return;
        }
        let number = |param: &[u8]| std::str::from_utf8(param).ok()?.parse::<u32>().ok();
        let limit = param.and_then(number).filter(|limit| *limit > 0);
        if on && limit.is_none() {
            let param = param.unwrap_or_default();
            return self.refuse_param('l', param, "A limit is a number, at least 1");
        }
        if self.channel().limit != limit {
            self.channel().limit = limit;
            let told = limit.map(|limit| limit.to_string());
            self.changes.push(on, 'l', told.as_ref().map(String::as_bytes));
        }
    }

    fn set_rank(&mut self, on: bool, letter: char) {
        let param = self.param();
        if !self.may_change() {
            return;
        }
        let Some(nick) = param.filter(|nick| !nick.is_empty()) else {
            return self.refuse_param(letter, b"*", "Whose it is has to be said");
        };
        let Some((user, other)) = self.turn.state.person(nick) else {
            return self.turn.reply(ERR_NOSUCHNICK, &[spoken(nick)]);
        };
        let nick = other.nick().to_vec();
        let channel = self.channel();
        let name = channel.name.clone();
        let Some(rank) = channel.rank_mut(user) else {
            return self.turn.reply(ERR_USERNOTINCHANNEL, &[&nick, &name]);
        };
        let holds = if letter == 'o' { &mut rank.operator } else { &mut rank.voice };
        if *holds != on {
            *holds = on;
            self.changes.push(on, letter, Some(&nick));
        }
    }
}

/// Whether JOIN can say it, and MODE can tell it: in the middle of a line, in a list.
fn is_key(key: &[u8], most: usize) -> bool {
    let fits = |byte: &u8| !matches!(byte, 0..=b' ' | b',' | 0x7f);
    !key.is_empty() && key.len() <= most && key[0] != b':' && key.iter().all(fits)
}
