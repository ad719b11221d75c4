//! LIST.

use chat::config::{Config, Limits};
use chat::time::Moment;

use crate::rig::Rig;

/// The channels that LIST tells, which ends as it has to.
fn listed(rig: &mut Rig, user: chat::state::UserId, line: &str) -> Vec<String> {
    let mut told = rig.ask(user, line);
    assert!(told.pop().is_some_and(|end| end.ends_with(" :End of LIST")), "{line}");
    let names = told.iter().filter_map(|line| line.split(' ').nth(3));
    let mut names: Vec<_> = names.map(String::from).collect();
    names.sort_unstable();
    names
}

#[test]
fn every_channel_is_told_with_its_members_and_topic() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    assert_eq!(rig.ask(ann, "LIST"), [":s 323 ann :End of LIST"]);
    rig.say(ann, "JOIN #c,#d");
    rig.say(bob, "JOIN #d");
    rig.say(ann, "TOPIC #c :so it is");
    assert_eq!(
        rig.ask(bob, "LIST"),
        [":s 322 bob #c 1 :so it is", ":s 322 bob #d 2 :", ":s 323 bob :End of LIST"]
    );
    assert_eq!(rig.ask(bob, "LIST #D"), [":s 322 bob #d 2 :", ":s 323 bob :End of LIST"]);
    assert_eq!(rig.ask(bob, "LIST #none"), [":s 323 bob :End of LIST"]);
}

#[test]
fn a_secret_channel_is_told_to_members_alone() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(ann, "MODE #c +s");
    assert_eq!(listed(&mut rig, ann, "LIST"), ["#c"]);
    for line in ["LIST", "LIST #c", "LIST *", "LIST >0", "LIST !x"] {
        assert!(listed(&mut rig, bob, line).is_empty(), "{line}");
    }
    rig.say(bob, "JOIN #c");
    assert_eq!(listed(&mut rig, bob, "LIST"), ["#c"]);
}

#[test]
fn masks_and_numbers_choose() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #chan1,#chan2,#other");
    rig.say(bob, "JOIN #chan2");
    for (line, wanted) in [
        ("LIST *an1", &["#chan1"][..]),
        ("LIST #c*n2,*her", &["#chan2", "#other"]),
        ("LIST !#ch*", &["#other"]),
        ("LIST #ch*,!*2", &["#chan1"]),
        ("LIST >1", &["#chan2"]),
        ("LIST <2", &["#chan1", "#other"]),
        ("LIST <2,#ch*", &["#chan1"]),
        ("LIST >0,<1", &[]),
    ] {
        assert_eq!(listed(&mut rig, ann, line), wanted, "{line}");
    }
}

#[test]
fn ages_are_in_minutes() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let begin = rig.now.unix_ms();
    rig.say(ann, "JOIN #old");
    rig.say(ann, "TOPIC #old :x");
    rig.now = Moment::from_unix_ms(begin + 120_000);
    rig.say(ann, "JOIN #new");
    rig.say(ann, "TOPIC #new :x");
    rig.say(ann, "JOIN #bare");
    rig.now = Moment::from_unix_ms(begin + 180_000);
    for (line, wanted) in [
        ("LIST C>2", &["#old"][..]),
        ("LIST C<2", &["#bare", "#new"]),
        ("LIST C<0", &[]),
        ("LIST C>0", &["#bare", "#new", "#old"]),
        ("LIST T>2", &["#old"]),
        ("LIST T<2", &["#new"]),
        ("LIST T<0", &[]),
        ("LIST T>0", &["#new", "#old"]),
    ] {
        assert_eq!(listed(&mut rig, ann, line), wanted, "{line}");
    }
}

#[test]
fn a_list_is_never_too_long_for_who_asks() {
    let limits = Limits { send_queue: 4000, ..Limits::default() };
    let mut rig = Rig::with(Config { limits, ..Config::default() });
    let ann = rig.client("ann");
    (0..30).for_each(|at| rig.say(ann, &format!("JOIN #c{at}")));
    let told = rig.ask(ann, "LIST");
    let end = [
        ":s 416 ann LIST :There is more than can be told: ask for less",
        ":s 323 ann :End of LIST",
    ];
    assert!(told.ends_with(&end.map(String::from)), "{told:?}");
    assert!(told.len() > 2 && told.iter().map(String::len).sum::<usize>() < 2000);
    assert_eq!(listed(&mut rig, ann, "LIST #c29"), ["#c29"]);
}

#[test]
fn there_are_few_masks_and_each_is_cheap() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.say(ann, "JOIN #c");
    assert_eq!(listed(&mut rig, ann, "LIST a,b,c,#c,!d,<9,>0"), ["#c"]);
    assert_eq!(
        rig.ask(ann, "LIST a,b,c,#c,!d,!e"),
        [":s 407 ann e :Too many recipients", ":s 323 ann :End of LIST"]
    );
    let (dear, bob) = ("*".repeat(9), rig.client_with("bob", "standard-replies"));
    let told = ":s NOTICE ann :*** LIST: A mask is not too long, and has few wildcards";
    for masks in [dear.clone(), format!("#c,!{dear}")] {
        assert_eq!(
            rig.ask(ann, &format!("LIST {masks}")),
            [told, ":s 323 ann :End of LIST"],
            "{masks}"
        );
    }
    assert_eq!(
        rig.ask(bob, &format!("LIST {dear}"))[0],
        format!(":s FAIL LIST INVALID_MASK {dear} :A mask is not too long, and has few wildcards")
    );
}
