//! WHO, WHOX and WHOWAS.

use chat::config::{Config, Limits};
use chat::state::{ChannelFlag, Past, UserFlag};
use chat::time::Moment;

use crate::rig::Rig;

fn end(mask: &str) -> String {
    format!(":s 315 ann {mask} :End of WHO list")
}

#[test]
fn flags_tell_what_somebody_is() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    assert_eq!(rig.ask(ann, "WHO BOB"), [":s 352 ann * u host s bob H :0 real name", &end("BOB")]);
    rig.say(bob, "JOIN #c");
    rig.flag(bob, UserFlag::Operator);
    rig.flag(bob, UserFlag::Bot);
    rig.say(bob, "AWAY :x");
    let told = [":s 352 ann #c u host s bob G*B@ :0 real name", &end("bo?")];
    assert_eq!(rig.ask(ann, "WHO bo?"), told);
    assert_eq!(rig.ask(ann, "WHO nobody"), [end("nobody")]);
}

#[test]
fn a_mask_that_is_dear_is_refused_aloud() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let dear = "*".repeat(9);
    let told =
        [":s NOTICE ann :*** WHO: A mask is not too long, and has few wildcards", &end(&dear)];
    assert_eq!(rig.ask(ann, &format!("WHO {dear}")), told);
    let channel = format!("#{dear}");
    rig.say(ann, &format!("JOIN {channel}"));
    assert_eq!(rig.ask(ann, &format!("WHO {channel}")).len(), 2);
}

#[test]
fn a_channel_is_told_under_its_name() {
    let mut rig = Rig::new();
    let bob = rig.client("bob");
    let ann = rig.client_with("ann", "multi-prefix");
    for line in ["JOIN #d", "JOIN #c"] {
        rig.say(bob, line);
        rig.say(ann, line);
    }
    let channel = rig.state.channel_named(b"#c").unwrap();
    rig.state.channels[channel].rank_mut(bob).unwrap().voice = true;
    assert_eq!(
        rig.ask(ann, "WHO #C"),
        [
            ":s 352 ann #c u host s bob H@+ :0 real name",
            ":s 352 ann #c u host s ann H :0 real name",
            &end("#C")
        ]
    );
    rig.flag(bob, UserFlag::Operator);
    assert_eq!(rig.ask(ann, "WHO #c o").len(), 2);
    assert_eq!(rig.ask(ann, "WHO * o").len(), 2);
}

#[test]
fn the_invisible_are_seen_by_their_peers_or_by_name() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.flag(bob, UserFlag::Invisible);
    rig.say(bob, "JOIN #c");
    assert_eq!(rig.ask(ann, "WHO bo*"), [end("bo*")]);
    assert_eq!(rig.ask(ann, "WHO #c"), [end("#c")]);
    // Not where it is, however.
    assert_eq!(rig.ask(ann, "WHO bob"), [":s 352 ann * u host s bob H :0 real name", &end("bob")]);
    assert_eq!(rig.ask(ann, "WHO *").len(), 2);
    rig.say(ann, "JOIN #c");
    assert_eq!(rig.ask(ann, "WHO bo*").len(), 2);
    assert_eq!(rig.ask(ann, "WHO #c").len(), 3);
    assert_eq!(rig.ask(ann, "WHO 0").len(), 3);
}

#[test]
fn strangers_learn_nothing_of_a_secret_channel() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(bob, "JOIN #c");
    let channel = rig.state.channel_named(b"#c").unwrap();
    rig.state.channels[channel].set(ChannelFlag::Secret, true);
    assert_eq!(rig.ask(ann, "WHO #c"), [end("#c")]);
    assert!(!rig.ask(ann, "WHO bob").concat().contains("#c"));
    assert!(!rig.ask(ann, "WHO bob %cn").concat().contains("#c"));
    assert!(!rig.ask(ann, "WHOIS bob").concat().contains("#c"));
}

#[test]
fn fields_come_in_their_order() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(bob, "JOIN #c");
    rig.now = Moment::from_unix_ms(rig.now.unix_ms() + 7_000);
    let told = [
        ":s 354 ann 123 #c u 255.255.255.255 host s bob H 0 7 0 n/a :real name".to_owned(),
        end("bob"),
    ];
    assert_eq!(rig.ask(ann, "WHO bob %tcuihsnfdlaor,123"), told);
    assert_eq!(rig.ask(ann, "WHO bob %roaldfnshiuct,123"), told);
    assert_eq!(rig.ask(ann, "WHO bob %na")[0], ":s 354 ann bob 0");
    assert_eq!(rig.ask(ann, "WHO bob %tn,1x")[0], ":s 354 ann 0 bob");
    assert_eq!(rig.ask(ann, "WHO ann %in")[0], ":s 354 ann 192.0.2.1 ann");
    rig.flag(ann, UserFlag::Operator);
    assert_eq!(rig.ask(ann, "WHO bob %in")[0], ":s 354 ann 192.0.2.1 bob");
}

#[test]
fn who_was_here_is_remembered() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    for name in ["first", "second"] {
        let bob = rig.stranger();
        rig.say(bob, "NICK bob");
        rig.say(bob, &format!("USER {name} 0 * :real name"));
        rig.say(bob, "QUIT");
    }
    let end = ":s 369 ann bob :End of WHOWAS";
    let first = [
        ":s 314 ann bob second host * :real name",
        ":s 312 ann bob s :1970-01-01 00:16:40 UTC",
        ":s 314 ann bob first host * :real name",
        ":s 312 ann bob s :1970-01-01 00:16:40 UTC",
        end,
    ];
    for line in ["WHOWAS bob", "WHOWAS bob 0", "WHOWAS bob -1", "WHOWAS bob 2"] {
        assert_eq!(rig.ask(ann, line), first, "{line}");
    }
    assert_eq!(rig.ask(ann, "WHOWAS bob 1"), [first[0], first[1], end]);
    assert_eq!(
        rig.ask(ann, "WHOWAS ann"),
        [":s 406 ann ann :There was no such nickname", ":s 369 ann ann :End of WHOWAS"]
    );
    assert_eq!(rig.ask(ann, "WHOWAS"), [":s 431 ann :No nickname given"]);
}

#[test]
fn looking_for_who_was_here_costs_what_it_takes() {
    let limits = Limits { whowas: 100_000, ..Limits::default() };
    let mut rig = Rig::with(Config { limits, ..Config::default() });
    let ann = rig.client("ann");
    rig.say(ann, "WHOWAS bob");
    assert_eq!(rig.cost, 0);
    let past = Past::of(&rig.state.users[ann], rig.now);
    (0..100_000).for_each(|_| rig.state.whowas.remember(past.clone()));
    rig.say(ann, "WHOWAS bob");
    assert_eq!(rig.cost, 2);
}

#[test]
fn more_than_anybody_reads_are_not_told() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.say(ann, "JOIN #c");
    for number in 0..500 {
        let other = rig.client(&format!("n{number}"));
        rig.say(other, "JOIN #c");
    }
    for mask in ["#c", "n*"] {
        let told = rig.ask(ann, &format!("WHO {mask}"));
        let found = told.iter().filter(|line| line.contains(" 352 ")).count();
        assert_eq!(found, 500, "{mask}");
        assert_eq!(told.iter().any(|line| line.contains(" 416 ann WHO ")), mask == "#c");
        assert!(told.last().is_some_and(|line| line.contains(" 315 ")));
    }
}
