//! What is to be walked, and how paths below it are reported.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// A root cannot be walked at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or a folder may not be read.
    #[error("{path}: {source}")]
    Root {
        /// As it was given.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It is neither a folder nor a regular file.
    #[error(
        "{path}: neither a folder nor a regular file, so it is not opened (pipe it in with --stdin to scan it)"
    )]
    Special {
        /// As it was given.
        path: String,
    },
}

/// Files and folders to look at, each with what is put in front of the paths below it.
pub struct Roots<'a> {
    prefixes: HashMap<&'a Path, String>,
    /// Those that are folders.
    pub folders: Vec<&'a Path>,
}

impl<'a> Roots<'a> {
    /// Fails at the first one that cannot be walked, before anything is read.
    pub fn of(roots: &'a [PathBuf]) -> Result<Self, Error> {
        let (mut prefixes, mut folders) = (HashMap::new(), Vec::new());
        for root in roots {
            let shown = root.display().to_string();
            let unwalkable = |source| Error::Root { path: shown.clone(), source };
            let metadata = root.metadata().map_err(unwalkable)?;
            // The current folder may have been deleted: it can be read then, and is empty.
            root.canonicalize().map_err(unwalkable)?;
            if metadata.is_dir() {
                std::fs::read_dir(root).map_err(unwalkable)?;
                folders.push(root.as_path());
            } else if !metadata.is_file() {
                return Err(Error::Special { path: shown });
            }
            // A file is shown as it was named; an absolute name would tell of the machine.
            let prefix = match root.parent().filter(|_| metadata.is_file()) {
                Some(folder) if roots.len() > 1 || root.is_relative() => prefix(folder),
                None if roots.len() > 1 => prefix(root),
                _ => String::new(),
            };
            prefixes.insert(root.as_path(), prefix);
        }
        Ok(Self { prefixes, folders })
    }

    /// How a path below `root` is reported.
    #[must_use]
    pub fn shown(&self, root: &Path, path: &Path) -> String {
        // A submodule that is walked by itself stands below one of the roots.
        let root = if self.prefixes.contains_key(root) { root } else { self.above(root) };
        let relative = below(root, path);
        // A root that is a file is all of its own path.
        let relative = match path.file_name() {
            Some(name) if relative.as_os_str().is_empty() => Path::new(name),
            _ => relative,
        };
        self.prefixes.get(root).map_or_else(String::new, Clone::clone) + &slashed(relative)
    }

    /// The folders' names, for what cannot be told by its own.
    #[must_use]
    pub fn names(&self) -> String {
        self.folders.iter().map(|folder| folder.to_string_lossy()).collect::<Vec<_>>().join(", ")
    }

    /// The root that a path which could not be walked stands below.
    #[must_use]
    pub fn above<'p>(&self, path: &'p Path) -> &'p Path {
        path.ancestors().find(|folder| self.prefixes.contains_key(folder)).unwrap_or(path)
    }
}

/// A path without its root. The walk makes a path by adding a name to its folder's, so that nearly each begins with its root's bytes,
/// and is not taken apart.
fn below<'p>(root: &Path, path: &'p Path) -> &'p Path {
    let (bytes, root_bytes) = (path.as_os_str().as_encoded_bytes(), root.as_os_str().as_encoded_bytes());
    match bytes.strip_prefix(root_bytes) {
        Some([separator, rest @ ..]) if std::path::is_separator(char::from(*separator)) => {
            std::str::from_utf8(rest).map_or_else(|_| path.strip_prefix(root).unwrap_or(path), Path::new)
        }
        _ => path.strip_prefix(root).unwrap_or(path),
    }
}

/// What is put in front of the paths below a folder.
#[must_use]
pub fn prefix(folder: &Path) -> String {
    let folder = folder.to_string_lossy();
    let trimmed = folder.trim_start_matches("./").trim_end_matches('/');
    if trimmed.is_empty() || trimmed == "." { String::new() } else { format!("{trimmed}/") }
}

fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' {
        text.into_owned()
    } else {
        text.replace(std::path::MAIN_SEPARATOR, "/")
    }
}
