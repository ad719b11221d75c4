//! A chat without a network: clients say lines, and hear lines.

use std::collections::HashMap;
use std::sync::Arc;

use chat::bus::Bus;
use chat::commands;
use chat::config::Config;
use chat::line::{Class, Line};
use chat::message::{Message, Tags};
use chat::password::Outcome;
use chat::state::{State, UserFlag, UserId};
use chat::time::Moment;
use chat::turn::{Errand, Turn};

/// What each user has been told, and in which class.
#[derive(Default)]
pub(crate) struct Ears {
    classes: HashMap<UserId, Class>,
    pub(crate) heard: HashMap<UserId, Vec<u8>>,
    pub(crate) gone: Vec<UserId>,
}

impl Bus for Ears {
    fn publish(&mut self, line: &Line, to: &mut dyn Iterator<Item = UserId>) {
        for user in to {
            let class = self.classes.get(&user).copied().unwrap_or_default();
            self.heard.entry(user).or_default().extend_from_slice(line.bytes(class));
        }
    }

    fn tell(&mut self, to: UserId, lines: &[u8]) {
        self.heard.entry(to).or_default().extend_from_slice(lines);
    }

    fn classify(&mut self, user: UserId, class: Class) {
        self.classes.insert(user, class);
    }

    fn part_with(&mut self, user: UserId) {
        self.gone.push(user);
    }
}

/// A server, its users, and a clock that stands still.
pub(crate) struct Rig {
    pub(crate) state: State,
    pub(crate) ears: Ears,
    pub(crate) now: Moment,
    pub(crate) errands: Vec<Errand>,
    /// What the last line was worth beyond a line.
    pub(crate) cost: u32,
}

impl Rig {
    /// A server whose name is `s`, and whose settings are the defaults.
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    /// The same with other settings.
    pub(crate) fn with(config: Config) -> Self {
        let config = Config { name: "s".into(), ..config };
        let now = Moment::from_unix_ms(1_000_000);
        let state = State::new(Arc::new(config), now);
        Self { state, ears: Ears::default(), now, errands: Vec::new(), cost: 0 }
    }

    /// Somebody who has connected, and said nothing.
    pub(crate) fn stranger(&mut self) -> UserId {
        self.state.arrive(Some([192, 0, 2, 1].into()), "host".into(), self.now)
    }

    /// Somebody who is registered, and whose welcome is over: `nick!u@host`.
    pub(crate) fn client(&mut self, nick: &str) -> UserId {
        self.client_with(nick, "")
    }

    /// The same with capabilities.
    pub(crate) fn client_with(&mut self, nick: &str, caps: &str) -> UserId {
        let user = self.stranger();
        if !caps.is_empty() {
            self.say(user, &format!("CAP REQ :{caps}"));
        }
        self.say(user, &format!("NICK {nick}"));
        self.say(user, "USER u 0 * :real name");
        self.say(user, "CAP END");
        let welcome = self.hear(user);
        assert!(welcome.iter().any(|line| line.contains(" 001 ")), "{welcome:?}");
        user
    }

    /// A client says a line, without its end.
    pub(crate) fn say(&mut self, user: UserId, line: &str) {
        self.say_bytes(user, line.as_bytes());
    }

    /// The same of any bytes.
    pub(crate) fn say_bytes(&mut self, user: UserId, line: &[u8]) {
        self.begin_to_say(user, line);
        self.reap();
    }

    /// Those who are leaving go.
    pub(crate) fn reap(&mut self) {
        commands::reap(&mut self.state, &mut self.ears, self.now);
    }

    /// The same as [`say_bytes`](Self::say_bytes), and whoever leaves by it is still there.
    pub(crate) fn begin_to_say(&mut self, user: UserId, line: &[u8]) {
        let message = Message::parse(line);
        let tags = message.map_or(Tags::default(), |message| message.tags);
        let mut turn = Turn::new(&mut self.state, &mut self.ears, user, self.now, tags);
        match message {
            Ok(message) => commands::run(&mut turn, &message),
            Err(why) => commands::refuse(&mut turn, why),
        }
        self.cost = turn.cost();
        self.errands.extend(turn.finish());
    }

    /// What a client was told since it was last asked.
    pub(crate) fn hear(&mut self, user: UserId) -> Vec<String> {
        let heard = self.ears.heard.remove(&user).unwrap_or_default();
        let text = String::from_utf8_lossy(&heard);
        text.split_terminator("\r\n").map(String::from).collect()
    }

    /// Says a line, and gives what the same client is told then.
    pub(crate) fn ask(&mut self, user: UserId, line: &str) -> Vec<String> {
        self.hear(user);
        self.say(user, line);
        self.hear(user)
    }

    /// Turns a flag of a user's on.
    pub(crate) fn flag(&mut self, user: UserId, flag: UserFlag) {
        self.state.set_flag(user, flag, true);
    }

    /// Does what a server does with the errands: the password that fits is `right`.
    pub(crate) fn run_errands(&mut self) {
        for errand in std::mem::take(&mut self.errands) {
            if let Errand::CheckPassword { user, account, password, hash, label } = errand {
                let right = *password == "right";
                let outcome = if right { Outcome::Same } else { Outcome::Other };
                let (state, ears) = (&mut self.state, &mut self.ears);
                let mut turn = Turn::resumed(state, ears, user, self.now, label);
                commands::oper::checked(&mut turn, &account, &hash, outcome);
                self.errands.extend(turn.finish());
            }
        }
    }

    /// Everybody forgets what they have heard.
    pub(crate) fn hush(&mut self) {
        self.ears.heard.clear();
    }
}
