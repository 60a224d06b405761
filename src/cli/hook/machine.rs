//! Hooks for all repositories of a machine, by git's global `core.hooksPath`. git then looks there and no longer into each repository,
//! so the folder has a script for each hook that git knows, which runs the repository's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use etcetera::BaseStrategy;

use super::script::{self, Own};
use super::{Kind, Options, install};
use crate::cli::{Failure, Outcome, output};

/// The setting.
const SETTING: &str = "core.hooksPath";
/// What git knows, by its manual page githooks(5). Left out are `push-to-checkout`, whose presence alone changes what a push does, and
/// those that only run where a setting of their own asks for them.
const HOOKS: [&str; 25] = [
    "applypatch-msg",
    "commit-msg",
    "p4-changelist",
    "p4-post-changelist",
    "p4-pre-submit",
    "p4-prepare-changelist",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "pre-receive",
    "prepare-commit-msg",
    "reference-transaction",
    "sendemail-validate",
    "update",
];

/// Our own folder of hooks.
fn folder() -> Result<PathBuf, Failure> {
    let base = etcetera::choose_base_strategy()
        .map_err(|error| Failure(format!("no place for this machine's hooks: {error}; set HOME")))?;
    Ok(base.config_dir().join("sidsweep").join("hooks"))
}

/// Whether a path leads to our own folder of hooks.
pub(super) fn is_folder(path: &Path) -> bool {
    let same = |a: &Path, b: &Path| match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        (Ok(_) | Err(_), _) => a == b,
    };
    folder().is_ok_and(|ours| same(&ours, path))
}

/// The hook of this machine that checks, if one is installed and git's global setting leads to it.
pub(super) fn hook(kind: Kind) -> Option<PathBuf> {
    let hook = configured().ok()??.join(kind.name());
    (script::is_ours(&hook) && script::program(&hook).is_some()).then_some(hook)
}

fn git(arguments: &[&str]) -> Result<std::process::Output, Failure> {
    Command::new("git")
        .args(["config", "--global"])
        .args(arguments)
        .output()
        .map_err(|error| Failure(format!("git: {error}; --global needs it on the PATH")))
}

/// git's global setting, with `~` for the home spelt out.
fn configured() -> Result<Option<PathBuf>, Failure> {
    let output = git(&["--type=path", "--get", SETTING])?;
    match output.status.code() {
        Some(0) => {
            let text = String::from_utf8_lossy(&output.stdout);
            Ok(Some(text.trim_end_matches(['\n', '\r'])).filter(|path| !path.is_empty()).map(PathBuf::from))
        }
        // It is not set, or there is no file of settings.
        Some(1) => Ok(None),
        _ => Err(failed(&output)),
    }
}

fn failed(output: &std::process::Output) -> Failure {
    Failure(format!("git config --global: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn set(arguments: &[&str]) -> Result<(), Failure> {
    let output = git(arguments)?;
    if output.status.success() { Ok(()) } else { Err(failed(&output)) }
}

pub(super) fn install(kind: Kind, options: &Options) -> Result<Outcome, Failure> {
    let words = options.words(None)?;
    match configured()? {
        // Somebody else's folder stays what it is: the check goes in front of what is there.
        Some(other) if !is_folder(&other) => {
            if !other.is_absolute() {
                return Err(Failure(format!(
                    "git's global {SETTING} is {}, which is another folder in each repository; make it an absolute path first",
                    other.display()
                )));
            }
            install::write(&other, kind, &words)?;
        }
        found => {
            let ours = folder()?;
            fill(&ours, kind, &words)
                .map_err(|Failure(reason)| Failure(format!("{}: {reason}", ours.display())))?;
            if found.is_none() {
                set(&[SETTING, text(&ours)?])?;
            }
            output::say(&format!(
                "installed {}; git's global {SETTING} leads there, and each repository's own hooks run after it",
                ours.join(kind.name()).display()
            ))?;
        }
    }
    output::say(
        "A repository whose own core.hooksPath leads elsewhere, as with husky, is not covered: `sidsweep hook status` tells there.",
    )?;
    Ok(Outcome::Clean)
}

fn text(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| Failure(format!("{}: a path that is not UTF-8", path.display())))
}

/// Writes the script of a hook that checks, and of all others that are not there yet.
fn fill(ours: &Path, kind: Kind, words: &[String]) -> Result<(), Failure> {
    fs::create_dir_all(ours)?;
    let program = script::this_program()?;
    script::write(&ours.join(kind.name()), &script::checking(kind, &program, words, Own::InRepository))?;
    for name in HOOKS.iter().filter(|name| !ours.join(name).exists()) {
        script::write(&ours.join(name), &script::passing(name))?;
    }
    Ok(())
}

pub(super) fn uninstall(kind: Kind) -> Result<Outcome, Failure> {
    let ours = match configured()? {
        Some(other) if !is_folder(&other) => return install::remove(&other, kind),
        Some(ours) => ours,
        None => folder()?,
    };
    let hook = ours.join(kind.name());
    if script::program(&hook).is_none() {
        output::say(&format!("{}: no check is installed there: nothing to remove", hook.display()))?;
        return Ok(Outcome::Clean);
    }
    script::write(&hook, &script::passing(kind.name()))?;
    if !Kind::ALL.iter().any(|kind| script::program(&ours.join(kind.name())).is_some()) {
        empty(&ours)?;
    }
    output::say(&format!("removed {}", hook.display()))?;
    Ok(Outcome::Clean)
}

/// Takes away the folder when nothing in it checks any more, and git's setting first, so that it never leads nowhere.
fn empty(ours: &Path) -> Result<(), Failure> {
    if configured()?.is_some() {
        set(&["--unset", SETTING])?;
    }
    for name in HOOKS.iter().filter(|name| script::is_ours(&ours.join(name))) {
        fs::remove_file(ours.join(name))?;
    }
    // What somebody else put there stays, and so does the folder then.
    let _ = fs::remove_dir(ours);
    Ok(())
}
