//! The map is drawn from end to end.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use benches::map::Map;
use benches::servers::Server;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A file that is gone when this is dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let name = format!("benches-map-{name}-{}.json", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    /// What was written there.
    #[track_caller]
    fn read(&self) -> Map {
        Map::read(&self.0).unwrap()
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A map, pinned to a core that every machine has.
fn map(more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.args(["map", "--server-core", "0", "--load-core", "0"]).args(more);
    command
}

fn short(more: &[&str]) -> Output {
    map(&["--runs", "1", "--seconds", "0.02", "--warmup", "0"]).args(more).output().unwrap()
}

/// The cells of each line of a table in Markdown.
fn cells(stdout: &str) -> Vec<Vec<String>> {
    let table = stdout.lines().take_while(|line| !line.is_empty());
    let cells = |line: &str| -> Vec<_> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    table.map(cells).collect()
}

#[test]
fn each_place_gets_a_row_and_each_server_a_column() {
    let file = File::new("each");
    let places = ["--registered", "4,20", "--busy", "10,100", "--moving"];
    let output = short(&[&places[..], &["--markdown", "--json", file.name()]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let rows = cells(&String::from_utf8(output.stdout).unwrap());
    let usual = ["reactor-adaptive", "reactor-epoll", "reactor-poll", "plain-poll"];
    let mut columns = vec!["registered", "busy", "set", "plain-epoll"];
    columns.extend(usual.iter().filter(|name| name.parse::<Server>().is_ok()));
    assert_eq!(rows[0], columns);
    let places: Vec<_> = rows[2..].iter().map(|row| row[..3].join(", ")).collect();
    let expected = [
        "4, 1 (10 %), steady",
        "4, 1 (10 %), moving",
        "4, 4 (100 %), steady",
        "20, 2 (10 %), steady",
        "20, 2 (10 %), moving",
        "20, 20 (100 %), steady",
    ];
    assert_eq!(places, expected);
    for row in &rows[2..] {
        assert!(row[3].contains(" ns ±"), "{row:?}");
        for cell in &row[4..] {
            assert!(cell.contains(" one round "), "one round tells nothing: {row:?}");
        }
    }
    let map = file.read();
    assert!(!map.is_incomplete);
    let moving: Vec<_> = map.cells.iter().map(|cell| cell.spot.moving).collect();
    assert_eq!(moving, [false, true, false, false, true, false]);
    for cell in &map.cells {
        for sample in cell.comparison.baseline_samples() {
            let report = &sample.report;
            assert_eq!(report.connections + report.others, cell.spot.registered.get());
            assert_eq!(report.moving_ns, cell.spot.moving.then_some(100_000_000));
        }
    }
}

#[test]
fn a_signal_leaves_the_places_that_are_known() {
    let file = File::new("signal");
    // So many places that it would take minutes.
    let registered: Vec<_> = (1..1000).map(|number| number.to_string()).collect();
    let mut child = map(&["--runs", "1", "--seconds", "0.02", "--warmup", "0"])
        .args(["--servers", "plain-poll", "--busy", "100", "--registered", &registered.join(",")])
        .args(["--json", file.name()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It is kept: who can't write ends with another error.
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Vec<_> = stdout.by_ref().take(2).map(Result::unwrap).collect();
    assert!(first[1].contains("1 (100 %)  steady"), "{first:?}");
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stderr}");
    assert!(stderr.contains("map: interrupted after "), "{stderr}");
    let map = file.read();
    assert!(map.is_incomplete && !map.cells.is_empty(), "{} places", map.cells.len());
}

#[test]
fn without_a_place_there_is_no_picture() {
    let file = File::new("unknown");
    // A round that takes minutes.
    let mut child = map(&["--seconds", "600", "--registered", "2", "--svg", file.name()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(stdout.next().unwrap().unwrap().contains("registered"));
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stderr}");
    assert!(stderr.contains("map: interrupted after 0 of 5 rounds"), "{stderr}");
    assert!(stderr.contains("there is no picture"), "{stderr}");
    assert_eq!(fs::read_to_string(&file.0).unwrap(), "");
}

#[test]
fn one_half_can_be_had_alone() {
    for (set, rows) in [("steady", ["1", "2"].as_slice()), ("moving", &["1"])] {
        let places = ["--registered", "2", "--busy", "50,100", "--servers", "plain-epoll"];
        let output = short(&[&places[..], &["--markdown", "--only", set]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let all = cells(&String::from_utf8(output.stdout).unwrap());
        let busy: Vec<_> = all[2..].iter().map(|row| row[1].split(' ').next().unwrap()).collect();
        assert_eq!(busy, rows);
        assert!(all[2..].iter().all(|row| row[2] == set), "{all:?}");
    }
}

#[test]
fn wrong_flags_are_usage_errors_and_what_is_missing_a_failure() {
    for (flags, code, words) in [
        (&["--busy", "0"][..], 2, "--busy"),
        (&["--busy", "101"], 2, "--busy"),
        (&["--registered", "0"], 2, "--registered"),
        (&["--seconds", "0"], 2, "--seconds 0"),
        (&["--moving", "--only", "steady"], 2, "cannot be used with"),
        (&["--only", "moving", "--busy", "100"], 2, "nothing moves"),
        (&["--servers", "kqueue"], 2, "no server \"kqueue\" in this build"),
        (&["--registered", "4000000000"], 1, "raise it (ulimit -Hn 4000000050)"),
        (&["--json", "/no/such/folder/map.json"], 1, "write /no/such/folder/map.json"),
        (&["--svg", "/no/such/folder/map.svg"], 1, "write /no/such/folder/map.svg"),
        (&["--json", "map", "--svg", "map"], 2, "the picture is another file"),
        (&["--from", "map", "--svg", "map"], 2, "the picture is another file"),
        (&["--from", "/no/such/folder/map.json"], 1, "read /no/such/folder/map.json"),
        (&["--server-core", "100000"], 1, "core"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
        let output = command.arg("map").args(flags).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}

/// What is printed of a map that was measured before.
fn again(more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_benches")).arg("map").args(more).output().unwrap()
}

#[test]
fn a_map_is_the_same_when_it_is_read_back() {
    let file = File::new("again");
    let places = ["--registered", "4,20", "--busy", "50", "--servers", "plain-poll,mio"];
    let (drawn, drawn_again) = (File::new("drawn"), File::new("drawn-again"));
    let files = ["--json", file.name(), "--svg", drawn.name()];
    let first = short(&[&places[..], &["--moving"], &files].concat());
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let mut map = file.read();
    let text = fs::read_to_string(&file.0).unwrap();
    assert_eq!(map.json().unwrap(), text);
    let first = String::from_utf8(first.stdout).unwrap();
    let output = again(&["--from", file.name(), "--svg", drawn_again.name()]);
    let second = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(second.starts_with(&first), "{second} after {first}");
    assert!(second.contains(&map.date) && !second.contains("Incomplete"), "{second}");
    assert_eq!(fs::read_to_string(&file.0).unwrap(), text, "it is only read");
    let picture = fs::read_to_string(&drawn.0).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("plain-poll"), "{picture}");
    assert_eq!(fs::read_to_string(&drawn_again.0).unwrap(), picture);

    map.is_incomplete = true;
    map.cells.truncate(1);
    fs::write(&file.0, map.json().unwrap()).unwrap();
    assert_eq!(file.read(), map);
    let output = again(&["--from", file.name(), "--markdown", "--svg", drawn.name()]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && stdout.contains("\nIncomplete: "), "{stdout}");
    assert_eq!(cells(&stdout).len(), 3, "{stdout}");
    assert!(fs::read_to_string(&drawn.0).unwrap().contains("(incomplete)"));
}

#[test]
fn what_is_no_map_is_told_by_its_name() {
    let file = File::new("none");
    let report = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/report.json");
    fs::write(&file.0, "{").unwrap();
    for name in [file.name(), report] {
        let output = again(&["--from", name]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(&format!("{name} is no map: ")), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn what_was_measured_before_is_not_measured_otherwise() {
    for flags in [
        &["--registered", "50"][..],
        &["--busy", "50"],
        &["--servers", "mio"],
        &["--moving"],
        &["--only", "steady"],
        &["--runs", "1"],
        &["--seconds", "1"],
        &["--warmup", "1"],
        &["--server-core", "0"],
        &["--load-core", "0"],
        &["--json", "map.json"],
    ] {
        let output = again(&[flags, &["--from", "/no/such/map.json"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(flags[0]) && stderr.contains("cannot be used with"), "{stderr}");
    }
}
