//! INVITE.

use crate::rig::Rig;

#[test]
fn who_is_invited_may_come_once() {
    let mut rig = Rig::new();
    let (ann, bob, cat) = (rig.client("ann"), rig.client("bob"), rig.client("cat"));
    rig.say(ann, "JOIN #c");
    rig.say(cat, "JOIN #c");
    rig.say(ann, "MODE #c +ikbl key bob!*@* 1");
    rig.hush();
    assert_eq!(rig.ask(bob, "JOIN #c"), [":s 474 bob #c :Cannot join channel (+b)"]);
    assert_eq!(rig.ask(ann, "INVITE BOB #C"), [":s 341 ann bob :#c"]);
    assert_eq!(rig.hear(bob), [":ann!u@host INVITE bob #c"]);
    assert!(rig.hear(cat).is_empty());
    assert_eq!(rig.ask(bob, "INVITE"), [":s 336 bob :#c", ":s 337 bob :End of INVITE list"]);
    assert_eq!(rig.ask(bob, "JOIN #c")[0], ":bob!u@host JOIN #c");
    assert_eq!(rig.ask(bob, "INVITE"), [":s 337 bob :End of INVITE list"]);
    rig.say(ann, "KICK #c bob");
    assert_eq!(rig.ask(bob, "JOIN #c"), [":s 474 bob #c :Cannot join channel (+b)"]);
}

#[test]
fn who_may_not_invite_is_told_why() {
    let mut rig = Rig::new();
    let (ann, bob, cat) = (rig.client("ann"), rig.client("bob"), rig.client("cat"));
    rig.say(ann, "JOIN #c");
    rig.say(cat, "JOIN #c");
    assert_eq!(rig.ask(ann, "INVITE bob"), [":s 461 ann INVITE :Not enough parameters"]);
    assert_eq!(rig.ask(ann, "INVITE bob #d"), [":s 403 ann #d :No such channel"]);
    assert_eq!(rig.ask(bob, "INVITE bob #c"), [":s 442 bob #c :You're not on that channel"]);
    assert_eq!(rig.ask(ann, "INVITE dan #c"), [":s 401 ann dan :No such nick/channel"]);
    assert_eq!(rig.ask(ann, "INVITE cat #c"), [":s 443 ann cat #c :is already on channel"]);
    rig.say(ann, "MODE #c +is");
    assert_eq!(rig.ask(cat, "INVITE bob #c"), [":s 482 cat #c :You're not channel operator"]);
    assert_eq!(rig.ask(bob, "INVITE bob #c"), [":s 403 bob #c :No such channel"]);
    assert!(rig.hear(bob).is_empty());
}

#[test]
fn an_invitation_by_no_operator_opens_nothing() {
    let mut rig = Rig::new();
    let (ann, bob, cat) = (rig.client("ann"), rig.client("bob"), rig.client("cat"));
    rig.say(ann, "JOIN #c");
    rig.say(cat, "JOIN #c");
    rig.say(ann, "MODE #c +k key");
    assert_eq!(rig.ask(cat, "INVITE bob #c"), [":s 341 cat bob :#c"]);
    assert_eq!(rig.hear(bob), [":cat!u@host INVITE bob #c"]);
    assert_eq!(rig.ask(bob, "JOIN #c"), [":s 475 bob #c :Cannot join channel (+k)"]);
}

#[test]
fn operators_are_notified_who_have_asked_for_it() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client_with("ann", "invite-notify"), rig.client("bob"));
    let (cat, dan) = (rig.client_with("cat", "invite-notify"), rig.client("dan"));
    let eve = rig.client_with("eve", "invite-notify");
    for user in [ann, cat, dan, eve] {
        rig.say(user, "JOIN #c");
    }
    rig.say(ann, "MODE #c +oo cat dan");
    rig.hush();
    assert_eq!(rig.ask(ann, "INVITE bob #c"), [":s 341 ann bob :#c"]);
    assert_eq!(rig.hear(cat), [":ann!u@host INVITE bob #c"]);
    assert_eq!(rig.hear(bob), [":ann!u@host INVITE bob #c"]);
    assert!(rig.hear(dan).is_empty() && rig.hear(eve).is_empty());
}

#[test]
fn those_who_are_gone_are_invited_no_more() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    let cat = rig.client("cat");
    rig.say(ann, "JOIN #c");
    rig.say(ann, "INVITE bob #c");
    let id = rig.state.channel_named(b"#c").expect("a channel");
    assert!(rig.state.channels[id].has_invited(bob));
    rig.say(bob, "QUIT");
    assert!(!rig.state.channels[id].has_invited(bob));
    rig.say(ann, "INVITE cat #c");
    rig.say(ann, "INVITE cat #c");
    assert!(rig.state.channels[id].has_invited(cat));
    rig.say(ann, "PART #c");
    rig.say(cat, "QUIT");
}

#[test]
fn a_ban_that_is_set_later_takes_an_invitation_back() {
    let mut rig = Rig::new();
    let (ann, bob, cat) = (rig.client("ann"), rig.client("bob"), rig.client("cat"));
    rig.say(ann, "JOIN #c");
    rig.say(ann, "MODE #c +e cat");
    rig.say(ann, "INVITE bob #c");
    rig.say(ann, "INVITE cat #c");
    rig.say(ann, "MODE #c +ib dan");
    assert_eq!(rig.ask(bob, "INVITE")[0], ":s 336 bob :#c");
    rig.say(ann, "MODE #c +b *!*@HOST");
    assert_eq!(rig.ask(bob, "JOIN #c"), [":s 474 bob #c :Cannot join channel (+b)"]);
    assert_eq!(rig.ask(cat, "JOIN #c")[0], ":cat!u@host JOIN #c");
}
