//! MOTD, VERSION, ADMIN, LUSERS, TIME, STATS, INFO, LINKS.

use chat::config::{Admin, Config};
use chat::state::UserFlag;
use chat::time::Moment;

use crate::rig::Rig;

#[test]
fn the_message_of_the_day_is_told() {
    let mut rig = Rig::with(Config { motd: Some("one\ntwo".into()), ..Config::default() });
    let ann = rig.client("ann");
    let told = [
        ":s 375 ann :- s Message of the day -",
        ":s 372 ann :- one",
        ":s 372 ann :- two",
        ":s 376 ann :End of /MOTD command",
    ];
    assert_eq!(rig.ask(ann, "MOTD"), told);
    assert_eq!(rig.ask(ann, "MOTD S"), told);
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    assert_eq!(rig.ask(ann, "MOTD"), [":s 422 ann :MOTD File is missing"]);
}

#[test]
fn other_servers_are_unknown() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    for line in ["MOTD", "VERSION", "ADMIN", "TIME", "INFO", "STATS u"] {
        let told = rig.ask(ann, &format!("{line} other"));
        assert_eq!(told, [":s 402 ann other :No such server"], "{line}");
    }
    assert_eq!(rig.ask(ann, "WHOIS other ann"), [":s 402 ann other :No such server"]);
    assert_eq!(rig.ask(ann, "LINKS other *"), [":s 402 ann other :No such server"]);
}

#[test]
fn the_version_comes_with_what_is_supported() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let told = rig.ask(ann, "VERSION");
    assert!(told[0].starts_with(":s 351 ann reactor-chat-"), "{told:?}");
    for line in &told[1..] {
        let tokens = line.strip_prefix(":s 005 ann ").unwrap_or_default();
        let tokens = tokens.strip_suffix(" :are supported by this server").unwrap_or_default();
        assert!((1..=13).contains(&tokens.split(' ').count()), "{line}");
        assert!(line.is_ascii());
    }
}

#[test]
fn who_is_responsible_is_told() {
    let admin = Admin { location: "Here".into(), email: "a@b".into(), ..Admin::default() };
    let mut rig = Rig::with(Config { admin, ..Config::default() });
    let ann = rig.client("ann");
    assert_eq!(
        rig.ask(ann, "ADMIN"),
        [
            ":s 256 ann s :Administrative info",
            ":s 257 ann :Here",
            ":s 258 ann :",
            ":s 259 ann :a@b"
        ]
    );
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    assert_eq!(rig.ask(ann, "ADMIN"), [":s 423 ann s :No administrative info available"]);
}

#[test]
fn users_are_counted() {
    let mut rig = Rig::new();
    let (ann, bob, eve) = (rig.client("ann"), rig.client("bob"), rig.client("eve"));
    rig.flag(ann, UserFlag::Operator);
    rig.flag(bob, UserFlag::Invisible);
    rig.say(ann, "JOIN #c");
    let stranger = rig.stranger();
    rig.say(stranger, "NICK dan");
    rig.say(eve, "QUIT");
    assert_eq!(
        rig.ask(ann, "LUSERS"),
        [
            ":s 251 ann :There are 1 users and 1 invisible on 1 servers",
            ":s 252 ann 1 :operator(s) online",
            ":s 253 ann 1 :unknown connection(s)",
            ":s 254 ann 1 :channels formed",
            ":s 255 ann :I have 2 clients and 0 servers",
            ":s 265 ann 2 3 :Current local users 2, max 3",
            ":s 266 ann 2 3 :Current global users 2, max 3",
        ]
    );
    rig.state.set_flag(ann, UserFlag::Operator, false);
    rig.say(bob, "QUIT");
    rig.say(stranger, "QUIT");
    let told = rig.ask(ann, "LUSERS");
    assert_eq!(told[0], ":s 251 ann :There are 1 users and 0 invisible on 1 servers");
    assert_eq!(told[1], ":s 252 ann 0 :operator(s) online");
    assert_eq!(told[2], ":s 253 ann 0 :unknown connection(s)");
}

#[test]
fn the_time_and_the_links_are_told() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    assert_eq!(rig.ask(ann, "TIME"), [":s 391 ann s :1970-01-01 00:16:40 UTC"]);
    assert_eq!(
        rig.ask(ann, "LINKS"),
        [":s 364 ann s s :0 A chat on reactor", ":s 365 ann * :End of /LINKS list"]
    );
    assert_eq!(rig.ask(ann, "LINKS x*"), [":s 365 ann x* :End of /LINKS list"]);
    let told = rig.ask(ann, "INFO");
    assert!(told[0].starts_with(":s 371 ann :reactor-chat-"), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some(":s 374 ann :End of INFO list"));
}

#[test]
fn statistics_are_told() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.now = Moment::from_unix_ms(rig.now.unix_ms() + 90_061_000);
    assert_eq!(
        rig.ask(ann, "STATS u"),
        [":s 242 ann :Server Up 1 days 1:01:01", ":s 219 ann u :End of STATS report"]
    );
    let told = rig.ask(ann, "STATS m");
    assert!(told.contains(&":s 212 ann NICK :1".into()), "{told:?}");
    assert_eq!(rig.ask(ann, "STATS ?"), [":s 219 ann ? :End of STATS report"]);
    assert_eq!(rig.ask(ann, "STATS"), [":s 219 ann * :End of STATS report"]);
    assert_eq!(
        rig.ask(ann, "STATS o"),
        [
            ":s 481 ann :Permission Denied- You're not an IRC operator",
            ":s 219 ann o :End of STATS report"
        ]
    );
}
