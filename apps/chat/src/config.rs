//! What the operator of a server can set: one TOML file, of which everything has a default.
//!
//! When it is read again, the new settings hold from then on, for those too who are there already; but
//! `cloak-key` and `limits.whowas` hold until the next start, and `limits.send-queue` for new connections alone.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

use crate::secret::Secret;
use crate::{addresses, cloak, message, password};

/// Bytes that a mask of a list may have.
pub(crate) const MASK: usize = 200;

/// The settings of a server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The file that it was read from, if it was.
    #[serde(skip)]
    pub file: Option<PathBuf>,
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
    /// Connections from one IPv4 address, or one /64 of IPv6; those from this machine aren't counted.
    pub clients_per_address: usize,
    /// Connections from one address at once, before they are let in one by one.
    pub connect_burst: u32,
    /// Seconds after which one more is let in then.
    pub connect_seconds: u64,
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
        let config = Self::parse(&text);
        let config = config.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { file: Some(path.into()), ..config })
    }

    /// The same of its text.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|mut error: toml::de::Error| {
            let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
            // Without the text it says the key and not the line, which may have a secret in it.
            error.set_input(None);
            let what = without_value(&error.to_string().trim_end().replace('\n', " "));
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
        addresses::check(&self.listen).map_err(|error| format!("listen: {error}"))?;
        if self.listen.is_empty() {
            return Err("listen: at least one address, such as 127.0.0.1:6667".into());
        }
        let lines =
            [&self.description, &self.admin.location, &self.admin.organisation, &self.admin.email];
        if lines.iter().any(|line| line.contains(['\r', '\n', '\0']) || line.len() > 300) {
            return Err("description, admin: each is one line of at most 300 bytes".into());
        }
        if let Some(password) = &self.password {
            if password.is_empty() || password.len() > 300 || password.contains(char::is_control) {
                return Err("password: from 1 to 300 bytes, without control characters".into());
            }
        }
        if self.cloak_key.as_ref().is_some_and(|key| !(16..=cloak::KEY).contains(&key.len())) {
            return Err(format!("cloak-key: from 16 to {} bytes", cloak::KEY));
        }
        for (at, oper) in self.opers.iter().enumerate() {
            let told = |advice: &str| Err(format!("opers: {}: {advice}", oper.name.escape_debug()));
            if !oper.can_be_said() {
                return told(
                    "the name is a word of at most 64 bytes, without : ! @ * ? and commas",
                );
            }
            if self.opers[..at].iter().any(|other| other.name == oper.name) {
                return told("there are two of this name");
            }
            if !password::is_hash(&oper.password) {
                return told("the password is a hash, which chat --hash-password makes");
            }
        }
        self.limits.check()?;
        self.check_motd()?;
        self.check_lines()
    }

    fn check_motd(&self) -> Result<(), String> {
        let Some(motd) = &self.motd else { return Ok(()) };
        if motd.lines().any(|line| line.contains(['\r', '\0'])) {
            return Err("motd: it has a NUL in it, or a CR that ends no line".into());
        }
        // Each line has the server's name, the numeric and the nick before it.
        let beside = ":  372  :- \r\n".len() + self.name.len() + self.limits.nick;
        let told: usize = motd.lines().map(|line| beside + line.len()).sum();
        if told > self.limits.send_queue / 4 {
            return Err(
                "motd: told to a client, it takes more than a quarter of limits.send-queue".into(),
            );
        }
        Ok(())
    }

    /// Whether whatever is in one line together has room in it, however long each of it is: so that what the
    /// limits promise is told whole.
    fn check_lines(&self) -> Result<(), String> {
        let limits = &self.limits;
        let (name, nick, channel) = (self.name.len(), limits.nick, limits.channel);
        let source = nick + limits.user + cloak::HOST + "!@".len();
        for (what, of_users, of_server) in [
            (
                "topic",
                ":# TOPIC # :".len() - 2 + source + channel + limits.topic,
                // LIST, with a number of members.
                ":# 322 # # 1234567 :".len() - 3 + name + nick + channel + limits.topic,
            ),
            ("kick", ":# KICK # # :".len() - 3 + source + channel + nick + limits.kick, 0),
            (
                "away",
                ":# AWAY :".len() - 1 + source + limits.away,
                ":# 301 # # :".len() - 3 + name + 2 * nick + limits.away,
            ),
            (
                "real-name",
                ":# SETNAME :".len() - 1 + source + limits.real_name,
                // WHO; what WHOX can tell at once is more than a line in any case.
                ":# 352 # # # # # # G*B@+ :0 ".len() - 7
                    + (2 * name + 2 * nick + channel + limits.user + cloak::HOST)
                    + limits.real_name,
            ),
            (
                "channel, nick, user",
                0,
                // A mask of a list, who has set it, and when.
                ":# 367 # # # # 12345678901".len() - 5 + name + nick + channel + MASK + source,
            ),
        ] {
            let length = of_users.max(of_server) + "\r\n".len();
            if length > message::LINE {
                let over = length - message::LINE;
                return Err(format!(
                    "limits: {what}: with all that is in one line with it, {over} bytes too long for one"
                ));
            }
        }
        Ok(())
    }
}

impl Oper {
    /// Whether OPER can say its name, and it passes for nothing else.
    fn can_be_said(&self) -> bool {
        let fits =
            |char: char| !char.is_control() && !char.is_whitespace() && !":!@*?,".contains(char);
        matches!(self.name.len(), 1..=64) && self.name.chars().all(fits)
    }
}

impl Limits {
    /// The name of each, its value, and the range of values that are possible.
    fn ranges(&self) -> [(&'static str, usize, usize, usize); 22] {
        let room = message::LINE / 2;
        [
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
            ("connect-burst", self.connect_burst as usize, 1, 10_000),
            ("connect-seconds", seconds(self.connect_seconds), 1, 3600),
            ("send-queue", self.send_queue, 16 * 1024, usize::MAX),
            ("burst", self.burst as usize, 1, 1000),
            ("lines-per-second", self.lines_per_second as usize, 1, 1000),
            ("registration-seconds", seconds(self.registration_seconds), 1, 86_400),
            ("ping-seconds", seconds(self.ping_seconds), 1, 86_400),
            ("drop-seconds", seconds(self.drop_seconds), 2, 172_800),
        ]
    }

    fn check(&self) -> Result<(), String> {
        for (name, value, from, to) in self.ranges() {
            if !(from..=to).contains(&value) {
                return Err(format!("limits: {name}: {value}, but it is {}", range(from, to)));
            }
        }
        if self.drop_seconds <= self.ping_seconds {
            return Err("limits: drop-seconds: it has to be more than ping-seconds".into());
        }
        Ok(())
    }
}

/// A range in words.
fn range(from: usize, to: usize) -> String {
    if to == usize::MAX { format!("at least {from}") } else { format!("{from} to {to}") }
}

fn seconds(seconds: u64) -> usize {
    usize::try_from(seconds).unwrap_or(usize::MAX)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: None,
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
            topic: 330,
            kick: 300,
            away: 200,
            channels: 100,
            masks: 100,
            monitor: 100,
            targets: 4,
            whowas: 1000,
            clients_per_address: 16,
            connect_burst: 16,
            connect_seconds: 2,
            send_queue: 256 * 1024,
            burst: 5,
            lines_per_second: 2,
            registration_seconds: 60,
            ping_seconds: 90,
            drop_seconds: 150,
        }
    }
}

/// What serde says is wrong, without the value: somebody may have written a password there.
fn without_value(what: &str) -> String {
    let cut = ["invalid type: ", "invalid value: "].into_iter().find_map(|start| {
        let (kind, expected) = what.strip_prefix(start)?.rsplit_once(", expected ")?;
        let kind = kind.split([' ', '`', '"']).next()?;
        Some(format!("{start}{kind}, expected {expected}"))
    });
    cut.unwrap_or_else(|| what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$RJ40Hk3Aenn3LSyqqKnWKw$057vg1LsO0tYyo1v+VCovnUwTWWXC1Oakg/NR7HCpkU";

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
        for (name, _, from, to) in Limits::default().ranges() {
            let above = sample.split(&format!("\n{name} = ")).next().expect("the text above");
            let comment = above.rsplit("\n\n").next().expect("its last paragraph");
            let range = range(from, to);
            assert!(comment.contains(&range), "{name}: {range}: {comment}");
        }
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
            ("\n[limits]\nnick = 'x'", &["line 3", "expected", "`limits.nick`"]),
            ("cloak-key = 'short'", &["cloak-key", "16 to 32"]),
            ("listen = []", &["listen", "127.0.0.1:6667"]),
            ("listen = ['127.0.0.1']", &["listen", "127.0.0.1", "host:port"]),
            ("listen = ['a:1', 'a:1']", &["listen: a:1: a:1 takes it"]),
            ("[limits]\nnick = 0", &["nick", "it is 1 to 64"]),
            ("[limits]\nsend-queue = 9", &["send-queue", "it is at least 16384"]),
            ("[limits]\nping-seconds = 200", &["drop-seconds"]),
            ("[[opers]]\nname = 'o'\npassword = 'plain'", &["opers: o", "--hash-password"]),
            ("description = \"a\\nb\"", &["description", "one line"]),
            ("password = ''", &["password", "300"]),
            ("password = \"a\\nb\"", &["password", "control"]),
            ("motd = \"a\\rb\"", &["motd", "CR"]),
            ("motd = \"a\\u0000b\"", &["motd", "NUL"]),
            ("[[opers]]\nname = 'a b'\npassword = 'x'", &["opers: a b", "word"]),
            ("[[opers]]\nname = ':a'\npassword = 'x'", &["opers: :a", "word"]),
            ("[[opers]]\nname = ''\npassword = 'x'", &["opers", "word"]),
            ("[limits]\ntopic = 390", &["limits: topic", "32 bytes too long"]),
            ("[limits]\nkick = 390", &["limits: kick", "too long"]),
            ("[limits]\nnick = 64\ntopic = 1\nkick = 1\naway = 390", &["limits: away", "too long"]),
            (
                "[limits]\nreal-name = 256\nnick = 64\ntopic = 1\nkick = 1",
                &["limits: real-name", "too long"],
            ),
            ("[limits]\nnick = 64\nuser = 32\nchannel = 100\ntopic = 1\nkick = 1", &["channel"]),
        ] {
            let error = Config::parse(text).expect_err(text);
            assert!(
                words.iter().all(|word| error.contains(word)) && !error.contains('\n'),
                "{error}"
            );
        }
        let oper = format!("[[opers]]\nname = 'o'\npassword = '{HASH}'\n");
        assert!(Config::parse(&oper).is_ok());
        let error = Config::parse(&oper.repeat(2)).expect_err("two of one name");
        assert!(error.contains("opers: o: there are two"), "{error}");
        for motd in ["x".repeat(70_000), "x\n".repeat(2_000)] {
            let error = Config::parse(&format!("motd = \"\"\"{motd}\"\"\"")).expect_err("too long");
            assert!(error.contains("send-queue"), "{error}");
        }
        assert!(Config::parse("motd = \"a\\r\\nb\"").is_ok());
    }

    #[test]
    fn the_default_limits_go_with_the_longest_name() {
        let name = format!("{}.b", "a".repeat(61));
        assert!(Config::parse(&format!("name = '{name}'")).is_ok());
        // The most that LIST can tell in 512 bytes, of a channel with a million members.
        let topic = |bytes| Config::parse(&format!("name = '{name}'\n[limits]\ntopic = {bytes}"));
        assert!(topic(336).is_ok());
        let error = topic(337).expect_err("too long");
        assert!(error.starts_with("limits: topic: ") && error.contains(" 1 bytes"), "{error}");
    }

    #[test]
    fn the_settings_show_no_secrets() {
        let sample = include_str!("../chat.toml").replace("#: ", "");
        let shown = format!("{:?}", Config::parse(&sample).expect("the sample"));
        for secret in ["open-sesame", "keep-this", "argon2"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
