//! Whose policy a push follows, and what the other side is taken to have.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::leak;
use crate::common::{commit, git, repository, sidsweep, write};

/// Runs the check of a push with the line that git would give it, and says how it ended and what it said.
fn push(at: &Path, old: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidsweep"));
    command.envs(sidsweep().get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["hook", "run", "pre-push", "origin", "x"]).current_dir(at);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let line = format!("refs/heads/m {} refs/heads/m {old}\n", git(at, &["rev-parse", "HEAD"]));
    child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

const ALL: &str = "[[allow]]\npath = \"**\"\nreason = \"examples of a test\"\n";
const NOTHING_THERE: &str = "0000000000000000000000000000000000000000";

#[test]
fn a_push_follows_the_policy_that_the_other_side_has() {
    let folder = repository();
    let at = folder.path();
    write(at, "a.txt", "a\n");
    commit(at, "first");
    let first = git(at, &["rev-parse", "HEAD"]);
    write(at, ".sidsweep.toml", ALL);
    write(at, "a.env", leak(1));
    commit(at, "policy and leak");
    let (code, said) = push(at, &first);
    assert!(code == Some(1) && said.contains("the push changes .sidsweep.toml"), "{code:?} {said}");
    // A branch that is new there goes on from what the remote has.
    git(at, &["update-ref", "refs/remotes/origin/main", &first]);
    let (code, said) = push(at, NOTHING_THERE);
    assert!(code == Some(1) && said.contains("the push changes .sidsweep.toml"), "{code:?} {said}");
    // Once the other side has the policy it holds.
    let second = git(at, &["rev-parse", "HEAD"]);
    write(at, "b.env", leak(2));
    commit(at, "another");
    let (code, said) = push(at, &second);
    assert!(code == Some(0) && !said.contains("changes"), "{code:?} {said}");
}

#[test]
fn what_git_says_of_the_other_side_outranks_what_was_last_seen_of_it() {
    let folder = repository();
    let at = folder.path();
    write(at, "a.txt", "a\n");
    commit(at, "first");
    let first = git(at, &["rev-parse", "HEAD"]);
    write(at, "a.env", leak(1));
    commit(at, "leak");
    git(at, &["update-ref", "refs/remotes/origin/m", "HEAD"]);
    assert_eq!(push(at, &first).0, Some(1));
    assert_eq!(push(at, NOTHING_THERE).0, Some(1));
    // What another branch has there is there.
    git(at, &["update-ref", "refs/remotes/origin/other", "HEAD"]);
    assert_eq!(push(at, &first).0, Some(0));
}
