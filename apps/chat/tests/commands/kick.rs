//! KICK.

use crate::rig::Rig;

#[test]
fn everybody_sees_who_is_put_off() {
    let mut rig = Rig::new();
    let (ann, bob, cat) = (rig.client("ann"), rig.client("bob"), rig.client("cat"));
    for user in [ann, bob, cat] {
        rig.say(user, "JOIN #c");
    }
    rig.hush();
    assert_eq!(rig.ask(ann, "KICK #C BOB :bye"), [":ann!u@host KICK #c bob :bye"]);
    for user in [bob, cat] {
        assert_eq!(rig.hear(user), [":ann!u@host KICK #c bob :bye"]);
    }
    assert_eq!(rig.ask(bob, "PART #c"), [":s 442 bob #c :You're not on that channel"]);
    for line in ["KICK #c bob", "KICK #c nobody"] {
        let nick = &line[8..];
        let told = format!(":s 441 ann {nick} #c :They aren't on that channel");
        assert_eq!(rig.ask(ann, line), [told]);
    }
    assert_eq!(rig.ask(ann, "KICK #c cat"), [":ann!u@host KICK #c cat :ann"]);
    assert_eq!(rig.ask(ann, "KICK #c ann :"), [":ann!u@host KICK #c ann :ann"]);
    assert!(rig.state.channels.is_empty());
}

#[test]
fn who_may_not_is_told_why() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    assert_eq!(rig.ask(bob, "KICK #c"), [":s 461 bob KICK :Not enough parameters"]);
    assert_eq!(rig.ask(bob, "KICK #d ann"), [":s 403 bob #d :No such channel"]);
    assert_eq!(rig.ask(bob, "KICK #c ann"), [":s 442 bob #c :You're not on that channel"]);
    rig.say(bob, "JOIN #c");
    assert_eq!(rig.ask(bob, "KICK #c ann"), [":s 482 bob #c :You're not channel operator"]);
    rig.say(bob, "PART #c");
    rig.say(ann, "MODE #c +s");
    assert_eq!(rig.ask(bob, "KICK #c ann"), [":s 403 bob #c :No such channel"]);
}

#[test]
fn several_are_put_off_one_by_one() {
    let mut rig = Rig::new();
    let (ann, bob, cat) = (rig.client("ann"), rig.client("bob"), rig.client("cat"));
    for line in ["KICK #c bob,cat :bye", "KICK #c,#c bob,cat :bye"] {
        for user in [ann, bob, cat] {
            rig.say(user, "JOIN #c");
        }
        let told = rig.ask(ann, line);
        assert_eq!(told, [":ann!u@host KICK #c bob :bye", ":ann!u@host KICK #c cat :bye"]);
    }
    for line in ["KICK #c,#d bob", "KICK #c,#d a,b,c", "KICK , a", "KICK #c ,"] {
        assert_eq!(rig.ask(ann, line), [":s 461 ann KICK :Not enough parameters"], "{line}");
    }
    let told = rig.ask(ann, "KICK #c ann,ann");
    assert_eq!(told, [":ann!u@host KICK #c ann :ann", ":s 403 ann #c :No such channel"]);
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.say(ann, "JOIN #c");
    let told = rig.ask(ann, &format!("KICK #c ann :x{}", "ä".repeat(200)));
    assert_eq!(told, [format!(":ann!u@host KICK #c ann :x{}", "ä".repeat(149))]);
}
