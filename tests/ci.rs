//! What a run of the action scans: its own scripts with the payload of each of GitHub's events, against real repositories that lie as GitHub's
//! checkout leaves them.
#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use common::release::{Release, VERSION, has, has_python, root};
use common::server::{NONE, Server, leak, runner, set};
use common::{commit, git, stderr, stdout, write};
use serde_json::Value;

/// An event of GitHub.
struct Event<'a> {
    name: &'a str,
    reference: &'a str,
    before: &'a str,
    after: &'a str,
    base: &'a str,
}

impl Default for Event<'_> {
    fn default() -> Self {
        Self { name: "push", reference: "refs/heads/main", before: NONE, after: NONE, base: NONE }
    }
}

/// What a run of the action came to.
struct Ran {
    code: i32,
    told: String,
    /// Paths of annotations.
    paths: BTreeSet<String>,
    /// Paths of the SARIF report.
    alerts: BTreeSet<String>,
}

fn scanned(server: &Server, at: &Path, event: &Event, inputs: &[(&str, &str)]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let payload = std::fs::read_to_string(root().join(format!("tests/events/{}.json", event.name))).unwrap();
    let fields =
        [("ref", event.reference), ("before", event.before), ("after", event.after), ("base", event.base)];
    let payload =
        fields.iter().fold(payload, |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value));
    std::fs::write(file("event.json"), &payload).unwrap();
    // `github.event.before` is the empty text where an event has none.
    let before = serde_json::from_str::<Value>(&payload).unwrap()["before"].as_str().unwrap_or("").to_owned();
    let output = runner("bash", server.folder.path())
        .arg(root().join("ci/github/scan.sh"))
        .current_dir(at)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", event.name)
        .env("GITHUB_EVENT_PATH", file("event.json"))
        .env("GITHUB_OUTPUT", file("output"))
        .env("GITHUB_STEP_SUMMARY", file("summary.md"))
        .env("RUNNER_TEMP", folder.path())
        .envs([("ROOT", "."), ("RANGE", ""), ("VERIFY", "false"), ("FAIL_ON", "any"), ("BEFORE", &before)])
        .envs(inputs.iter().copied())
        .output()
        .unwrap();
    let (code, told) = (output.status.code().unwrap(), format!("{}{}", stdout(&output), stderr(&output)));
    let path = |line: &str| Some(line.strip_prefix("::error file=")?.split_once(',')?.0.to_owned());
    let paths = told.lines().filter_map(path).collect();
    let mut alerts = BTreeSet::new();
    let named = std::fs::read_to_string(file("output")).unwrap_or_default();
    let is_written = file("sidsweep.sarif").exists();
    assert!(is_written || code == 2, "{told}");
    assert_eq!(named.contains("sarif-file="), is_written, "a report that is there, and no other: {told}");
    if is_written {
        let sarif: Value = serde_json::from_slice(&std::fs::read(file("sidsweep.sarif")).unwrap()).unwrap();
        for result in sarif["runs"][0]["results"].as_array().unwrap() {
            let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
            alerts.insert(place.as_str().unwrap().to_owned());
        }
    }
    Ran { code, told, paths, alerts }
}

/// Runs the action and holds it to the places that it must report, all of them and no others.
fn reports(server: &Server, event: &Event, paths: &[&str], words: &str) {
    let at = server.checked_out(event.after, 0);
    let ran = scanned(server, &at, event, &[]);
    let of = format!("{} {}: {}", event.name, event.reference, ran.told);
    assert_eq!(ran.code, i32::from(!paths.is_empty()), "{of}");
    assert_eq!((&ran.paths, &ran.alerts), (&set(paths), &set(paths)), "{of}");
    assert!(ran.told.contains(words), "{words}: {of}");
}

#[test]
fn a_push_to_main_is_scanned_and_not_an_empty_range() {
    let server = Server::new();
    let new = server.commit("new.env", 2);
    server.push("main");
    let event = Event { before: &server.main, after: &new, ..Event::default() };
    reports(&server, &event, &["new.env"], "GitHub Actions: a push, so the range");
    let clean = server.commit("clean.md", 0);
    server.push("main");
    let event = Event { before: &new, after: &clean, ..Event::default() };
    reports(&server, &event, &[], "sidsweep: no Twilio secrets (files: 0, blobs: 1, commits: 1)");
}

#[test]
fn the_first_push_to_main_is_scanned_whole() {
    let server = Server::new();
    let event = Event { after: &server.main, ..Event::default() };
    reports(&server, &event, &["old.env"], "to the default branch, so all of history is scanned");
}

#[test]
fn a_new_branch_is_scanned_from_where_it_left_main() {
    let server = Server::new();
    git(&server.work(), &["checkout", "-q", "-b", "feature"]);
    server.commit("gone.env", 2);
    git(&server.work(), &["rm", "-q", "gone.env"]);
    let after = commit(&server.work(), "Take it out");
    server.push("feature");
    let event = Event { reference: "refs/heads/feature", after: &after, ..Event::default() };
    reports(&server, &event, &["gone.env"], "refs/remotes/origin/main...");
    // The same commits on two branches that are new at the same time: each brings them.
    git(&server.work(), &["checkout", "-q", "-b", "twin"]);
    server.push("twin");
    let event = Event { reference: "refs/heads/twin", after: &after, ..Event::default() };
    reports(&server, &event, &["gone.env"], "refs/remotes/origin/main...");
    // A branch that has no commit in common with main.
    git(&server.work(), &["checkout", "-q", "--orphan", "pages"]);
    git(&server.work(), &["rm", "-rqf", "."]);
    let after = server.commit("page.env", 3);
    server.push("pages");
    let event = Event { reference: "refs/heads/pages", after: &after, ..Event::default() };
    reports(&server, &event, &["gone.env", "old.env", "page.env"], "so all of history is scanned");
}

#[test]
fn a_forced_push_is_scanned_against_what_it_replaced() {
    let server = Server::new();
    git(&server.work(), &["checkout", "-q", "-b", "feature"]);
    let kept = server.commit("kept.env", 2);
    let before = server.commit("a.md", 0);
    server.push("feature");
    git(&server.work(), &["reset", "-q", "--hard", &kept]);
    let after = server.commit("forced.env", 3);
    server.push("feature");
    // A commit that the server does not hand out any more: all that main does not have.
    let gone = "1234567890123456789012345678901234567890";
    let event = Event { reference: "refs/heads/feature", before: gone, after: &after, ..Event::default() };
    reports(&server, &event, &["forced.env", "kept.env"], "could not be fetched");
    let event = Event { reference: "refs/heads/feature", before: &before, after: &after, ..Event::default() };
    reports(&server, &event, &["forced.env"], "GitHub Actions: a push, so the range");
    // Of main: nothing tells what is new.
    git(&server.work(), &["checkout", "-q", "main"]);
    git(&server.work(), &["commit", "-q", "--amend", "-m", "Again"]);
    let after = git(&server.work(), &["rev-parse", "HEAD"]);
    server.push("main");
    let event = Event { before: gone, after: &after, ..Event::default() };
    reports(&server, &event, &["forced.env", "kept.env", "old.env"], "so all of history is scanned");
}

#[test]
fn runs_by_hand_and_by_the_clock_scan_all_of_history() {
    let server = Server::new();
    git(&server.work(), &["checkout", "-q", "-b", "feature"]);
    server.commit("feature.env", 2);
    server.push("feature");
    for name in ["workflow_dispatch", "schedule"] {
        let event = Event { name, after: &server.main, ..Event::default() };
        reports(&server, &event, &["feature.env", "old.env"], "so all of history is scanned");
    }
}

#[test]
fn a_pull_request_and_a_merge_queue_are_scanned_for_what_they_bring() {
    let server = Server::new();
    git(&server.work(), &["checkout", "-q", "-b", "feature"]);
    let after = server.commit("feature.env", 2);
    server.push("feature");
    // main has gone on, with a leak that is not the pull request's.
    git(&server.work(), &["checkout", "-q", "main"]);
    let base = server.commit("mains.env", 3);
    server.push("main");
    let event = Event { name: "pull_request", after: &after, base: &base, ..Event::default() };
    reports(&server, &event, &["feature.env"], "GitHub Actions: a pull request");
    git(&server.work(), &["merge", "-q", "--no-ff", "-m", "Merge", "feature"]);
    let queued = git(&server.work(), &["rev-parse", "HEAD"]);
    git(&server.work(), &["push", "-q", "origin", "HEAD:refs/heads/gh-readonly-queue/main/pr-7"]);
    let event = Event { name: "merge_group", after: &queued, base: &base, ..Event::default() };
    reports(&server, &event, &["feature.env"], "GitHub Actions: a merge queue");
}

#[test]
fn a_tag_is_scanned_with_its_message() {
    let server = Server::new();
    let secret = leak(2);
    git(&server.work(), &["tag", "-a", "v1", "-m", &secret]);
    git(&server.work(), &["push", "-q", "origin", "v1"]);
    let event = Event { reference: "refs/tags/v1", after: &server.main, ..Event::default() };
    let at = server.checked_out(&server.main, 0);
    let ran = scanned(&server, &at, &event, &[]);
    assert_eq!(ran.code, 1, "{}", ran.told);
    assert!(ran.paths.iter().all(|path| path.contains("v1")) && ran.paths.len() == 1, "{:?}", ran.paths);
}

#[test]
fn a_shallow_clone_is_no_all_clear_and_says_the_way_out() {
    let server = Server::new();
    // The pushes bring a leak and take it away: nothing of it is in the one commit that is here.
    server.commit("new.env", 2);
    git(&server.work(), &["rm", "-q", "new.env", "old.env"]);
    let after = commit(&server.work(), "Take them out");
    server.push("main");
    let at = server.checked_out(&after, 1);
    for event in [
        Event { before: &server.main, after: &after, ..Event::default() },
        Event { name: "pull_request", base: &server.main, after: &after, ..Event::default() },
        Event { name: "schedule", after: &after, ..Event::default() },
    ] {
        let ran = scanned(&server, &at, &event, &[]);
        assert_eq!(ran.code, 2, "{}: {}", event.name, ran.told);
        assert!(ran.told.contains("fetch-depth: 0"), "{}: {}", event.name, ran.told);
    }
}

#[test]
fn places_are_those_from_the_repositorys_root_whatever_folder_is_named() {
    let server = Server::new();
    let after = server.commit("services/sms/app.env", 2);
    server.push("main");
    let at = server.checked_out(&after, 0);
    let event = Event { before: &server.main, after: &after, ..Event::default() };
    let wanted = set(&["services/sms/app.env"]);
    // The work tree, and commits; a report of a folder, of a file, and of folders by their full names.
    for inputs in [
        [("ROOT", "services"), ("RANGE", "none")],
        [("ROOT", "services"), ("RANGE", "")],
        [("ROOT", "services/sms/app.env"), ("RANGE", "none")],
        [("ROOT", at.join("services").to_str().unwrap()), ("RANGE", "none")],
    ] {
        let ran = scanned(&server, &at, &event, &inputs);
        assert_eq!((ran.code, &ran.paths, &ran.alerts), (1, &wanted, &wanted), "{inputs:?}: {}", ran.told);
    }
    // A folder with its history: each place once, and by the same name.
    let ran = scanned(&server, &at, &event, &[("ROOT", "services"), ("RANGE", "history")]);
    let both = set(&["old.env", "services/sms/app.env"]);
    assert_eq!((&ran.paths, &ran.alerts), (&both, &both), "{}", ran.told);
    let annotations = ran.told.lines().filter(|line| line.starts_with("::error file=services/")).count();
    assert_eq!(annotations, 1, "{}", ran.told);
    // From a folder below.
    let output = common::run(&at.join("services"), &["scan", "sms", "--format", "github"]);
    assert!(stdout(&output).starts_with("::error file=services/sms/app.env,"), "{}", stdout(&output));
    for format in ["gitlab", "codequality", "junit", "markdown"] {
        let output = common::run(&at.join("services"), &["scan", "--format", format]);
        assert!(stdout(&output).contains("services/sms/app.env"), "{format}: {}", stdout(&output));
    }
    // The report itself keeps its paths: it names the root beside them.
    let (report, _) = common::report(&at.join("services"), &[]);
    assert_eq!(report["findings"][0]["path"], "sms/app.env");
}

#[test]
fn the_action_fetches_the_program_checks_it_and_takes_it_from_the_cache() {
    if !has_python()
        || !has("curl", &["--version"])
        || !cfg!(all(target_os = "linux", target_arch = "x86_64"))
    {
        return;
    }
    let release = Release::packed();
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let tag = format!("v{VERSION}");
    let downloads = folder.join("downloads");
    let name = format!("sidsweep-{tag}-x86_64-unknown-linux-musl.tar.gz");
    for name in [name.clone(), format!("{name}.sha256")] {
        write(&downloads, &format!("{tag}/{name}"), release.read(&name));
    }
    let install = |sha256: &str| -> Output {
        runner("bash", folder)
            .arg(root().join("ci/github/install.sh"))
            .env("DOWNLOADS", format!("file://{}", downloads.display()))
            .envs([("VERSION", tag.as_str()), ("SHA256", sha256), ("SYSTEM", "Linux-X64")])
            .env("FOLDER", folder.join("installed"))
            .env("GITHUB_PATH", folder.join("path"))
            .output()
            .unwrap()
    };
    let made = install("");
    assert!(made.status.success(), "{}", stderr(&made));
    let on_path = std::fs::read_to_string(folder.join("path")).unwrap();
    let version = Command::new(Path::new(on_path.trim()).join("sidsweep")).arg("--version").output().unwrap();
    assert!(stdout(&version).starts_with(&format!("sidsweep {VERSION}\n")));
    // From the cache: nothing but the checksum is fetched; with a checksum, nothing is.
    let sum = release.text(&format!("{name}.sha256"));
    std::fs::remove_file(downloads.join(&tag).join(&name)).unwrap();
    assert!(install("").status.success());
    assert!(install(sum.split(' ').next().unwrap()).status.success());
    // Something else than was released is not run, cached or not.
    let wrong = install(&"0".repeat(64));
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        stdout(&wrong).contains("::error::") && stdout(&wrong).contains("it was not run"),
        "{}",
        stdout(&wrong)
    );
    assert!(!install("").status.success(), "the cached one is gone");
}
