//! Writing hooks, and taking them away again.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Kind, Place, manager};
use crate::cli::{Failure, Outcome, output, unread};

/// The line by which our own hooks are known.
const MARK: &str = "# Installed by `sidsweep hook install`; `sidsweep hook uninstall` removes it.";
/// What stands before the program's path in a hook.
const PROGRAM: &str = "sidsweep='";

pub(super) fn kept(hook: &Path) -> PathBuf {
    hook.with_extension("before-sidsweep")
}

pub(super) fn is_ours(hook: &Path) -> bool {
    fs::read(hook).is_ok_and(|text| memchr::memmem::find(&text, MARK.as_bytes()).is_some())
}

/// The program that one of our hooks runs.
pub(super) fn program(hook: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(hook).ok()?;
    let quoted = text.lines().find_map(|line| line.strip_prefix(PROGRAM))?.strip_suffix('\'')?;
    Some(PathBuf::from(quoted.replace("'\\''", "'")))
}

fn script(kind: Kind, program: &Path, unread: &unread::UnreadArgs) -> String {
    let name = kind.name();
    // Single quotes keep every character of a path but a single quote.
    let quote = |text: &str| text.replace('\'', "'\\''");
    let quoted = quote(&program.to_string_lossy());
    let options: String = unread.words().iter().map(|word| format!(" '{}'", quote(word))).collect();
    let (read, feed) =
        if kind.has_input() { ("input=$(cat)\n", "printf '%s\\n' \"$input\" | ") } else { ("", "") };
    format!(
        "#!/bin/sh\n{MARK}\n{PROGRAM}{quoted}'\nif [ ! -x \"$sidsweep\" ]; then\n  \
         echo \"sidsweep is gone from $sidsweep, so nothing was checked. Install it again and run 'sidsweep hook install --type {name}',\" >&2\n  \
         echo \"or go on unchecked with --no-verify.\" >&2\n  exit 1\nfi\n{read}\
         {feed}\"$sidsweep\" hook run {name}{options} -- \"$@\" || exit $?\n\
         own=\"$0.before-sidsweep\"\nif [ -x \"$own\" ]; then\n  {feed}\"$own\" \"$@\"\n  exit $?\nfi\n"
    )
}

pub(super) fn install(kind: Kind, unread: &unread::UnreadArgs) -> Result<Outcome, Failure> {
    unread.check()?;
    let place = Place::here()?;
    manager::refuse(&place, kind)?;
    let folder = place.folder();
    let hook = folder.join(kind.name());
    let named = |error: std::io::Error| Failure(format!("{}: {error}", hook.display()));
    fs::create_dir_all(folder).map_err(named)?;
    let program = std::env::current_exe().and_then(|path| path.canonicalize())?;
    if hook.exists() && !is_ours(&hook) {
        if kept(&hook).exists() {
            return Err(Failure(format!("{} is in the way: look at it and move it", kept(&hook).display())));
        }
        fs::rename(&hook, kept(&hook)).map_err(named)?;
        output::say(&format!("kept your own hook as {}; it runs after the check", kept(&hook).display()))?;
    }
    fs::write(&hook, script(kind, &program, unread)).map_err(named)?;
    make_executable(&hook).map_err(named)?;
    output::say(&format!("installed {}", hook.display()))?;
    Ok(Outcome::Clean)
}

pub(super) fn uninstall(kind: Kind) -> Result<Outcome, Failure> {
    let hook = Place::here()?.folder().join(kind.name());
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

#[cfg(unix)]
fn make_executable(hook: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(hook, fs::Permissions::from_mode(0o755))
}

#[cfg(unix)]
pub(super) fn is_executable(hook: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(hook).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Git for Windows runs hooks whatever their mode.
#[cfg(not(unix))]
fn make_executable(_hook: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn is_executable(hook: &Path) -> bool {
    hook.exists()
}
