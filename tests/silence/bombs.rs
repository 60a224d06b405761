//! A few objects that stand for more paths than anybody could list: each object is read once, what it holds is found, and the bound
//! is named. No process takes more than a gigabyte for it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{clean, leak, run};
use crate::common::{self, git};

/// What a process may map in all, in KiB: a gigabyte, and what threads' stacks and packs take of addresses alone.
const MOST_MEMORY: u64 = 2 << 20;

/// Feeds git something, and gives what it says.
fn fed(at: &Path, arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(at)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A tree of trees, each of which names the one below ten times: ten to the power of `levels` paths. Beside the lowest, a file of its
/// own.
fn bomb(at: &Path, levels: u32) -> String {
    let blob = |text: String| fed(at, &["hash-object", "-w", "--stdin"], text.as_bytes());
    let leaks = format!("100644 blob {}\tx.env\n", blob(leak(1)));
    let mut tree = fed(at, &["mktree"], leaks.as_bytes());
    for _ in 0..levels {
        let entries: String = (0..10).map(|name| format!("040000 tree {tree}\t{name}\n")).collect();
        tree = fed(at, &["mktree"], entries.as_bytes());
    }
    let beside = format!("040000 tree {tree}\tbomb\n100644 blob {}\tz.env\n", blob(leak(2)));
    fed(at, &["mktree"], beside.as_bytes())
}

/// Runs it within a bound of memory; `input` is its standard input.
fn bounded(at: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MOST_MEMORY}; exec timeout -s KILL 110 \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_sidsweep"))
        .args(arguments)
        .current_dir(at)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no input may have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), common::stdout(&output) + &common::stderr(&output))
}

#[test]
fn a_bomb_of_folders_hides_nothing_and_stops_nothing() {
    type Make = fn(&Path, &str);
    let commit: Make = |at, tree| {
        let commit = git(at, &["commit-tree", "-p", "HEAD", "-m", "bomb", tree]);
        git(at, &["update-ref", "refs/heads/main", &commit]);
    };
    let dangling: Make = |at, tree| {
        git(at, &["commit-tree", "-m", "left over", tree]);
    };
    let packed: Make = |at, tree| {
        let commit = git(at, &["commit-tree", "-p", "HEAD", "-m", "bomb", tree]);
        git(at, &["update-ref", "refs/heads/main", &commit]);
        git(at, &["repack", "-q", "-a", "-d"]);
    };
    let staged: Make = |at, tree| {
        let empty = git(at, &["hash-object", "-t", "tree", "/dev/null"]);
        let commit = git(at, &["commit-tree", "-p", "HEAD", "-m", "bomb", tree]);
        git(at, &["update-ref", "refs/heads/main", &commit]);
        git(at, &["read-tree", &empty]);
        fs::write(at.join("new.env"), leak(3)).unwrap();
        git(at, &["add", "new.env"]);
    };
    let removed: Make = |at, tree| {
        let commit = git(at, &["commit-tree", "-p", "HEAD", "-m", "bomb", tree]);
        let empty = git(at, &["hash-object", "-w", "-t", "tree", "/dev/null"]);
        let after = git(at, &["commit-tree", "-p", &commit, "-m", "gone", &empty]);
        git(at, &["update-ref", "refs/heads/main", &after]);
    };
    let cases: [(&str, Make, &[&str], usize, &str); 7] = [
        ("history", commit, &["scan", "--history", "--format", "json"], 2, "more places"),
        ("history, packed", packed, &["scan", "--history", "--format", "json"], 2, "more places"),
        ("history, left over", dangling, &["scan", "--history", "--format", "json"], 2, "more places"),
        ("history, taken out", removed, &["scan", "--history", "--format", "json"], 2, "more places"),
        ("range", commit, &["scan", "--range", "HEAD~1..HEAD", "--format", "json"], 2, "more places"),
        ("staged", staged, &["scan", "--staged", "--format", "json"], 1, ""),
        ("push", commit, &["hook", "run", "pre-push", "origin", "x"], 0, "not read: (more places"),
    ];
    for (name, make, arguments, tokens, said) in cases {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        clean(at);
        let tree = bomb(at, 10);
        make(at, &tree);
        let (new, old) = (git(at, &["rev-parse", "HEAD"]), git(at, &["rev-list", "--max-parents=0", "HEAD"]));
        let line = format!("refs/heads/main {new} refs/heads/main {old}\n");
        let (code, text) = bounded(at, arguments, &line);
        assert_eq!(code, Some(1), "{name}: {}", &text[text.len().saturating_sub(2_000)..]);
        assert!(text.contains(said), "{name}: {}", &text[text.len().saturating_sub(2_000)..]);
        if tokens > 0 {
            let end = text.rfind("\n}").map_or(text.len(), |end| end + 2);
            let report: serde_json::Value = serde_json::from_str(&text[..end]).unwrap();
            let found = report["findings"].as_array().unwrap().iter();
            let found: std::collections::HashSet<_> =
                found.filter(|f| f["kind"] == "auth_token").map(|f| f["credential"].to_string()).collect();
            assert_eq!(found.len(), tokens, "{name}");
        }
    }
}

#[test]
#[cfg(feature = "audit")]
fn a_bomb_in_one_repository_leaves_an_audit_its_others() {
    let folder = tempfile::tempdir().unwrap();
    let (bad, good) = (folder.path().join("all/bad"), folder.path().join("all/good"));
    for (at, is_bad) in [(&bad, true), (&good, false)] {
        fs::create_dir_all(at).unwrap();
        clean(at);
        if is_bad {
            let tree = bomb(at, 10);
            let commit = git(at, &["commit-tree", "-p", "HEAD", "-m", "bomb", &tree]);
            git(at, &["update-ref", "refs/heads/main", &commit]);
        } else {
            fs::write(at.join("good.env"), leak(7)).unwrap();
        }
    }
    let database = format!("sqlite:{}", folder.path().join("a.db").display());
    let source = format!("dir:{}", folder.path().join("all").display());
    let output = run(folder.path(), &["audit", &source, "--database", &database]);
    let text = common::stdout(&output) + &common::stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("good.env") && text.contains("z.env") && text.contains("x.env"), "{text}");
}

/// Large and of one digit, so that it decodes to itself again and again.
#[test]
fn one_blob_of_one_digit_takes_no_more_than_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    clean(at);
    let blob = fed(
        at,
        &["-c", "core.bigFileThreshold=2g", "hash-object", "-w", "--stdin"],
        &[b"3".repeat(200 << 20), leak(1).into_bytes()].concat(),
    );
    let tree = fed(at, &["mktree"], format!("100644 blob {blob}\tx.env\n").as_bytes());
    let commit = git(at, &["commit-tree", "-m", "x", &tree]);
    git(at, &["update-ref", "refs/heads/large", &commit]);
    let (code, text) = bounded(at, &["scan", "--history", "--jobs", "1", "--format", "json"], "");
    assert_eq!(code, Some(1), "{text}");
}
