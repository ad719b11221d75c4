//! NAMES.

use chat::config::{Config, Limits};

use crate::rig::Rig;

#[test]
fn the_members_of_each_channel_are_told_and_one_end() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c,#d");
    rig.say(bob, "JOIN #c");
    assert_eq!(
        rig.ask(bob, "NAMES #C,#d,#c,#e"),
        [
            ":s 353 bob = #c :@ann bob",
            ":s 353 bob = #d :@ann",
            ":s 366 bob #C,#d,#c,#e :End of /NAMES list",
        ]
    );
    for (line, name) in [("NAMES", "*"), ("NAMES #e", "#e"), ("NAMES no", "no"), ("NAMES :", "*")] {
        assert_eq!(rig.ask(bob, line), [format!(":s 366 bob {name} :End of /NAMES list")]);
    }
}

/// Long words are said back as far as the text of an answer leaves room.
#[test]
fn an_answer_keeps_its_text() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let long = format!("#{}", "ä".repeat(200));
    for (line, code, text) in [
        (format!("JOIN {long}"), "403", "No such channel"),
        (format!("MODE {long}"), "403", "No such channel"),
        (format!("PRIVMSG {long} :x"), "401", "No such nick/channel"),
        (long.clone(), "421", "Unknown command"),
    ] {
        let told = rig.ask(ann, &line);
        assert_eq!(told, [format!(":s {code} ann #{} :{text}", "ä".repeat(49))]);
    }
    let told = rig.ask(ann, &format!("NAMES {long}"));
    assert_eq!(told, [format!(":s 366 ann {long} :End of /NAMES list")]);
}

#[test]
fn strangers_learn_nothing_of_a_secret_channel() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(ann, "MODE #c +s");
    assert_eq!(rig.ask(bob, "NAMES #c"), [":s 366 bob #c :End of /NAMES list"]);
    let told = rig.ask(ann, "NAMES #c");
    assert_eq!(told, [":s 353 ann @ #c :@ann", ":s 366 ann #c :End of /NAMES list"]);
}

#[test]
fn who_is_invisible_is_seen_from_within() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(ann, "MODE ann +i");
    assert_eq!(rig.ask(bob, "NAMES #c"), [":s 366 bob #c :End of /NAMES list"]);
    rig.say(bob, "JOIN #c");
    assert_eq!(rig.ask(bob, "NAMES #c")[0], ":s 353 bob = #c :@ann bob");
}

#[test]
fn signs_and_sources_are_told_to_who_has_asked_for_them() {
    let mut rig = Rig::new();
    let ann = rig.client_with("ann", "multi-prefix userhost-in-names");
    rig.say(ann, "JOIN #c");
    rig.say(ann, "MODE #c +v ann");
    assert_eq!(rig.ask(ann, "NAMES #c")[0], ":s 353 ann = #c :@+ann!u@host");
}

#[test]
fn many_members_are_told_in_many_lines() {
    let mut rig = Rig::new();
    let everybody: Vec<_> = (0..100).map(|at| rig.client(&format!("somebody-{at}"))).collect();
    for user in &everybody {
        rig.say(*user, "JOIN #c");
    }
    let told = rig.ask(everybody[0], "NAMES #c");
    assert!(told.iter().all(|line| line.len() + 2 <= 512));
    let names = told.iter().filter_map(|line| line.strip_prefix(":s 353 somebody-0 = #c :"));
    assert_eq!(names.flat_map(|line| line.split(' ')).count(), 100);
}

#[test]
fn names_end_where_there_is_no_room_for_them_but_who_joins_is_told_all() {
    let limits = Limits { send_queue: 4000, ..Limits::default() };
    let mut rig = Rig::with(Config { limits, ..Config::default() });
    let everybody: Vec<_> = (0..200).map(|at| rig.client(&format!("somebody-{at}"))).collect();
    for user in &everybody {
        rig.say(*user, "JOIN #c");
    }
    let count = |told: &[String]| told.iter().map(|line| line.matches("somebody-").count()).sum();
    let last: usize = count(&rig.hear(everybody[199]));
    assert!(last >= 200);
    let told = rig.ask(everybody[0], "NAMES #c");
    let end = [
        ":s 416 somebody-0 NAMES :There is more than can be told: ask for less",
        ":s 366 somebody-0 #c :End of /NAMES list",
    ];
    assert!(told.ends_with(&end.map(String::from)), "{told:?}");
    assert!(told.len() > 2 && told.iter().map(String::len).sum::<usize>() < 2200);
    let told = rig.ask(everybody[0], "WHO #c");
    assert!(told.len() > 2 && told.iter().map(String::len).sum::<usize>() < 2200);
    assert!(told[told.len() - 2].contains(" 416 ") && told[told.len() - 1].contains(" 315 "));
}
