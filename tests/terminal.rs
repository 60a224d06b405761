//! What reaches a real pseudo-terminal, what is left where reports are written, and what a crash leaves.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in helpers of tests")]

mod common;

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use common::fixture::Mint;
use common::{git, run, sidsweep, stderr, stdout, write};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A clear of the screen, a title, a bell, C1's clear, DEL, and text that is turned round.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}2J\u{7f}\u{202e}x\u{2066}y";

fn leak(seed: u64) -> String {
    Mint::new(seed).fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n").0
}

/// Runs it with both outputs on a pseudo-terminal, and returns all that arrives there.
fn on_terminal(at: &Path, arguments: &[&str]) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let terminal = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = sidsweep();
    command
        .current_dir(at)
        .args(arguments)
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null())
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal);
    let mut child = command.spawn().unwrap();
    drop(command);
    let reader = std::thread::spawn(move || {
        let mut shown = Vec::new();
        let mut master = File::from(master);
        let mut part = [0; 4096];
        // The end of a terminal that nobody holds any more is an error.
        while let Ok(read @ 1..) = master.read(&mut part) {
            shown.extend_from_slice(&part[..read]);
        }
        shown
    });
    child.wait().unwrap();
    String::from_utf8_lossy(&reader.join().unwrap()).into_owned()
}

/// What is left of a text without the program's own colours.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        let end = after.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(after.len());
        let is_colour = after[end..].starts_with('m');
        plain += before;
        rest = if is_colour { &after[end + 1..] } else { &rest[before.len() + 1..] };
        if !is_colour {
            plain.push('\u{1b}');
        }
    }
    plain + rest
}

#[track_caller]
fn is_harmless(shown: &str) {
    let plain = without_colours(shown).replace("\r\n", "\n");
    let bad = plain.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}')
    });
    assert_eq!(bad, None, "{plain:?}");
    assert!(!shown.trim().is_empty());
}

#[test]
fn nothing_that_others_wrote_moves_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, &format!("a{HOSTILE}.env"), leak(1));
    symlink("/dev/zero", at.join(".gitignore")).unwrap();
    git(at, &["init", "-q"]);
    git(at, &["add", "-A"]);
    git(at, &["commit", "-q", "-m", &format!("m{HOSTILE}\n\n{}", leak(2))]);
    write(at, "report.json", stdout(&run(at, &["scan", "--format", "json"])));
    for format in [
        "text",
        "json",
        "jsonl",
        "sarif",
        "gitlab",
        "codequality",
        "github",
        "junit",
        "csv",
        "markdown",
        "html",
    ] {
        let shown = on_terminal(at, &["scan", ".", "--history", "--format", format]);
        is_harmless(&shown);
        if format == "json" {
            let start = shown.find("{\r\n").unwrap();
            let end = shown.rfind('}').unwrap();
            let report: serde_json::Value = serde_json::from_str(&shown[start..=end]).unwrap();
            assert!(report.to_string().contains('\u{202e}'), "escapes are JSON's own");
        }
    }
    is_harmless(&on_terminal(at, &["report", "report.json"]));
}

#[test]
fn errors_that_quote_others_are_shown_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "near.env", leak(1));
    let quoted = HOSTILE.replace('\u{1b}', "\\u001b");
    write(
        at,
        "policy",
        format!(
            "[[allow]]\npath = \"{}\"\nreason = \" \"\n",
            HOSTILE.replace(['\u{1b}', '\u{7}', '\u{7f}'], "")
        ),
    );
    write(at, "noise", format!("{HOSTILE} = = ="));
    write(at, "other.json", format!("{{\"schema\":\"{}\"}}", quoted.replace(['\u{7}', '\u{7f}'], "")));
    for arguments in [
        &["scan", HOSTILE][..],
        &["scan", ".", "--format", HOSTILE],
        &["scan", ".", &format!("--{HOSTILE}")],
        &[HOSTILE],
        &["scan", ".", "--policy", "policy"],
        &["scan", ".", "--policy", "noise"],
        &["scan", ".", "--rules", "noise"],
        &["scan", ".", "--baseline", "other.json"],
        &["scan", ".", "--baseline", HOSTILE],
        &["scan", ".", "--range", HOSTILE],
        &["report", "other.json"],
        &["report", HOSTILE],
        &["verify", "other.json"],
        &["revoke", "plan", "other.json"],
        &["rules", "check", "noise"],
    ] {
        let shown = on_terminal(at, arguments);
        is_harmless(&shown);
    }
    write(at, ".sidsweep.toml", format!("{HOSTILE} = = ="));
    git(at, &["init", "-q"]);
    for format in ["text", "json"] {
        is_harmless(&on_terminal(at, &["scan", ".", "--format", format]));
    }
}

#[test]
fn reports_are_written_beside_and_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("here");
    write(&at, "near.env", leak(1));
    write(folder.path(), "victim", "precious");
    symlink("../victim", at.join("sidsweep.xml")).unwrap();
    let output = run(&at, &["scan", "near.env", "--report", "junit=sidsweep.xml"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(folder.path().join("victim")).unwrap(), "precious");
    let written = at.join("sidsweep.xml").symlink_metadata().unwrap();
    assert!(written.is_file() && fs::read_to_string(at.join("sidsweep.xml")).unwrap().contains("<testsuite"));
    // A link that leads nowhere is no way to make a file elsewhere.
    symlink("../made", at.join("made.json")).unwrap();
    run(&at, &["scan", "near.env", "--report", "json=made.json"]);
    assert!(!folder.path().join("made").exists());
    // Nothing is left beside it.
    let names: Vec<_> = fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    // With values in it, it is for its owner alone.
    run(&at, &["scan", "near.env", "--show-secrets", "--report", "json=values.json"]);
    let mode = at.join("values.json").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let own = at.join("made.json").metadata().unwrap();
    assert_eq!(own.mode() & 0o600, 0o600);
}

#[test]
fn a_run_that_fails_leaves_no_report_that_lies() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for arguments in [
        &["nowhere"][..],
        &[".", "--range", "A..B"],
        &[".", "--baseline", "nowhere"],
        &[".", "--policy", "nowhere"],
        &[".", "--rules", "nowhere"],
        &[".", "--fail-on", "live"],
    ] {
        write(at, "report.json", "stale");
        let output = run(at, &[&["scan", "--report", "json=report.json"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!at.join("report.json").exists(), "{arguments:?}");
    }
    // What is no file is written to as it is.
    let output = run(at, &["scan", ".", "--report", "json=/dev/stdout", "--format", "markdown"]);
    assert!(stdout(&output).contains("\"schema\"") && Path::new("/dev/stdout").exists());
    let output = run(at, &["scan", ".", "--report", "json=/dev/null"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
}

#[test]
fn what_is_piped_in_is_scanned_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "plain.txt", "words");
    let fed = |arguments: &str| {
        let script = format!("printf '%s' \"$LEAK\" | \"$PROGRAM\" {arguments}");
        let output = Command::new("sh")
            .args(["-c", &script])
            .env("LEAK", leak(1))
            .env("PROGRAM", env!("CARGO_BIN_EXE_sidsweep"))
            .current_dir(at)
            .output()
            .unwrap();
        (output.status.code(), stdout(&output) + &stderr(&output))
    };
    assert_eq!(fed("scan -").0, Some(1));
    assert_eq!(fed("scan --stdin").0, Some(1));
    assert_eq!(fed("scan - --stdin-path a.env").0, Some(1));
    let (code, shown) = fed("scan");
    assert_eq!(code, Some(2), "{shown}");
    assert!(shown.contains("sidsweep scan -"), "{shown}");
    assert_eq!(fed("scan .").0, Some(0));
    assert_eq!(fed("scan - .").0, Some(2));
}

#[test]
fn a_report_is_written_to_a_pipe_that_is_read_and_waits_for_no_reader() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::write(folder.path().join("a.txt"), "words\n").unwrap();
    let scan = || {
        let mut command = sidsweep();
        command.current_dir(folder.path()).args(["scan", "a.txt", "--report", "json=pipe"]);
        command.output().unwrap()
    };
    let output = scan();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("pipe: nobody reads this pipe"), "{}", stderr(&output));
    let reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
    // The reader has to have opened it, for which both ends are needed.
    let held = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    assert_eq!(scan().status.code(), Some(0));
    drop(held);
    let read = reader.wait_with_output().unwrap().stdout;
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&read).unwrap()["stats"]["files"], 1);
}

#[test]
fn a_crash_leaves_no_image_of_memory() {
    let folder = tempfile::tempdir().unwrap();
    // A pipe of its own holds the program until its limits were looked at.
    assert!(Command::new("mkfifo").arg(folder.path().join("held")).status().unwrap().success());
    let mut child = sidsweep()
        .current_dir(folder.path())
        .args(["scan", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let limits = (0..500).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        let text = fs::read_to_string(format!("/proc/{}/limits", child.id())).ok()?;
        let line = text.lines().find(|line| line.starts_with("Max core file size"))?.to_owned();
        line.split_whitespace().nth(4).filter(|soft| *soft == "0").map(|_| line.clone())
    });
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(limits.is_some() || !Path::new("/proc/self/limits").exists());
}
