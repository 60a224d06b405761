//! The hook of `.pre-commit-hooks.yaml` under the real pre-commit framework, from `PyPI`: a commit that is refused, and
//! `--all-files` and `--files`, which must really read those files.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{git, write};

/// The framework; CI must have it.
fn framework(folder: &Path, home: &Path, arguments: &[&str]) -> Option<Output> {
    let output = Command::new("pre-commit")
        .current_dir(folder)
        .args(arguments)
        .env("PRE_COMMIT_HOME", home)
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "protocol.file.allow")
        .env("GIT_CONFIG_VALUE_0", "always")
        .output();
    if output.is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI has to have pre-commit");
        eprintln!("SKIPPED: there is no pre-commit on this machine");
    }
    output.ok()
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_framework_refuses_a_leak_and_reads_the_files_that_it_names() {
    let home = tempfile::tempdir().unwrap();
    let folder = common::repository();
    let here = folder.path();
    // The repository that the framework takes the hook from: this one's own description of it. The program is the one
    // that was just built, where the framework would build it anew.
    let hooks = common::repository();
    write(hooks.path(), ".pre-commit-hooks.yaml", include_str!("../.pre-commit-hooks.yaml"));
    let revision = common::commit(hooks.path(), "Hooks");
    let config = format!(
        "repos:\n- repo: {}\n  rev: {revision}\n  hooks:\n  - id: sidsweep\n    language: system\n    entry: {} scan --no-ignore\n",
        hooks.path().display(),
        env!("CARGO_BIN_EXE_sidsweep"),
    );
    write(here, ".pre-commit-config.yaml", config);
    write(here, ".gitignore", "ignored.env\n");
    let Some(installed) = framework(here, home.path(), &["install"]) else { return };
    assert!(installed.status.success(), "{}", told(&installed));
    let mut random = fastrand::Rng::with_seed(1);
    let mut hex = || (0..32).map(|_| char::from(b"0123456789abcdef"[random.usize(..16)])).collect::<String>();
    let mut leak = || format!("TWILIO_ACCOUNT_SID=AC{}\nTWILIO_AUTH_TOKEN={}\n", hex(), hex());
    let commit = |message: &str| {
        let mut command = Command::new("git");
        command
            .current_dir(here)
            .args([
                "-c",
                "user.name=Ada",
                "-c",
                "user.email=ada@example.com",
                "-c",
                "protocol.file.allow=always",
            ])
            .args(["commit", "-q", "-m", message])
            .env("PRE_COMMIT_HOME", home.path());
        command.output().unwrap()
    };
    write(here, "ok.txt", "nothing\n");
    git(here, &["add", "-A"]);
    let fine = commit("Fine");
    assert!(fine.status.success(), "{}", told(&fine));

    write(here, "app/.env", leak());
    git(here, &["add", "-A"]);
    let refused = commit("Leak");
    assert!(!refused.status.success(), "{}", told(&refused));
    assert!(told(&refused).contains("app/.env:2"), "{}", told(&refused));
    assert_eq!(git(here, &["log", "--oneline"]).lines().count(), 1, "nothing was committed");

    git(here, &["-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "Past the hook"]);
    let all = framework(here, home.path(), &["run", "--all-files"]).unwrap();
    assert!(!all.status.success() && told(&all).contains("app/.env:2"), "{}", told(&all));
    // A file that git ignores, named by hand: it is read all the same.
    write(here, "ignored.env", leak());
    git(here, &["add", "-f", "ignored.env"]);
    let named = framework(here, home.path(), &["run", "--files", "ignored.env"]).unwrap();
    assert!(!named.status.success() && told(&named).contains("ignored.env:2"), "{}", told(&named));
    let other = framework(here, home.path(), &["run", "--files", "ok.txt"]).unwrap();
    assert!(other.status.success(), "{}", told(&other));
}
