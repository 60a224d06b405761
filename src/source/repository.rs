//! Opening a git repository so that nothing of it can run or lead elsewhere: no configuration but its own is read,
//! no replacement objects, no hooks, filters or drivers.

use std::path::{Path, PathBuf};

/// A repository cannot be opened, or not looked at in the way asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error(
        "{path}: not in a git repository (leave out --history, --staged and --range to scan a plain folder)"
    )]
    None {
        /// Where it was looked for.
        path: String,
    },
    /// There is one that cannot be read.
    #[error("{path}: the git repository cannot be read: {reason}")]
    Unreadable {
        /// Where.
        path: String,
        /// What git's library says.
        reason: String,
    },
    /// A revision cannot be resolved.
    #[error("{spec}: {reason}")]
    Revision {
        /// As it was given.
        spec: String,
        /// Why, and the way out.
        reason: String,
    },
}

/// Opens the repository that a path lies in. `GIT_DIR` is honoured, as git's hooks set it.
pub fn open(path: &Path) -> Result<gix::Repository, Error> {
    let shown = || path.display().to_string();
    let git_dir = match std::env::var_os("GIT_DIR").filter(|_| path == Path::new(".")) {
        Some(git_dir) => PathBuf::from(git_dir),
        None => find(path).ok_or_else(|| Error::None { path: shown() })?,
    };
    let options = gix::open::Options::isolated()
        .open_path_as_is(true)
        .with(gix::sec::Trust::Full)
        .config_overrides(["core.useReplaceRefs=false"]);
    let repository = gix::open_opts(&git_dir, options)
        .map_err(|error| Error::Unreadable { path: shown(), reason: causes(&error) })?;
    Ok(repository)
}

/// Whether a path is a bare repository, or a git folder itself.
#[must_use]
pub fn is_bare(path: &Path) -> bool {
    is_git_folder(path)
}

/// The git folder of the repository that a path lies in.
fn find(path: &Path) -> Option<PathBuf> {
    let absolute = path.canonicalize().ok()?;
    absolute.ancestors().find_map(|folder| {
        let dot_git = folder.join(".git");
        if is_git_folder(&dot_git) {
            return Some(dot_git);
        }
        if dot_git.is_file() {
            // A linked worktree's or a submodule's pointer.
            let text = std::fs::read_to_string(&dot_git).ok()?;
            return Some(folder.join(text.strip_prefix("gitdir:")?.trim()));
        }
        is_git_folder(folder).then(|| folder.to_owned())
    })
}

fn is_git_folder(folder: &Path) -> bool {
    folder.join("HEAD").exists() && (folder.join("objects").is_dir() || folder.join("commondir").is_file())
}

/// An error with its causes, on one line.
#[must_use]
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let further = error.to_string();
        if !text.contains(&further) {
            text = format!("{text}: {further}");
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}
