//! A report is written, read back, drawn and compared.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fs::{self, File};
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use benches::load::{self, Memory, Mode};
use benches::micro::{Case, Group, Measured};
use benches::report::{Failure, Report};
use benches::runs::{self, Comparison, Round, Sample};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A folder that is gone when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("benches-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes a report of waits and of a chain, each of which takes so many nanoseconds.
fn write(path: &Path, nanos: f64) {
    let mut report = Report::begun("benches report".to_owned());
    for contender in ["reactor-epoll", "plain-epoll", "mio"] {
        let waits = [10, 100, 1000].map(|number| (Group::Wait, "1 ready", "registered", number));
        for (group, question, over, number) in
            waits.into_iter().chain([(Group::Chain, "1 active", "pairs", 100)])
        {
            let case = Case {
                group,
                question: question.to_owned(),
                contender: contender.to_owned(),
                over: over.to_owned(),
                number,
                unit: "ns per wait".to_owned(),
            };
            report.micro.push(Measured { case, samples: vec![nanos, nanos + 1.0, nanos + 2.0] });
        }
    }
    fs::write(path, report.json().unwrap()).unwrap();
}

fn report(arguments: &[&str], paths: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.arg("report").args(arguments);
    for (flag, path) in paths {
        command.arg(flag).arg(path);
    }
    command.output().unwrap()
}

#[track_caller]
fn assert_complains(output: &Output, code: i32, words: &str) {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(words), "{stderr}");
}

#[test]
fn a_report_is_drawn_again() {
    let folder = Folder::new("drawn");
    let (old, out) = (folder.file("old.json"), folder.file("new"));
    write(&old, 100.0);
    let output = report(&[], &[("--from", &old), ("--out", &out)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tables = String::from_utf8(output.stdout).unwrap();
    assert!(tables.starts_with("wait: 1 ready\n"), "{tables}");
    assert!(tables.contains("Which backend should I choose?"), "{tables}");
    let row = "a hundred descriptors, one active (100 pairs)  epoll (of 3 samples)";
    assert!(tables.contains(row), "{tables}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    for part in ["<svg", "reactor-epoll", "1,000 registered", "Which backend should I choose?"] {
        assert!(page.contains(part), "{part} is missing");
    }
    assert!(fs::read_to_string(out.join("wait.svg")).unwrap().contains("epoll"), "no name in it");
    assert!(!out.join("report.json").exists(), "nothing was measured");
}

#[test]
fn what_changed_is_told() {
    let folder = Folder::new("compared");
    let (old, new) = (folder.file("old.json"), folder.file("new.json"));
    write(&old, 100.0);
    write(&new, 200.0);
    let output = report(&[], &[("--from", &new), ("--compare", &old), ("--out", &folder.0)]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("WORSE").count(), 12, "{text}");
    assert!(text.contains("wait: 1 ready, 10 registered, mio: 101 -> 201 ns per wait"), "{text}");
}

#[test]
fn what_is_no_report_is_an_error_before_anything_is_measured() {
    let folder = Folder::new("broken");
    let broken = folder.file("broken.json");
    fs::write(&broken, "{}").unwrap();
    assert_complains(&report(&[], &[("--compare", &broken)]), 1, "broken.json is no report");
    let missing = folder.file("missing.json");
    assert_complains(&report(&[], &[("--from", &missing)]), 1, "missing.json");
}

#[test]
fn a_folder_that_can_t_be_made_is_an_error_before_anything_is_measured() {
    let folder = Folder::new("unwritable");
    let file = folder.file("file");
    fs::write(&file, "").unwrap();
    assert_complains(&report(&["--once"], &[("--out", &file.join("out"))]), 1, "make the folder");
}

/// No server can be started by a program whose file is gone.
#[test]
fn what_fails_is_told_of() {
    let folder = Folder::new("failing");
    let link = format!("{}/gone-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    fs::hard_link(env!("CARGO_BIN_EXE_benches"), &link).unwrap();
    let program = File::open(&link).unwrap();
    fs::remove_file(&link).unwrap();
    for extent in ["--once", "--quick"] {
        let output = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()))
            .args(["report", extent, "--only", "servers", "--out"])
            .arg(&folder.0)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        for case in ["echo, 1000 connections", "udp, 50 connections"] {
            let line = format!("report: failed: plain-epoll: {case}, 64 bytes: ");
            assert_eq!(stderr.matches(&line).count(), 1, "{line} in {stderr}");
        }
        assert!(stderr.contains("benches: nothing could be measured"), "{stderr}");
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
    }
}

#[test]
fn failures_and_an_interruption_are_in_json_tables_and_page() {
    let folder = Folder::new("incomplete");
    let file = folder.file("old.json");
    write(&file, 100.0);
    let mut incomplete = Report::read(&file).unwrap();
    incomplete.is_incomplete = true;
    let (what, error) = ("mio: echo".to_owned(), "it didn't answer".to_owned());
    incomplete.failed.push(Failure { what, error });
    fs::write(&file, incomplete.json().unwrap()).unwrap();
    assert_eq!(Report::read(&file).unwrap(), incomplete);
    let output = report(&[], &[("--from", &file), ("--out", &folder.0)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tables = String::from_utf8(output.stdout).unwrap();
    let page = fs::read_to_string(folder.file("report.html")).unwrap();
    for text in [tables, page] {
        for words in
            ["What failed", "mio: echo: it didn't answer", "Incomplete: it was interrupted"]
        {
            assert!(text.contains(words), "{words} is missing from {text}");
        }
    }
}

/// Reports of older versions tell neither, nor of the compiler.
#[test]
fn a_report_of_an_older_form_is_read() {
    let folder = Folder::new("older");
    let file = folder.file("old.json");
    write(&file, 100.0);
    let mut json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    for key in ["failed", "is_incomplete"] {
        json.as_object_mut().unwrap().remove(key).unwrap();
    }
    json["format"] = 1.into();
    json["machine"].as_object_mut().unwrap().remove("rustc").unwrap();
    let whole = Report::read(&file).unwrap();
    fs::write(&file, json.to_string()).unwrap();
    let old = Report::read(&file).unwrap();
    assert_eq!((&old.micro, &old.failed, old.is_incomplete), (&whole.micro, &vec![], false));
    assert_eq!(whole.changes_since(&old), ["12 figures are the same within the noise"]);
    json["format"] = 3.into();
    fs::write(&file, json.to_string()).unwrap();
    let error = Report::read(&file).unwrap_err().to_string();
    assert!(error.ends_with("old.json has form 3, not 1 to 2"), "{error}");
}

/// The first form counted pages of code.
#[test]
fn memory_of_different_kinds_is_not_compared() {
    let folder = Folder::new("memory");
    let file = folder.file("report.json");
    let load = |after| load::Report {
        mode: Mode::Crowd,
        connections: 1,
        others: 9,
        messages: 1,
        server_memory: Some(Memory { before: 0, after }),
        ..load::Report::default()
    };
    let sample = |after| Sample { report: load(after) };
    let mut report = Report::begun("benches report".to_owned());
    let one = NonZeroUsize::MIN;
    report.servers.push(Comparison {
        case: runs::Case { mode: "crowd".to_owned(), connections: one, size: one, more: vec![] },
        baseline: "mio".to_owned(),
        others: vec![],
        rounds: vec![Round { baseline: sample(1000), others: vec![], again: sample(1000) }],
    });
    let mut json = serde_json::to_value(&report).unwrap();
    json["format"] = 1.into();
    fs::write(&file, json.to_string()).unwrap();
    let old = Report::read(&file).unwrap();
    assert!(report.tables().contains("crowd: anonymous memory"), "{}", report.tables());
    assert!(old.tables().contains("crowd: resident memory"), "{}", old.tables());
    let not_compared = [
        "0 figures are the same within the noise",
        "1 figure is in the newer report alone",
        "1 figure is in the older report alone",
    ];
    assert_eq!(report.changes_since(&old), not_compared);
    assert_eq!(report.changes_since(&report), ["1 figure is the same within the noise"]);
}

/// How far it gets depends on the machine: a report that has figures is written, and says that it isn't all.
#[test]
fn a_signal_ends_it_with_what_there_is() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let folder = Folder::new("interrupted");
        let mut child = Command::new(env!("CARGO_BIN_EXE_benches"))
            .args(["report", "--quick", "--only", "steps", "--out"])
            .arg(&folder.0)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let threads = format!("/proc/{}/task", child.id());
        let deadline = Instant::now() + Duration::from_secs(10);
        // The second thread is the one that measures: signals are caught by then.
        while fs::read_dir(&threads).unwrap().count() < 2 {
            assert!(Instant::now() < deadline, "nothing is measured");
        }
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{stderr}");
        let (json, page) = (folder.file("report.json"), folder.file("report.html"));
        assert_eq!(json.exists(), !stderr.contains("no file was written"), "{stderr}");
        assert_eq!(page.exists(), json.exists());
        if json.exists() {
            let report = Report::read(&json).unwrap();
            assert!(report.is_incomplete && report.has_figures());
            assert_eq!(report.failed, []);
            assert!(fs::read_to_string(page).unwrap().contains("Incomplete"));
        }
    }
}

#[test]
fn flags_that_exclude_each_other_are_usage_errors() {
    for flags in [&["--quick", "--from", "x"][..], &["--once", "--quick"], &["--only", "clients"]] {
        assert_complains(&report(flags, &[]), 2, "");
    }
}
