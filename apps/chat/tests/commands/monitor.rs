//! MONITOR.

use chat::config::{Config, Limits};

use crate::rig::Rig;

const NONE: [&str; 0] = [];

#[test]
fn who_is_watched_for_is_seen_coming_and_going() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    assert_eq!(rig.ask(ann, "MONITOR + bob"), [":s 731 ann :bob"]);
    let bob = rig.client("bob");
    assert_eq!(rig.hear(ann), [":s 730 ann :bob!u@host"]);
    rig.say(bob, "NICK BOB");
    assert_eq!(rig.hear(ann), NONE, "the case of a nick is nothing new");
    rig.say(bob, "NICK eve");
    assert_eq!(rig.hear(ann), [":s 731 ann :BOB"]);
    rig.say(bob, "NICK bob");
    assert_eq!(rig.hear(ann), [":s 730 ann :bob!u@host"]);
    rig.say(bob, "QUIT");
    assert_eq!(rig.hear(ann), [":s 731 ann :bob"]);
    assert_eq!(rig.ask(ann, "MONITOR - BOB"), NONE);
    rig.client("bob");
    assert_eq!(rig.hear(ann), NONE);
}

#[test]
fn the_list_is_told_and_cleared() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.client("bob");
    let status = [":s 730 ann :bob!u@host", ":s 731 ann :eve"];
    assert_eq!(rig.ask(ann, "MONITOR + bob,eve,bob"), status);
    assert_eq!(rig.ask(ann, "MONITOR S"), status);
    assert_eq!(
        rig.ask(ann, "MONITOR L"),
        [":s 732 ann :bob,eve", ":s 733 ann :End of MONITOR list"]
    );
    assert_eq!(rig.ask(ann, "MONITOR C"), NONE);
    assert_eq!(rig.ask(ann, "monitor l"), [":s 733 ann :End of MONITOR list"]);
}

#[test]
fn a_mask_is_no_nick() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    assert_eq!(rig.ask(ann, "MONITOR + *!u@host"), [":s 432 ann *!u@host :Erroneous nickname"]);
    rig.client("bob");
    assert_eq!(rig.hear(ann), NONE);
    assert_eq!(rig.ask(ann, "MONITOR +"), [":s 461 ann MONITOR :Not enough parameters"]);
}

#[test]
fn a_full_list_says_what_it_does_not_take() {
    let limits = Limits { monitor: 2, ..Limits::default() };
    let mut rig = Rig::with(Config { limits, ..Config::default() });
    let ann = rig.client("ann");
    assert_eq!(
        rig.ask(ann, "MONITOR + a,b,c,d"),
        [":s 734 ann 2 c,d :Monitor list is full", ":s 731 ann :a,b"]
    );
}

#[test]
fn a_full_list_keeps_its_words_whole() {
    let limits = Limits { monitor: 1, ..Limits::default() };
    let mut rig = Rig::with(Config { limits, ..Config::default() });
    let ann = rig.client("ann");
    let nicks = vec!["n".repeat(30); 10].join(",x");
    let told = rig.ask(ann, &format!("MONITOR + a,{nicks}"));
    let wanted = format!(":s 734 ann 1 {} :Monitor list is full", &nicks[..94]);
    assert_eq!(told[0], wanted);
}

#[test]
fn many_need_several_lines() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    for some in 0..10 {
        let nicks: Vec<_> = (0..8).map(|nick| format!("{}{some}_{nick}", "n".repeat(25))).collect();
        rig.say(ann, &format!("MONITOR + {}", nicks.join(",")));
    }
    let told = rig.ask(ann, "MONITOR L");
    let nicks: usize =
        told.iter().filter(|line| line.contains(" 732 ")).map(|line| line.split(',').count()).sum();
    assert_eq!(nicks, 80);
    assert!(told.iter().all(|line| line.len() <= 510));
}
