//! References, indices and pointers that lead to what is not here; roots that cannot be read.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{
    HISTORY, TREE, clean, commit, git, hold, leak, leaky, link, loose, pointer_to, situation, write,
};

/// A reference to a reference.
fn symbolic(at: &Path, name: &str, target: &str) {
    write(at, &format!(".git/{name}"), format!("ref: {target}\n"));
}

#[test]
fn references_and_indices_that_lead_nowhere_are_named() {
    hold(&[
        situation(
            "two references that lead to each other",
            |at| {
                clean(at);
                symbolic(at, "refs/heads/one", "refs/heads/other");
                symbolic(at, "refs/heads/other", "refs/heads/one");
            },
            HISTORY,
            (0, "refs/heads/one", 2),
        ),
        situation(
            "a reference to a branch that is not there",
            |at| (clean(at), symbolic(at, "refs/heads/one", "refs/heads/nowhere")).1,
            HISTORY,
            (0, "leads to no object", 2),
        ),
        situation(
            "a reference to a branch that is there",
            |at| (clean(at), symbolic(at, "refs/heads/one", "refs/heads/main")).1,
            HISTORY,
            (0, "", 0),
        ),
        situation(
            "the default of a remote that was renamed there",
            |at| (clean(at), symbolic(at, "refs/remotes/origin/HEAD", "refs/remotes/origin/old")).1,
            HISTORY,
            (0, "", 0),
        ),
        situation(
            "a staged file whose content is not here",
            |at| {
                clean(at);
                write(at, "x.env", leak(1));
                git(at, &["add", "-A"]);
                let object = loose(at, &git(at, &["rev-parse", ":x.env"]));
                fs::remove_file(object).unwrap();
                fs::remove_file(at.join("x.env")).unwrap();
            },
            HISTORY,
            (0, "the index leads to it", 2),
        ),
        situation(
            "more staged files without their content than are named one by one",
            |at| {
                clean(at);
                (0..60).for_each(|n| write(at, &format!("x{n}"), n.to_string()));
                git(at, &["add", "-A"]);
                for n in 0..60 {
                    fs::remove_file(loose(at, &git(at, &["rev-parse", &format!(":x{n}")]))).unwrap();
                }
            },
            HISTORY,
            (0, "10 more objects", 2),
        ),
        situation(
            "a pack that git was writing",
            |at| (clean(at), write(at, ".git/objects/pack/tmp_pack_Ab12", "PACK")).1,
            HISTORY,
            (0, "tmp_pack_Ab12", 0),
        ),
        situation(
            "an object that git was writing",
            |at| (clean(at), write(at, ".git/objects/ab/tmp_obj_Ab12", "x")).1,
            HISTORY,
            (0, "tmp_obj_Ab12", 0),
        ),
        situation(
            "what a push brought that was broken off, for the strict",
            |at| (clean(at), write(at, ".git/objects/tmp_objdir-incoming-Ab12/pack/x", "x")).1,
            &["--history", "--fail-on-opaque"],
            (0, "tmp_objdir-incoming", 2),
        ),
    ]);
}

/// A pointer to the leak, in whose place something else lies.
fn other_content(at: &Path, content: &str) {
    pointer_to(at, "a.bin", leak(1).as_bytes(), true);
    let id = data_encoding::HEXLOWER.encode(&Sha256::digest(leak(1).as_bytes()));
    write(at, &format!(".git/lfs/objects/{}/{}/{id}", &id[..2], &id[2..4]), content);
}

/// A file that git-annex keeps, as a link.
fn annexed(at: &Path, is_here: bool) {
    let below = "objects/Xx/Yy/SHA256E-s9--abc.env/SHA256E-s9--abc.env";
    clean(at);
    fs::create_dir_all(at.join("folder")).unwrap();
    link(at, "folder/a.env", &format!("../.git/annex/{below}"));
    commit(at, "annexed");
    if is_here {
        write(at, &format!(".git/annex/{below}"), leak(1));
    }
}

#[test]
fn content_that_is_kept_elsewhere_is_that_of_its_pointer_or_named() {
    hold(&[
        situation("other content", |at| other_content(at, "other\n"), HISTORY, (0, "not its content", 2)),
        situation("other content, tree", |at| other_content(at, "other\n"), TREE, (0, "not its content", 2)),
        situation(
            "other content of the same size",
            |at| other_content(at, &"x".repeat(leak(1).len())),
            HISTORY,
            (0, "another sum", 2),
        ),
        situation(
            "other content with a leak",
            |at| other_content(at, &leak(2)),
            TREE,
            (1, "not its content", 1),
        ),
        situation(
            "a pointer by the format's first name",
            |at| {
                clean(at);
                let id = "ab".repeat(32);
                write(
                    at,
                    "a.bin",
                    format!("version https://hawser.github.com/spec/v1\noid sha256:{id}\nsize 9\n"),
                );
                commit(at, "pointer");
            },
            HISTORY,
            (0, "Git LFS", 2),
        ),
        situation("git-annex, here", |at| annexed(at, true), HISTORY, (1, "", 1)),
        situation("git-annex, not here", |at| annexed(at, false), HISTORY, (0, "git annex get", 2)),
        situation(
            "git-annex in a range",
            |at| annexed(at, false),
            &["--range", "HEAD~1..HEAD"],
            (0, "git annex get", 2),
        ),
        situation(
            "git-annex, unlocked",
            |at| {
                clean(at);
                write(at, "a.env", "/annex/objects/SHA256E-s9--abc.env\n");
                commit(at, "annexed");
            },
            TREE,
            (0, "git annex get", 2),
        ),
    ]);
}

#[test]
fn one_bad_root_hides_nothing_of_another() {
    hold(&[
        situation("a root that is not there", leaky, &["near.env", "nowhere"], (1, "nowhere", 1)),
        situation(
            "a root that is not there, beside a clean one",
            |at| write(at, "a.txt", "a"),
            &["a.txt", "nowhere"],
            (0, "nowhere", 2),
        ),
        situation("no root that is there", clean, &["nowhere", "elsewhere"], (0, "nowhere", 2)),
        situation(
            "a plain folder beside a repository, with histories",
            |at| {
                fs::create_dir_all(at.join("repository")).unwrap();
                fs::create_dir_all(at.join("plain")).unwrap();
                super::removed(&at.join("repository"));
            },
            &["--history", "repository", "plain"],
            (1, "not in a git repository", 1),
        ),
        situation(
            "a file that is left out of a sparse checkout",
            |at| {
                clean(at);
                write(at, "x.env", leak(1));
                commit(at, "leak");
                git(at, &["update-index", "--skip-worktree", "x.env"]);
                fs::remove_file(at.join("x.env")).unwrap();
            },
            TREE,
            (0, "not checked out", 0),
        ),
    ]);
}

#[test]
fn a_folder_that_was_deleted_is_not_clean() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("here");
    fs::create_dir(&at).unwrap();
    let command = format!("rmdir {}; exec {} scan", at.display(), env!("CARGO_BIN_EXE_sidsweep"));
    let output = std::process::Command::new("sh").args(["-c", &command]).current_dir(&at).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", crate::common::stderr(&output));
}
