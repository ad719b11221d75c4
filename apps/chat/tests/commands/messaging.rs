//! PRIVMSG, NOTICE, TAGMSG.

use chat::state::Rank;
use chat::time::Moment;

use crate::rig::Rig;

const ALL: &str = "batch echo-message labeled-response message-tags";

/// A line without its tags.
fn bare(line: &str) -> &str {
    line.strip_prefix('@').and_then(|tagged| tagged.split_once(' ')).map_or(line, |(_, rest)| rest)
}

#[test]
fn members_hear_what_is_said_on_a_channel() {
    let mut rig = Rig::new();
    let (ann, bob, cat) = (rig.client("ann"), rig.client("bob"), rig.client("cat"));
    rig.say(ann, "JOIN #c");
    rig.say(bob, "JOIN #c");
    rig.hush();
    for word in ["PRIVMSG", "NOTICE"] {
        assert!(rig.ask(ann, &format!("{word} #C :hello there")).is_empty());
        assert_eq!(rig.hear(bob), [format!(":ann!u@host {word} #c :hello there")]);
        assert!(rig.hear(cat).is_empty());
        assert!(rig.ask(ann, &format!("{word} BOB :hello there")).is_empty());
        assert_eq!(rig.hear(bob), [format!(":ann!u@host {word} bob :hello there")]);
    }
}

#[test]
fn what_does_not_arrive_is_answered_but_for_notices() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(bob, "JOIN #c");
    rig.hush();
    for (rest, told) in [
        ("", ":s 411 ann :No recipient given (PRIVMSG)"),
        (" , :x", ":s 411 ann :No recipient given (PRIVMSG)"),
        (" bob", ":s 412 ann :No text to send"),
        (" #c :", ":s 412 ann :No text to send"),
        (" dan :x", ":s 401 ann dan :No such nick/channel"),
        (" @bob :x", ":s 401 ann @bob :No such nick/channel"),
        (" #d :x", ":s 401 ann #d :No such nick/channel"),
        (" #c :x", ":s 404 ann #c :Cannot send to channel"),
        (" @#c :x", ":s 404 ann #c :Cannot send to channel"),
    ] {
        assert_eq!(rig.ask(ann, &format!("PRIVMSG{rest}")), [told], "{rest}");
        assert!(rig.ask(ann, &format!("NOTICE{rest}")).is_empty(), "{rest}");
        assert!(rig.hear(bob).is_empty());
    }
    rig.say(bob, "MODE #c +s");
    for name in ["#c", "@#c"] {
        let told = format!(":s 401 ann {name} :No such nick/channel");
        assert_eq!(rig.ask(ann, &format!("PRIVMSG {name} :x")), [told]);
    }
    rig.say(bob, "MODE #c -n");
    rig.hush();
    assert!(rig.ask(ann, "PRIVMSG #c :x").is_empty());
    assert_eq!(rig.hear(bob), [":ann!u@host PRIVMSG #c :x"]);
}

#[test]
fn a_moderated_channel_hears_who_has_a_rank() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(bob, "JOIN #c");
    rig.say(ann, "MODE #c +m");
    rig.hush();
    let refused = [":s 404 bob #c :Cannot send to channel"];
    assert_eq!(rig.ask(bob, "PRIVMSG #c :x"), refused);
    assert!(rig.hear(ann).is_empty());
    rig.say(ann, "MODE #c +v bob");
    assert!(rig.ask(bob, "PRIVMSG #c :x").is_empty());
    rig.say(ann, "MODE #c -mv+b bob bob");
    assert_eq!(rig.ask(bob, "PRIVMSG #c :x"), refused);
    rig.say(ann, "MODE #c +e *!*@host");
    assert!(rig.ask(bob, "PRIVMSG #c :x").is_empty());
}

#[test]
fn requests_between_clients_can_be_kept_out() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(bob, "JOIN #c");
    assert!(rig.ask(bob, "PRIVMSG #c :\u{1}PING 1\u{1}").is_empty());
    rig.say(ann, "MODE #c +C");
    rig.hush();
    assert!(rig.ask(bob, "PRIVMSG #c :\u{1}ACTION waves\u{1}").is_empty());
    let told = rig.ask(bob, "PRIVMSG #c :\u{1}PING 1\u{1}");
    assert_eq!(told, [":s 404 bob #c :Cannot send to channel"]);
    assert_eq!(rig.hear(ann), [":bob!u@host PRIVMSG #c :\u{1}ACTION waves\u{1}"]);
}

#[test]
fn a_sign_lets_those_hear_who_have_it() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    let (cat, dan) = (rig.client("cat"), rig.client("dan"));
    for user in [ann, bob, cat, dan] {
        rig.say(user, "JOIN #c");
    }
    rig.say(ann, "MODE #c +vo bob dan");
    for (said, heard, by_bob) in
        [("@", "@", false), ("+", "+", true), ("@+", "+", true), ("@@", "@", false)]
    {
        rig.hush();
        assert!(rig.ask(dan, &format!("PRIVMSG {said}#c :x")).is_empty());
        let told = vec![format!(":dan!u@host PRIVMSG {heard}#c :x")];
        assert_eq!(rig.hear(ann), told);
        assert_eq!(rig.hear(bob), if by_bob { told } else { vec![] });
        assert!(rig.hear(cat).is_empty());
        assert!(rig.ask(cat, &format!("PRIVMSG {said}#c :x")).is_empty());
        assert_eq!(rig.hear(ann).len(), 1);
    }
}

#[test]
fn there_is_a_limit_to_targets() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let others: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(|nick| rig.client(nick)).into();
    let told = rig.ask(ann, "PRIVMSG a,b,c,d,e,f :x");
    assert_eq!(told, [":s 407 ann e :Too many recipients"]);
    let heard: Vec<_> = others.iter().map(|user| rig.hear(*user).len()).collect();
    assert_eq!(heard, [1, 1, 1, 1, 0, 0]);
}

#[test]
fn who_is_named_twice_is_told_once() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    assert!(rig.ask(ann, "PRIVMSG bob,BOB,bob,Bob,bob :x").is_empty());
    assert_eq!(rig.hear(bob), [":ann!u@host PRIVMSG bob :x"]);
    assert_eq!(rig.cost, 0);
}

#[test]
fn a_message_costs_a_line_more_for_each_thousand_who_hear_it() {
    let mut rig = Rig::new();
    let (ann, bob, eve) = (rig.client("ann"), rig.client("bob"), rig.client("eve"));
    rig.say(eve, "JOIN #c");
    rig.say(ann, "JOIN #c");
    let channel = rig.state.channel_named(b"#c").unwrap();
    for (members, cost) in [(1, 0), (999, 0), (1_000, 1), (2_999, 2), (3_000, 3)] {
        while rig.state.channels[channel].members().len() <= members {
            let user = rig.stranger();
            rig.state.join(user, channel, Rank::default());
        }
        rig.say(ann, "PRIVMSG #c :x");
        assert_eq!(rig.cost, cost, "{members}");
    }
    rig.say(ann, "NICK anna");
    assert_eq!(rig.cost, 3);
    // Who keeps order there isn't held up.
    rig.say(eve, "PRIVMSG #c :x");
    rig.say(eve, "MODE #c +b x!*@*");
    assert_eq!(rig.cost, 0);
    rig.say(ann, "PRIVMSG bob :x");
    assert_eq!(rig.cost, 0);
    // To look at all of them is work, although nobody is told.
    for name in ["#d", "#e", "#f", "#g"] {
        rig.say(ann, &format!("JOIN {name}"));
        let channel = rig.state.channel_named(name.as_bytes()).unwrap();
        for _ in 0..3_000 {
            let user = rig.stranger();
            rig.state.join(user, channel, Rank::default());
        }
    }
    rig.say(ann, "AWAY :x");
    assert_eq!(rig.cost, 1);
    // Who can't talk there isn't heard.
    rig.say(bob, "PRIVMSG #c :x");
    assert_eq!(rig.cost, 0);
}

#[test]
fn who_is_away_says_so() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.state.users[bob].away = Some("at lunch".into());
    assert_eq!(rig.ask(ann, "PRIVMSG bob :x"), [":s 301 ann bob :at lunch"]);
    assert!(rig.ask(ann, "NOTICE bob :x").is_empty());
    assert_eq!(rig.hear(bob).len(), 2);
}

#[test]
fn tags_reach_those_alone_who_have_asked_for_them() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client_with("ann", ALL), rig.client_with("bob", ALL));
    let (cat, dan) = (rig.client("cat"), rig.client_with("dan", "server-time"));
    for user in [ann, bob, cat, dan] {
        rig.say(user, "JOIN #c");
    }
    rig.hush();
    let told = rig.ask(ann, "@label=7;+a=b\\:;c=d PRIVMSG #c hi");
    let [echo] = &told[..] else { panic!("{told:?}") };
    let heard = rig.hear(bob);
    // The label is the sender's alone.
    assert_eq!(echo.strip_prefix("@label=7;").expect("a label"), &heard[0][1..]);
    assert!(heard[0].starts_with("@msgid=") && heard[0].contains(";+a=b\\: :ann!u@host "));
    assert_eq!(bare(&heard[0]), ":ann!u@host PRIVMSG #c :hi");
    assert_eq!(rig.hear(cat), [":ann!u@host PRIVMSG #c :hi"]);
    let heard = rig.hear(dan);
    assert_eq!(heard, ["@time=1970-01-01T00:16:40.000Z :ann!u@host PRIVMSG #c :hi"]);

    let told = rig.ask(ann, "@+a=b TAGMSG #c");
    assert_eq!(told, rig.hear(bob));
    assert_eq!(bare(&told[0]), ":ann!u@host TAGMSG #c");
    assert!(rig.hear(cat).is_empty() && rig.hear(dan).is_empty());
    assert!(rig.ask(cat, "@+a=b TAGMSG #c").is_empty());
    assert!(rig.hear(ann).is_empty());
    assert_eq!(rig.ask(ann, "@+a=b TAGMSG cat").len(), 1);
    assert!(rig.hear(cat).is_empty());
}

#[test]
fn who_talks_to_itself_hears_it_and_its_echo() {
    let mut rig = Rig::new();
    let ann = rig.client_with("ann", ALL);
    for word in ["PRIVMSG", "NOTICE", "TAGMSG"] {
        let told = rig.ask(ann, &format!("@label=7;+a=b {word} ann :hi"));
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(bare(&told[0]), bare(&told[1]));
        assert_eq!(told.iter().filter(|line| line.starts_with("@label=7;")).count(), 1);
    }
}

#[test]
fn several_echoes_are_one_batch() {
    let mut rig = Rig::new();
    let ann = rig.client_with("ann", "batch echo-message labeled-response");
    let bob = rig.client("bob");
    rig.client("cat");
    let told = rig.ask(ann, "@label=7 PRIVMSG bob,cat :hi");
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].starts_with("@label=7 :s BATCH +") && told[3].starts_with(":s BATCH -"));
    assert!(told[1..3].iter().all(|line| line.starts_with("@batch=")), "{told:?}");
    assert_eq!(rig.hear(bob), [":ann!u@host PRIVMSG bob :hi"]);
}

#[test]
fn the_most_that_tags_may_be_arrives_with_them() {
    let mut rig = Rig::new();
    let (ann, bob) =
        (rig.client_with("ann", "message-tags"), rig.client_with("bob", "message-tags"));
    rig.say(ann, "JOIN #test");
    rig.say(bob, "JOIN #test");
    rig.hush();
    let (value, text) = ("a".repeat(4081), "b".repeat(496));
    assert!(rig.ask(ann, &format!("@foo=bar;+baz={value} PRIVMSG #test {text}")).is_empty());
    let heard = rig.hear(bob);
    assert!(heard[0].contains(&format!(";+baz={value} ")) && heard[0].contains(&text[..400]));
    for line in [format!("@foo=bar;+baz={value}a TAGMSG #test"), format!("PRIVMSG #test {text}b")] {
        assert_eq!(rig.ask(ann, &line), [":s 417 ann :Input line was too long"]);
        assert!(rig.hear(bob).is_empty());
    }
}

#[test]
fn nothing_but_utf8_is_sent_on() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client_with("ann", "batch labeled-response"), rig.client("bob"));
    let refused = "INVALID_UTF8 :Message rejected, this server speaks UTF-8 only";
    for (line, told) in [
        (&b"@label=7 PRIVMSG bob hi\xaa"[..], "@label=7 :s FAIL PRIVMSG"),
        (b"@+a=\xaa PRIVMSG bob hi", ":s FAIL PRIVMSG"),
        (b"notice bob hi\xaa", ":s FAIL NOTICE"),
        (b"X\xaa", ":s FAIL *"),
    ] {
        rig.say_bytes(ann, line);
        assert_eq!(rig.hear(ann), [format!("{told} {refused}")]);
        assert!(rig.hear(bob).is_empty());
    }
    let stranger = rig.stranger();
    rig.say_bytes(stranger, b"USER u 0 * :i\xe8rc\xe9");
    assert_eq!(rig.hear(stranger), [format!(":s FAIL USER {refused}")]);
}

#[test]
fn tags_alone_are_no_talk() {
    let mut rig = Rig::new();
    let ann = rig.client_with("ann", "message-tags");
    let before = rig.state.users[ann].talked;
    rig.now = Moment::from_unix_ms(2_000_000);
    rig.say(ann, "@+typing=active TAGMSG ann");
    assert_eq!(rig.state.users[ann].talked, before);
    rig.say(ann, "PRIVMSG ann :x");
    assert_eq!(rig.state.users[ann].talked, rig.now);
}
