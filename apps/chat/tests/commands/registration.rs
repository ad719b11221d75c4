//! PASS, NICK, USER, CAP, PING, QUIT; and what a line has to be.

use chat::config::Config;

use crate::rig::Rig;

const NONE: [&str; 0] = [];

fn codes(told: &[String]) -> Vec<&str> {
    told.iter().filter_map(|line| line.split(' ').nth(1)).collect()
}

#[test]
fn the_welcome_has_its_order() {
    let mut rig = Rig::new();
    let ann = rig.stranger();
    assert_eq!(rig.ask(ann, "NICK ann"), NONE);
    let told = rig.ask(ann, "USER u 0 * :real name");
    assert_eq!(
        codes(&told),
        [
            "001", "002", "003", "004", "005", "005", "005", "251", "252", "253", "254", "255",
            "265", "266", "422"
        ]
    );
    assert!(told.iter().all(|line| line.starts_with(":s ") && line.contains(" ann ")));
    assert_eq!(rig.ask(ann, "USER u 0 * :x"), [":s 462 ann :You may not reregister"]);
    assert_eq!(rig.ask(ann, "PASS x"), [":s 462 ann :You may not reregister"]);
}

#[test]
fn before_registration_hardly_anything_is_known() {
    let mut rig = Rig::new();
    let ann = rig.stranger();
    let refused = [":s 451 * :You have not registered"];
    for line in ["JOIN :", "JOIN", "PRIVMSG a :b", "WHO", "OPER", "NONSENSE", "MODE"] {
        assert_eq!(rig.ask(ann, line), refused, "{line}");
    }
    assert_eq!(rig.ask(ann, "PING x"), [":s PONG s :x"]);
    assert_eq!(rig.ask(ann, "PING"), [":s 461 * PING :Not enough parameters"]);
    assert_eq!(rig.ask(ann, "QUIT"), ["ERROR :Closing Link: host (Client Quit)"]);
}

#[test]
fn what_user_says_has_to_be_something() {
    let mut rig = Rig::new();
    let ann = rig.stranger();
    rig.say(ann, "NICK ann");
    let few = [":s 461 ann USER :Not enough parameters"];
    for line in ["USER", "USER u 0 *", "USER u 0 * :"] {
        assert_eq!(rig.ask(ann, line), few, "{line}");
    }
    assert_eq!(rig.ask(ann, "USER \u{1f60a} 0 * :x"), [":s 468 ann :Malformed username"]);
    rig.say_bytes(ann, b"USER u 0 * :i\xe8rc");
    assert!(rig.hear(ann)[0].starts_with(":s FAIL USER INVALID_UTF8 :"));
    assert_eq!(codes(&rig.ask(ann, "USER a!b@c 0 * :x"))[0], "001");
    assert_eq!(rig.state.users[ann].name, "abc");
}

#[test]
fn a_nick_belongs_to_one() {
    let mut rig = Rig::new();
    let ann = rig.client("ann");
    let other = rig.stranger();
    assert_eq!(rig.ask(other, "NICK ANN"), [":s 433 * ANN :Nickname is already in use"]);
    assert_eq!(rig.ask(other, "NICK"), [":s 431 * :No nickname given"]);
    assert_eq!(rig.ask(other, "NICK :"), [":s 431 * :No nickname given"]);
    assert_eq!(rig.ask(other, "NICK 1a"), [":s 432 * 1a :Erroneous nickname"]);
    assert_eq!(rig.ask(other, "NICK :a b"), [":s 432 * * :Erroneous nickname"]);
    assert_eq!(rig.ask(ann, "NICK Ann"), [":ann!u@host NICK :Ann"]);
    assert_eq!(rig.ask(ann, "NICK Ann"), NONE);
}

#[test]
fn the_password_of_the_server_is_asked_for() {
    let config = Config { password: Some("sesame".into()), ..Config::default() };
    let mut rig = Rig::with(config);
    let ann = rig.stranger();
    for line in ["PASS sesame", "NICK ann"] {
        assert_eq!(rig.ask(ann, line), NONE);
    }
    assert_eq!(codes(&rig.ask(ann, "USER u 0 * :x"))[0], "001");
    assert_eq!(rig.state.users[ann].registration.password, None, "it isn't kept");
    for pass in ["PASS wrong", "PONG"] {
        let bob = rig.stranger();
        rig.say(bob, pass);
        rig.say(bob, "NICK bob");
        assert_eq!(
            rig.ask(bob, "USER u 0 * :x"),
            [":s 464 bob :Password incorrect", "ERROR :Closing Link: host (Bad password)"]
        );
    }
}

#[test]
fn negotiating_holds_the_welcome_back() {
    let mut rig = Rig::new();
    let ann = rig.stranger();
    let told = rig.ask(ann, "CAP LS 302");
    assert!(told.len() == 1 && told[0].starts_with(":s CAP * LS :"), "{told:?}");
    assert!(!told[0].contains('='), "{told:?}");
    rig.say(ann, "NICK ann");
    assert_eq!(rig.ask(ann, "USER u 0 * :x"), NONE);
    assert_eq!(rig.ask(ann, "CAP REQ :multi-prefix"), [":s CAP ann ACK :multi-prefix"]);
    assert_eq!(rig.ask(ann, "CAP LIST"), [":s CAP ann LIST :cap-notify multi-prefix"]);
    assert_eq!(codes(&rig.ask(ann, "CAP END"))[0], "001");
    assert_eq!(rig.ask(ann, "CAP END"), NONE);
    assert_eq!(rig.ask(ann, "CAP REQ :userhost-in-names"), [":s CAP ann ACK :userhost-in-names"]);
}

#[test]
fn capabilities_are_had_together_or_not_at_all() {
    let mut rig = Rig::new();
    let ann = rig.stranger();
    assert_eq!(rig.ask(ann, "CAP LIST"), [":s CAP * LIST :"]);
    assert_eq!(rig.ask(ann, "CAP WHAT"), [":s 410 * WHAT :Invalid CAP command"]);
    assert_eq!(rig.ask(ann, "CAP"), [":s 461 * CAP :Not enough parameters"]);
    for wanted in ["foo qux bar baz qux quux", "foo multi-prefix", "multi-prefix bar"] {
        let told = rig.ask(ann, &format!("CAP REQ :{wanted}"));
        assert_eq!(told, [format!(":s CAP * NAK :{wanted}")]);
    }
    let long = "multi-prefix ".repeat(30);
    let told = rig.ask(ann, &format!("CAP REQ :{long}"));
    assert!(told[0].starts_with(&format!(":s CAP * NAK :{}", &long[..100])), "{told:?}");
    assert_eq!(rig.ask(ann, "CAP LIST"), [":s CAP * LIST :"]);
}

#[test]
fn tags_come_with_their_capability_and_go_with_it() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(bob, "PRIVMSG ann :hi");
    assert_eq!(rig.hear(ann), [":bob!u@host PRIVMSG ann :hi"]);
    rig.say(ann, "CAP REQ :server-time echo-message");
    rig.hush();
    rig.say(bob, "PRIVMSG ann :hi");
    assert_eq!(rig.hear(ann), ["@time=1970-01-01T00:16:40.000Z :bob!u@host PRIVMSG ann :hi"]);
    assert_eq!(rig.ask(ann, "CAP REQ :-server-time"), [":s CAP ann ACK :-server-time"]);
    assert_eq!(rig.ask(ann, "CAP LIST"), [":s CAP ann LIST :echo-message"]);
    rig.say(bob, "PRIVMSG ann :hi");
    assert_eq!(rig.hear(ann), [":bob!u@host PRIVMSG ann :hi"]);
}

#[test]
fn what_is_no_text_is_not_passed_on() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client_with("ann", "labeled-response batch"), rig.client("bob"));
    rig.say_bytes(ann, b"@label=x PRIVMSG bob :hi\xaa");
    assert_eq!(
        rig.hear(ann),
        ["@label=x :s FAIL PRIVMSG INVALID_UTF8 :Message rejected, this server speaks UTF-8 only"]
    );
    assert_eq!(rig.hear(bob), NONE);
}

#[test]
fn who_quits_says_why() {
    let mut rig = Rig::new();
    let (ann, bob) = (rig.client("ann"), rig.client("bob"));
    rig.say(ann, "JOIN #c");
    rig.say(bob, "JOIN #c");
    rig.hush();
    assert_eq!(rig.ask(bob, "QUIT :so long"), ["ERROR :Closing Link: host (Quit: so long)"]);
    assert_eq!(rig.hear(ann), [":bob!u@host QUIT :Quit: so long"]);
}
