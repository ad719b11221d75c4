//! Whatever is said by whomever: nothing panics, what is told is lines that a client can read, and the
//! state agrees with itself.

use chat::caps::Caps;
use chat::commands;
use chat::config::{Config, Limits, Oper};
use chat::message::LINE;
use chat::state::{UserFlag, UserId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::rig::Rig;

/// Nicks that people have, and take from each other.
const NICKS: [&str; 6] = ["ann", "Bob", "eve", "dan", "joe", "kim"];

/// What means something to one command or another.
const PIECES: &[&str] = &[
    "ann",
    "bob",
    "eve",
    "dan",
    "joe",
    "#c",
    "#C",
    "#d",
    "#d,#c",
    "s",
    "*",
    "0",
    "1",
    "-1",
    "",
    "+",
    "-",
    "C",
    "L",
    "S",
    "LS",
    "REQ",
    "END",
    "LIST",
    "302",
    "cap-notify",
    "message-tags",
    "-server-time",
    "+o",
    "-o",
    "+i-w+B",
    "+s",
    "+imntC",
    "+b",
    "+bbb",
    "+k",
    "+l",
    "+v-v",
    "-n",
    "a!*@*",
    "*!*@*",
    "root",
    "right",
    "%tcuihsnfdlaor,12",
    "o%",
    "@#c",
    "+#c",
    "u",
    "m",
    "other",
    "ann,bob,eve",
    ">1,<9,C>0,T<5",
    "\u{1}VERSION\u{1}",
    ":",
    ": :",
    "a b",
    "99999999999999999999",
];

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..20),
        1 => (select(&["a", "\u{e4}", "\u{1f600}", ",", "*", "#", "+b", " "][..]), 0..500_usize)
            .prop_map(|(piece, count)| piece.repeat(count).into_bytes()),
        1 => "\\PC{0,20}".prop_map(String::into_bytes),
    ]
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<_> = commands::words().chain(["NONSENSE", "\u{e4}"]).collect();
    let tags = prop_oneof![
        6 => Just(Vec::new()),
        1 => Just(b"@label=x;+draft/reply=y\\s;time=z ".to_vec()),
        1 => vec(any::<u8>(), 0..20).prop_map(|tag| [b"@+x=", &tag[..], b" "].concat()),
        1 => vec(any::<u8>(), 0..80).prop_map(|tag| [b"@label=", &tag[..], b" "].concat()),
    ];
    let params = prop_oneof![4 => vec(piece(), 0..5), 1 => vec(piece(), 0..20)];
    (tags, select(words), params, any::<bool>()).prop_map(|(tags, word, params, trailing)| {
        let mut line = [&tags[..], word.as_bytes()].concat();
        let last = params.len().saturating_sub(1);
        for (at, param) in params.iter().enumerate() {
            line.extend_from_slice(if trailing && at == last { b" :" } else { b" " });
            line.extend_from_slice(param);
        }
        line
    })
}

/// A line, who says it, whether those who are leaving go then, and whether errands are done.
fn step() -> impl Strategy<Value = (usize, Vec<u8>, bool, bool)> {
    (0..7_usize, line(), any::<bool>(), any::<bool>())
}

/// One of each kind of client.
struct Crowd {
    rig: Rig,
    clients: [UserId; 7],
    /// Whether a client may have asked for capabilities: then it may be told tags.
    asked: [bool; 7],
}

impl Crowd {
    fn new() -> Self {
        let root = Oper { name: "root".into(), password: "the hash".into() };
        let limits = Limits { monitor: 5, masks: 3, channels: 3, whowas: 5, ..Limits::default() };
        let config = Config { opers: vec![root], limits, ..Config::default() };
        let mut rig = Rig::with(config);
        let clients = std::array::from_fn(|kind| client(&mut rig, kind));
        let mut crowd = Self { rig, clients, asked: [false; 7] };
        crowd.asked[5] = true;
        crowd
    }

    fn step(&mut self, who: usize, line: &[u8], reap: bool, errands: bool) {
        self.asked[who] |= line.to_ascii_uppercase().windows(3).any(|word| word == b"CAP");
        self.rig.begin_to_say(self.clients[who], line);
        if errands {
            self.rig.run_errands();
        }
        if reap {
            self.rig.reap();
        }
        self.check_what_is_heard();
        self.check_state();
        for kind in 0..self.clients.len() {
            if !self.rig.state.users.contains_key(self.clients[kind]) {
                self.clients[kind] = client(&mut self.rig, kind);
                self.asked[kind] = kind == 5;
            }
        }
    }

    fn check_what_is_heard(&mut self) {
        for (user, heard) in std::mem::take(&mut self.rig.ears.heard) {
            let kind = self.clients.iter().position(|client| *client == user);
            let may_be_tagged = kind.is_none_or(|kind| self.asked[kind]);
            let heard = String::from_utf8(heard).expect("UTF-8");
            assert!(heard.ends_with("\r\n"), "{heard:?}");
            for line in heard.split_terminator("\r\n") {
                assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
                let body = match line.strip_prefix('@') {
                    Some(tagged) => {
                        assert!(may_be_tagged, "{line:?}");
                        tagged.split_once(' ').expect("something after the tags").1
                    }
                    None => line,
                };
                assert!(body.len() + 2 <= LINE, "{line:?}");
                assert!(body.starts_with(':') || body.starts_with("ERROR "), "{line:?}");
                // Up to the last parameter there are words, each with a space before it.
                let words = body.split_once(" :").map_or(body, |(words, _)| words);
                assert!(words.split(' ').all(|word| !word.is_empty()), "{line:?}");
            }
        }
    }

    fn check_state(&self) {
        let state = &self.rig.state;
        for (id, user) in &state.users {
            if let Some(nick) = &user.nick {
                assert_eq!(state.user_named(nick), Some(id), "{nick}");
            }
            for channel in &user.channels {
                assert!(state.channels[*channel].has(id));
            }
            assert!(user.is_registered() || user.channels.is_empty());
            assert!(user.oper.is_none() || user.is(UserFlag::Operator));
        }
        for nick in NICKS {
            if let Some(id) = state.user_named(nick.as_bytes()) {
                assert!(state.users[id].nick().eq_ignore_ascii_case(nick.as_bytes()));
            }
        }
        for (id, channel) in &state.channels {
            assert!(!channel.members().is_empty(), "{}", channel.name);
            assert_eq!(state.channel_named(&channel.name), Some(id));
            for member in channel.members() {
                assert!(state.users[member.user].channels.contains(&id));
            }
        }
        let people = state.users.values().filter(|user| user.is_registered());
        let are = |flag| people.clone().filter(|user| user.is(flag)).count();
        let counts = state.counts();
        assert_eq!(counts.registered, people.clone().count());
        assert_eq!(counts.invisible, are(UserFlag::Invisible));
        assert_eq!(counts.operators, are(UserFlag::Operator));
        assert!(counts.most_registered >= counts.registered);
    }

    /// Everybody leaves, and nothing is left.
    fn disperse(mut self) {
        let users: Vec<_> = self.rig.state.users.keys().collect();
        for user in users {
            commands::leave(&mut self.rig.state, user, "over");
        }
        self.rig.reap();
        self.rig.run_errands();
        let state = &self.rig.state;
        assert!(state.users.is_empty() && state.channels.is_empty());
        assert_eq!(state.counts().registered, 0);
        for nick in NICKS {
            assert_eq!(state.user_named(nick.as_bytes()), None);
            assert_eq!(state.monitors.watchers(nick.as_bytes()), []);
        }
    }
}

/// A new client of one of seven kinds.
fn client(rig: &mut Rig, kind: usize) -> UserId {
    let user = rig.stranger();
    if kind == 0 {
        return user;
    }
    if kind == 5 {
        let all: Vec<_> = Caps::ALL.iter().map(|(_, name)| *name).collect();
        rig.say(user, &format!("CAP REQ :{}", all.join(" ")));
    }
    // Somebody may have taken its nick in the meantime: then it has none yet.
    rig.say(user, &format!("NICK {}", NICKS[kind - 1]));
    rig.say(user, "USER u 0 * :real name");
    rig.say(user, "CAP END");
    if kind >= 2 {
        rig.say(user, "JOIN #c,#d");
    }
    if kind == 3 && rig.state.users[user].is_registered() {
        rig.flag(user, UserFlag::Operator);
    }
    if kind == 6 {
        commands::leave(&mut rig.state, user, "leaving");
    }
    user
}

proptest! {
    // So that it takes less than a second.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_that_is_said_does_harm(steps in vec(step(), 1..60)) {
        let mut crowd = Crowd::new();
        crowd.rig.hush();
        for (who, line, reap, errands) in steps {
            crowd.step(who, &line, reap, errands);
        }
        crowd.disperse();
    }
}
