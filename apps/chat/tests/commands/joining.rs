//! JOIN and PART.

use std::sync::Arc;

use chat::config::{Config, Limits};

use crate::rig::Rig;

#[test]
fn the_first_one_rules_the_channel() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    let told = rig.ask(ann, "JOIN #c");
    assert_eq!(
        told,
        [":ann!u@host JOIN #c", ":s 353 ann = #c :@ann", ":s 366 ann #c :End of /NAMES list"]
    );
    let told = rig.ask(bob, "JOIN #C");
    assert_eq!(
        told,
        [":bob!u@host JOIN #c", ":s 353 bob = #c :@ann bob", ":s 366 bob #c :End of /NAMES list"]
    );
    assert_eq!(rig.hear(ann), [":bob!u@host JOIN #c"]);
}

#[test]
fn who_leaves_is_seen_leaving() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(bob, "JOIN #c");
    rig.hush();
    assert_eq!(rig.ask(bob, "PART #c :so long"), [":bob!u@host PART #c :so long"]);
    assert_eq!(rig.hear(ann), [":bob!u@host PART #c :so long"]);
    assert_eq!(rig.ask(bob, "PART #c"), [":s 442 bob #c :You're not on that channel"]);
    assert_eq!(rig.ask(bob, "PART #d"), [":s 403 bob #d :No such channel"]);
}

#[test]
fn a_label_holds_the_answers_together() {
    let mut rig = Rig::new();
    let ann = rig.client_with("ann", "labeled-response batch");
    assert_eq!(rig.ask(ann, "@label=x PONG"), ["@label=x :s ACK"]);
    assert_eq!(rig.ask(ann, "@label=x PING y"), ["@label=x :s PONG s :y"]);
    let told = rig.ask(ann, "@label=x JOIN #c");
    assert_eq!(told.first().map(String::as_str), Some("@label=x :s BATCH +1 labeled-response"));
    assert!(told[1..4].iter().all(|line| line.starts_with("@batch=1 ")), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some(":s BATCH -1"));
}

#[test]
fn each_channel_has_its_key_at_its_place() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c,#d,#e");
    rig.say(ann, "MODE #c +k one");
    rig.say(ann, "MODE #d +k two");
    assert_eq!(rig.ask(bob, "JOIN #c two"), [":s 475 bob #c :Cannot join channel (+k)"]);
    let told = rig.ask(bob, "JOIN #c,#e one");
    assert!(
        told.contains(&":bob!u@host JOIN #c".into())
            && told.contains(&":bob!u@host JOIN #e".into())
    );
    assert_eq!(rig.ask(bob, "JOIN ,#d one,two")[0], ":bob!u@host JOIN #d");
    assert!(rig.ask(bob, "JOIN #d").is_empty());
}

#[test]
fn one_that_cannot_be_does_not_hinder_the_others() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let told = rig.ask(ann, "JOIN #valid,inv@lid,#,#a\u{7}");
    assert_eq!(told[0], ":ann!u@host JOIN #valid");
    let refused =
        ["inv@lid", "#", "#a\u{7}"].map(|name| format!(":s 403 ann {name} :No such channel"));
    assert_eq!(told[3..], refused);
    assert_eq!(rig.ask(ann, "JOIN 0"), [":ann!u@host PART #valid"]);
    assert!(rig.state.channels.is_empty());
}

#[test]
fn modes_keep_people_out() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    for (on, why, off) in [
        ("+b bob", ":s 474 bob #c :Cannot join channel (+b)", "+e *!u@*"),
        ("-e+b *!u@* *!*@HO?T", ":s 474 bob #c :Cannot join channel (+b)", "-b *!*@HO?T"),
        ("-b+i bob", ":s 473 bob #c :Cannot join channel (+i)", "+I BOB"),
        ("-i+l 1", ":s 471 bob #c :Cannot join channel (+l)", "+l 2"),
    ] {
        rig.say(ann, &format!("MODE #c {on}"));
        assert_eq!(rig.ask(bob, "JOIN #c"), [why], "{on}");
        rig.say(ann, &format!("MODE #c {off}"));
        rig.hush();
        if !off.starts_with("-b") {
            assert_eq!(rig.ask(bob, "JOIN #c")[0], ":bob!u@host JOIN #c", "{off}");
            rig.say(bob, "PART #c");
        }
    }
}

/// Or else whoever sets bans would find it out by trying.
#[test]
fn no_mask_fits_an_address() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(ann, "MODE #c +b *!*@192.0.2.*");
    assert_eq!(rig.ask(bob, "JOIN #c")[0], ":bob!u@host JOIN #c");
    assert!(rig.ask(bob, "PRIVMSG #c :hi").is_empty());
    rig.say(bob, "PART #c");
    rig.say(ann, "MODE #c +iI *!*@192.0.2.*");
    assert_eq!(rig.ask(bob, "JOIN #c"), [":s 473 bob #c :Cannot join channel (+i)"]);
}

#[test]
fn there_is_a_limit_to_channels() {
    let limits = Limits { channels: 2, ..Limits::default() };
    let mut rig = Rig::with(Config { limits, ..Config::default() });
    let ann = rig.client("ann");
    let told = rig.ask(ann, "JOIN #c,#d,#e");
    let refused = ":s 405 ann #e :You have joined too many channels";
    assert_eq!(told.last().map(String::as_str), Some(refused));
    assert!(rig.ask(ann, "JOIN #c").is_empty());
}

#[test]
fn more_is_told_to_those_who_have_asked_for_it() {
    let mut rig = Rig::new();
    let ann = rig.client_with("ann", "extended-join away-notify");
    let (bob, cat) = (rig.client("bob"), rig.client("cat"));
    rig.say(ann, "JOIN #c");
    rig.say(cat, "JOIN #c");
    rig.state.users[bob].away = Some("at lunch".into());
    rig.hush();
    rig.say(bob, "JOIN #c");
    assert_eq!(rig.hear(ann), [":bob!u@host JOIN #c * :real name", ":bob!u@host AWAY :at lunch"]);
    assert_eq!(rig.hear(cat), [":bob!u@host JOIN #c"]);
    assert_eq!(rig.hear(bob).len(), 3);
}

#[test]
fn a_channel_that_is_there_outlives_a_limit_that_is_lowered() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #long");
    Arc::make_mut(&mut rig.state.config).limits.channel = 3;
    assert_eq!(rig.ask(bob, "JOIN #LONG")[0], ":bob!u@host JOIN #long");
    assert_eq!(rig.ask(bob, "JOIN #other"), [":s 403 bob #other :No such channel"]);
}

#[test]
fn each_channel_of_a_line_costs_a_line_and_there_are_so_many_at_most() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let names: Vec<_> = (0..22).map(|at| format!("#c{at}")).collect();
    let supported = rig.ask(ann, "VERSION").join(" ");
    for (command, most, channels) in [("JOIN", 20, 20), ("NAMES", 10, 20), ("PART", 20, 0)] {
        let told = rig.ask(ann, &format!("{command} {}", names.join(",")));
        let refused = format!(":s 407 ann #c{most} :Too many recipients");
        assert_eq!(told.iter().filter(|line| **line == refused).count(), 1, "{command} {told:?}");
        assert_eq!(rig.state.channels.len(), channels);
        assert_eq!(rig.cost, most - 1, "{command}");
        let promise = format!("{command}:{most},");
        assert!(supported.contains(&promise), "{promise} {supported}");
    }
    rig.say(ann, "JOIN #c");
    assert_eq!(rig.cost, 0);
    let nicks = ["x"; 11].join(",");
    assert_eq!(rig.ask(ann, &format!("KICK #c {nicks}")).len(), 11);
    assert_eq!(rig.cost, 9);
}

#[test]
fn comparing_masks_costs_what_it_takes() {
    let limits = Limits { masks: 1000, ..Limits::default() };
    let mut rig = Rig::with(Config { limits, ..Config::default() });
    let (ann, bob) = (rig.client("ann"), rig.client(&"b".repeat(30)));
    rig.say(ann, "JOIN #c");
    for at in 0..1000 {
        rig.say(ann, &format!("MODE #c +b *{}{at}", "b".repeat(20)));
    }
    rig.say(bob, "JOIN #c");
    assert!((1..=20).contains(&rig.cost), "{}", rig.cost);
}
