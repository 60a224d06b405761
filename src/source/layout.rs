//! What lies in a git folder, looked at before git's library opens it: the library follows every link, waits at every pipe, and reads
//! files of any size.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::guarded::{self, Links};
use crate::model::{Tally, Unit};

/// The most that lists of references and objects may hold, in bytes.
const LIST: u64 = 1 << 30;
/// Folders of references nested deeper are no work of git's.
const DEEPEST: usize = 64;
/// So many object folders of others may be borrowed from.
const MOST_STORES: usize = 1_000;

/// Files of a git folder, and the most that each may hold.
const FILES: [(&str, u64); 8] = [
    ("HEAD", guarded::LINE),
    ("commondir", guarded::LINE),
    ("gitdir", guarded::LINE),
    ("config", guarded::SETTINGS),
    ("config.worktree", guarded::SETTINGS),
    ("shallow", LIST),
    ("packed-refs", LIST),
    ("objects/info/alternates", guarded::SETTINGS),
];

/// Folders of a git folder whose files are opened by name or one after the other. Those of loose objects are many, and come last.
const FOLDERS: [&str; 6] = ["objects/pack", "objects/info", "refs", "logs/refs", "worktrees", "reftable"];

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What is opened to learn of the state of the work tree.
    Files,
    /// What is opened to walk through history, loose objects included.
    Everything,
}

/// Something that git's library may not open.
pub struct Unopenable {
    /// Where it stands.
    pub path: PathBuf,
    /// Why, in words.
    pub reason: String,
}

/// Looks at a git folder, and at the one that it shares with other work trees.
pub fn vet(git: &Path, common: &Path, extent: Extent) -> Result<(), Unopenable> {
    let both = if git == common { vec![git] } else { vec![git, common] };
    for folder in &both {
        for (name, most) in FILES {
            let path = folder.join(name);
            guarded::vet(&path, most, Links::BetweenGitFolders)
                .map_err(|reason| Unopenable { path, reason })?;
        }
        for name in FOLDERS {
            below(&folder.join(name), 0)?;
        }
        if extent == Extent::Everything {
            for number in 0..=255_u8 {
                below(&folder.join(format!("objects/{number:02x}")), DEEPEST)?;
            }
        }
    }
    Ok(())
}

/// Looks at all that stands in a folder, and below it where it is not too deep.
fn below(folder: &Path, depth: usize) -> Result<(), Unopenable> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.filter_map(Result::ok) {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_file() {
            continue;
        }
        let path = entry.path();
        if kind.is_dir() {
            if depth < DEEPEST {
                below(&path, depth + 1)?;
            }
            continue;
        }
        let reason = if kind.is_symlink() {
            // One that leads nowhere is to git's library a file that is not there.
            match path.metadata() {
                Ok(_) => guarded::target(&path, Links::BetweenGitFolders).err(),
                Err(_) => None,
            }
        } else {
            path.symlink_metadata().ok().map(|found| guarded::what_it_is(&found).to_owned())
        };
        if let Some(reason) = reason {
            return Err(Unopenable { path, reason });
        }
    }
    Ok(())
}

/// An object folder and those that it borrows from, each once. What they lead to that is not there, or that leads back to where it
/// came from, is named.
pub fn stores(objects: PathBuf, tally: &Tally) -> Vec<PathBuf> {
    let mut seen: HashSet<PathBuf> = objects.canonicalize().into_iter().collect();
    let mut stores = vec![objects];
    let mut next = 0;
    while let Some(store) = stores.get(next).cloned() {
        next += 1;
        let list = store.join("info/alternates");
        let skip = |reason: String| tally.skip(Unit::Settings, list.display(), reason);
        let text = match guarded::text(&list, guarded::SETTINGS, Links::BetweenGitFolders) {
            Ok(text) => text.unwrap_or_default(),
            Err(reason) => {
                skip(reason);
                continue;
            }
        };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let folder = store.join(unquoted(line));
            match folder.canonicalize() {
                Ok(canonical) if !canonical.is_dir() => skip(format!("{line}: no folder of objects")),
                Ok(canonical) if stores.len() < MOST_STORES && seen.insert(canonical.clone()) => {
                    stores.push(canonical);
                }
                Ok(_) if stores.len() >= MOST_STORES => skip(format!("more than {MOST_STORES} folders")),
                Ok(_) if leads_back(&folder, &store) => skip(format!(
                    "{line} borrows objects from here in turn: a cycle, which git refuses; what lies there was read once"
                )),
                // Two lists may name one folder.
                Ok(_) => {}
                Err(error) => skip(format!("{line}: objects were to be borrowed from there: {error}")),
            }
        }
    }
    stores
}

/// Whether an object folder that is listed a second time borrows, by way of others, from the one that lists it.
fn leads_back(from: &Path, to: &Path) -> bool {
    let Ok(goal) = to.canonicalize() else { return false };
    let mut left = vec![from.to_owned()];
    let mut seen = HashSet::new();
    while let Some(folder) = left.pop() {
        let Ok(folder) = folder.canonicalize() else { continue };
        if folder == goal {
            return true;
        }
        if !seen.insert(folder.clone()) || seen.len() > MOST_STORES {
            continue;
        }
        let list = folder.join("info/alternates");
        let text = guarded::text(&list, guarded::SETTINGS, Links::BetweenGitFolders).ok().flatten();
        left.extend(text.unwrap_or_default().lines().map(|line| folder.join(unquoted(line.trim()))));
    }
    false
}

/// A path of a list of alternates, which git quotes where it holds odd characters.
fn unquoted(line: &str) -> PathBuf {
    let plain = || PathBuf::from(line);
    if !line.starts_with('"') {
        return plain();
    }
    let text = gix::quote::ansi_c::undo(line.into()).ok().map(|(text, _)| text.into_owned());
    text.and_then(|text| gix::path::from_bstring(text).ok()).unwrap_or_else(plain)
}
