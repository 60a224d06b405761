//! Submodules and repositories in one another: what a pointer moves over is read where it is here, and named where it is not.

use std::fs;
use std::path::Path;

use super::{HISTORY, Situation, TREE, clean, commit, git, hold, leak, situation, write};

/// A repository with a submodule `lib`, both without a leak.
fn with_module(at: &Path) {
    let from = at.parent().unwrap().join("module");
    fs::create_dir_all(&from).unwrap();
    clean(&from);
    clean(at);
    git(at, &["submodule", "--quiet", "add", &from.display().to_string(), "lib"]);
    git(at, &["commit", "-q", "-m", "module"]);
}

/// The submodule has a new commit with a leak, which is staged.
fn moved(at: &Path) {
    with_module(at);
    write(at, "lib/x.env", leak(1));
    commit(&at.join("lib"), "leak");
    git(at, &["add", "lib"]);
}

fn bumped(at: &Path) {
    moved(at);
    git(at, &["commit", "-q", "-m", "bump"]);
}

/// A submodule that is not here any more.
fn away(at: &Path) {
    bumped(at);
    git(at, &["submodule", "--quiet", "deinit", "-f", "lib"]);
    fs::remove_dir_all(at.join(".git/modules")).unwrap();
}

/// A repository of its own below another, which ignores it.
fn nested(at: &Path, rules: &str) {
    git(at, &["init", "-q"]);
    write(at, ".gitignore", rules);
    write(at, "a.txt", "a\n");
    git(at, &["add", "-f", ".gitignore", "a.txt"]);
    git(at, &["commit", "-q", "-m", "rules"]);
    fs::create_dir(at.join("nested")).unwrap();
    git(&at.join("nested"), &["init", "-q"]);
    write(at, "nested/conf.env", leak(1));
    commit(&at.join("nested"), "leak");
}

const RANGE: &[&str] = &["--range", "HEAD~1..HEAD"];
const STAGED: &[&str] = &["--staged"];

#[test]
fn what_the_pointer_of_a_submodule_moves_over_is_read_or_named() {
    let situations: [Situation; 9] = [
        situation("staged", moved, STAGED, (1, "lib/x.env", 1)),
        situation("in a range", bumped, RANGE, (1, "lib/x.env", 1)),
        situation("in a range, not here", away, RANGE, (0, "git submodule update", 2)),
        situation(
            "staged, kept in the git folder alone",
            |at| {
                moved(at);
                fs::remove_dir_all(at.join("lib")).unwrap();
            },
            STAGED,
            (1, "lib/x.env", 1),
        ),
        situation(
            "moved back",
            |at| {
                bumped(at);
                git(&at.join("lib"), &["checkout", "-q", "HEAD~1"]);
                git(at, &["commit", "-q", "-am", "back"]);
            },
            RANGE,
            (0, "", 0),
        ),
        situation("added, with a leak in its history", super::module, RANGE, (1, "sub/", 1)),
        situation(
            "removed",
            |at| {
                bumped(at);
                git(at, &["rm", "-q", "-f", "lib"]);
                git(at, &["commit", "-q", "-m", "removed"]);
            },
            RANGE,
            (0, "", 0),
        ),
        situation(
            "a submodule in a submodule",
            |at| {
                let (outer, top) = (at.join("outer"), at.join("top"));
                fs::create_dir_all(&outer).unwrap();
                fs::create_dir_all(&top).unwrap();
                with_module(&outer);
                clean(&top);
                git(&top, &["submodule", "--quiet", "add", &outer.display().to_string(), "mid"]);
                git(&top.join("mid"), &["submodule", "--quiet", "update", "--init"]);
                git(&top, &["commit", "-q", "-m", "modules"]);
                write(&top, "mid/lib/x.env", leak(1));
                commit(&top.join("mid/lib"), "leak");
                commit(&top.join("mid"), "bump");
                commit(&top, "bump");
            },
            &["top", "--range", "HEAD~1..HEAD"],
            (1, "mid/lib/x.env", 1),
        ),
        situation(
            "of a pointer to what is no commit of the submodule",
            |at| {
                with_module(at);
                let entry = format!("160000,{},lib", "ab".repeat(20));
                git(at, &["update-index", "--cacheinfo", &entry]);
            },
            STAGED,
            (0, "is not here", 2),
        ),
    ];
    hold(&situations);
}

#[test]
fn repositories_that_an_outer_one_ignores_are_named_or_read() {
    hold(&[
        situation(
            "by everything",
            |at| nested(at, "*\n!.gitignore\n"),
            TREE,
            (0, "a repository of its own", 0),
        ),
        situation("by its name", |at| nested(at, "/nested\n"), TREE, (0, "a repository of its own", 0)),
        situation(
            "by its name as a folder",
            |at| nested(at, "nested/\n"),
            HISTORY,
            (0, "a repository of its own", 0),
        ),
        situation("all the same", |at| nested(at, "/nested\n"), &["--no-ignore"], (1, "", 1)),
        situation(
            "a submodule, which git tracks",
            |at| {
                with_module(at);
                write(at, ".gitignore", "lib\n");
                commit(at, "ignored");
                write(at, "lib/x.env", leak(1));
            },
            TREE,
            (1, "", 1),
        ),
        situation(
            "a submodule below an ignored folder",
            |at| {
                let from = at.parent().unwrap().join("module");
                fs::create_dir_all(&from).unwrap();
                clean(&from);
                clean(at);
                git(at, &["submodule", "--quiet", "add", &from.display().to_string(), "vendor/lib"]);
                write(at, ".gitignore", "vendor\n");
                commit(at, "ignored");
                write(at, "vendor/lib/x.env", leak(1));
            },
            TREE,
            (1, "", 1),
        ),
    ]);
}
