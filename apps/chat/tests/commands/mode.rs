//! MODE, of channels and of users.

use chat::config::{Config, Limits};
use chat::state::UserFlag;

use crate::rig::Rig;

const NOT_OPERATOR: &str = ":s 482 bob #c :You're not channel operator";

#[test]
fn what_holds_is_told() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    assert_eq!(rig.ask(ann, "MODE"), [":s 461 ann MODE :Not enough parameters"]);
    assert_eq!(rig.ask(ann, "MODE #c"), [":s 403 ann #c :No such channel"]);
    assert_eq!(rig.ask(ann, "MODE #c +o ann"), [":s 403 ann #c :No such channel"]);
    rig.say(ann, "JOIN #c");
    assert_eq!(rig.ask(bob, "MODE #C"), [":s 324 bob #c :+nt", ":s 329 bob #c :1000"]);
    rig.say(ann, "MODE #c +lkCi 5 key");
    assert_eq!(rig.ask(ann, "MODE #c")[0], ":s 324 ann #c +Cintkl key :5");
    assert_eq!(rig.ask(bob, "MODE #c")[0], ":s 324 bob #c +Cintkl * :5");
    assert_eq!(rig.ask(ann, "MODE #c -Cintkl *"), [":ann!u@host MODE #c -Cintkl *"]);
    assert_eq!(rig.ask(ann, "MODE #c")[0], ":s 324 ann #c :+");
    rig.say(ann, "MODE #c +s");
    for line in ["MODE #c", "MODE #c b", "MODE #c +i"] {
        assert_eq!(rig.ask(bob, line), [":s 403 bob #c :No such channel"], "{line}");
    }
}

#[test]
fn changes_are_told_once_and_together() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(bob, "JOIN #c");
    rig.hush();
    let told = [":ann!u@host MODE #c +oi-n+b bob x!*@*"];
    assert_eq!(rig.ask(ann, "MODE #c +oi-n+tb BOB x"), told);
    assert_eq!(rig.hear(bob), told);
    assert!(rig.ask(ann, "MODE #c +oi-n+tb BOB x").is_empty());
    assert!(rig.ask(ann, "MODE #c -mvkb+ bob * y").is_empty());
    assert!(rig.ask(ann, "MODE #c :").is_empty());
    assert_eq!(rig.ask(ann, "MODE #c -b X"), [":ann!u@host MODE #c -b x!*@*"]);
    assert_eq!(rig.ask(ann, "MODE #c m"), [":ann!u@host MODE #c +m"]);
}

#[test]
fn who_may_not_change_is_told_once() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    let outside = [":s 442 bob #c :You're not on that channel"];
    assert_eq!(rig.ask(bob, "MODE #c +o bob"), outside);
    rig.say(bob, "JOIN #c");
    assert_eq!(rig.ask(bob, "MODE #c +o-in+kl bob x 5"), [NOT_OPERATOR]);
    assert_eq!(rig.ask(bob, "MODE #c +b x"), [NOT_OPERATOR]);
    // An operator who resigns has no say in what follows.
    let told = rig.ask(ann, "MODE #c -o+i ann");
    assert_eq!(told[0], ":s 482 ann #c :You're not channel operator");
    assert_eq!(told[1..], [":ann!u@host MODE #c -o ann"]);
}

#[test]
fn lists_are_told() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(ann, "MODE #c +beI x y!z z@w");
    for line in ["MODE #c b", "MODE #c +b", "MODE #c -b", "MODE #c bbb", "MODE #c b :"] {
        assert_eq!(
            rig.ask(bob, line),
            [":s 367 bob #c x!*@* ann!u@host :1000", ":s 368 bob #c :End of channel ban list",],
            "{line}"
        );
    }
    assert_eq!(
        rig.ask(ann, "MODE #c e"),
        [":s 348 ann #c y!z@* ann!u@host :1000", ":s 349 ann #c :End of channel exception list",]
    );
    assert_eq!(
        rig.ask(ann, "MODE #c +I"),
        [
            ":s 346 ann #c *!z@w ann!u@host :1000",
            ":s 347 ann #c :End of channel invite exception list",
        ]
    );
    rig.say(bob, "JOIN #c");
    assert_eq!(rig.ask(bob, "MODE #c eI"), [NOT_OPERATOR]);
}

#[test]
fn a_list_is_full_at_its_limit() {
    let limits = Limits { masks: 2, ..Limits::default() };
    let mut rig = Rig::with(Config { limits, ..Config::default() });
    let ann = rig.client("ann");
    rig.say(ann, "JOIN #c");
    assert_eq!(
        rig.ask(ann, "MODE #c +bbbbb a b c d a"),
        [":s 478 ann #c b :Channel list is full", ":ann!u@host MODE #c +bb a!*@* b!*@*"]
    );
    assert_eq!(rig.ask(ann, "MODE #c +e a"), [":ann!u@host MODE #c +e a!*@*"]);
}

#[test]
fn what_a_mode_cannot_take_is_refused() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.say(ann, "JOIN #c");
    rig.hush();
    let long = "long".repeat(50);
    for key in ["", " ", "two words", ":x", "a,b", "\u{1}", &long] {
        let told = rig.ask(ann, &format!("MODE #c +k :{key}"));
        assert!(told.len() == 1 && told[0].starts_with(":s 696 ann #c k * :"), "{told:?}");
    }
    for (limit, shown) in
        [("0", "0"), ("-1", "-1"), ("abc", "abc"), ("", "*"), ("4294967296", "4294967296")]
    {
        let told = rig.ask(ann, &format!("MODE #c +l :{limit}"));
        let start = format!(":s 696 ann #c l {shown} :");
        assert!(told.len() == 1 && told[0].starts_with(&start), "{told:?}");
    }
    for mask in [":x", "a b", "a,b", &long] {
        let told = rig.ask(ann, &format!("MODE #c +b :{mask}"));
        assert!(told.len() == 1 && told[0].starts_with(":s 696 ann #c b * :"), "{told:?}");
    }
    for letter in ["k", "l", "o", "v"] {
        let told = rig.ask(ann, &format!("MODE #c +{letter}{letter}{letter}"));
        let start = format!(":s 696 ann #c {letter} * :");
        assert!(told.len() == 1 && told[0].starts_with(&start), "{told:?}");
    }
    assert_eq!(rig.ask(ann, "MODE #c")[0], ":s 324 ann #c :+nt");
}

#[test]
fn unknown_letters_are_told_once_each() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.say(ann, "JOIN #c");
    assert_eq!(
        rig.ask(ann, "MODE #c +zzä:i"),
        [
            ":s 472 ann z :is unknown mode char to me",
            ":s 472 ann ä :is unknown mode char to me",
            ":s 472 ann * :is unknown mode char to me",
            ":ann!u@host MODE #c +i",
        ]
    );
}

#[test]
fn ranks_are_given_to_members() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    assert_eq!(rig.ask(ann, "MODE #c +o bob"), [":s 441 ann bob #c :They aren't on that channel"]);
    assert_eq!(rig.ask(ann, "MODE #c +v x"), [":s 401 ann x :No such nick/channel"]);
    rig.say(bob, "JOIN #c");
    assert_eq!(rig.ask(ann, "MODE #c +v bob"), [":ann!u@host MODE #c +v bob"]);
    assert_eq!(rig.ask(ann, "MODE #c -v+o Bob bob"), [":ann!u@host MODE #c -v+o bob bob"]);
    assert_eq!(rig.ask(bob, "MODE #c -o ann"), [":bob!u@host MODE #c -o ann"]);
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    assert_eq!(rig.ask(ann, "MODE #c +k one"), [":ann!u@host MODE #c +k one"]);
    assert_eq!(rig.ask(ann, "MODE #c +k two"), [":ann!u@host MODE #c +k two"]);
    assert_eq!(rig.ask(bob, "JOIN #c one"), [":s 475 bob #c :Cannot join channel (+k)"]);
    assert_eq!(rig.ask(ann, "MODE #c -k"), [":ann!u@host MODE #c -k *"]);
    assert_eq!(rig.ask(bob, "JOIN #c")[0], ":bob!u@host JOIN #c");
}

#[test]
fn long_changes_take_several_lines() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.say(ann, "JOIN #c");
    let masks = |with: &str| (0..12).map(|at| format!(" {at}{with}")).collect::<String>();
    let told = rig.ask(ann, &format!("MODE #c +{}{}", "b".repeat(12), masks(&"x".repeat(34))));
    assert!(told.len() > 1 && told.iter().all(|line| line.len() + 2 <= 512), "{told:?}");
    let set = told.iter().flat_map(|line| line.split(' ').skip(4)).count();
    assert_eq!(set, 12);
}

#[test]
fn users_have_modes_of_their_own() {
    let mut rig = Rig::new();
    let (ann, _bob) = (rig.client("ann"), rig.client("bob"));
    assert_eq!(rig.ask(ann, "MODE ann"), [":s 221 ann :+"]);
    assert_eq!(rig.ask(ann, "MODE ANN +iwB-w"), [":ann!u@host MODE ann +iwB-w"]);
    assert_eq!(rig.ask(ann, "MODE ann"), [":s 221 ann :+Bi"]);
    assert!(rig.ask(ann, "MODE ann +oi").is_empty());
    assert_eq!(
        rig.ask(ann, "MODE ann +xy-i"),
        [":ann!u@host MODE ann -i", ":s 501 ann :Unknown MODE flag"]
    );
    let not_mine = [":s 502 ann :Can't view or change modes for other users"];
    assert_eq!(rig.ask(ann, "MODE bob"), not_mine);
    assert_eq!(rig.ask(ann, "MODE bob +i"), not_mine);
    assert_eq!(rig.ask(ann, "MODE nobody +i"), [":s 401 ann nobody :No such nick/channel"]);
}

#[test]
fn an_operator_of_the_server_can_resign() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.state.set_flag(ann, UserFlag::Operator, true);
    rig.state.users[ann].oper = Some("root".into());
    assert_eq!(rig.ask(ann, "MODE ann -o+o"), [":ann!u@host MODE ann -o"]);
    assert_eq!(rig.state.users[ann].oper, None);
}

#[test]
fn a_mask_that_is_dear_is_refused() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    rig.say(ann, "JOIN #c");
    let refused = ":s 696 ann #c b * :A mask is one word, not too long, with few wildcards";
    for mask in [format!("*{}Z", "?".repeat(39)), "*a".repeat(9), "a".repeat(200)] {
        assert_eq!(rig.ask(ann, &format!("MODE #c +b {mask}")), [refused]);
    }
    for mask in ["a*b*c!?d*@*.e", "guest?????????!*@*"] {
        let told = format!(":ann!u@host MODE #c +b {mask}");
        assert_eq!(rig.ask(ann, &format!("MODE #c +b {mask}")), [told]);
    }
}
