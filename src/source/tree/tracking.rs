//! What git tracks below the roots of a walk, whatever its rules of ignored files say: files, and submodules.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::model::{Skipped, Tally, Unit};
use crate::source::tracked;

/// The folders by their canonical paths.
fn canonical<'a>(folders: &[&'a Path]) -> HashMap<PathBuf, &'a Path> {
    folders.iter().filter_map(|folder| Some((folder.canonicalize().ok()?, *folder))).collect()
}

/// The repositories that some folders lie in, and those that stand below them: each by its canonical path.
fn repositories_of(folders: &HashMap<PathBuf, &Path>, below: &[PathBuf]) -> BTreeMap<PathBuf, PathBuf> {
    let above = folders.keys().filter_map(|folder| repository_above(folder));
    let mut found: BTreeMap<PathBuf, PathBuf> = above.map(|above| (above.clone(), above)).collect();
    found.extend(below.iter().filter_map(|below| Some((below.canonicalize().ok()?, below.clone()))));
    found
}

/// The submodules below some folders that were not walked, since they are ignored.
pub(super) fn unwalked(folders: &[&Path], walked: &[PathBuf]) -> Vec<PathBuf> {
    let folders = canonical(folders);
    let known: HashSet<PathBuf> = walked.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let mut found = Vec::new();
    for repository in repositories_of(&folders, walked).into_keys() {
        // What its index says of submodules that cannot be read is named by whoever reads it for its files.
        let submodules = tracked::checked_out(&repository).unwrap_or_default();
        for top in submodules.into_iter().filter(|top| !known.contains(top)) {
            let above = top.ancestors().find_map(|above| Some((above, *folders.get(above)?)));
            if let Some((above, root)) = above.filter(|(above, _)| *above != top) {
                found.push(root.join(top.strip_prefix(above).unwrap_or(&top)));
            }
        }
    }
    found
}

/// What git tracks and the walk has not seen, since it is ignored; each with its folder. `repositories` stand below the folders.
/// What is not checked out is told apart.
pub(super) fn passed_over<'a>(
    folders: &[&'a Path],
    repositories: &[PathBuf],
    tally: &Tally,
    seen: impl Fn(&Path) -> bool,
) -> (Vec<(&'a Path, PathBuf)>, Vec<Skipped>) {
    let folders = canonical(folders);
    let (mut passed_over, mut left_out) = (Vec::new(), Vec::new());
    for (repository, shown) in repositories_of(&folders, repositories) {
        let tracked = match tracked::files(&repository) {
            Ok(tracked) => tracked,
            Err(reason) => {
                tally.skip(Unit::Settings, shown.display(), reason);
                continue;
            }
        };
        if tracked.not_checked_out > 0 {
            left_out.push(Skipped {
                path: shown.display().to_string(),
                reason: format!(
                    "{} files that git tracks are not checked out (sparse checkout, skip-worktree): \
                     `git sparse-checkout disable` brings them, --history reads them where they are",
                    tracked.not_checked_out
                ),
            });
        }
        let below = below_folders(tracked.files, &repository, &folders).into_iter();
        passed_over.extend(below.filter(|(_, path)| {
            // What git tracks may be gone from the work tree.
            !seen(path) && path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
        }));
    }
    (passed_over, left_out)
}

/// The repository that a folder is, or lies in.
fn repository_above(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// Those of a repository's files that stand below some folders, each with its folder. Folders are given with their full paths.
fn below_folders<'a>(
    files: Vec<PathBuf>,
    repository: &Path,
    folders: &HashMap<PathBuf, &'a Path>,
) -> Vec<(&'a Path, PathBuf)> {
    let below = |file: PathBuf| {
        let file = repository.join(file);
        let relative = |folder: &Path| file.strip_prefix(folder).map(Path::to_owned).unwrap_or_default();
        file.ancestors()
            .filter_map(|folder| folders.get(folder).map(|root| (*root, root.join(relative(folder)))))
            .collect::<Vec<_>>()
    };
    files.into_iter().flat_map(below).collect()
}
