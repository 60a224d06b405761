//! Mirrors: bare copies of the repositories of a forge, kept so that a later audit fetches and judges only what is new.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::git::{Git, References, Refusal, Remote};
use crate::model::Holding;
use crate::private;

/// Where mirrors are kept, and how much room they may take.
#[derive(Debug, Clone)]
pub struct Mirrors {
    /// The folder.
    pub root: PathBuf,
    /// The most that all of them may take, in bytes.
    pub budget: Option<u64>,
}

/// A mirror that nobody else works on now.
#[derive(Debug)]
pub struct Mirror {
    /// The bare repository, or the folder of texts.
    pub folder: PathBuf,
    lock: File,
}

impl Mirrors {
    /// The folder where a repository's mirror is, or would be.
    #[must_use]
    pub fn folder(&self, name: &str, holding: Holding) -> PathBuf {
        let mut folder = self.root.clone();
        let ending = match holding {
            Holding::Texts => "texts",
            Holding::Code | Holding::Wiki | Holding::Gist => "git",
        };
        let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
        for (number, part) in parts.iter().enumerate() {
            let mut part = safe(part);
            if number + 1 == parts.len() {
                part = format!("{part}.{ending}");
            }
            folder.push(part);
        }
        folder
    }

    /// Takes a mirror for this process. What a process that was killed left locked is unlocked.
    pub fn take(&self, name: &str, holding: Holding) -> Result<Mirror, Refusal> {
        let folder = self.folder(name, holding);
        let failed = |error: std::io::Error| Refusal::Now(format!("{}: {error}", folder.display()));
        private::folder(&folder).map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("sidsweep.lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(Refusal::Now("another process is at its mirror".to_owned()));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        clear(&folder);
        Ok(Mirror { folder, lock })
    }

    /// Makes room: the mirrors that were used longest ago go first. What was judged of them stays in the store.
    pub fn make_room(&self, keep: &Path) {
        let Some(budget) = self.budget else { return };
        let mut mirrors = Vec::new();
        list(&self.root, &mut mirrors);
        let mut total: u64 = mirrors.iter().map(|(_, _, size)| size).sum();
        mirrors.sort_by_key(|(_, used, _)| *used);
        for (folder, _, size) in mirrors {
            if total <= budget {
                break;
            }
            // One that somebody is at stays.
            let free = File::open(folder.join("sidsweep.lock")).is_ok_and(|lock| lock.try_lock().is_ok());
            if folder != keep && free && std::fs::remove_dir_all(&folder).is_ok() {
                total -= size;
            }
        }
    }
}

impl Mirror {
    /// Brings it up to date.
    pub fn update(&self, git: &Git, remote: &Remote, references: &References) -> Result<(), Refusal> {
        git.fetch(remote, &self.folder, references, &self.lock)?;
        // The time of use, for making room.
        let _ = self.lock.set_modified(SystemTime::now());
        Ok(())
    }
}

/// A part of a path that names nothing but a file below.
fn safe(part: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    let mut text: String = part
        .bytes()
        .map(
            |byte| if keep(char::from(byte)) { char::from(byte).to_string() } else { format!("%{byte:02X}") },
        )
        .collect();
    if text.starts_with('.') || text.starts_with('-') {
        text.insert(0, '_');
    }
    text
}

/// Removes what a git that was killed left: nobody else is here.
fn clear(folder: &Path) {
    let packs = folder.join("objects/pack");
    for entry in std::fs::read_dir(packs).into_iter().flatten().filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with("tmp_") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    for name in ["HEAD.lock", "packed-refs.lock", "shallow.lock", "config.lock"] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    unlock(&folder.join("refs"), 0);
}

fn unlock(folder: &Path, depth: usize) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && depth < 64 {
            unlock(&path, depth + 1);
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// All mirrors below a folder, with the time of their last use and their size.
fn list(folder: &Path, mirrors: &mut Vec<(PathBuf, SystemTime, u64)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = entry.path();
        match std::fs::metadata(path.join("sidsweep.lock")) {
            Ok(lock) => {
                let used = lock.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                let size = size(&path);
                mirrors.push((path, used, size));
            }
            Err(_) => list(&path, mirrors),
        }
    }
}

fn size(folder: &Path) -> u64 {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => size(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_never_leaves_its_root() {
        let mirrors = Mirrors { root: PathBuf::from("/m"), budget: None };
        for (name, folder) in [
            ("github.com/acme/shop", "/m/github.com/acme/shop.git"),
            ("h/../../etc/passwd", "/m/h/_../_../etc/passwd.git"),
            ("h:8080/a b/é", "/m/h%3A8080/a%20b/%C3%A9.git"),
            ("h/-x/.git", "/m/h/_-x/_.git.git"),
        ] {
            assert_eq!(mirrors.folder(name, Holding::Code), PathBuf::from(folder), "{name}");
        }
    }
}
