//! `sidsweep scan --history` on real repositories made by real git.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::fixture::Mint;
use common::{commit, git, report, repository, run, stderr, write};
use serde_json::Value;

/// A leak whose token is unlike any other.
fn leak(seed: u64) -> String {
    Mint::new(seed).fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n").0
}

fn token(seed: u64) -> String {
    let mut mint = Mint::new(seed);
    mint.fill("{{ac:1}}{{token:1}}");
    mint.value("token", "1")
}

fn history(folder: &Path) -> Value {
    report(folder, &["--history", "--show-secrets"]).0
}

/// The finding of a seed's token at a path.
fn finding<'a>(report: &'a Value, seed: u64, path: &str) -> &'a Value {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["value"] == token(seed) && f["path"] == path)
        .unwrap_or_else(|| panic!("no finding of seed {seed} at {path} in {report:#}"))
}

fn tokens(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .filter(|f| f["kind"] == "auth_token")
        .map(|f| f["value"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_deleted_file_is_found_with_the_commits_that_brought_and_removed_it() {
    let folder = repository();
    write(folder.path(), "readme", "hi");
    commit(folder.path(), "first");
    write(folder.path(), "config/.env", leak(1));
    let brought = commit(folder.path(), "add \u{1b}[31mconfig");
    write(folder.path(), "config/.env", format!("# comment\n{}", leak(1)));
    commit(folder.path(), "touch");
    std::fs::remove_file(folder.path().join("config/.env")).unwrap();
    let removed = commit(folder.path(), "remove config");
    let (report, code) = report(folder.path(), &["--history", "--show-secrets"]);
    let found = finding(&report, 1, "config/.env");
    assert_eq!(code, 1);
    assert_eq!(found["commit"]["id"], brought.as_str());
    assert_eq!(
        (found["commit"]["author"].as_str(), found["commit"]["email"].as_str()),
        (Some("Ada"), Some("ada@example.com"))
    );
    assert_eq!((found["at_head"].as_bool(), found["line"].as_u64()), (Some(false), Some(2)));
    assert_eq!(found["removed_by"]["id"], removed.as_str());
    assert!(found["commit"]["date"].as_str().unwrap().contains('T'));
    assert_eq!(
        report["findings"].as_array().unwrap().len(),
        2,
        "one a value and path, however many versions"
    );
    let text = common::stdout(&run(folder.path(), &["scan", "--history"]));
    assert!(text.contains("since ") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn what_still_stands_is_at_head_and_says_since_when() {
    let folder = repository();
    write(folder.path(), "a.env", leak(2));
    let brought = commit(folder.path(), "add");
    write(folder.path(), "a.env", format!("\n\n{}", leak(2)));
    commit(folder.path(), "move down");
    let report = history(folder.path());
    let found = finding(&report, 2, "a.env");
    assert_eq!(
        (found["at_head"].as_bool(), found["line"].as_u64(), found["commit"]["id"].as_str()),
        (Some(true), Some(4), Some(brought.as_str()))
    );
    assert!(found["removed_by"].is_null());
}

#[test]
fn merges_branches_tags_stashes_notes_messages_and_dangling_objects_are_read() {
    let folder = repository();
    let at = folder.path();
    write(at, "base", "x");
    commit(at, "base");
    // A branch that was never merged.
    git(at, &["checkout", "-q", "-b", "side"]);
    write(at, "side.env", leak(10));
    commit(at, "side");
    // An evil merge: in neither parent.
    git(at, &["checkout", "-q", "main"]);
    write(at, "main.txt", "m");
    commit(at, "main");
    git(at, &["merge", "-q", "--no-commit", "--no-ff", "side"]);
    write(at, "evil.env", leak(11));
    let merge = commit(at, "merge");
    // Messages.
    git(at, &["commit", "-q", "--allow-empty", "-m", &format!("oops\n\n{}", leak(12))]);
    git(at, &["tag", "-a", "v1", "-m", &leak(13)]);
    git(at, &["notes", "add", "-m", &leak(14)]);
    // A stash.
    write(at, "main.txt", leak(15));
    git(at, &["stash", "-q"]);
    // A commit that only the reflog knows, and a blob that nothing knows.
    write(at, "lost.env", leak(16));
    let lost = commit(at, "lost");
    git(at, &["reset", "-q", "--hard", "HEAD~1"]);
    write(at, "dangling", leak(17));
    git(at, &["hash-object", "-w", "dangling"]);
    std::fs::remove_file(at.join("dangling")).unwrap();
    // Staged, never committed, and gone from the work tree.
    write(at, "staged.env", leak(18));
    git(at, &["add", "staged.env"]);
    std::fs::remove_file(at.join("staged.env")).unwrap();
    // UTF-16.
    let wide: Vec<u8> = leak(19).encode_utf16().flat_map(u16::to_le_bytes).collect();
    write(at, "wide.txt", wide);
    git(at, &["add", "wide.txt"]);
    git(at, &["commit", "-q", "-m", "wide", "wide.txt"]);
    for packed in [false, true] {
        if packed {
            git(at, &["repack", "-q", "-a", "-d", "-k"]);
        }
        let report = history(at);
        assert_eq!(tokens(&report), (10..20).map(token).collect(), "packed: {packed}");
        assert_eq!(finding(&report, 11, "evil.env")["commit"]["id"], merge.as_str());
        assert_eq!(finding(&report, 12, "(commit message)")["commit"]["summary"], "oops");
        finding(&report, 13, "(message of tag v1)");
        assert!(finding(&report, 15, "main.txt")["reachable"].is_null());
        let lost_finding = finding(&report, 16, "lost.env");
        assert_eq!(
            (lost_finding["commit"]["id"].as_str(), lost_finding["reachable"].as_bool()),
            (Some(lost.as_str()), Some(false))
        );
        finding(&report, 18, "staged.env");
        assert_eq!(finding(&report, 19, "wide.txt")["encoding"], "utf16");
        let note = report["findings"].as_array().unwrap().iter().find(|f| f["value"] == token(14)).unwrap();
        assert!(note["path"].as_str().unwrap().starts_with("refs/notes/commits:"), "{note}");
    }
}

#[test]
fn not_one_object_is_left_out() {
    let folder = repository();
    let at = folder.path();
    for n in 0..30 {
        write(at, &format!("d{}/f{n}", n % 5), format!("{}\n", "line\n".repeat(n * 20)));
        commit(at, &format!("c{n}"));
        if n % 10 == 9 {
            git(at, &["repack", "-q"]);
        }
    }
    // An alternate with objects of its own.
    let clone = tempfile::tempdir().unwrap();
    git(clone.path(), &["clone", "-q", "--shared", at.to_str().unwrap(), "c"]);
    let clone = clone.path().join("c");
    write(&clone, "own", "own");
    commit(&clone, "own");
    for folder in [at, &clone] {
        let listed = git(folder, &["cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"]);
        let count = |kind: &str| listed.lines().filter(|line| *line == kind).count() as u64;
        let report = history(folder);
        assert_eq!(report["stats"]["blobs"], count("blob"));
        assert_eq!(report["stats"]["commits"], count("commit"));
        assert_eq!(report["skipped"], serde_json::json!([]));
    }
}

#[test]
fn bare_repositories_linked_worktrees_and_submodules_are_opened() {
    let folder = repository();
    let at = folder.path();
    write(at, "a.env", leak(30));
    commit(at, "a");
    std::fs::remove_file(at.join("a.env")).unwrap();
    commit(at, "gone");
    let others = tempfile::tempdir().unwrap();
    git(others.path(), &["clone", "-q", "--bare", at.to_str().unwrap(), "bare.git"]);
    git(at, &["worktree", "add", "-q", others.path().join("linked").to_str().unwrap()]);
    git(others.path(), &["init", "-q", "super"]);
    git(&others.path().join("super"), &["submodule", "--quiet", "add", at.to_str().unwrap(), "sub"]);
    for place in ["bare.git", "linked", "super/sub"] {
        let report = history(&others.path().join(place));
        assert_eq!(tokens(&report), BTreeSet::from([token(30)]), "{place}");
    }
}

#[test]
fn a_shallow_clone_is_never_clean_without_a_word() {
    let folder = repository();
    write(folder.path(), "a", "1");
    commit(folder.path(), "1");
    write(folder.path(), "a", "2");
    commit(folder.path(), "2");
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "-q", "--depth", "1", &url, "c"]);
    let at = clone.path().join("c");
    let (shallow, code) = report(&at, &["--history"]);
    assert_eq!(code, 2);
    assert!(shallow["skipped"][0]["reason"].as_str().unwrap().contains("git fetch --unshallow"), "{shallow}");
    assert_eq!(report(&at, &["--history", "--allow-shallow"]).1, 0);
}

#[test]
fn a_partial_clone_says_so() {
    let folder = repository();
    git(folder.path(), &["config", "uploadpack.allowFilter", "true"]);
    write(folder.path(), "a", "1");
    commit(folder.path(), "1");
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "-q", "--no-checkout", "--filter=blob:none", &url, "c"]);
    let at = clone.path().join("c");
    let (partial, code) = report(&at, &["--history"]);
    assert_eq!(code, 2);
    assert_eq!(partial["skipped"][0]["path"], "a", "{partial}");
    assert!(partial["skipped"].to_string().contains("partial clone"), "{partial}");
    // Completed since, it is still marked as partial, and nothing is missing.
    git(&at, &["fetch", "-q", "--refetch", "--no-filter"]);
    let packs = std::fs::read_dir(at.join(".git/objects/pack")).unwrap();
    let marks =
        packs.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "promisor"));
    assert_ne!(marks.count(), 0, "git keeps its marks");
    let (whole, code) = report(&at, &["--history"]);
    assert_eq!((&whole["skipped"], code), (&serde_json::json!([]), 0));
}

#[test]
fn what_lies_very_deep_is_read_whether_something_is_found_there_or_not() {
    for (text, code) in
        [("words\n".to_owned(), 0), (Mint::new(77).fill("TWILIO_AUTH_TOKEN={{token:1}}\n").0, 1)]
    {
        let folder = repository();
        let path = format!("{}/near.env", vec!["d"; 1_100].join("/"));
        let stream = format!(
            "commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nx\nM 100644 inline {path}\ndata {}\n{text}\n",
            text.len()
        );
        write(folder.path(), "stream", stream);
        let script = "git fast-import --quiet < stream && rm stream";
        let done = std::process::Command::new("sh").current_dir(folder.path()).args(["-c", script]).status();
        assert!(done.unwrap().success());
        let (history, found) = report(folder.path(), &["--history"]);
        assert_eq!(
            (history["findings"].as_array().unwrap().len(), found),
            (usize::try_from(code).unwrap(), code),
            "{history}"
        );
        assert_eq!(history["stats"]["blobs"], 1);
    }
}

#[test]
fn of_many_objects_that_are_missing_some_are_named_and_the_rest_counted() {
    let folder = repository();
    git(folder.path(), &["config", "uploadpack.allowFilter", "true"]);
    for n in 0..700 {
        write(folder.path(), &format!("d{}/f{n}", n % 7), format!("{n}\n"));
    }
    commit(folder.path(), "many");
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "-q", "--no-checkout", "--filter=blob:none", &url, "c"]);
    let (partial, code) = report(&clone.path().join("c"), &["--history"]);
    let skipped = partial["skipped"].as_array().unwrap();
    assert_eq!((skipped.len(), code), (51, 2));
    assert!(partial["skipped"].to_string().contains("650 more objects"), "{partial}");
}

#[test]
fn damaged_packs_and_objects_are_named_and_the_rest_is_scanned() {
    let folder = repository();
    let at = folder.path();
    for n in 0..20 {
        write(at, &format!("f{n}"), format!("{n}{}", "some text\n".repeat(50 + n)));
    }
    commit(at, "many");
    git(at, &["repack", "-q", "-a", "-d"]);
    write(at, "a.env", leak(40));
    commit(at, "loose leak");
    // A byte in the middle of the pack.
    let pack = std::fs::read_dir(at.join(".git/objects/pack"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "pack"))
        .unwrap();
    let mut permissions = std::fs::metadata(&pack).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    std::fs::set_permissions(&pack, permissions).unwrap();
    let mut bytes = std::fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 40] {
        *byte ^= 0x55;
    }
    std::fs::write(&pack, bytes).unwrap();
    let broken = report(at, &["--history", "--show-secrets"]).0;
    assert_eq!(tokens(&broken), BTreeSet::from([token(40)]));
    assert!(!broken["skipped"].as_array().unwrap().is_empty(), "the damage is named: {broken}");
    // Cut off.
    let bytes = std::fs::read(&pack).unwrap();
    std::fs::write(&pack, &bytes[..bytes.len() / 3]).unwrap();
    let cut = report(at, &["--history", "--show-secrets"]).0;
    assert_eq!(tokens(&cut), BTreeSet::from([token(40)]));
    assert!(!cut["skipped"].as_array().unwrap().is_empty());
}

#[test]
fn outside_of_a_repository_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["scan", "--history"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not in a git repository"), "{}", stderr(&output));
}

#[test]
fn a_pair_is_made_across_files_of_one_folder_in_history() {
    let folder = repository();
    let at = folder.path();
    let mut mint = Mint::new(50);
    write(at, "app/.env", mint.fill("AUTH_TOKEN={{token:1}}\n").0);
    write(at, "app/config.js", mint.fill("module.exports = { accountSid: '{{ac:1}}' }\n").0);
    commit(at, "both");
    git(at, &["rm", "-q", "-r", "app"]);
    commit(at, "gone");
    let report = history(at);
    let credential =
        report["credentials"].as_array().unwrap().iter().find(|c| c["type"] == "auth_token").unwrap();
    assert_eq!(credential["account_sid"], mint.value("ac", "1").as_str());
}

#[test]
fn nothing_of_the_repository_runs() {
    let folder = repository();
    let at = folder.path();
    let trap = at.join("ran");
    let command = format!("touch {}", trap.display());
    write(at, "a.env", leak(60));
    write(at, ".gitattributes", "*.env filter=evil diff=evil\n");
    commit(at, "a");
    for key in [
        "filter.evil.clean",
        "filter.evil.smudge",
        "diff.evil.textconv",
        "diff.evil.command",
        "core.fsmonitor",
        "core.sshCommand",
        "core.hooksPath",
        "core.pager",
        "diff.external",
    ] {
        git(at, &["config", key, &command]);
    }
    assert_eq!(tokens(&history(at)), BTreeSet::from([token(60)]));
    assert!(!trap.exists());
}

#[test]
fn a_sha256_repository_is_read() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q", "--object-format=sha256"]);
    write(folder.path(), "a.env", leak(70));
    commit(folder.path(), "a");
    git(folder.path(), &["repack", "-q", "-a", "-d"]);
    git(folder.path(), &["rm", "-q", "a.env"]);
    commit(folder.path(), "b");
    assert_eq!(tokens(&history(folder.path())), BTreeSet::from([token(70)]));
}

#[test]
fn a_rename_is_told_with_the_path_before() {
    let folder = repository();
    let at = folder.path();
    write(at, "old/sms.env", leak(80));
    write(at, "same.env", leak(81));
    let first = commit(at, "leak");
    // Moved and changed in one commit, with a value that is new; another file stays and is copied.
    std::fs::create_dir_all(at.join("new")).unwrap();
    git(at, &["mv", "old/sms.env", "new/sms.env"]);
    write(at, "new/sms.env", format!("# moved\n{}{}", leak(80), leak(82)));
    write(at, "copy.env", leak(81));
    let second = commit(at, "move");
    let report = history(at);
    let of = |path: &str, seed: u64| {
        let redacted = format!("{}…", &token(seed)[..4]);
        let all = report["findings"].as_array().unwrap().iter();
        all.filter(|one| one["path"] == path && one["redacted"] == redacted.as_str()).collect::<Vec<_>>()[0]
            .clone()
    };
    assert_eq!(of("new/sms.env", 80)["renamed_from"], "old/sms.env");
    assert_eq!(of("new/sms.env", 80)["commit"]["id"], second.as_str());
    assert_eq!(of("old/sms.env", 80)["commit"]["id"], first.as_str());
    assert_eq!(of("old/sms.env", 80)["removed_by"]["id"], second.as_str());
    assert!(of("new/sms.env", 82)["renamed_from"].is_null(), "a value that is new was not moved");
    assert!(of("copy.env", 81)["renamed_from"].is_null(), "a copy is no rename");
    let text = common::stdout(&run(at, &["scan", "--history"]));
    assert!(text.contains("moved there by that commit from old/sms.env"), "{text}");
}
