//! Writing a repository's hooks, and taking them away again.

use std::fs;
use std::path::Path;

use super::script::{self, Own, is_ours, kept};
use super::{Kind, Options, Place, manager};
use crate::cli::{Failure, Outcome, output};

pub(super) fn install(kind: Kind, options: &Options) -> Result<Outcome, Failure> {
    let place = Place::here()?;
    let words = options.words(place.work_tree())?;
    manager::refuse(&place, kind, &words)?;
    write(place.folder(), kind, &words)?;
    if kind == Kind::PreCommit {
        output::say(
            "git runs no pre-commit hook for merges, cherry-picks and rebases; `sidsweep hook install --type pre-push` catches what they bring",
        )?;
    }
    Ok(Outcome::Clean)
}

/// Writes a hook that checks into a folder, and keeps the one that is there.
pub(super) fn write(folder: &Path, kind: Kind, words: &[String]) -> Result<(), Failure> {
    let hook = folder.join(kind.name());
    let named = |error: std::io::Error| Failure(format!("{}: {error}", hook.display()));
    fs::create_dir_all(folder).map_err(named)?;
    let program = script::this_program()?;
    if hook.exists() && !is_ours(&hook) {
        if kept(&hook).exists() {
            return Err(Failure(format!("{} is in the way: look at it and move it", kept(&hook).display())));
        }
        fs::rename(&hook, kept(&hook)).map_err(named)?;
        output::say(&format!("kept your own hook as {}; it runs after the check", kept(&hook).display()))?;
    }
    script::write(&hook, &script::checking(kind, &program, words, Own::Beside)).map_err(named)?;
    output::say(&format!("installed {}", hook.display()))
}

pub(super) fn uninstall(kind: Kind) -> Result<Outcome, Failure> {
    remove(Place::here()?.folder(), kind)
}

/// Removes a hook that checks from a folder, and puts back the one that was there before.
pub(super) fn remove(folder: &Path, kind: Kind) -> Result<Outcome, Failure> {
    let hook = folder.join(kind.name());
    let named = |error: std::io::Error| Failure(format!("{}: {error}", hook.display()));
    if !is_ours(&hook) {
        output::say(&format!("{} is not sidsweep's: nothing to remove", hook.display()))?;
        return Ok(Outcome::Clean);
    }
    fs::remove_file(&hook).map_err(named)?;
    if kept(&hook).exists() {
        fs::rename(kept(&hook), &hook).map_err(named)?;
    }
    output::say(&format!("removed {}", hook.display()))?;
    Ok(Outcome::Clean)
}
