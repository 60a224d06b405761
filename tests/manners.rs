//! Command line manners: what help tells, readers that go away, reports that are not there, and scans that somebody interrupts.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in helpers of tests")]

mod common;

use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use common::fixture::Mint;
use common::{git, run, sidsweep, stderr, stdout, write};
use sidsweep::report::Format;
use sidsweep::source::stop::Stop;

fn leak(seed: u64) -> String {
    Mint::new(seed).fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n").0
}

#[test]
fn formats_stand_in_help_manual_and_completions() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    run(at, &["man", "--dir", "pages"]);
    let page = |name: &str| std::fs::read_to_string(at.join("pages").join(name)).unwrap();
    let completions: Vec<String> =
        ["bash", "zsh", "fish"].iter().map(|shell| stdout(&run(at, &["completions", shell]))).collect();
    for (format, _) in Format::ALL {
        for command in ["scan", "report", "verify"] {
            let help = stdout(&run(at, &[command, "--help"]));
            assert!(help.contains(&format!("- {format}: ")), "{command} --help: {format}");
            let short = stdout(&run(at, &[command, "-h"]));
            assert!(short.contains(format), "{command} -h: {format}");
            assert!(
                page(&format!("sidsweep-{command}.1")).contains(&format!("{format}: ")),
                "man {command}: {format}"
            );
        }
        for text in &completions {
            assert!(text.contains(format), "{format}");
        }
    }
    let wrong = run(at, &["scan", "--format", "yaml"]);
    assert!(wrong.status.code() == Some(2) && stderr(&wrong).contains("codequality"), "{}", stderr(&wrong));
    for (wrong, words) in
        [("yaml=x", "there are text, json"), ("json=", "name a file"), ("json", "FORMAT=FILE")]
    {
        let output = run(at, &["scan", "--report", wrong]);
        assert!(
            output.status.code() == Some(2) && stderr(&output).contains(words),
            "{wrong}: {}",
            stderr(&output)
        );
    }
}

/// Runs it for a reader that goes away before the first byte.
fn for_nobody(at: &Path, arguments: &[&str]) -> Output {
    let mut child = sidsweep()
        .current_dir(at)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.wait_with_output().unwrap()
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // More than a pipe holds, in each format.
    for seed in 0..600 {
        write(at, &format!("code/{seed}/a.env"), leak(seed));
    }
    let saved = run(at, &["scan", "code", "--report", "json=report.json"]);
    assert_eq!(saved.status.code(), Some(1));
    for (format, _) in Format::ALL {
        let output = for_nobody(at, &["report", "report.json", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", stderr(&output));
        assert!(stderr(&output).is_empty(), "{format}: {}", stderr(&output));
    }
    let output = for_nobody(at, &["scan", "code"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    for arguments in [
        &["man"][..],
        &["completions", "bash"],
        &["rules", "list"],
        &["--help"],
        &["scan", "--help"],
        &["--version"],
    ] {
        let output = for_nobody(at, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_report_that_is_not_there_is_one_that_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    for command in [&["report"][..], &["verify"], &["revoke", "plan"], &["revoke", "guide"]] {
        let output = run(folder.path(), command);
        let said = stderr(&output);
        assert!(
            output.status.code() == Some(2) && said.contains("sidsweep scan --report json=report.json"),
            "{command:?}: {said}"
        );
        let output = run(folder.path(), &[command, &["gone.json"]].concat());
        let said = stderr(&output);
        assert!(
            output.status.code() == Some(2)
                && said
                    .contains("gone.json: there is no such file; `sidsweep scan --report json=report.json`"),
            "{command:?}: {said}"
        );
    }
}

#[test]
fn accepted_findings_are_counted_by_how() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "comment.env", leak(1).replace('\n', " # sidsweep:allow revoked in May\n"));
    write(at, "marker.env", leak(2).replace('\n', " # trufflehog:ignore\n"));
    write(at, "baseline.env", leak(3));
    let made = run(
        at,
        &[
            "scan",
            "baseline.env",
            "--write-baseline",
            "b.json",
            "--reason",
            "a test account",
            "--by",
            "Ada",
            "--until",
            "2999-12-31",
        ],
    );
    assert!(made.status.success(), "{}", stderr(&made));
    write(at, "policy.toml", "[[allow]]\npath = \"docs/\"\nreason = \"our handbook\"\n");
    write(at, "docs/a.env", leak(4));
    let options = ["--baseline", "b.json", "--policy", "policy.toml", "--allow-marker", "trufflehog:ignore"];
    let (report, code) = common::report(at, &options);
    common::hold_to_schema(&report);
    assert_eq!(code, 0, "{report}");
    let mut how: Vec<(&str, &str)> = report["suppressed"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["kind"] == "auth_token")
        .map(|one| (one["allowed_by"].as_str().unwrap(), one["reason"].as_str().unwrap()))
        .collect();
    how.sort_unstable();
    let expected = [
        ("baseline", "baseline: a test account (Ada), until 2999-12-31"),
        ("comment", "revoked in May"),
        ("marker", "trufflehog:ignore: no reason given"),
        ("policy", "policy.toml: our handbook"),
    ];
    assert_eq!(how, expected);
    for format in ["text", "markdown", "html"] {
        let output = run(at, &[&["scan", "--format", format], &options[..]].concat());
        let said = stdout(&output).replace("&#x27;", "'").replace("&#39;", "'");
        for way in
            ["by a comment with a reason", "by another tool's comment", "by the baseline", "by the policy"]
        {
            assert!(said.contains(way), "{format}: {way}: {said}");
        }
    }
    // Without the option the comment of the other tool is none, and one of ours without a reason says so.
    let (report, code) = common::report(at, &options[..4]);
    assert!(code == 1 && report["findings"].to_string().contains("marker.env"), "{report}");
    write(at, "comment.env", leak(1).replace('\n', " # sidsweep:allow\n"));
    let (report, _) = common::report(at, &options);
    assert!(report["findings"].to_string().contains("`sidsweep:allow` has no reason here"), "{report}");
    // JSON knows no comments; a key of its own on the line above does it.
    let (account, token) = (leak(1)[19..53].to_owned(), leak(1).trim_end()[72..].to_owned());
    let json = format!(
        "{{\n\"//\": \"sidsweep:allow a test account\",\n\"accountSid\": \"{account}\", \"authToken\": \"{token}\"\n}}\n"
    );
    write(at, "comment.env", "");
    write(at, "a.json", json);
    let (report, code) = common::report(at, &options);
    assert_eq!(code, 0, "{report}");
    assert!(report["suppressed"].to_string().contains("\"a test account\""), "{report}");
    for (wrong, words) in [(["--by", " "], "--by says who"), (["--until", "2020-01-01"], "is over already")] {
        let output =
            run(at, &[&["scan", "--write-baseline", "c.json", "--reason", "why"], &wrong[..]].concat());
        assert!(output.status.code() == Some(2) && stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[test]
fn an_interrupted_scan_tells_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // Small leaks between files that take long to read, and no room on the disk.
    for n in 0..60 {
        write(at, &format!("{n:03}/leak.env"), leak(n));
        let long = std::fs::File::create(at.join(format!("{n:03}/long.bin"))).unwrap();
        long.set_len(1 << 30).unwrap();
    }
    let child = sidsweep()
        .current_dir(at)
        .args(["scan", "--jobs", "1", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let read = report["coverage"]["files"]["read"].as_u64().unwrap();
    assert!(read < 120, "it was over before it was interrupted");
    assert!(report["skipped"].to_string().contains("interrupted"), "{}", report["skipped"]);
    assert!(stderr(&output).contains("Interrupted: this is what was found so far"), "{}", stderr(&output));
    let is_found =
        report["findings"].as_array().unwrap().iter().any(|finding| finding["kind"] == "auth_token");
    assert_eq!(output.status.code(), Some(if is_found { 1 } else { 2 }), "never an all-clear");
}

#[test]
fn what_an_interrupted_scan_did_not_come_to_is_named_in_each_source() {
    static STOPPED: AtomicBool = AtomicBool::new(true);
    let folder = common::repository();
    let at = folder.path();
    write(at, "a.env", leak(1));
    common::commit(at, "leak");
    git(at, &["repack", "-adq"]);
    let progress = sidsweep::scan::Progress { stop: Stop::by(&STOPPED), ..Default::default() };
    let detector = sidsweep::detect::Detector::new(sidsweep::rules::Rules::built_in());
    let options = sidsweep::source::tree::Options {
        no_ignore: false,
        max_file_size: None,
        jobs: 1,
        stop: progress.stop,
    };
    let scans = [
        sidsweep::scan::history::scan(&detector, at, 1, false, &progress).unwrap(),
        sidsweep::scan::trees(&detector, &[at.to_owned()], &options, &progress).unwrap(),
    ];
    for scanned in scans {
        assert!(
            scanned.texts.is_empty() && scanned.coverage.is_balanced() && !scanned.coverage.is_complete()
        );
        assert!(scanned.coverage.skipped()[0].reason.contains("interrupted"), "{:?}", scanned.coverage);
    }
}

#[test]
fn file_systems_that_show_the_running_system_are_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["scan", "/proc", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["skipped"][0]["path"]), (Some(2), &"/proc".into()));
    assert!(report["skipped"].to_string().contains("a file system of type proc"), "{report}");
    // A file of one that somebody names is meant.
    let output = run(folder.path(), &["scan", "/proc/version"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[cfg(feature = "audit")]
#[test]
fn audits_are_listed_and_a_mistyped_source_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let audit = |arguments: &[&str]| {
        let database = format!("sqlite:{}", at.join("audit.db").display());
        sidsweep()
            .current_dir(at)
            .arg("audit")
            .args(arguments)
            .args(["--database", &database])
            .output()
            .unwrap()
    };
    for (wrong, words) in [
        (&["list"][..], "there is no audit there yet"),
        (&["lsit"], "neither a command nor a source"),
        (&["dir:/nonexistent"], "there is no such folder; no audit was begun"),
        (&["list:gone.txt"], "there is no such file; no audit was begun"),
        (&["dri:/tmp"], "is no source"),
    ] {
        let output = audit(wrong);
        assert!(
            output.status.code() == Some(2) && stderr(&output).contains(words),
            "{wrong:?}: {}",
            stderr(&output)
        );
        assert!(!at.join("audit.db").exists(), "{wrong:?}");
    }
    write(at, "all/one/a.txt", "clean");
    git(&at.join("all/one"), &["init", "-q"]);
    common::commit(&at.join("all/one"), "first");
    let output = audit(&["dir:all"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let listed = audit(&["list"]);
    assert!(listed.status.success() && stdout(&listed).contains("  dir:all  from "), "{}", stdout(&listed));
    let listed: serde_json::Value =
        serde_json::from_slice(&audit(&["list", "--format", "json"]).stdout).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["sources"][0]), (1, &"dir:all".into()));
    assert!(listed[0]["finished_at"].is_string());
    // What is not there is not the latest audit afterwards.
    audit(&["dir:/nonexistent"]);
    assert_eq!(stdout(&audit(&["list"])).lines().count(), 1);
    let id = audit(&["status", "--audit", "none"]);
    assert!(stderr(&id).contains("`sidsweep audit list`"), "{}", stderr(&id));
}
