//! `sidsweep scan --staged` and `--range` on real repositories made by real git.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::fixture::Mint;
use common::{commit, git, report, repository, run, stderr, write};
use serde_json::Value;

fn leak(seed: u64) -> String {
    Mint::new(seed).fill("TWILIO_AUTH_TOKEN={{token:1}}\n").0
}

fn token(seed: u64) -> String {
    Mint::new(seed).value("token", "1")
}

/// The seeds of all tokens found, and the exit code.
fn seeds(folder: &Path, arguments: &[&str]) -> (Vec<u64>, i32, Value) {
    let (report, code) = report(folder, &[arguments, &["--show-secrets"]].concat());
    let values: BTreeSet<&str> =
        report["findings"].as_array().unwrap().iter().map(|f| f["value"].as_str().unwrap()).collect();
    ((0..200).filter(|&seed| values.contains(token(seed).as_str())).collect(), code, report)
}

#[test]
fn the_index_is_read_and_not_the_work_tree() {
    let folder = repository();
    let at = folder.path();
    write(at, "a.env", leak(1));
    git(at, &["add", "a.env"]);
    // Cleaned after it was staged; and a leak that was not staged.
    write(at, "a.env", "clean\n");
    write(at, "b.env", leak(2));
    let (found, code, report) = seeds(at, &["--staged"]);
    assert_eq!((found, code), (vec![1], 1), "the first commit of a repository");
    assert_eq!(
        (report["sources"][0]["mode"].as_str(), report["stats"]["blobs"].as_u64()),
        (Some("staged"), Some(1))
    );
}

#[test]
fn only_what_the_change_adds_counts() {
    let folder = repository();
    let at = folder.path();
    write(at, "a.env", leak(1));
    write(at, "moved.env", leak(2));
    write(at, "deep/er/c.env", leak(3));
    commit(at, "old leaks");
    write(at, "a.env", format!("# another line\n{}", leak(1)));
    git(at, &["mv", "moved.env", "renamed.env"]);
    git(at, &["mv", "deep", "deeper"]);
    git(at, &["add", "-A"]);
    assert_eq!(seeds(at, &["--staged"]).0, Vec::<u64>::new());
    assert_eq!(seeds(at, &["--staged", "--whole"]).0, [1, 2, 3]);
    write(at, "a.env", format!("{}{}", leak(1), leak(4)));
    git(at, &["add", "-A"]);
    assert_eq!(seeds(at, &["--staged"]).0, [4]);
}

#[test]
fn nothing_staged_covers_nothing_and_says_so() {
    let folder = repository();
    write(folder.path(), "a", "x");
    commit(folder.path(), "a");
    let output = run(folder.path(), &["scan", "--staged"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(common::stdout(&output).contains("Covered nothing"), "{}", common::stdout(&output));
}

#[test]
fn odd_indexes_are_read() {
    let folder = repository();
    let at = folder.path();
    for n in 0..40 {
        write(at, &format!("d{}/e{}/f{n}", n % 4, n % 3), format!("{n}\n"));
    }
    commit(at, "base");
    // Intent to add: nothing would be committed.
    write(at, "intent.env", leak(1));
    git(at, &["add", "-N", "intent.env"]);
    assert_eq!(seeds(at, &["--staged"]).0, Vec::<u64>::new());
    git(at, &["rm", "-q", "--cached", "intent.env"]);
    std::fs::remove_file(at.join("intent.env")).unwrap();
    // A mode change alone, a deletion, and a name that is not ASCII.
    git(at, &["update-index", "--chmod=+x", "d0/e0/f0"]);
    git(at, &["rm", "-q", "d1/e1/f1"]);
    write(at, "d2/e2/ключ \"x\".env", leak(2));
    git(at, &["add", "-A"]);
    assert_eq!(seeds(at, &["--staged"]).0, [2]);
    for format in [&["update-index", "--index-version", "4"][..], &["update-index", "--split-index"]] {
        git(at, format);
        assert_eq!(seeds(at, &["--staged"]).0, [2], "{format:?}");
    }
    git(at, &["update-index", "--no-split-index"]);
    // A cache of trees that was made anew.
    git(at, &["commit", "-q", "-m", "two"]);
    git(at, &["read-tree", "HEAD"]);
    write(at, "d3/e0/new.env", leak(3));
    git(at, &["add", "d3/e0/new.env"]);
    assert_eq!(seeds(at, &["--staged"]).0, [3]);
    // From a folder below, and by GIT_INDEX_FILE.
    assert_eq!(seeds(&at.join("d3"), &["--staged"]).0, [3]);
    std::fs::copy(at.join(".git/index"), at.join("other-index")).unwrap();
    git(at, &["reset", "-q"]);
    let output = common::sidsweep()
        .current_dir(at)
        .env("GIT_INDEX_FILE", at.join("other-index"))
        .args(["scan", "--staged"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn conflicts_are_looked_at() {
    let folder = repository();
    let at = folder.path();
    write(at, "a.env", "base\n");
    commit(at, "base");
    git(at, &["checkout", "-q", "-b", "side"]);
    write(at, "a.env", leak(1));
    commit(at, "side");
    git(at, &["checkout", "-q", "main"]);
    write(at, "a.env", "other\n");
    commit(at, "main");
    // Where nobody has told git who they are, it merges nothing.
    let merge = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "merge", "-q", "side"];
    let merged = std::process::Command::new("git").current_dir(at).args(merge).output().unwrap();
    assert!(!merged.status.success(), "a conflict");
    assert!(!git(at, &["ls-files", "--unmerged"]).is_empty());
    assert_eq!(seeds(at, &["--staged"]).0, [1]);
}

#[test]
fn staged_agrees_with_git_on_a_tree_of_many_folders() {
    let folder = repository();
    let at = folder.path();
    let mut random = fastrand::Rng::with_seed(5);
    for n in 0..300 {
        write(
            at,
            &format!("{}/{}/{}/f{n}", random.u8(..5), random.u8(..4), random.u8(..3)),
            format!("{n}\n"),
        );
    }
    commit(at, "base");
    for round in 0..6 {
        for n in 0..random.usize(1..20) {
            let path = format!("{}/{}/g{round}{n}", random.u8(..6), random.u8(..4));
            write(at, &path, format!("{round} {n}\n"));
            git(at, &["add", &path]);
        }
        let listed = git(at, &["diff", "--cached", "--name-only", "--diff-filter=d", "--no-renames"]);
        let (_, _, report) = seeds(at, &["--staged"]);
        assert_eq!(report["stats"]["blobs"], listed.lines().count() as u64, "round {round}");
        if round % 2 == 1 {
            git(at, &["commit", "-q", "-m", "round"]);
        }
    }
}

#[test]
fn a_range_is_every_commit_in_it_and_what_each_adds() {
    let folder = repository();
    let at = folder.path();
    write(at, "old.env", leak(1));
    let base = commit(at, "base");
    git(at, &["checkout", "-q", "-b", "side"]);
    write(at, "side.env", leak(2));
    commit(at, "side");
    git(at, &["checkout", "-q", "main"]);
    write(at, "gone.env", leak(3));
    let brought = commit(at, "added");
    std::fs::remove_file(at.join("gone.env")).unwrap();
    write(at, "old.env", format!("# touched\n{}", leak(1)));
    commit(at, "removed");
    git(at, &["merge", "-q", "--no-commit", "--no-ff", "side"]);
    write(at, "evil.env", leak(4));
    commit(at, "merge");
    git(at, &["commit", "-q", "--allow-empty", "-m", &format!("m\n\n{}", leak(5))]);
    for arguments in [
        ["--range", &format!("{base}..HEAD")],
        ["--range", &format!("{base}..main")],
        ["--since-commit", &base],
    ] {
        let (found, code, report) = seeds(at, &arguments);
        assert_eq!((found, code), (vec![2, 3, 4, 5], 1), "{arguments:?}");
        let gone =
            report["findings"].as_array().unwrap().iter().find(|f| f["path"] == "gone.env").unwrap().clone();
        assert_eq!(
            (gone["commit"]["id"].as_str(), gone["at_head"].as_bool()),
            (Some(brought.as_str()), Some(false))
        );
        assert_eq!(report["stats"]["commits"], 5);
    }
    assert_eq!(seeds(at, &["--range", "side...main"]).0, [3, 4, 5]);
    assert_eq!(seeds(at, &["--range", "main..side"]).0, Vec::<u64>::new());
}

#[test]
fn a_range_that_cannot_be_resolved_is_never_clean() {
    let folder = repository();
    let at = folder.path();
    write(at, "a", "1");
    commit(at, "1");
    write(at, "a", "2");
    commit(at, "2");
    for spec in ["nowhere..HEAD", "HEAD..nowhere", "HEAD"] {
        let output = run(at, &["scan", "--range", spec]);
        assert_eq!(output.status.code(), Some(2), "{spec}");
        assert!(stderr(&output).starts_with("error: "), "{}", stderr(&output));
    }
    let first = git(at, &["rev-parse", "HEAD~1"]);
    let clone = tempfile::tempdir().unwrap();
    git(clone.path(), &["clone", "-q", "--depth", "1", &format!("file://{}", at.display()), "c"]);
    let output = run(&clone.path().join("c"), &["scan", "--range", &format!("{first}..HEAD")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("git fetch --unshallow"), "{}", stderr(&output));
}

/// A commit of what is staged, of that second.
fn dated(folder: &Path, parents: &[&str], second: u64) -> String {
    git(folder, &["add", "-A"]);
    let tree = git(folder, &["write-tree"]);
    let parents: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
    let who = format!("Ada <ada@example.com> {second} +0000");
    let text = format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n\nm\n");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    git(folder, &["hash-object", "-t", "commit", "-w", file.path().to_str().unwrap()])
}

#[test]
fn clocks_that_went_wrong_leave_nothing_out_of_a_range() {
    const YEAR: u64 = 31_556_952;
    let folder = repository();
    let at = folder.path();
    // Years after 1970: of what is hidden, and of the two commits that come after it.
    for (case, (hidden, first, second)) in
        [(20, 21, 22), (50, 2, 1), (1, 40, 2), (40, 1, 60)].into_iter().enumerate()
    {
        let seed = 10 * case as u64 + 10;
        let mut parent: Option<String> = None;
        for number in 0..8 {
            write(at, "old.env", format!("{}# {case} {number}\n", leak(seed)));
            let parents: Vec<&str> = parent.iter().map(String::as_str).collect();
            // Every other one of those that are hidden is of another time.
            let year = if number % 2 == 0 { hidden } else { 30 };
            parent = Some(dated(at, &parents, year * YEAR + number));
        }
        let base = parent.unwrap();
        write(at, "first.env", leak(seed + 1));
        let one = dated(at, &[&base], first * YEAR);
        write(at, "second.env", leak(seed + 2));
        let two = dated(at, &[&one], second * YEAR);
        let (found, code, report) = seeds(at, &["--range", &format!("{base}..{two}")]);
        assert_eq!((found, code), (vec![seed + 1, seed + 2], 1), "case {case}");
        assert_eq!(report["stats"]["commits"], 2, "case {case}");
        std::fs::remove_file(at.join("first.env")).unwrap();
        std::fs::remove_file(at.join("second.env")).unwrap();
    }
}

#[test]
fn a_long_range_is_the_same_on_one_thread_and_on_many_and_whichever_end_is_whole_in_the_pack() {
    let folder = repository();
    let at = folder.path();
    write(at, "base", "");
    let base = commit(at, "base");
    for number in 0..70 {
        write(at, &format!("{}/{}.txt", number % 3, number % 5), format!("{number}\n").repeat(50));
        if number % 10 == 0 {
            write(at, &format!("{}/{number}.env", number % 3), leak(number));
        }
        commit(at, &number.to_string());
    }
    let range = format!("{base}..main");
    let scan = |jobs: &str| {
        let (mut report, code) = report(at, &["--range", &range, "--jobs", jobs]);
        report["stats"]["seconds"] = Value::Null;
        assert_eq!((report["stats"]["commits"].as_u64(), code), (Some(70), 1));
        report
    };
    let loose = scan("1");
    let at_head = |report: &Value| {
        report["findings"].as_array().unwrap().iter().filter(|f| f["at_head"] == true).count()
    };
    assert_eq!(at_head(&loose), 7);
    assert_eq!(scan("4"), loose);
    git(at, &["repack", "-adfq", "--depth=50"]);
    assert_eq!((scan("1"), scan("4")), (loose.clone(), loose.clone()));
    // Deltas the other way round, as a stream of commits is packed by those who write it.
    let stream = at.join("stream");
    std::fs::write(&stream, git(at, &["fast-export", "--all"])).unwrap();
    let other = repository();
    let script = format!("git -C {} fast-import --quiet < {}", other.path().display(), stream.display());
    assert!(std::process::Command::new("sh").args(["-c", &script]).status().unwrap().success());
    let (mut forwards, _) = report(other.path(), &["--range", &range, "--jobs", "4"]);
    forwards["stats"]["seconds"] = Value::Null;
    assert_eq!(forwards, loose);
}

/// Damages what a pack holds of an object.
fn damage(at: &Path, id: &str) {
    let folder = std::fs::read_dir(at.join(".git/objects/pack")).unwrap();
    let pack =
        folder.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "pack"));
    let pack = pack.unwrap();
    let listed = git(at, &["verify-pack", "-v", &pack.display().to_string()]);
    let line = listed.lines().find(|line| line.starts_with(id)).unwrap();
    let offset: usize = line.split_whitespace().nth(4).unwrap().parse().unwrap();
    let mut bytes = std::fs::read(&pack).unwrap();
    bytes[offset + 4..offset + 40].fill(0x55);
    std::fs::remove_file(&pack).unwrap();
    std::fs::write(&pack, bytes).unwrap();
}

#[test]
fn an_end_in_a_damaged_pack_says_that_it_cannot_be_read_and_why() {
    // Which of four commits is damaged, and how the ends are named.
    for (damaged, spec) in [
        ("HEAD", "HEAD~1..HEAD"),
        ("HEAD", "HEAD~1..main"),
        ("HEAD", "HEAD~1...main"),
        ("HEAD", "{3}..{4}"),
        ("HEAD", "{3}..{4:short}"),
        ("HEAD", "{3}..v4"),
        ("HEAD~1", "{3}..HEAD"),
        ("HEAD~1", "{3:short}..HEAD"),
        ("HEAD~1", "HEAD~1..HEAD"),
        ("HEAD~1", "HEAD^..HEAD"),
        ("HEAD~1", "HEAD~2..HEAD"),
        ("HEAD~1", "main~2..main"),
        ("HEAD~2", "HEAD~3..HEAD"),
        ("HEAD~2", "HEAD~3...HEAD"),
    ] {
        let folder = repository();
        let at = folder.path();
        let mut ids = Vec::new();
        for number in 1..5 {
            write(at, "a", format!("{number}\n"));
            ids.push(commit(at, &format!("{number}, said with many words that are not alike")));
        }
        git(at, &["tag", "-a", "-m", "four", "v4"]);
        let hidden = git(at, &["rev-parse", damaged]);
        git(at, &["repack", "-adq", "--depth=0"]);
        let mut range = spec.to_owned();
        for (number, id) in (1..).zip(&ids) {
            range = range
                .replace(&format!("{{{number}}}"), id)
                .replace(&format!("{{{number}:short}}"), &id[..10]);
        }
        damage(at, &hidden);
        let output = run(at, &["scan", "--range", &range]);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{damaged} damaged, {spec}: {told}");
        assert!(
            told.contains("cannot be read") && told.contains(&hidden),
            "{damaged} damaged, {spec}: {told}"
        );
        assert!(!told.contains("unknown or ambiguous revision"), "{damaged} damaged, {spec}: {told}");
    }
}
