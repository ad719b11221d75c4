//! TOPIC.

use crate::rig::Rig;

#[test]
fn everybody_on_the_channel_is_told_the_topic() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(bob, "JOIN #c");
    assert_eq!(rig.ask(bob, "TOPIC #C"), [":s 331 bob #c :No topic is set"]);
    rig.hush();
    assert_eq!(rig.ask(ann, "TOPIC #c :so it is"), [":ann!u@host TOPIC #c :so it is"]);
    assert_eq!(rig.hear(bob), [":ann!u@host TOPIC #c :so it is"]);
    let told = [":s 332 bob #c :so it is", ":s 333 bob #c ann!u@host 1000"];
    assert_eq!(rig.ask(bob, "TOPIC #c"), told);
    rig.say(bob, "PART #c");
    assert_eq!(rig.ask(bob, "JOIN #c")[1..3], told);
    rig.hush();
    assert_eq!(rig.ask(ann, "TOPIC #c :"), [":ann!u@host TOPIC #c :"]);
    assert_eq!(rig.hear(bob), [":ann!u@host TOPIC #c :"]);
    assert_eq!(rig.ask(ann, "TOPIC #c"), [":s 331 ann #c :No topic is set"]);
}

#[test]
fn who_may_not_change_it_is_told_why() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    assert_eq!(rig.ask(bob, "TOPIC"), [":s 461 bob TOPIC :Not enough parameters"]);
    assert_eq!(rig.ask(bob, "TOPIC #c :x"), [":s 403 bob #c :No such channel"]);
    assert_eq!(rig.ask(bob, "TOPIC :a b"), [":s 403 bob * :No such channel"]);
    rig.say(ann, "JOIN #c");
    assert_eq!(rig.ask(bob, "TOPIC #c"), [":s 331 bob #c :No topic is set"]);
    assert_eq!(rig.ask(bob, "TOPIC #c :x"), [":s 442 bob #c :You're not on that channel"]);
    rig.say(bob, "JOIN #c");
    rig.hush();
    assert_eq!(rig.ask(bob, "TOPIC #c :x"), [":s 482 bob #c :You're not channel operator"]);
    assert!(rig.hear(ann).is_empty());
    rig.say(ann, "MODE #c -t");
    assert_eq!(rig.ask(bob, "TOPIC #c :x"), [":bob!u@host TOPIC #c :x"]);
}

#[test]
fn a_secret_channel_is_none_to_strangers() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(ann, "TOPIC #c :hidden");
    rig.say(ann, "MODE #c +s");
    for line in ["TOPIC #c", "TOPIC #c :x", "PART #c"] {
        assert_eq!(rig.ask(bob, line), [":s 403 bob #c :No such channel"], "{line}");
    }
}

/// Also to those with the longest names.
#[test]
fn a_topic_of_the_promised_length_is_told_whole() {
    let mut rig = Rig::new();
    let (nick, name) = ("n".repeat(30), format!("#{}", "c".repeat(63)));
    let ann = rig.client(&nick);
    rig.state.users[ann].name = "u".repeat(12).into();
    rig.state.users[ann].host = "h".repeat(34).into();
    rig.say(ann, &format!("JOIN {name}"));
    let topic = "x".repeat(330);
    for line in [format!("TOPIC {name} :{topic}"), format!("TOPIC {name}")] {
        let told = rig.ask(ann, &line);
        assert!(told[0].ends_with(&format!(" {name} :{topic}")), "{told:?}");
    }
}

#[test]
fn a_long_topic_is_cut_between_characters() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.say(ann, "JOIN #c");
    let told = rig.ask(ann, &format!("TOPIC #c :x{}", "ä".repeat(200)));
    assert_eq!(told, [format!(":ann!u@host TOPIC #c :x{}", "ä".repeat(164))]);
}
