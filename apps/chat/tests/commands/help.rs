//! HELP and HELPOP.

use crate::rig::Rig;

#[test]
fn a_command_is_explained() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let told = [
        ":s 704 ann PRIVMSG :PRIVMSG <target>{,<target>} :<text>",
        ":s 705 ann PRIVMSG :Says something to people or channels.",
        ":s 706 ann PRIVMSG :End of /HELP",
    ];
    assert_eq!(rig.ask(ann, "HELP privmsg"), told);
    assert_eq!(rig.ask(ann, "HELPOP PRIVMSG"), told);
    assert_eq!(
        rig.ask(ann, "HELP nothing"),
        [":s 524 ann nothing :No help available on this topic"]
    );
}

#[test]
fn every_mode_is_explained() {
    let mut rig = Rig::new();
    let stranger = rig.stranger();
    rig.say(stranger, "NICK ann");
    let welcome = rig.ask(stranger, "USER u 0 * :r");
    let all = welcome.iter().find_map(|line| line.strip_prefix(":s 004 ann s ")).expect("004");
    let all: Vec<_> = all.split(' ').collect();
    let told = rig.ask(stranger, "HELP MODE");
    let user = told.iter().position(|line| line.ends_with(" :Of yourself:")).expect("user modes");
    for (letters, told) in [(all[1], &told[user..]), (all[2], &told[..user])] {
        for letter in letters.chars() {
            let start = format!(":s 705 ann MODE :+{letter}");
            assert!(told.iter().any(|line| line.starts_with(&start)), "{start} {told:?}");
        }
    }
}

#[test]
fn without_a_subject_every_command_is_told() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let told = rig.ask(ann, "HELP");
    assert!(told[0].starts_with(":s 704 ann * :"));
    assert_eq!(told.last().map(String::as_str), Some(":s 706 ann * :End of /HELP"));
    let all = told[1..told.len() - 1].join(" ");
    for word in ["ADMIN", "JOIN", "WHOWAS"] {
        assert!(all.contains(word), "{word}: {told:?}");
    }
}
