//! What the operator of a server can set: one TOML file, of which everything has a default.

use serde::Deserialize;

/// The settings of a server.
#[derive(Clone, Debug, Deserialize)]
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
    pub password: Option<String>,
    /// The message of the day.
    pub motd: Option<String>,
    /// Who is responsible, for ADMIN.
    pub admin: Admin,
    /// Who may become an operator.
    pub opers: Vec<Oper>,
    /// How much of anything there may be.
    pub limits: Limits,
    /// The key of the hosts' hash; made anew at each start without one.
    pub cloak_key: Option<String>,
}

/// Who is responsible for a server.
#[derive(Clone, Debug, Default, Deserialize)]
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
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Oper {
    /// What OPER says first.
    pub name: String,
    /// The hash of what OPER says second, as `chat --hash-password` prints it.
    pub password: String,
}

/// How much of anything there may be.
#[derive(Clone, Debug, Deserialize)]
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
