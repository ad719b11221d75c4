//! OPER, KILL, REHASH, WALLOPS.

use std::path::PathBuf;
use std::sync::Arc;

use chat::commands::oper::{checked, reconfigure};
use chat::config::{Config, Oper};
use chat::password::Outcome;
use chat::state::UserFlag;
use chat::turn::{Errand, Turn};

use crate::rig::Rig;

const NONE: [&str; 0] = [];

fn rig() -> Rig {
    let root = Oper { name: "root".into(), password: "the hash".into() };
    Rig::with(Config { opers: vec![root], ..Config::default() })
}

fn denied(nick: &str) -> [String; 1] {
    [format!(":s 481 {nick} :Permission Denied- You're not an IRC operator")]
}

#[test]
fn who_knows_the_password_becomes_an_operator() {
    let mut rig = rig();
    let ann = rig.client("ann");
    assert_eq!(rig.ask(ann, "OPER root right"), NONE);
    rig.run_errands();
    assert_eq!(
        rig.hear(ann),
        [":s 381 ann :You are now an IRC operator", ":ann!u@host MODE ann +o"]
    );
    assert!(rig.state.users[ann].is(UserFlag::Operator));
    assert_eq!(rig.state.users[ann].oper, Some("root".into()));
    assert_eq!(rig.state.counts().operators, 1);
}

#[test]
fn nobody_else_does_and_unknown_names_are_checked_alike() {
    let mut rig = rig();
    let ann = rig.client("ann");
    for line in ["OPER root wrong", "OPER nobody right"] {
        assert_eq!(rig.ask(ann, line), NONE);
        assert!(
            matches!(&rig.errands[..], [Errand::CheckPassword { hash, .. }] if **hash == "the hash")
        );
        rig.run_errands();
        assert_eq!(rig.hear(ann), [":s 464 ann :Password incorrect"]);
    }
    assert_eq!(rig.ask(ann, "OPER root"), [":s 461 ann OPER :Not enough parameters"]);
    assert_eq!(rig.state.counts().operators, 0);
    let mut without = Rig::new();
    let ann = without.client("ann");
    assert_eq!(without.ask(ann, "OPER root right"), [":s 491 ann :No O-lines for your host"]);
}

#[test]
fn one_check_at_a_time() {
    let mut rig = rig();
    let ann = rig.client("ann");
    rig.say(ann, "OPER root wrong");
    assert_eq!(
        rig.ask(ann, "OPER root right"),
        [":s NOTICE ann :*** OPER: A password is being checked"]
    );
    assert_eq!(rig.errands.len(), 1);
    rig.run_errands();
    assert_eq!(rig.hear(ann), [":s 464 ann :Password incorrect"]);
    rig.say(ann, "OPER root right");
    assert_eq!(rig.errands.len(), 1);
}

#[test]
fn the_late_answer_bears_the_label() {
    let mut rig = rig();
    let ann = rig.client_with("ann", "labeled-response batch");
    assert_eq!(rig.ask(ann, "@label=x OPER root wrong"), NONE);
    rig.run_errands();
    assert_eq!(rig.hear(ann), ["@label=x :s 464 ann :Password incorrect"]);
}

#[test]
fn who_cannot_be_checked_now_is_told_so() {
    let mut rig = rig();
    let ann = rig.client_with("ann", "standard-replies");
    rig.say(ann, "OPER root right");
    let mut turn = Turn::resumed(&mut rig.state, &mut rig.ears, ann, rig.now, None);
    checked(&mut turn, b"root", "the hash", Outcome::Busy);
    turn.finish();
    let told = rig.hear(ann);
    let start = ":s FAIL OPER TEMPORARILY_UNAVAILABLE :";
    assert!(told.len() == 1 && told[0].starts_with(start), "{told:?}");
    assert!(!rig.state.users[ann].is(UserFlag::Operator) && !rig.state.users[ann].checking);
}

fn settings(opers: &[(&str, &str)]) -> Arc<Config> {
    let opers = opers.iter();
    let opers = opers.map(|(name, hash)| Oper { name: (*name).into(), password: (*hash).into() });
    Arc::new(Config { name: "s".into(), opers: opers.collect(), ..Config::default() })
}

#[test]
fn who_is_no_longer_configured_is_no_operator_any_more() {
    for (opers, stays) in [
        (&[("root", "the hash")][..], true),
        (&[("other", "x"), ("root", "the hash")], true),
        (&[("root", "another hash")], false),
        (&[("Root", "the hash")], false),
        (&[], false),
    ] {
        let mut rig = rig();
        let (ann, bob) = (rig.client("ann"), rig.client("bob"));
        rig.say(ann, "OPER root right");
        rig.run_errands();
        rig.hush();
        reconfigure(&mut rig.state, &mut rig.ears, settings(opers), rig.now);
        let why = ":s NOTICE ann :You are no operator any more: the settings have changed";
        let told = if stays { &[][..] } else { &[":s MODE ann -o", why] };
        assert_eq!(rig.hear(ann), told);
        assert_eq!(rig.hear(bob), NONE);
        assert_eq!(rig.state.users[ann].is(UserFlag::Operator), stays);
        assert_eq!(rig.state.users[ann].oper.is_some(), stays);
        assert_eq!(rig.state.counts().operators, usize::from(stays));
    }
}

#[test]
fn a_password_that_has_changed_meanwhile_does_not_count() {
    for (hash, fits) in [("the hash", true), ("another hash", false)] {
        let mut rig = rig();
        let ann = rig.client("ann");
        rig.say(ann, "OPER root right");
        let config = settings(&[("root", hash)]);
        reconfigure(&mut rig.state, &mut rig.ears, config, rig.now);
        rig.run_errands();
        assert_eq!(rig.hear(ann)[0].starts_with(":s 381 "), fits);
        assert_eq!(rig.state.users[ann].is(UserFlag::Operator), fits);
    }
}

#[test]
fn who_is_gone_becomes_nothing() {
    let mut rig = rig();
    let ann = rig.client("ann");
    rig.say(ann, "OPER root right");
    rig.say(ann, "QUIT");
    rig.run_errands();
    assert!(rig.state.users.is_empty());
    assert_eq!(rig.state.counts().operators, 0);
}

#[test]
fn the_killed_one_is_told_and_its_peers() {
    let mut rig = rig();
    let (ann, bob, eve) = (rig.client("ann"), rig.client("bob"), rig.client("eve"));
    rig.say(bob, "JOIN #c");
    rig.say(eve, "JOIN #c");
    rig.hush();
    assert_eq!(rig.ask(bob, "KILL eve :no"), denied("bob"));
    rig.flag(ann, UserFlag::Operator);
    assert_eq!(rig.ask(ann, "KILL"), [":s 461 ann KILL :Not enough parameters"]);
    assert_eq!(rig.ask(ann, "KILL nobody"), [":s 401 ann nobody :No such nick/channel"]);
    assert_eq!(rig.ask(ann, "KILL s"), [":s 483 ann :You can't kill a server!"]);
    assert_eq!(rig.ask(ann, "KILL BOB :enough is enough"), NONE);
    assert_eq!(
        rig.hear(bob),
        [
            ":ann!u@host KILL bob :enough is enough",
            "ERROR :Closing Link: host (Killed (ann (enough is enough)))"
        ]
    );
    assert_eq!(rig.hear(eve), [":bob!u@host QUIT :Killed (ann (enough is enough))"]);
    assert_eq!(rig.ears.gone, [bob]);
}

#[test]
fn who_has_a_nick_can_be_killed_before_it_is_registered() {
    let mut rig = rig();
    let ann = rig.client("ann");
    rig.flag(ann, UserFlag::Operator);
    let stranger = rig.stranger();
    rig.say(stranger, "NICK bob");
    assert_eq!(rig.ask(ann, "KILL bob"), NONE);
    assert_eq!(
        rig.hear(stranger).last().map(String::as_str),
        Some("ERROR :Closing Link: host (Killed (ann (No reason given)))")
    );
    assert_eq!(rig.ears.gone, [stranger]);
    assert_eq!(rig.state.user_named(b"bob"), None);
}

#[test]
fn settings_are_read_again_for_operators_alone() {
    let mut rig = rig();
    let ann = rig.client("ann");
    assert_eq!(rig.ask(ann, "REHASH"), denied("ann"));
    assert!(rig.errands.is_empty());
    rig.flag(ann, UserFlag::Operator);
    for (file, told) in [
        (None, ":s 382 ann * :Rehashing"),
        (Some("/etc/chat/chat.toml"), ":s 382 ann chat.toml :Rehashing"),
        (Some("my chat.toml"), ":s 382 ann * :Rehashing"),
    ] {
        Arc::make_mut(&mut rig.state.config).file = file.map(PathBuf::from);
        assert_eq!(rig.ask(ann, "REHASH"), [told]);
        assert!(matches!(rig.errands[..], [Errand::Rehash]));
        rig.errands.clear();
    }
}

#[test]
fn wallops_reach_who_wants_them_and_operators() {
    let mut rig = rig();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    let (eve, dan) = (rig.client("eve"), rig.client("dan"));
    assert_eq!(rig.ask(ann, "WALLOPS :hi all"), denied("ann"));
    rig.flag(ann, UserFlag::Operator);
    let few = [":s 461 ann WALLOPS :Not enough parameters"];
    for line in ["WALLOPS", "WALLOPS :"] {
        assert_eq!(rig.ask(ann, line), few);
    }
    rig.flag(bob, UserFlag::Wallops);
    rig.flag(dan, UserFlag::Operator);
    rig.hush();
    let told = [":ann!u@host WALLOPS :hi all"];
    assert_eq!(rig.ask(ann, "WALLOPS :hi all"), told);
    assert_eq!(rig.hear(bob), told);
    assert_eq!(rig.hear(dan), told);
    assert_eq!(rig.hear(eve), NONE);
}
