//! AWAY, SETNAME, USERHOST, ISON.

use chat::state::UserFlag;

use crate::rig::Rig;

const NONE: [&str; 0] = [];

#[test]
fn away_is_told_to_peers_who_asked_for_it() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let (bob, eve) = (rig.client_with("bob", "away-notify"), rig.client("eve"));
    for user in [ann, bob, eve] {
        rig.say(user, "JOIN #c");
    }
    rig.hush();
    assert_eq!(rig.ask(ann, "AWAY :at lunch"), [":s 306 ann :You have been marked as being away"]);
    assert_eq!(rig.hear(bob), [":ann!u@host AWAY :at lunch"]);
    assert_eq!(rig.hear(eve), NONE);
    assert_eq!(rig.ask(eve, "PRIVMSG ann :hi"), [":s 301 eve ann :at lunch"]);
    rig.say(ann, "AWAY :at lunch");
    assert_eq!(rig.hear(bob), NONE, "nothing has changed");
    let back = [":s 305 ann :You are no longer marked as being away"];
    assert_eq!(rig.ask(ann, "AWAY :"), back);
    assert_eq!(rig.hear(bob), [":ann!u@host AWAY"]);
    assert_eq!(rig.ask(ann, "AWAY"), back);
    assert_eq!(rig.ask(eve, "PRIVMSG ann :hi"), NONE);
}

#[test]
fn a_real_name_is_changed_before_those_who_asked_for_it() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client_with("ann", "setname"), rig.client_with("bob", "setname"));
    let eve = rig.client("eve");
    for user in [ann, bob, eve] {
        rig.say(user, "JOIN #c");
    }
    rig.hush();
    assert_eq!(rig.ask(ann, "SETNAME :Ann B."), [":ann!u@host SETNAME :Ann B."]);
    assert_eq!(rig.hear(bob), [":ann!u@host SETNAME :Ann B."]);
    assert_eq!(rig.hear(eve), NONE);
    assert_eq!(rig.ask(eve, "SETNAME Eve"), NONE);
    assert_eq!(rig.state.users[eve].real_name, "Eve");
    let refused = [":s FAIL SETNAME INVALID_REALNAME :Realname is not valid"];
    assert_eq!(rig.ask(ann, "SETNAME :"), refused);
    assert_eq!(rig.ask(ann, &format!("SETNAME :{}", "x".repeat(151))), refused);
    assert_eq!(rig.state.users[ann].real_name, "Ann B.");
}

/// And only to those who are told tags (IRCv3 *bot-mode*).
#[test]
fn whatever_a_bot_does_bears_its_tag() {
    let mut rig = Rig::new();
    let bot = rig.client("bot");
    let ann = rig.client_with("ann", "message-tags away-notify setname");
    let bob = rig.client_with("bob", "away-notify setname");
    rig.say(ann, "JOIN #c");
    rig.say(bob, "JOIN #c");
    rig.say(ann, "MODE #c -t");
    rig.say(bot, "MODE bot +B");
    rig.hush();
    for (line, told) in [
        ("JOIN #c", ":bot!u@host JOIN #c"),
        ("PRIVMSG #c hi", ":bot!u@host PRIVMSG #c :hi"),
        ("TOPIC #c :x", ":bot!u@host TOPIC #c :x"),
        ("AWAY :x", ":bot!u@host AWAY :x"),
        ("SETNAME :x", ":bot!u@host SETNAME :x"),
        ("NICK b2", ":bot!u@host NICK :b2"),
        ("PART #c", ":b2!u@host PART #c"),
        ("JOIN #c", ":b2!u@host JOIN #c"),
        ("QUIT", ":b2!u@host QUIT :Client Quit"),
    ] {
        rig.say(bot, line);
        let heard = rig.hear(ann);
        let (tags, rest) = heard[0].split_once(' ').expect("tags");
        assert!(tags[1..].split(';').any(|tag| tag == "bot") && rest == told, "{heard:?}");
        assert_eq!(rig.hear(bob)[0], told);
    }
    rig.say(bob, "PART #c");
    assert_eq!(rig.hear(ann), [":bob!u@host PART #c"]);
}

#[test]
fn hosts_are_told_with_what_their_users_are() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.flag(ann, UserFlag::Operator);
    rig.say(bob, "AWAY :x");
    assert_eq!(rig.ask(ann, "USERHOST bob nobody ANN"), [":s 302 ann :bob=-u@host ann*=+u@host"]);
    assert_eq!(rig.ask(ann, "USERHOST a b c d e bob"), [":s 302 ann :"]);
    assert_eq!(rig.ask(ann, "USERHOST"), [":s 461 ann USERHOST :Not enough parameters"]);
}

#[test]
fn who_is_on_is_told() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.client("bob");
    let stranger = rig.stranger();
    rig.say(stranger, "NICK eve");
    assert_eq!(rig.ask(ann, "ISON BOB nobody :ann eve"), [":s 303 ann :bob ann"]);
    assert_eq!(rig.ask(ann, "ISON nobody"), [":s 303 ann :"]);
}

#[test]
fn no_nick_is_cut_where_a_line_is_full() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let nicks: Vec<_> = (0..30).map(|at| format!("n{}", "x".repeat(at))).collect();
    for nick in &nicks {
        rig.client(nick);
    }
    let told = rig.ask(ann, &format!("ISON {}", nicks.join(" ")));
    assert!(told.len() == 1 && told[0].len() <= 510, "{told:?}");
    let told: Vec<_> = told[0].strip_prefix(":s 303 ann :").expect("RPL_ISON").split(' ').collect();
    assert_eq!(told, nicks[..told.len()]);
}
