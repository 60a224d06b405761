//! The shell scripts that git runs as hooks: their text, and what can be told of one that lies there.

use std::fs;
use std::path::{Path, PathBuf};

use super::Kind;
use crate::cli::Failure;

/// The lines by which our own hooks are known.
const MARK: &str = "# Installed by `sidsweep hook install`; `sidsweep hook uninstall` removes it.";
const MACHINE_MARK: &str =
    "# Installed by `sidsweep hook install --global`; `sidsweep hook uninstall --global` removes it.";
/// What stands before the program's path in a hook.
const PROGRAM: &str = "sidsweep='";

/// Where the hook stands that runs after a check has passed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// Beside ours, under another name.
    Beside,
    /// In the repository, while ours is in a folder for the whole machine.
    InRepository,
}

impl Own {
    fn mark(self) -> &'static str {
        match self {
            Self::Beside => MARK,
            Self::InRepository => MACHINE_MARK,
        }
    }

    /// The shell's words that say where it is.
    fn words(self, name: &str) -> String {
        match self {
            Self::Beside => "own=\"$0.before-sidsweep\"".to_owned(),
            // `git rev-parse --git-path hooks` would name the folder that this script is in.
            Self::InRepository => format!("own=\"$(git rev-parse --git-common-dir)/hooks/{name}\" || exit 1"),
        }
    }

    fn option(self) -> &'static str {
        if self == Self::InRepository { " --global" } else { "" }
    }
}

/// Text between single quotes, which keep every character but a single quote.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A hook that checks, and then runs the one that was there before.
pub(super) fn checking(kind: Kind, program: &Path, words: &[String], own: Own) -> String {
    let (name, mark, option) = (kind.name(), own.mark(), own.option());
    let program = quoted(&program.to_string_lossy());
    let options: String = words.iter().map(|word| format!(" {}", quoted(word))).collect();
    let (read, feed) =
        if kind.has_input() { ("input=$(cat)\n", "printf '%s\\n' \"$input\" | ") } else { ("", "") };
    let own = own.words(name);
    format!(
        "#!/bin/sh\n{mark}\nsidsweep={program}\nif [ ! -x \"$sidsweep\" ]; then\n  \
         echo \"sidsweep is gone from $sidsweep, so nothing was checked. Install it again and run 'sidsweep hook install{option} --type {name}',\" >&2\n  \
         echo \"or go on unchecked with --no-verify.\" >&2\n  exit 1\nfi\n{read}\
         {feed}\"$sidsweep\" hook run {name}{options} -- \"$@\" || exit $?\n\
         {own}\nif [ -x \"$own\" ]; then\n  {feed}\"$own\" \"$@\"\n  exit $?\nfi\n"
    )
}

/// A hook of the machine that only runs the repository's own: git looks into one folder, and not into the repository as well.
pub(super) fn passing(name: &str) -> String {
    let own = Own::InRepository.words(name);
    format!(
        "#!/bin/sh\n{MACHINE_MARK}\n# git reads hooks from this folder and not from the repository, so this runs the repository's own.\n\
         {own}\n[ -x \"$own\" ] || exit 0\nexec \"$own\" \"$@\"\n"
    )
}

/// Where somebody's own hook is kept.
pub(super) fn kept(hook: &Path) -> PathBuf {
    hook.with_extension("before-sidsweep")
}

/// Whether we wrote a hook, in whichever way.
pub(super) fn is_ours(hook: &Path) -> bool {
    fs::read(hook).is_ok_and(|text| {
        [MARK, MACHINE_MARK].iter().any(|mark| memchr::memmem::find(&text, mark.as_bytes()).is_some())
    })
}

/// The program that one of our hooks runs; nothing where it checks nothing.
pub(super) fn program(hook: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(hook).ok()?;
    let quoted = text.lines().find_map(|line| line.strip_prefix(PROGRAM))?.strip_suffix('\'')?;
    Some(PathBuf::from(quoted.replace("'\\''", "'")))
}

/// This program, as a hook names it.
pub(super) fn this_program() -> Result<PathBuf, Failure> {
    Ok(std::env::current_exe().and_then(|path| path.canonicalize())?)
}

/// Writes a hook beside its place and then puts it there, so that git never runs half of one.
pub(super) fn write(hook: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let folder = hook.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    make_executable(file.path())?;
    file.persist(hook).map_err(|error| error.error)?;
    Ok(())
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
