//! JOIN and PART.

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
