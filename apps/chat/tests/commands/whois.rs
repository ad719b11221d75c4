//! WHOIS.

use chat::state::UserFlag;
use chat::time::Moment;

use crate::rig::Rig;

#[test]
fn somebody_is_described() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(bob, "JOIN #c");
    rig.say(bob, "AWAY :at lunch");
    rig.flag(bob, UserFlag::Bot);
    rig.flag(bob, UserFlag::Operator);
    rig.now = Moment::from_unix_ms(rig.now.unix_ms() + 7_000);
    let told = [
        ":s 311 ann bob u host * :real name",
        ":s 319 ann bob :@#c",
        ":s 312 ann bob s :A chat on reactor",
        ":s 313 ann bob :is an IRC operator",
        ":s 335 ann bob :is a bot",
        ":s 301 ann bob :at lunch",
        ":s 317 ann bob 7 1000 :seconds idle, signon time",
        ":s 318 ann bob :End of /WHOIS list",
    ];
    for line in ["WHOIS bob", "WHOIS s bob", "WHOIS bob bob"] {
        assert_eq!(rig.ask(ann, line), told, "{line}");
    }
}

#[test]
fn where_somebody_really_is_it_knows_itself_and_operators() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    let really = |nick: &str| format!(":s 338 {nick} ann 192.0.2.1 :Is actually using host");
    assert!(rig.ask(ann, "WHOIS ann").contains(&really("ann")));
    assert!(!rig.ask(bob, "WHOIS ann").contains(&really("bob")));
    rig.flag(bob, UserFlag::Operator);
    assert!(rig.ask(bob, "WHOIS ann").contains(&really("bob")));
}

#[test]
fn nobody_is_told_to_be_nobody() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let stranger = rig.stranger();
    rig.say(stranger, "NICK bob");
    assert_eq!(
        rig.ask(ann, "WHOIS bob"),
        [":s 401 ann bob :No such nick/channel", ":s 318 ann bob :End of /WHOIS list"]
    );
    assert_eq!(rig.ask(ann, "WHOIS"), [":s 431 ann :No nickname given"]);
}

#[test]
fn where_the_invisible_are_their_peers_know() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.flag(bob, UserFlag::Invisible);
    rig.say(bob, "JOIN #c,#d");
    assert!(!rig.ask(ann, "WHOIS bob").concat().contains(" 319 "));
    assert!(rig.ask(bob, "WHOIS bob").contains(&":s 319 bob bob :@#c @#d".into()));
    rig.say(ann, "JOIN #d");
    assert!(rig.ask(ann, "WHOIS bob").contains(&":s 319 ann bob :@#d".into()));
}

#[test]
fn many_channels_need_several_lines() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    for number in 0..40 {
        rig.say(ann, &format!("JOIN #{}{number}", "x".repeat(40)));
    }
    let told = rig.ask(ann, "WHOIS ann");
    let lines: Vec<_> = told.iter().filter(|line| line.contains(" 319 ")).collect();
    assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= 510));
    assert_eq!(lines.iter().map(|line| line.matches('#').count()).sum::<usize>(), 40);
}
