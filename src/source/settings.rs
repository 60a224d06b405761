//! A repository with the settings of its user, for what git itself has to agree with: where it looks for hooks. Nothing of the
//! repository is opened that was not looked at first.

use std::path::{Path, PathBuf};

use super::guarded::{self, Links};
use super::layout::Extent;
use super::repository::{self, Error, causes};

/// Settings that include settings that include settings: so deep at most, as in git.
const DEEPEST: usize = 10;

/// Opens the repository that a path lies in, with the settings of the system and the user.
pub fn open(path: &Path) -> Result<gix::Repository, Error> {
    let git_dir = repository::find(path).ok_or_else(|| Error::None { path: path.display().to_string() })?;
    let unreadable = |reason: String| Error::Unreadable { path: path.display().to_string(), reason };
    // Looks at all that lies there, and reads the repository's own settings without what they include.
    let alone = repository::open_at(&git_dir, path, Extent::Files)?;
    let own = alone.config_snapshot();
    vet_included(own.plumbing(), alone.common_dir(), 0).map_err(unreadable)?;
    let options = gix::open::Options::default().open_path_as_is(true);
    gix::open_opts(&git_dir, options).map_err(|error| unreadable(causes(&error)))
}

/// Looks at the files that settings include, and at those that they include in turn.
fn vet_included(settings: &gix::config::File, folder: &Path, depth: usize) -> Result<(), String> {
    let sections = ["include", "includeIf"].into_iter().filter_map(|name| settings.sections_by_name(name));
    for value in sections.flatten().flat_map(|section| section.values("path")) {
        let Some(path) = gix::path::from_bstr(value).ok().and_then(|path| absolute(&path, folder)) else {
            continue;
        };
        let named =
            |reason: String| format!("{}, which its configuration includes: {reason}", path.display());
        guarded::vet(&path, guarded::SETTINGS, Links::BetweenGitFolders).map_err(named)?;
        if depth < DEEPEST
            && let Ok(included) =
                gix::config::File::from_path_no_includes(path.clone(), gix::config::Source::Local)
        {
            vet_included(&included, path.parent().unwrap_or(folder), depth + 1)?;
        }
    }
    Ok(())
}

/// Where a file of settings lies that another names; nothing where git alone knows.
fn absolute(path: &Path, folder: &Path) -> Option<PathBuf> {
    match path.strip_prefix("~") {
        Ok(below) => Some(PathBuf::from(std::env::var_os("HOME")?).join(below)),
        Err(_) => Some(folder.join(path)),
    }
}
