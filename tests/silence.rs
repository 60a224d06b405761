//! Nothing is passed over in silence: situations in which something is hard to read or leads astray. Each says what is planted, what
//! has to be found, what has to be said, and with which exit code; each ends in bounded time.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in helpers of tests")]
#![allow(clippy::too_many_lines, reason = "tables of situations")]

#[cfg(feature = "audit")]
#[path = "silence/audits.rs"]
mod audits;
#[path = "silence/bombs.rs"]
mod bombs;
mod common;
#[path = "silence/containers.rs"]
mod containers;
#[path = "silence/modules.rs"]
mod modules;
#[path = "silence/readers.rs"]
mod readers;
#[path = "silence/references.rs"]
mod references;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::fixture::Mint;
use common::{commit, git, sidsweep, write};

/// No situation takes longer, in seconds, on the slowest machine and beside others.
const LONGEST: &str = "60";

/// A leak of its own for each seed.
fn leak(seed: u64) -> String {
    Mint::new(seed).fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n").0
}

/// Makes what a situation is about in a fresh folder.
type Plant = fn(&Path);

/// A situation.
struct Situation {
    name: &'static str,
    planted: Plant,
    /// The arguments after `scan --format json`.
    arguments: &'static [&'static str],
    /// How many Auth Tokens have to be found.
    found: usize,
    /// What has to be said, in the report or on standard error; nothing for a report that names nothing as not read.
    said: &'static str,
    code: i32,
}

const fn situation(
    name: &'static str,
    planted: Plant,
    arguments: &'static [&'static str],
    (found, said, code): (usize, &'static str, i32),
) -> Situation {
    Situation { name, planted, arguments, found, said, code }
}

fn run(at: &Path, arguments: &[&str]) -> Output {
    let environment = sidsweep();
    Command::new("timeout")
        .args(["-s", "KILL", LONGEST, env!("CARGO_BIN_EXE_sidsweep")])
        .args(arguments)
        .current_dir(at)
        .env_remove("NO_COLOR")
        .envs(environment.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Holds the program to a table, and tells of all situations in which it fails.
fn hold(situations: &[Situation]) {
    let mut failed = Vec::new();
    for Situation { name, planted, arguments, found, said, code } in situations {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("here");
        fs::create_dir(&at).unwrap();
        planted(&at);
        let output = run(&at, &[&["scan", "--format", "json"], *arguments].concat());
        let (out, told) = (common::stdout(&output), common::stderr(&output));
        let report: serde_json::Value = serde_json::from_str(&out).unwrap_or_default();
        let findings = report["findings"].as_array().cloned().unwrap_or_default();
        let tokens = findings.iter().filter(|finding| finding["kind"] == "auth_token").count();
        let is_said = if said.is_empty() {
            report["skipped"].as_array().is_some_and(Vec::is_empty) && !told.contains("not read")
        } else {
            out.contains(said) || told.contains(said)
        };
        let balanced = report.is_null() || is_balanced(&report);
        if output.status.code() != Some(*code) || tokens != *found || !is_said || !balanced {
            failed.push(format!(
                "{name}: code {:?}, not {code}; {tokens} tokens, not {found}; says {said:?}: {is_said}; balanced: {balanced}\n  skipped: {}\n  {told}",
                output.status.code(),
                report["skipped"],
            ));
        }
    }
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), situations.len(), failed.join("\n"));
}

/// Whether a report says of everything that was known of what became of it.
fn is_balanced(report: &serde_json::Value) -> bool {
    let number = |count: &serde_json::Value, name: &str| count[name].as_u64().unwrap_or(0);
    let Some(units) = report["coverage"].as_object() else { return false };
    let counts_agree = units.values().all(|count| {
        number(count, "known") == number(count, "read") + number(count, "skipped") + number(count, "opaque")
    });
    let listed = |list: &str| -> u64 {
        let list = report[list].as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one["count"].as_u64().unwrap_or(1)).sum()
    };
    let counted = |name: &str| -> u64 { units.values().map(|count| number(count, name)).sum() };
    counts_agree
        && counted("skipped") + counted("opaque")
            == listed("skipped") + listed("opaque") + listed("accepted_unread")
}

fn pipe(at: &Path, name: &str) {
    let path = at.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn link(at: &Path, name: &str, target: &str) {
    let path = at.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&path);
    symlink(target, path).unwrap();
}

fn hole(at: &Path, name: &str, mebibytes: u64) {
    fs::File::create(at.join(name)).unwrap().set_len(mebibytes << 20).unwrap();
}

/// A repository with a leak in its work tree and history.
fn leaky(at: &Path) {
    git(at, &["init", "-q"]);
    write(at, "near.env", leak(1));
    commit(at, "near");
}

/// A repository without a leak.
fn clean(at: &Path) {
    git(at, &["init", "-q"]);
    write(at, "a.txt", "words\n");
    commit(at, "first");
}

/// A repository whose leak is in history alone.
fn removed(at: &Path) {
    leaky(at);
    git(at, &["rm", "-q", "near.env"]);
    git(at, &["commit", "-q", "-m", "removed"]);
}

fn writable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}

fn packs(at: &Path, extension: &str) -> Vec<PathBuf> {
    let folder = fs::read_dir(at.join(".git/objects/pack")).unwrap();
    folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect()
}

fn loose(at: &Path, id: &str) -> PathBuf {
    at.join(".git/objects").join(&id[..2]).join(&id[2..])
}

/// Takes away the object that a revision names.
fn lose(at: &Path, revision: &str) {
    fs::remove_file(loose(at, &git(at, &["rev-parse", revision]))).unwrap();
}

const HISTORY: &[&str] = &["--history"];
const TREE: &[&str] = &["."];

#[test]
fn what_a_tree_holds_cannot_stop_or_blind_a_scan() {
    hold(&[
        situation("a clean folder", |at| write(at, "a", "x"), TREE, (0, "", 0)),
        situation("a leak", |at| write(at, "near.env", leak(1)), TREE, (1, "", 1)),
        situation(
            "rules that are a link to a device without end",
            |at| {
                leaky(at);
                link(at, ".gitignore", "/dev/zero");
            },
            TREE,
            (1, ".gitignore", 1),
        ),
        situation(
            "the same, and nothing else: what was not followed is named",
            |at| {
                clean(at);
                link(at, ".gitignore", "/dev/zero");
            },
            TREE,
            (0, "no regular file", 2),
        ),
        situation(
            "rules that are a pipe",
            |at| {
                leaky(at);
                pipe(at, ".gitignore");
            },
            TREE,
            (1, "named pipe", 1),
        ),
        situation(
            "rules that are a pipe in a folder below",
            |at| {
                leaky(at);
                pipe(at, "sub/.gitignore");
                write(at, "sub/other.env", leak(2));
            },
            TREE,
            (2, "sub/.gitignore", 1),
        ),
        situation(
            "rules in the folder above that are a pipe",
            |at| {
                leaky(at);
                pipe(at, ".gitignore");
                write(at, "sub/other.env", leak(2));
            },
            &["sub"],
            (1, "named pipe", 1),
        ),
        situation(
            "rules of 8 MiB",
            |at| {
                leaky(at);
                hole(at, ".gitignore", 8);
            },
            TREE,
            (1, "longer than", 1),
        ),
        situation(
            "rules that are a folder",
            |at| {
                leaky(at);
                fs::create_dir(at.join(".gitignore")).unwrap();
            },
            TREE,
            (1, "a folder and no regular file", 1),
        ),
        situation(
            "rules that link out of the repository",
            |at| {
                leaky(at);
                write(at.parent().unwrap(), "rules", "*.env\n");
                git(at, &["rm", "-q", "--cached", "near.env"]);
                link(at, ".gitignore", "../rules");
            },
            TREE,
            (1, "leads out of the repository", 1),
        ),
        situation(
            "rules that link to other rules of the repository",
            |at| {
                clean(at);
                write(at, "rules", "*.env\n");
                write(at, "near.env", leak(1));
                link(at, ".gitignore", "rules");
            },
            TREE,
            (0, "git ignores it", 0),
        ),
        situation(
            "rules that link to themselves",
            |at| {
                leaky(at);
                link(at, ".gitignore", ".gitignore");
            },
            TREE,
            (1, "leads nowhere", 1),
        ),
        situation(
            "excluded files in a pipe",
            |at| {
                leaky(at);
                pipe(at, ".git/info/exclude");
            },
            TREE,
            (1, "info/exclude", 1),
        ),
        situation(
            "an ignored .env",
            |at| {
                clean(at);
                write(at, ".gitignore", ".env\n");
                write(at, ".env", leak(1));
            },
            TREE,
            (0, "not_covered", 0),
        ),
        situation(
            "an ignored .env, asked for",
            |at| {
                clean(at);
                write(at, ".gitignore", ".env\n");
                write(at, ".env", leak(1));
            },
            &[".", "--no-ignore"],
            (1, "", 1),
        ),
        situation(
            "an ignored .env that is tracked",
            |at| {
                clean(at);
                write(at, ".gitignore", ".env\n");
                write(at, ".env", leak(1));
                git(at, &["add", "-f", ".env"]);
            },
            TREE,
            (1, "", 1),
        ),
        situation(
            "an ignored folder",
            |at| {
                clean(at);
                write(at, ".gitignore", "build/\n");
                write(at, "build/near.env", leak(1));
            },
            TREE,
            (0, "", 0),
        ),
        situation(
            "an ignored folder with an exception",
            |at| {
                clean(at);
                write(at, ".gitignore", "*.env\n!near.env\n");
                write(at, "near.env", leak(1));
                write(at, "far.env", leak(2));
            },
            TREE,
            (1, "far.env", 1),
        ),
        situation(
            "rules below outrank those above",
            |at| {
                clean(at);
                write(at, ".gitignore", "*.env\n");
                write(at, "sub/.gitignore", "!*.env\n");
                write(at, "sub/near.env", leak(1));
            },
            TREE,
            (1, "", 1),
        ),
        situation(
            "rules above the root of the scan",
            |at| {
                clean(at);
                write(at, ".gitignore", "/sub/*.txt\n");
                write(at, "sub/near.txt", leak(1));
                write(at, "sub/near.rb", leak(2));
            },
            &["sub"],
            (1, "", 1),
        ),
        situation(
            "rules where there is no repository",
            |at| {
                write(at, ".gitignore", "*.env\n");
                write(at, "near.env", leak(1));
            },
            TREE,
            (1, "", 1),
        ),
        situation(
            "rules that hide everything",
            |at| {
                leaky(at);
                write(at, ".gitignore", "*\n");
            },
            TREE,
            (1, "", 1),
        ),
        situation(
            "a nested repository below rules that hide .git",
            |at| {
                clean(at);
                write(at, ".gitignore", ".*\n");
                git(at, &["init", "-q", "sub"]);
                write(&at.join("sub"), ".gitignore", "*.env\n");
                write(&at.join("sub"), "near.env", leak(1));
                git(&at.join("sub"), &["add", "-f", "near.env"]);
            },
            TREE,
            (1, "", 1),
        ),
        situation(
            "a nested repository that hides its own .git",
            |at| {
                clean(at);
                git(at, &["init", "-q", "sub"]);
                write(&at.join("sub"), ".gitignore", "*\n");
                write(&at.join("sub"), "near.env", leak(1));
                git(&at.join("sub"), &["add", "-f", "near.env"]);
            },
            TREE,
            (1, "", 1),
        ),
        situation(
            "a nested repository whose HEAD is a pipe",
            |at| {
                leaky(at);
                git(at, &["init", "-q", "sub"]);
                pipe(at, "sub/.git/HEAD");
            },
            TREE,
            (1, "named pipe", 1),
        ),
        situation(
            "a .git that is a pipe",
            |at| {
                write(at, "near.env", leak(1));
                pipe(at, ".git");
            },
            TREE,
            (1, "named pipe", 1),
        ),
        situation(
            "a .git that is a link to a device",
            |at| {
                write(at, "near.env", leak(1));
                link(at, ".git", "/dev/zero");
            },
            TREE,
            (1, "no regular file", 1),
        ),
        situation(
            "a .git that points nowhere",
            |at| {
                write(at, "near.env", leak(1));
                write(at, ".git", "gitdir: /nonexistent\n");
            },
            TREE,
            (1, "index could not be read", 1),
        ),
        situation(
            "a file that nobody may read",
            |at| {
                write(at, "near.env", leak(1));
                link(at, "gone", "nowhere");
            },
            TREE,
            (1, "", 1),
        ),
        situation(
            "two roots, and the rules of one are a pipe",
            |at| {
                fs::create_dir(at.join("one")).unwrap();
                fs::create_dir(at.join("two")).unwrap();
                leaky(&at.join("one"));
                clean(&at.join("two"));
                pipe(at, "two/.gitignore");
            },
            &["one", "two"],
            (1, "two/.gitignore", 1),
        ),
        situation("a pointer of Git LFS", |at| pointer(at, false), TREE, (0, "Git LFS", 2)),
        situation("a pointer of Git LFS whose content is here", |at| pointer(at, true), TREE, (1, "", 1)),
    ]);
}

/// A file that Git LFS keeps, with its content or without it.
fn pointer(at: &Path, is_here: bool) {
    pointer_to(at, "settings.env", leak(1).as_bytes(), is_here);
}

fn pointer_to(at: &Path, name: &str, content: &[u8], is_here: bool) {
    use sha2::{Digest, Sha256};
    clean(at);
    let id = data_encoding::HEXLOWER.encode(&Sha256::digest(content));
    let text =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize {}\n", content.len());
    write(at, name, text);
    commit(at, "pointer");
    if is_here {
        write(at, &format!(".git/lfs/objects/{}/{}/{id}", &id[..2], &id[2..4]), content);
    }
}

#[test]
fn what_a_git_folder_holds_cannot_stop_or_blind_a_scan() {
    // The leak in the work tree is found whatever the git folder is like.
    hold(&[
        situation("HEAD is a pipe", |at| (leaky(at), pipe(at, ".git/HEAD")).1, HISTORY, (1, "named pipe", 1)),
        situation(
            "the configuration is a pipe",
            |at| (leaky(at), pipe(at, ".git/config")).1,
            HISTORY,
            (1, ".git/config", 1),
        ),
        situation(
            "packed references are a pipe",
            |at| (leaky(at), pipe(at, ".git/packed-refs")).1,
            HISTORY,
            (1, "packed-refs", 1),
        ),
        situation(
            "the index is a pipe",
            |at| (leaky(at), pipe(at, ".git/index")).1,
            HISTORY,
            (1, ".git/index", 1),
        ),
        situation(
            "the index is a pipe, tree",
            |at| (leaky(at), pipe(at, ".git/index")).1,
            TREE,
            (1, "index", 1),
        ),
        situation(
            "the configuration is a pipe, tree",
            |at| (leaky(at), pipe(at, ".git/config")).1,
            TREE,
            (1, ".git/config", 1),
        ),
        situation(
            "a pack's index is a pipe",
            |at| (leaky(at), pipe(at, ".git/objects/pack/pack-x.idx")).1,
            HISTORY,
            (1, "pack-x.idx", 1),
        ),
        situation(
            "a pack is a pipe",
            |at| (leaky(at), pipe(at, ".git/objects/pack/pack-x.pack")).1,
            HISTORY,
            (1, "pack-x.pack", 1),
        ),
        situation(
            "alternates are a pipe",
            |at| (leaky(at), pipe(at, ".git/objects/info/alternates")).1,
            HISTORY,
            (1, "alternates", 1),
        ),
        situation(
            "a reference is a pipe",
            |at| (leaky(at), pipe(at, ".git/refs/heads/other")).1,
            HISTORY,
            (1, "refs/heads/other", 1),
        ),
        situation(
            "a reflog is a pipe",
            |at| (leaky(at), pipe(at, ".git/logs/refs/heads/x")).1,
            HISTORY,
            (1, "logs/refs", 1),
        ),
        situation(
            "a loose object is a pipe",
            |at| (leaky(at), pipe(at, &format!(".git/objects/ab/{}", "cd".repeat(19)))).1,
            HISTORY,
            (1, "objects/ab", 1),
        ),
        situation(
            "shallow is a pipe",
            |at| (leaky(at), pipe(at, ".git/shallow")).1,
            HISTORY,
            (1, "shallow", 1),
        ),
        situation(
            "commondir is a pipe",
            |at| (leaky(at), pipe(at, ".git/commondir")).1,
            HISTORY,
            (1, "commondir", 1),
        ),
        situation(
            "the configuration is of 8 GiB",
            |at| (leaky(at), hole(at, ".git/config", 8 << 10)).1,
            HISTORY,
            (1, "longer than", 1),
        ),
        situation(
            "HEAD is of 8 GiB",
            |at| (leaky(at), hole(at, ".git/HEAD", 8 << 10)).1,
            HISTORY,
            (1, "longer than", 1),
        ),
        situation(
            "the configuration is a link to a device",
            |at| (leaky(at), link(at, ".git/config", "/dev/zero")).1,
            HISTORY,
            (1, "no regular file", 1),
        ),
        situation(
            "packed references are a link to a file of the machine",
            |at| (leaky(at), link(at, ".git/packed-refs", "/etc/passwd")).1,
            HISTORY,
            (1, "leads out of the repository", 1),
        ),
        situation(
            "alternates in a circle",
            |at| {
                removed(at);
                let other = at.parent().unwrap().join("other");
                fs::create_dir(&other).unwrap();
                clean(&other);
                write(at, ".git/objects/info/alternates", "../../../other/.git/objects\n");
                write(&other, ".git/objects/info/alternates", "../../../here/.git/objects\n");
            },
            HISTORY,
            (1, "a cycle", 1),
        ),
        situation(
            "alternates that are not there",
            |at| (removed(at), write(at, ".git/objects/info/alternates", "/nonexistent\n")).1,
            HISTORY,
            (1, "/nonexistent", 1),
        ),
        situation(
            "alternates that hold the leak",
            |at| {
                let other = at.parent().unwrap().join("other");
                fs::create_dir(&other).unwrap();
                removed(&other);
                git(at.parent().unwrap(), &["clone", "-q", "--shared", "other", "here/clone"]);
            },
            &["clone", "--history"],
            (1, "", 1),
        ),
        situation(
            "references in the format reftable",
            |at| {
                git(at, &["init", "-q", "--ref-format=reftable"]);
                write(at, "near.env", leak(1));
                commit(at, "near");
            },
            HISTORY,
            (1, "git refs migrate", 1),
        ),
        situation(
            "a range in the format reftable",
            |at| {
                git(at, &["init", "-q", "--ref-format=reftable"]);
                write(at, "near.env", leak(1));
                commit(at, "near");
            },
            &["--range", "main..HEAD"],
            (0, "git refs migrate", 2),
        ),
        situation(
            "a format of objects that lies",
            |at| {
                removed(at);
                git(at, &["config", "core.repositoryformatversion", "1"]);
                git(at, &["config", "extensions.objectFormat", "sha256"]);
            },
            HISTORY,
            (0, "no object of this repository's format", 2),
        ),
    ]);
}

#[test]
fn what_is_referred_to_and_is_not_here_is_named() {
    hold(&[
        situation("a history without a leak", clean, HISTORY, (0, "", 0)),
        situation("a history with one", removed, HISTORY, (1, "", 1)),
        situation(
            "a blob that is lost",
            |at| (clean(at), lose(at, "HEAD:a.txt")).1,
            HISTORY,
            (0, "a.txt", 2),
        ),
        situation(
            "a blob that is lost beside a leak",
            |at| {
                removed(at);
                write(at, "b.txt", "more\n");
                commit(at, "more");
                lose(at, "HEAD:b.txt");
            },
            HISTORY,
            (1, "b.txt", 1),
        ),
        situation(
            "a tree that is lost",
            |at| (clean(at), lose(at, "HEAD^{tree}")).1,
            HISTORY,
            (0, "tree", 2),
        ),
        situation(
            "a folder that is lost",
            |at| {
                clean(at);
                write(at, "sub/deep/b.txt", "x\n");
                commit(at, "more");
                lose(at, "HEAD:sub/deep");
            },
            HISTORY,
            (0, "tree", 2),
        ),
        situation(
            "a parent that is lost",
            |at| {
                clean(at);
                write(at, "b.txt", "x\n");
                commit(at, "more");
                lose(at, "HEAD~1");
            },
            HISTORY,
            (0, "commit", 2),
        ),
        situation(
            "a newest commit that is lost",
            |at| (clean(at), lose(at, "HEAD")).1,
            HISTORY,
            (0, "refs/heads/main", 2),
        ),
        situation(
            "a tag whose commit is lost",
            |at| {
                clean(at);
                git(at, &["checkout", "-q", "-b", "other"]);
                git(at, &["commit", "-q", "--allow-empty", "-m", "other"]);
                git(at, &["tag", "-a", "v1", "-m", "one"]);
                lose(at, "HEAD");
                fs::write(at.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
                fs::remove_file(at.join(".git/refs/heads/other")).unwrap();
            },
            HISTORY,
            (0, "refs/tags/v1", 2),
        ),
        situation(
            "packs that were removed",
            |at| {
                removed(at);
                git(at, &["repack", "-adq"]);
                git(at, &["pack-refs", "--all"]);
                fs::remove_dir_all(at.join(".git/objects/pack")).unwrap();
            },
            HISTORY,
            (0, "refs/heads/main", 2),
        ),
        situation(
            "a pack without its index",
            |at| {
                removed(at);
                git(at, &["repack", "-adq"]);
                for index in packs(at, "idx") {
                    fs::remove_file(index).unwrap();
                }
            },
            HISTORY,
            (0, "git index-pack", 2),
        ),
        situation(
            "an index without its pack",
            |at| {
                removed(at);
                git(at, &["repack", "-adq"]);
                for pack in packs(at, "pack") {
                    fs::remove_file(pack).unwrap();
                }
            },
            HISTORY,
            (0, "not here", 2),
        ),
        situation(
            "a pack that is missing under an index of several",
            |at| {
                clean(at);
                git(at, &["repack", "-dq"]);
                write(at, "near.env", leak(1));
                commit(at, "near");
                git(at, &["repack", "-dq"]);
                git(at, &["multi-pack-index", "write"]);
                // The newest one, with the index that git does not need any more.
                let written = |path: &PathBuf| path.metadata().unwrap().modified().unwrap();
                let newest = packs(at, "pack").into_iter().max_by_key(written).unwrap();
                fs::remove_file(newest.with_extension("idx")).unwrap();
                fs::remove_file(newest).unwrap();
                fs::remove_file(at.join("near.env")).unwrap();
            },
            HISTORY,
            (0, "refs/heads/main", 2),
        ),
        situation(
            "a loose object under another's name",
            |at| {
                clean(at);
                let (one, other) = (git(at, &["rev-parse", "HEAD:a.txt"]), "ab".repeat(20));
                fs::create_dir_all(loose(at, &other).parent().unwrap()).unwrap();
                fs::copy(loose(at, &one), loose(at, &other)).unwrap();
            },
            HISTORY,
            (0, "not those that its name was made of", 2),
        ),
        situation(
            "a leftover that refers to what was tidied away",
            |at| {
                clean(at);
                write(at, "gone.txt", "gone\n");
                commit(at, "gone");
                let (blob, id) = (git(at, &["rev-parse", "HEAD:gone.txt"]), git(at, &["rev-parse", "HEAD"]));
                git(at, &["reset", "-q", "--hard", "HEAD~1"]);
                fs::remove_dir_all(at.join(".git/logs")).unwrap();
                fs::remove_file(loose(at, &blob)).unwrap();
                assert!(loose(at, &id).exists());
            },
            HISTORY,
            (0, "", 0),
        ),
        situation(
            "a partial clone",
            |at| {
                let other = at.parent().unwrap().join("other");
                fs::create_dir(&other).unwrap();
                removed(&other);
                git(&other, &["config", "uploadpack.allowFilter", "true"]);
                let url = format!("file://{}", other.display());
                git(at, &["clone", "-q", "--filter=blob:none", &url, "clone"]);
            },
            &["clone", "--history"],
            (0, "partial clone", 2),
        ),
        situation(
            "a partial clone that does not say so",
            |at| {
                let other = at.parent().unwrap().join("other");
                fs::create_dir(&other).unwrap();
                removed(&other);
                git(&other, &["config", "uploadpack.allowFilter", "true"]);
                let url = format!("file://{}", other.display());
                git(at, &["clone", "-q", "--filter=blob:none", &url, "clone"]);
                for file in packs(&at.join("clone"), "promisor") {
                    fs::remove_file(file).unwrap();
                }
            },
            &["clone", "--history"],
            (0, "near.env", 2),
        ),
        situation(
            "a shallow clone",
            |at| {
                let other = at.parent().unwrap().join("other");
                fs::create_dir(&other).unwrap();
                removed(&other);
                let url = format!("file://{}", other.display());
                git(at, &["clone", "-q", "--depth=1", &url, "clone"]);
            },
            &["clone", "--history"],
            (0, "--unshallow", 2),
        ),
        situation(
            "a shallow clone that is accepted",
            |at| {
                let other = at.parent().unwrap().join("other");
                fs::create_dir(&other).unwrap();
                removed(&other);
                let url = format!("file://{}", other.display());
                git(at, &["clone", "-q", "--depth=1", &url, "clone"]);
            },
            &["clone", "--history", "--allow-shallow"],
            (0, "", 0),
        ),
        situation(
            "a damaged pack",
            |at| {
                removed(at);
                git(at, &["repack", "-adq"]);
                for pack in packs(at, "pack") {
                    writable(&pack);
                    let mut bytes = fs::read(&pack).unwrap();
                    let end = bytes.len() - 20;
                    bytes[12..end].fill(0);
                    fs::write(&pack, bytes).unwrap();
                }
            },
            HISTORY,
            (0, "damaged", 2),
        ),
        situation("a bare repository", bare, &["bare.git"], (1, "", 1)),
        situation("a git folder itself", removed, &[".git"], (1, "", 1)),
        situation("a bare repository among others", bare, &["bare.git", "other"], (2, "", 1)),
        situation("the history of a submodule", module, HISTORY, (1, "", 1)),
        situation(
            "the history of a submodule that is not checked out",
            |at| {
                module(at);
                git(at, &["submodule", "--quiet", "deinit", "-f", "sub"]);
            },
            HISTORY,
            (1, "", 1),
        ),
        situation(
            "a submodule that is not here",
            |at| {
                let other = at.parent().unwrap().join("other");
                fs::create_dir(&other).unwrap();
                module(&other);
                git(at, &["clone", "-q", &other.display().to_string(), "clone"]);
            },
            &["clone", "--history"],
            (0, "git submodule update --init", 2),
        ),
        situation("a pointer of Git LFS in history", |at| pointer(at, false), HISTORY, (0, "Git LFS", 2)),
        situation(
            "a pointer of Git LFS in history whose content is here",
            |at| {
                pointer(at, true);
                git(at, &["rm", "-q", "settings.env"]);
                git(at, &["commit", "-q", "-m", "removed"]);
            },
            HISTORY,
            (1, "", 1),
        ),
        situation(
            "a tag that a commit merged",
            |at| {
                clean(at);
                let merge = common::merge_of_tag(at, &leak(1));
                git(at, &["reset", "-q", "--hard", &merge]);
            },
            HISTORY,
            (1, "", 1),
        ),
        situation(
            "one of two roots whose history cannot be opened",
            |at| {
                for name in ["one", "two"] {
                    fs::create_dir(at.join(name)).unwrap();
                    removed(&at.join(name));
                }
                pipe(at, "two/.git/HEAD");
            },
            &["one", "two", "--history"],
            (1, "two/", 1),
        ),
    ]);
}

/// `bare.git`, whose history holds a leak, and `other`, which holds another.
fn bare(at: &Path) {
    let from = at.join("from");
    fs::create_dir(&from).unwrap();
    removed(&from);
    git(at, &["clone", "-q", "--bare", "from", "bare.git"]);
    fs::remove_dir_all(from).unwrap();
    write(at, "other/near.env", leak(2));
}

/// A repository with a submodule in whose history there is a leak.
fn module(at: &Path) {
    let from = at.parent().unwrap().join("module");
    fs::create_dir_all(&from).unwrap();
    removed(&from);
    clean(at);
    git(at, &["submodule", "--quiet", "add", &from.display().to_string(), "sub"]);
    git(at, &["commit", "-q", "-m", "module"]);
}

/// Two commits on `main`, the second with a leak.
fn two(at: &Path) {
    clean(at);
    write(at, "near.env", leak(1));
    commit(at, "near");
}

#[test]
fn a_range_that_says_something_else_than_was_meant_is_refused() {
    hold(&[
        situation("a range", two, &["--range", "HEAD~1..HEAD"], (1, "", 1)),
        situation("a range since they parted", two, &["--range", "HEAD~1...HEAD"], (1, "", 1)),
        situation("since a commit", two, &["--since-commit", "HEAD~1"], (1, "", 1)),
        situation("no end at all", two, &["--range", ".."], (0, "is empty", 2)),
        situation("no end at all, since they parted", two, &["--range", "..."], (0, "is empty", 2)),
        situation("no first end", two, &["--range", "..HEAD"], (0, "is empty", 2)),
        situation("no second end", two, &["--range", "HEAD~1.."], (0, "is empty", 2)),
        situation("no first end, since they parted", two, &["--range", "...HEAD"], (0, "is empty", 2)),
        situation("since nothing", two, &["--since-commit", ""], (0, "is empty", 2)),
        situation("blanks for an end", two, &["--range", " ..HEAD"], (0, "is empty", 2)),
        situation("one name", two, &["--range", "HEAD"], (0, "A..B", 2)),
        situation(
            "a name that is none",
            two,
            &["--range", "nowhere..HEAD"],
            (0, "unknown or ambiguous revision", 2),
        ),
        situation("an empty range", two, &["--range", "HEAD..HEAD"], (0, "holds no commits", 0)),
        situation(
            "a range that is the wrong way round",
            two,
            &["--range", "HEAD..HEAD~1"],
            (0, "holds no commits", 0),
        ),
        situation(
            "a tag that shadows a branch",
            |at| (two(at), git(at, &["tag", "main", "HEAD~1"])).0,
            &["--range", "HEAD~1..main"],
            (0, "both a branch and a tag", 2),
        ),
        situation(
            "a tag that shadows a branch, with what follows it",
            |at| (two(at), git(at, &["tag", "main", "HEAD~1"])).0,
            &["--range", "main~1..HEAD"],
            (0, "both a branch and a tag", 2),
        ),
        situation(
            "the branch in full beside its tag",
            |at| (two(at), git(at, &["tag", "main", "HEAD~1"])).0,
            &["--range", "refs/tags/main..refs/heads/main"],
            (1, "", 1),
        ),
        situation(
            "an end in a damaged object",
            |at| {
                two(at);
                let file = loose(at, &git(at, &["rev-parse", "HEAD"]));
                writable(&file);
                fs::write(file, "noise").unwrap();
            },
            &["--range", "HEAD~1..main"],
            (0, "git fsck", 2),
        ),
        situation("an end that is a file", two, &["--range", "HEAD~1..HEAD:a.txt"], (0, "revision", 2)),
        situation(
            "a range of a folder that is no repository",
            |at| write(at, "a", "x"),
            &["--range", "A..B"],
            (0, "not in a git repository", 2),
        ),
    ]);
}

/// A policy that allows paths, for a reason.
fn allow(path: &str) -> String {
    format!("[[allow]]\npath = \"{path}\"\nreason = \"made up\"\n")
}

fn policy(at: &Path, text: &str) {
    leaky(at);
    write(at, ".sidsweep.toml", text);
}

#[test]
fn a_policy_allows_what_it_says_and_hides_nothing() {
    const NOT: &str = "followed in nothing";
    hold(&[
        situation("a policy", |at| policy(at, &allow("near.env")), TREE, (0, "made up", 0)),
        situation("a policy of noise", |at| policy(at, "= = ="), TREE, (1, NOT, 1)),
        situation("a policy with an unknown key", |at| policy(at, "off = true\n"), TREE, (1, NOT, 1)),
        situation(
            "a policy without a reason",
            |at| policy(at, "[[allow]]\npath = \"**\"\n"),
            TREE,
            (1, NOT, 1),
        ),
        situation(
            "one wrong entry beside a right one",
            |at| policy(at, &(allow("near.env") + "[[allow]]\npath = \"x\"\n")),
            TREE,
            (1, NOT, 1),
        ),
        situation(
            "a wrong date",
            |at| policy(at, &(allow("near.env") + "until = \"tomorrow\"\n")),
            TREE,
            (1, NOT, 1),
        ),
        situation(
            "a policy of noise in a clean repository",
            |at| {
                clean(at);
                write(at, ".sidsweep.toml", "= = =");
            },
            TREE,
            (0, NOT, 2),
        ),
        situation("every path", |at| policy(at, &allow("**")), TREE, (0, "every path of the repository", 0)),
        situation(
            "every path, otherwise",
            |at| policy(at, &allow("*")),
            TREE,
            (0, "every path of the repository", 0),
        ),
        situation(
            "every path below",
            |at| policy(at, &allow("/**")),
            TREE,
            (0, "every path of the repository", 0),
        ),
        situation(
            "a policy that is a pipe",
            |at| (leaky(at), pipe(at, ".sidsweep.toml")).1,
            TREE,
            (1, NOT, 1),
        ),
        situation(
            "a policy that is a link to a device",
            |at| (leaky(at), link(at, ".sidsweep.toml", "/dev/zero")).1,
            TREE,
            (1, NOT, 1),
        ),
        situation(
            "a policy that is a link out of the repository",
            |at| {
                leaky(at);
                write(at.parent().unwrap(), "policy", allow("**"));
                link(at, ".sidsweep.toml", "../policy");
            },
            TREE,
            (1, NOT, 1),
        ),
        situation(
            "a policy that is a link within the repository",
            |at| {
                leaky(at);
                write(at, "policy.toml", allow("near.env"));
                link(at, ".sidsweep.toml", "policy.toml");
            },
            TREE,
            (0, "made up", 0),
        ),
        situation("a policy of 8 MiB", |at| (leaky(at), hole(at, ".sidsweep.toml", 8)).1, TREE, (1, NOT, 1)),
        situation(
            "a policy of 2,000 entries",
            |at| policy(at, &allow("near.env").repeat(2_000)),
            TREE,
            (1, NOT, 1),
        ),
        situation(
            "a policy that is a folder",
            |at| (leaky(at), fs::create_dir(at.join(".sidsweep.toml")).unwrap()).1,
            TREE,
            (1, NOT, 1),
        ),
        situation(
            "one root's policy of noise beside another's leak",
            |at| {
                for name in ["one", "two"] {
                    fs::create_dir(at.join(name)).unwrap();
                }
                leaky(&at.join("one"));
                clean(&at.join("two"));
                write(at, "two/.sidsweep.toml", "= = =");
            },
            &["one", "two"],
            (1, NOT, 1),
        ),
        situation(
            "a range that brings its own policy",
            |at| {
                two(at);
                write(at, ".sidsweep.toml", allow("**"));
                commit(at, "policy");
            },
            &["--range", "HEAD~2..HEAD"],
            (1, "", 1),
        ),
        situation(
            "a range below a policy",
            |at| {
                clean(at);
                write(at, ".sidsweep.toml", allow("near.env"));
                commit(at, "policy");
                write(at, "near.env", leak(1));
                commit(at, "near");
            },
            &["--range", "HEAD~1..HEAD"],
            (0, "made up", 0),
        ),
        situation(
            "a range since they parted, whose policy is older",
            |at| {
                clean(at);
                write(at, ".sidsweep.toml", allow("near.env"));
                commit(at, "policy");
                git(at, &["checkout", "-q", "-b", "side"]);
                write(at, "near.env", leak(1));
                write(at, ".sidsweep.toml", "= = =");
                commit(at, "near");
            },
            &["--range", "main...side"],
            (0, "made up", 0),
        ),
        situation(
            "a range below a policy of noise",
            |at| {
                clean(at);
                write(at, ".sidsweep.toml", "= = =");
                commit(at, "policy");
                write(at, "near.env", leak(1));
                commit(at, "near");
            },
            &["--range", "HEAD~1..HEAD"],
            (1, NOT, 1),
        ),
        situation(
            "a range below a policy that is a link",
            |at| {
                clean(at);
                write(at, "policy.toml", allow("near.env"));
                link(at, ".sidsweep.toml", "policy.toml");
                commit(at, "policy");
                write(at, "near.env", leak(1));
                commit(at, "near");
            },
            &["--range", "HEAD~1..HEAD"],
            (1, "", 1),
        ),
    ]);
}

#[cfg(feature = "audit")]
#[test]
fn an_audit_names_what_it_cannot_look_at_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (name, spoil) in
        [("fine", ""), ("head", ".git/HEAD"), ("config", ".git/config"), ("index", ".git/index")]
    {
        let repository = at.join("org").join(name);
        fs::create_dir_all(&repository).unwrap();
        leaky(&repository);
        if !spoil.is_empty() {
            pipe(&repository, spoil);
        }
    }
    fs::create_dir(at.join("org/pointer")).unwrap();
    pipe(at, "org/pointer/.git");
    let arguments = ["audit", "dir:org", "--database", "sqlite:a.db", "--format", "json"];
    let output = run(at, &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", common::stderr(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let skipped = report["skipped"].to_string();
    for name in ["head", "config", "index", "pointer"] {
        assert!(skipped.contains(&format!("org/{name}")), "{name}: {skipped}");
    }
    assert!(report["findings"].to_string().contains("auth_token"));
}

#[cfg(feature = "audit")]
#[test]
fn a_database_of_a_newer_version_is_refused_in_words() {
    use sqlx::Connection;
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("org")).unwrap();
    clean(&at.join("org"));
    let output = run(at, &["audit", "dir:org", "--database", "sqlite:a.db"]);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let file = format!("sqlite://{}", at.join("a.db").display());
        let mut database = sqlx::SqliteConnection::connect(&file).await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations VALUES (900, 'newer', CURRENT_TIMESTAMP, 1, x'00', 1)";
        sqlx::query(newer).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
    });
    let before = fs::read(at.join("a.db")).unwrap();
    for arguments in [&["audit", "dir:org"][..], &["audit", "status"], &["audit", "report"]] {
        let output = run(at, &[arguments, &["--database", "sqlite:a.db"]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = common::stderr(&output);
        assert!(said.contains("made by a newer sidsweep"), "{arguments:?}: {said}");
    }
    assert_eq!(fs::read(at.join("a.db")).unwrap(), before);
}
