//! Repositories that lie on this machine: found below a folder, and known to be unchanged by the state of their files.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ignore::{WalkBuilder, WalkState};
use sha2::{Digest, Sha256};

use crate::source::repository;

/// All repositories below a folder, with or without a work tree. A work tree's own folders are entered too: repositories
/// lie in one another. What cannot be entered is told.
#[must_use]
pub fn repositories(root: &Path) -> (Vec<PathBuf>, Vec<String>) {
    let (found, unread) = (std::sync::Mutex::default(), std::sync::Mutex::default());
    let push = |list: &std::sync::Mutex<Vec<String>>, text: String| {
        list.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(text);
    };
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .follow_links(false)
        .filter_entry(|entry| {
            entry.file_type().is_some_and(|kind| kind.is_dir())
                && !(entry.depth() > 0 && entry.path().parent().is_some_and(repository::is_bare))
                && entry.file_name() != ".git"
        })
        .build_parallel();
    walk.run(|| {
        Box::new(|entry| {
            match entry {
                Ok(entry) => {
                    let path = entry.path();
                    if path.join(".git").exists() || repository::is_bare(path) {
                        let mut list =
                            std::sync::Mutex::lock(&found).unwrap_or_else(std::sync::PoisonError::into_inner);
                        let list: &mut Vec<PathBuf> = &mut list;
                        list.push(path.to_owned());
                    }
                }
                Err(error) => push(&unread, error.to_string()),
            }
            WalkState::Continue
        })
    });
    let mut found: Vec<PathBuf> = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    found.sort();
    (found, unread.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// A digest of the names, sizes and times of all files of a repository and its work tree: as long as it stays the same,
/// nothing was written there. It takes a fraction of the time that reading takes.
#[must_use]
pub fn state(folder: &Path) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut stack = vec![(folder.to_owned(), 0)];
    if let Some(pointed) = pointed(folder) {
        stack.push((pointed, 0));
    }
    while let Some((path, depth)) = stack.pop() {
        let Ok(entries) = std::fs::read_dir(&path) else {
            lines.push(format!("{} cannot be read", path.display()));
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            let Ok(data) = entry.metadata() else { continue };
            if data.is_dir() && depth < 1000 {
                stack.push((entry.path(), depth + 1));
            }
            lines.push(format!("{} {}", entry.path().display(), stamp(&data)));
        }
    }
    lines.sort_unstable();
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    HEXLOWER.encode(&hash.finalize())
}

/// The git folder that a linked work tree's or a submodule's `.git` file points to, and what it shares with others.
fn pointed(folder: &Path) -> Option<PathBuf> {
    let dot_git = folder.join(".git");
    let (_, common) = repository::git_folders(&dot_git).ok()??;
    // What stands in the folder itself is listed with it.
    (common != dot_git).then_some(common)
}

/// Size and times. The time of the last change of the inode cannot be set by hand.
#[cfg(unix)]
fn stamp(data: &std::fs::Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    if data.is_dir() {
        // Reading a repository may touch its folders; what is in them is listed itself.
        return "folder".to_owned();
    }
    format!(
        "{} {}.{} {}.{} {}",
        data.len(),
        data.mtime(),
        data.mtime_nsec(),
        data.ctime(),
        data.ctime_nsec(),
        data.ino()
    )
}

#[cfg(not(unix))]
fn stamp(data: &std::fs::Metadata) -> String {
    format!("{} {:?}", data.len(), data.modified().ok())
}
