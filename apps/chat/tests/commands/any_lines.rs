//! Whatever is said: nobody falls over it, and what is told can be read.

use proptest::prelude::*;

use crate::rig::Rig;

/// Words that mean something, so that what is said does, too.
fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "#c",
        "#C",
        "#d",
        "@#c",
        "+#d",
        "#s",
        "ann",
        "bob",
        "cat",
        "x",
        "0",
        "*",
        ",",
        ":",
        "#c,#d",
        "ann,bob",
        "#c,#c",
        "+b",
        "-b",
        "+ov",
        "-o+v",
        "+kl",
        "-k",
        "+l",
        "+s-n",
        "+imtC",
        "beI",
        "+iwBo",
        "-i",
        ":two words",
        ":",
        "x!y@z",
        "*!*@*",
        "5",
        "C>1",
        ">0",
        "!#*",
        "ä€😀",
    ]);
    prop_oneof![
        8 => known.prop_map(String::from),
        1 => "[+-][a-zA-Z:+-]{1,80}",
        // The character that stands for bytes that are none shall mean just that.
        1 => "\\PC{0,60}".prop_map(|text| text.replace('\u{fffd}', "")),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let command = prop::sample::select(vec![
        "JOIN",
        "PART",
        "TOPIC",
        "NAMES",
        "LIST",
        "INVITE",
        "KICK",
        "MODE",
        "MODE #c",
        "MODE #d",
        "PRIVMSG",
        "NOTICE",
        "TAGMSG",
        "NICK",
        "@label=1 JOIN",
        "@+a=b;label=2 PRIVMSG",
    ]);
    (command, prop::collection::vec(word(), 0..5))
        .prop_map(|(command, words)| format!("{command} {}", words.join(" ")))
}

/// What asks for people.
fn question() -> impl Strategy<Value = String> {
    let command =
        prop::sample::select(vec!["WHO", "WHOIS", "WHOWAS", "USERHOST", "ISON", "MONITOR +"]);
    let options = prop::sample::select(vec!["", "o", "%cnf", "%tcuihsnfdlaor,7", "ann"]);
    (command, word(), options)
        .prop_map(|(command, word, options)| format!("{command} {word} {options}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_said_can_be_told(lines in prop::collection::vec((0..3_usize, line()), 1..60)) {
        let mut rig = Rig::new();
        let caps = "batch labeled-response echo-message message-tags multi-prefix";
        let users = [rig.client_with("ann", caps), rig.client("bob"), rig.client("cat")];
        for (user, line) in lines {
            rig.say(users[user], &line);
            for user in users {
                for told in rig.hear(user) {
                    let bare = told.strip_prefix('@').and_then(|tagged| tagged.split_once(' '));
                    let bare = bare.map_or(told.as_str(), |(_, rest)| rest);
                    prop_assert!(bare.len() + 2 <= 512, "{told}");
                    prop_assert!(bare.starts_with(':') && !bare.contains('\u{fffd}'), "{told}");
                    prop_assert!(!bare.contains(['\r', '\n', '\0']), "{told}");
                }
            }
        }
    }

    /// Who isn't on a secret channel is told the same as if there were none, and of its members as if they
    /// were on none.
    #[test]
    fn strangers_cannot_tell_a_secret_channel_from_none(
        lines in prop::collection::vec(prop_oneof![2 => line(), 1 => question()], 1..60),
    ) {
        // JOIN can't but tell: it enters a channel, or makes one where there is none.
        let lines: Vec<_> = lines.iter().filter(|line| !line.contains("JOIN")).collect();
        let told = |secret: bool| {
            let mut rig = Rig::new();
            let (ann, cat) = (rig.client("ann"), rig.client("cat"));
            let bob = rig.client("bob");
            if secret {
                rig.say(ann, "JOIN #c,#d");
                rig.say(bob, "JOIN #c");
                rig.say(ann, "MODE #c +v bob");
                rig.say(ann, "MODE #c +s");
                rig.say(ann, "MODE #d +s");
                rig.say(ann, "TOPIC #c :hidden");
            }
            lines.iter().map(|line| rig.ask(cat, line)).collect::<Vec<_>>()
        };
        prop_assert_eq!(told(true), told(false));
    }
}
