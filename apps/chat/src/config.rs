//! What the operator of a server can set: one TOML file, of which everything has a default.
//!
//! When it is read again, the new settings hold from then on, for those too who are there already; but
//! `cloak-key` and `limits.whowas` hold until the next start, and `limits.send-queue` for new connections alone.

use std::path::Path;
use std::{fs, io};

use serde::Deserialize;

use crate::secret::Secret;
use crate::{cloak, message, password};

/// The settings of a server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The server's name, as clients are told it; it has a dot in it, so that it can't be a nick.
    pub name: String,
    /// The network's name, in one word.
    pub network: String,
    /// A line about the server.
    pub description: String,
    /// Addresses to listen on; what the command line says goes before them.
    pub listen: Vec<String>,
    /// What PASS has to say before anybody is let in; nothing is asked for without.
    pub password: Option<Secret<String>>,
    /// The message of the day.
    pub motd: Option<String>,
    /// Who is responsible, for ADMIN.
    pub admin: Admin,
    /// Who may become an operator.
    pub opers: Vec<Oper>,
    /// How much of anything there may be.
    pub limits: Limits,
    /// The key of the hosts' hash; made anew at each start without one.
    pub cloak_key: Option<Secret<String>>,
}

/// Who is responsible for a server.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Admin {
    /// Where it is.
    pub location: String,
    /// Whose it is.
    pub organisation: String,
    /// Where to write.
    pub email: String,
}

/// Who may become an operator.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Oper {
    /// What OPER says first.
    pub name: String,
    /// The hash of what OPER says second, as `chat --hash-password` prints it.
    pub password: Secret<String>,
}

/// How much of anything there may be.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Bytes of a nick.
    pub nick: usize,
    /// Bytes of the name that USER says.
    pub user: usize,
    /// Bytes of a real name.
    pub real_name: usize,
    /// Bytes of a channel's name.
    pub channel: usize,
    /// Bytes of a channel's key.
    pub key: usize,
    /// Bytes of a topic.
    pub topic: usize,
    /// Bytes of the reason of a KICK, and of a PART and a QUIT.
    pub kick: usize,
    /// Bytes of the reason for being away.
    pub away: usize,
    /// Channels that one user may be on.
    pub channels: usize,
    /// Masks in each list of a channel.
    pub masks: usize,
    /// Nicks that one user may watch for.
    pub monitor: usize,
    /// Targets of one command.
    pub targets: usize,
    /// Users who are remembered when they are gone.
    pub whowas: usize,
    /// Connections from one address; none but loopback are exempt.
    pub clients_per_address: usize,
    /// Bytes that wait for a client that doesn't read, before it is dropped.
    pub send_queue: usize,
    /// Lines that a client may send at once, before its flood is slowed down.
    pub burst: u32,
    /// Lines a second that it may send then.
    pub lines_per_second: u32,
    /// Seconds that a client has for registering.
    pub registration_seconds: u64,
    /// Seconds of silence after which a client is asked whether it is there.
    pub ping_seconds: u64,
    /// Seconds of silence after which it isn't.
    pub drop_seconds: u64,
}

impl Config {
    /// Reads a file of settings, and checks them.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong, and where.
    pub fn read(path: &Path) -> Result<Self, String> {
        let told = |error: io::Error| format!("read {}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(told)?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The same of its text.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
            let what = error.message().replace('\n', " ");
            line.map_or_else(|| what.clone(), |line| format!("line {line}: {what}"))
        })?;
        config.check()?;
        Ok(config)
    }

    /// Whether it can be worked with.
    fn check(&self) -> Result<(), String> {
        let word =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !word(&self.name) || !self.name.contains('.') || self.name.len() > 63 {
            return Err(
                "name: a word of at most 63 characters, with a dot in it, such as chat.example.org"
                    .into(),
            );
        }
        if !word(&self.network) || self.network.len() > 32 {
            return Err("network: a word of at most 32 characters".into());
        }
        if self.listen.is_empty() {
            return Err("listen: at least one address, such as 127.0.0.1:6667".into());
        }
        let lines =
            [&self.description, &self.admin.location, &self.admin.organisation, &self.admin.email];
        if lines.iter().any(|line| line.contains(['\r', '\n', '\0']) || line.len() > 300) {
            return Err("description, admin: each is one line of at most 300 bytes".into());
        }
        if self.motd.as_ref().is_some_and(|motd| motd.contains('\0')) {
            return Err("motd: it has a NUL in it".into());
        }
        if self.cloak_key.as_ref().is_some_and(|key| !(16..=cloak::KEY).contains(&key.len())) {
            return Err(format!("cloak-key: from 16 to {} bytes", cloak::KEY));
        }
        if let Some(oper) = self.opers.iter().find(|oper| !password::is_hash(&oper.password)) {
            let advice = "the password is a hash, which chat --hash-password makes";
            return Err(format!("opers: {}: {advice}", oper.name.escape_debug()));
        }
        self.limits.check()
    }
}

impl Limits {
    fn check(&self) -> Result<(), String> {
        // Whatever is in one line together has to have room in it.
        let room = message::LINE / 2;
        for (name, value, from, to) in [
            ("nick", self.nick, 1, 64),
            ("user", self.user, 1, 32),
            ("real-name", self.real_name, 1, room),
            ("channel", self.channel, 2, 100),
            ("key", self.key, 1, 64),
            ("topic", self.topic, 1, 390),
            ("kick", self.kick, 1, 390),
            ("away", self.away, 1, 390),
            ("channels", self.channels, 1, 10_000),
            ("masks", self.masks, 1, 10_000),
            ("monitor", self.monitor, 1, 10_000),
            ("targets", self.targets, 1, 1000),
            ("whowas", self.whowas, 0, 1_000_000),
            ("clients-per-address", self.clients_per_address, 1, usize::MAX),
            ("send-queue", self.send_queue, 16 * 1024, usize::MAX),
            ("burst", self.burst as usize, 1, 1000),
            ("lines-per-second", self.lines_per_second as usize, 1, 1000),
            ("registration-seconds", seconds(self.registration_seconds), 1, 86_400),
            ("ping-seconds", seconds(self.ping_seconds), 1, 86_400),
            ("drop-seconds", seconds(self.drop_seconds), 2, 172_800),
        ] {
            if !(from..=to).contains(&value) {
                let most = if to == usize::MAX { "more".into() } else { to.to_string() };
                return Err(format!(
                    "limits: {name}: {value}, but from {from} to {most} is possible"
                ));
            }
        }
        if self.drop_seconds <= self.ping_seconds {
            return Err("limits: drop-seconds: it has to be more than ping-seconds".into());
        }
        Ok(())
    }
}

fn seconds(seconds: u64) -> usize {
    usize::try_from(seconds).unwrap_or(usize::MAX)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "chat.local".into(),
            network: "Chat".into(),
            description: "A chat on reactor".into(),
            listen: vec!["127.0.0.1:6667".into()],
            password: None,
            motd: None,
            admin: Admin::default(),
            opers: Vec::new(),
            limits: Limits::default(),
            cloak_key: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            nick: 30,
            user: 12,
            real_name: 150,
            channel: 64,
            key: 32,
            topic: 390,
            kick: 300,
            away: 200,
            channels: 100,
            masks: 100,
            monitor: 100,
            targets: 4,
            whowas: 1000,
            clients_per_address: 16,
            send_queue: 256 * 1024,
            burst: 5,
            lines_per_second: 2,
            registration_seconds: 60,
            ping_seconds: 90,
            drop_seconds: 150,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_to_be_set() {
        let config = Config::parse("").expect("the defaults");
        assert_eq!((config.name.as_str(), config.limits.send_queue), ("chat.local", 256 * 1024));
    }

    #[test]
    fn the_sample_has_everything_as_it_is_without_a_file() {
        let sample = include_str!("../chat.toml");
        // What is commented out there has no value by default, and is to be right, too.
        let (mut plain, mut whole) = (String::new(), String::new());
        for line in sample.lines() {
            let text = line.strip_prefix("#: ").unwrap_or(line);
            whole += &format!("{text}\n");
            plain += &format!("{line}\n");
        }
        assert_eq!(Config::parse(&plain).expect("the sample"), Config::default());
        let config = Config::parse(&whole).expect("the sample, with all of it");
        assert!(config.password.is_some() && config.motd.is_some() && config.cloak_key.is_some());
        assert!(password::is_hash_of(&config.opers[0].password, b"change me"));
        let set = |text: &str, key: &str| text.lines().any(|line| line.starts_with(key));
        let shown = format!("{:?}", Limits::default());
        for name in shown.split([' ', '{', ',']).filter_map(|word| word.strip_suffix(':')) {
            let key = format!("{} = ", name.replace('_', "-"));
            assert!(set(sample, &key), "{key} is missing");
        }
        for key in ["name", "network", "description", "listen", "location", "organisation", "email"]
        {
            assert!(set(sample, &format!("{key} = ")), "{key} is missing");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, words) in [
            ("name = 'a'", &["name", "dot"][..]),
            ("nam = 'a.b'", &["line 1", "nam"]),
            ("\n[limits]\nnick = 'x'", &["line 3", "expected"]),
            ("cloak-key = 'short'", &["cloak-key", "16 to 32"]),
            ("listen = []", &["listen", "127.0.0.1:6667"]),
            ("[limits]\nnick = 0", &["nick", "from 1 to 64"]),
            ("[limits]\nping-seconds = 200", &["drop-seconds"]),
            ("[[opers]]\nname = 'o'\npassword = 'plain'", &["opers: o", "--hash-password"]),
            ("description = \"a\\nb\"", &["description", "one line"]),
        ] {
            let error = Config::parse(text).expect_err(text);
            assert!(
                words.iter().all(|word| error.contains(word)) && !error.contains('\n'),
                "{error}"
            );
        }
    }
}
