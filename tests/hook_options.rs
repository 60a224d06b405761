//! `sidsweep hook` for a machine, what hooks are held to by options, and ways of committing that git checks less.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in helpers of tests")]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::fixture::Mint;
use common::{git, repository, run, sidsweep, stderr, stdout, write};

fn leak(seed: u64) -> String {
    Mint::new(seed).fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n").0
}

/// A user with a home of their own, and with git's settings there.
struct User(tempfile::TempDir);

impl User {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with_home(&self, command: &mut Command) -> Output {
        command
            .env("HOME", self.0.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("GIT_CONFIG_GLOBAL")
            .env_remove("XDG_CONFIG_HOME")
            .output()
            .unwrap()
    }

    fn git(&self, at: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new("git");
        command
            .current_dir(at)
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(arguments);
        self.with_home(&mut command)
    }

    fn run(&self, at: &Path, arguments: &[&str]) -> Output {
        self.with_home(sidsweep().current_dir(at).args(arguments))
    }

    fn hooks(&self) -> std::path::PathBuf {
        self.0.path().join(".config/sidsweep/hooks")
    }
}

fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn a_hook_for_the_machine_checks_every_repository_and_runs_its_own_hooks() {
    let user = User::new();
    let outside = tempfile::tempdir().unwrap();
    let shown = user.run(outside.path(), &["hook", "status"]);
    assert_eq!(code(&shown), Some(2), "nothing is installed: {}", stdout(&shown));
    let installed = user.run(outside.path(), &["hook", "install", "--global"]);
    assert_eq!(code(&installed), Some(0), "{}", stderr(&installed));
    let again = user.run(outside.path(), &["hook", "install", "--global", "--type", "pre-push"]);
    assert_eq!(code(&again), Some(0), "{}", stderr(&again));
    let shown = user.run(outside.path(), &["hook", "status"]);
    assert_eq!(
        (code(&shown), stdout(&shown).matches("for this machine").count()),
        (Some(0), 2),
        "{}",
        stdout(&shown)
    );

    let folder = repository();
    let at = folder.path();
    for name in ["pre-commit", "commit-msg", "post-commit", "pre-push"] {
        executable(
            &at.join(".git/hooks").join(name),
            &format!("#!/bin/sh\necho {name} $# >> {}/log\n", at.display()),
        );
    }
    write(at, "a.env", leak(1));
    user.git(at, &["add", "a.env"]);
    let refused = user.git(at, &["commit", "-q", "-m", "x"]);
    assert!(
        !refused.status.success() && stderr(&refused).contains("a.env:2  Auth Token"),
        "{}",
        stderr(&refused)
    );
    assert!(!at.join("log").exists(), "no other hook runs after a refusal");
    write(at, "a.env", "clean\n");
    user.git(at, &["add", "a.env"]);
    assert!(user.git(at, &["commit", "-q", "-m", "clean"]).status.success());
    let log = std::fs::read_to_string(at.join("log")).unwrap();
    assert_eq!(log, "pre-commit 0\ncommit-msg 1\npost-commit 0\n", "each with what git gives it");
    let shown = user.run(at, &["hook", "status"]);
    assert!(
        code(&shown) == Some(0) && stdout(&shown).contains("installed for this machine"),
        "{}",
        stdout(&shown)
    );

    // A hook of the repository's own goes where git would look without the machine's, and both run.
    let local = user.run(at, &["hook", "install"]);
    assert!(
        local.status.success() && at.join(".git/hooks/pre-commit.before-sidsweep").exists(),
        "{}",
        stderr(&local)
    );
    assert!(user.git(at, &["commit", "-q", "--allow-empty", "-m", "clean"]).status.success());
    assert!(user.run(at, &["hook", "uninstall"]).status.success());

    // Where the repository's setting leads elsewhere, that is told.
    user.git(at, &["config", "core.hooksPath", "tools"]);
    let shown = user.run(at, &["hook", "status"]);
    assert!(
        code(&shown) == Some(1) && stdout(&shown).contains("for this machine, but git does not run it here"),
        "{}",
        stdout(&shown)
    );
    user.git(at, &["config", "--unset", "core.hooksPath"]);

    // Taken away one after the other; with the last one all is as it was.
    user.run(outside.path(), &["hook", "uninstall", "--global"]);
    let shown = user.run(at, &["hook", "status"]);
    assert!(stdout(&shown).contains("pre-push     installed for this machine"), "{}", stdout(&shown));
    write(at, "b.env", leak(2));
    user.git(at, &["add", "b.env"]);
    assert!(user.git(at, &["commit", "-q", "-m", "unchecked"]).status.success());
    user.run(outside.path(), &["hook", "uninstall", "--global", "--type", "pre-push"]);
    assert!(!user.hooks().exists());
    let setting = user.git(outside.path(), &["config", "--global", "--get", "core.hooksPath"]);
    assert_eq!((code(&setting), stdout(&setting).as_str()), (Some(1), ""));
    let twice = user.run(outside.path(), &["hook", "uninstall", "--global"]);
    assert!(code(&twice) == Some(0) && stdout(&twice).contains("nothing to remove"), "{}", stdout(&twice));
}

#[test]
fn a_global_folder_of_somebody_elses_stays_theirs() {
    let user = User::new();
    let theirs = user.0.path().join("team hooks");
    executable(&theirs.join("pre-commit"), "#!/bin/sh\nexit 0\n");
    user.git(user.0.path(), &["config", "--global", "core.hooksPath", "~/team hooks"]);
    let installed = user.run(user.0.path(), &["hook", "install", "--global"]);
    assert!(installed.status.success(), "{}", stderr(&installed));
    assert!(theirs.join("pre-commit.before-sidsweep").exists() && !user.hooks().exists());
    assert_eq!(std::fs::read_dir(&theirs).unwrap().count(), 2, "no other script is added");
    let folder = repository();
    write(folder.path(), "a.env", leak(1));
    user.git(folder.path(), &["add", "-A"]);
    assert!(!user.git(folder.path(), &["commit", "-q", "-m", "x"]).status.success());
    user.run(user.0.path(), &["hook", "uninstall", "--global"]);
    assert_eq!(std::fs::read_to_string(theirs.join("pre-commit")).unwrap(), "#!/bin/sh\nexit 0\n");
    user.git(user.0.path(), &["config", "--global", "core.hooksPath", "relative"]);
    let wrong = user.run(user.0.path(), &["hook", "install", "--global"]);
    assert!(code(&wrong) == Some(2) && stderr(&wrong).contains("absolute path"), "{}", stderr(&wrong));
}

/// Options of a hook, with what makes them accept the leak.
type Case = (&'static str, &'static [&'static str], fn(&Path) -> String);

#[test]
fn hooks_are_held_to_the_files_and_comments_that_they_were_installed_with() {
    let cases: [Case; 3] = [
        ("a baseline", &["--baseline", "accepted'.json"], |at| {
            write(at, "a.env", leak(1));
            let made = run(
                at,
                &["scan", "--write-baseline", "accepted'.json", "--reason", "a test account", "--by", "Ada"],
            );
            assert!(made.status.success(), "{}", stderr(&made));
            leak(1)
        }),
        ("a policy", &["--policy", "policy.toml"], |at| {
            write(at, "policy.toml", "[[allow]]\npath = \"*.env\"\nreason = \"a test account\"\n");
            leak(1)
        }),
        ("another tool's comment", &["--allow-marker", "gitleaks:allow"], |_| {
            leak(1).replace('\n', " # gitleaks:allow\n")
        }),
    ];
    for (case, options, accept) in cases {
        let folder = repository();
        let at = folder.path();
        let text = accept(at);
        write(at, "a.env", text);
        git(at, &["add", "a.env"]);
        let attempt = |options: &[&str]| {
            let installed = run(at, &[&["hook", "install"], options].concat());
            assert!(installed.status.success(), "{case}: {}", stderr(&installed));
            User::new().git(at, &["commit", "-q", "-m", "x"])
        };
        assert!(!attempt(&[]).status.success(), "{case}: without the option");
        let output = attempt(options);
        assert!(output.status.success(), "{case}: {}", stderr(&output));
        // A leak beside it is not accepted.
        write(at, "b.txt", leak(2));
        git(at, &["add", "b.txt"]);
        assert!(!User::new().git(at, &["commit", "-q", "-m", "x"]).status.success(), "{case}");
    }
}

#[test]
fn a_file_of_a_hook_that_is_wrong_or_gone_refuses() {
    let folder = repository();
    let at = folder.path();
    write(at, "rules.toml", "noise = = =");
    write(at, "baseline.json", "{}");
    for options in [
        ["--rules", "rules.toml"],
        ["--baseline", "baseline.json"],
        ["--policy", "rules.toml"],
        ["--baseline", "nowhere.json"],
        ["--allow-marker", "x"],
    ] {
        let wrong = run(at, &[&["hook", "install"][..], &options].concat());
        assert!(code(&wrong) == Some(2) && !at.join(".git/hooks/pre-commit").exists(), "{options:?}");
    }
    write(at, "rules.toml", "");
    assert!(run(at, &["hook", "install", "--rules", "rules.toml"]).status.success());
    std::fs::remove_file(at.join("rules.toml")).unwrap();
    write(at, "clean", "clean");
    git(at, &["add", "clean"]);
    let refused = User::new().git(at, &["commit", "-q", "-m", "x"]);
    assert!(!refused.status.success() && stderr(&refused).contains("rules.toml"), "{}", stderr(&refused));
    // A manager gets the options in its line.
    write(at, "lefthook.yml", "");
    write(at, "policy.toml", "");
    let lines = run(at, &["hook", "install", "--policy", "policy.toml"]);
    assert!(
        stderr(&lines).contains("run: sidsweep hook run pre-commit '--policy=policy.toml'"),
        "{}",
        stderr(&lines)
    );
}

/// A change that brings a leak past the pre-commit hook.
type Bypass = fn(&Path);

#[test]
fn what_merges_cherry_picks_and_rebases_bring_past_pre_commit_is_stopped_by_pre_push() {
    let bypasses: [(&str, Bypass); 3] = [
        ("merge", |at| drop(git(at, &["merge", "-q", "--no-ff", "--no-edit", "other"]))),
        ("cherry-pick", |at| drop(git(at, &["cherry-pick", "other"]))),
        ("rebase", |at| drop(git(at, &["rebase", "-q", "other"]))),
    ];
    for (case, bypass) in bypasses {
        let server = tempfile::tempdir().unwrap();
        git(server.path(), &["init", "-q", "--bare", "s.git"]);
        let folder = repository();
        let at = folder.path();
        git(at, &["remote", "add", "origin", server.path().join("s.git").to_str().unwrap()]);
        common::commit(at, "first");
        git(at, &["push", "-q", "origin", "main"]);
        git(at, &["checkout", "-q", "-b", "other"]);
        write(at, "leak.env", leak(1));
        common::commit(at, "a colleague's");
        git(at, &["checkout", "-q", "main"]);
        write(at, "mine", "clean");
        common::commit(at, "mine");
        for kind in ["pre-commit", "pre-push"] {
            let installed = run(at, &["hook", "install", "--type", kind]);
            assert!(installed.status.success(), "{}", stderr(&installed));
            let says = stdout(&installed)
                .contains("git runs no pre-commit hook for merges, cherry-picks and rebases");
            assert_eq!(says, kind == "pre-commit");
        }
        // git runs no pre-commit hook for these, whatever is installed.
        bypass(at);
        let refused = User::new().git(at, &["push", "-q", "origin", "main"]);
        assert!(!refused.status.success(), "{case}");
        assert!(
            stderr(&refused).contains("leak.env:2  Auth Token") && stderr(&refused).contains(", in commit "),
            "{case}: {}",
            stderr(&refused)
        );
    }
}
