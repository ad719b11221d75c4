//! What the flags say, and what is said of wrong ones.

use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;

use chat::password;
use reactor::Backend;

use crate::process::{Server, Settings, assert_one_line, chat, run};

#[test]
fn the_list_of_mechanisms_is_that_of_the_build() {
    let output = run(&["--backend", "list"]);
    assert!(output.status.success());
    let names: Vec<_> = Backend::COMPILED.iter().map(|backend| format!("{backend}\n")).collect();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), names.concat());
}

#[test]
fn the_variable_names_the_mechanism_and_is_at_odds_with_nothing() {
    let worst = Backend::COMPILED.last().unwrap();
    let server = Server::start(chat().env(Backend::VARIABLE, worst.name()).env("RUST_LOG", "info"));
    assert!(server.says("waits with").contains(worst.name()));
    let output = chat().env(Backend::VARIABLE, "kqueue").output().unwrap();
    assert_one_line(&output, 2, &["kqueue", "--help"]);
    let settings = Settings::new("variable", "");
    let mut check = chat();
    check.env(Backend::VARIABLE, worst.name()).arg("--check").arg(settings.path());
    assert!(check.output().unwrap().status.success());
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    for arguments in
        [&["--listen"][..], &["--loud"], &["--backend", "kqueue"], &["6667"], &["--config"]]
    {
        assert_one_line(&run(arguments), 2, &[arguments[0], "--help"]);
    }
    assert_one_line(&run(&["--listen", "nowhere"]), 2, &["--listen: nowhere", "host:port"]);
    let twice = ["--listen", "127.0.0.1:6667", "--listen", "0.0.0.0:6667"];
    assert_one_line(&run(&twice), 2, &["--listen: 0.0.0.0:6667: 127.0.0.1:6667 takes it"]);
}

#[test]
fn what_cannot_be_listened_on_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_one_line(&run(&["--listen", &address]), 1, &[&address, "in use"]);
}

#[test]
fn a_file_of_settings_is_checked() {
    let settings = Settings::new("check", "motd = 'hello'\n");
    let path = settings.path();
    let path = path.to_str().unwrap();
    let output = run(&["--check", path]);
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
    settings.write("motd = 'hello'\n[limits]\nnick = 'long'\n");
    for flag in ["--check", "--config"] {
        assert_one_line(&run(&[flag, path]), 1, &[path, "line 3"]);
    }
    // What may be a secret isn't shown, whatever is wrong with it.
    for secret in ["12345", "'12345", "['12345']", "{ is = '12345' }"] {
        settings.write(&format!("motd = 'hello'\npassword = {secret}\n"));
        let output = run(&["--check", path]);
        assert_one_line(&output, 1, &[path, "line 2"]);
        assert!(!String::from_utf8(output.stderr).unwrap().contains("12345"));
    }
    settings.write("opers = 'secret12345'\n");
    let output = run(&["--check", path]);
    assert_one_line(&output, 1, &[path, "line 1", "opers", "invalid type: string, expected"]);
    assert!(!String::from_utf8(output.stderr).unwrap().contains("12345"));
    assert_one_line(&run(&["--check", "/nowhere/chat.toml"]), 1, &["read /nowhere/chat.toml"]);
}

#[test]
fn a_level_of_the_log_that_is_none_is_said() {
    let list = |levels: &str| chat().args(["--backend", "list"]).env("RUST_LOG", levels).output();
    for wrong in ["degub", "info,degub", " degub/words"] {
        assert_one_line(&list(wrong).unwrap(), 0, &["RUST_LOG", "\"degub\"", "debug"]);
    }
    assert_one_line(&list("chat=degub").unwrap(), 0, &["'degub'"]);
    for right in ["", "debug", "INFO,reactor=trace", "chat", "off", "chat::server,warn/words"] {
        assert!(list(right).unwrap().stderr.is_empty(), "{right}");
    }
}

/// With the parameters that hold for real passwords, which make it take a second in a debug build.
#[test]
fn a_password_is_hashed() {
    let hash = |input: &str| {
        let mut command = chat();
        command.arg("--hash-password").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        process.wait_with_output().unwrap()
    };
    let output = hash("two words\n");
    assert!(output.status.success() && output.stderr.is_empty());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(password::is_hash_of(text.trim_end(), b"two words"));
    assert_one_line(&hash("\n"), 1, &["no password"]);
}

#[test]
fn help_and_version_succeed() {
    for flag in ["--help", "--version"] {
        let output = run(&[flag]);
        assert!(output.status.success());
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
}
