//! What git ignores below the roots of a walk. The rules are read here, by [`guarded`], and not by the walk's own library: it would
//! open whatever stands at `.gitignore`, and follow rules that hide `.git` before a nested repository is noted.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::guarded::{self, Links};
use super::repository;

/// The rules of one folder, and of those above it.
struct Level {
    /// Of `.gitignore`.
    own: Gitignore,
    /// Of `.git/info/exclude`.
    exclude: Gitignore,
    /// It is the top of a work tree: rules from above end here.
    is_top: bool,
    /// It, or a folder above it, is the top of a work tree: without one, no rule counts.
    in_repository: bool,
    /// It stands above the root of the walk, so its rules are asked with absolute paths.
    is_above: bool,
    parent: Option<Arc<Level>>,
}

/// What was found out on the way.
#[derive(Default)]
pub struct Noted {
    /// Work trees' tops below the roots.
    pub repositories: Vec<PathBuf>,
    /// Files of rules that were not followed, by path, and why.
    pub unread: Vec<(PathBuf, String)>,
    /// Files that git ignores and that hold secrets by their purpose.
    pub environments: Vec<PathBuf>,
    /// Folders that git ignores and that are repositories of their own.
    pub nested: Vec<PathBuf>,
}

impl Noted {
    /// Adds what another walk found out.
    pub fn append(&mut self, other: Self) {
        let Self { repositories, unread, environments, nested } = other;
        self.repositories.extend(repositories);
        self.unread.extend(unread);
        self.environments.extend(environments);
        self.nested.extend(nested);
    }
}

/// The rules in force.
pub struct Ignored {
    global: Option<Gitignore>,
    /// The folders that have rules of their own.
    levels: RwLock<HashMap<PathBuf, Arc<Level>>>,
    /// The roots, with their canonical paths.
    roots: Vec<(PathBuf, PathBuf)>,
    noted: Mutex<Noted>,
}

impl Ignored {
    /// The rules above and at the roots of a walk. With `follow` unset nothing is ignored, and repositories are noted all the
    /// same.
    #[must_use]
    pub fn at(roots: &[PathBuf], follow: bool) -> Self {
        let ignored = Self {
            global: follow.then(|| Gitignore::global().0),
            levels: RwLock::default(),
            roots: roots.iter().filter_map(|root| Some((root.clone(), root.canonicalize().ok()?))).collect(),
            noted: Mutex::default(),
        };
        for (root, canonical) in &ignored.roots {
            if !canonical.is_dir() {
                continue;
            }
            let above: Vec<&Path> = canonical.ancestors().skip(1).collect();
            let mut parent = None;
            for folder in above.into_iter().rev() {
                parent = ignored.level(folder, true, parent);
            }
            if let Some(level) = ignored.level(root, false, parent) {
                ignored.levels.write().unwrap_or_else(PoisonError::into_inner).insert(root.clone(), level);
            }
        }
        ignored
    }

    /// Reads the rules of a folder that is about to be entered.
    pub fn enter(&self, folder: &Path, rules: Option<&Rules>) {
        let parent = rules.map(|rules| Arc::clone(&rules.0));
        let Some(level) = self.level(folder, false, parent) else { return };
        if rules.is_none_or(|rules| !Arc::ptr_eq(&rules.0, &level)) {
            self.levels.write().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), level);
        }
    }

    /// The rules for what stands in a folder.
    #[must_use]
    pub fn rules(&self, folder: &Path) -> Option<Rules> {
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        folder.ancestors().find_map(|folder| levels.get(folder)).map(|level| Rules(Arc::clone(level)))
    }

    /// Whether git ignores what stands at a path, by the rules of its folder.
    #[must_use]
    pub fn is_ignored(&self, path: &Path, is_dir: bool, rules: Option<&Rules>) -> bool {
        let Some(global) = &self.global else { return false };
        let Some(Rules(level)) = rules.filter(|rules| rules.0.in_repository) else { return false };
        let path = path.strip_prefix("./").unwrap_or(path);
        let (mut own, mut exclude) = (Match::None, Match::None);
        let mut absolute = None;
        let mut next = Some(level);
        while let Some(level) = next {
            let path = if level.is_above {
                absolute.get_or_insert_with(|| self.absolute(path)).as_path()
            } else {
                path
            };
            own = own.or(level.own.matched(path, is_dir).map(|_| ()));
            exclude = exclude.or(level.exclude.matched(path, is_dir).map(|_| ()));
            next = level.parent.as_ref().filter(|_| !level.is_top);
        }
        own.or(exclude).or(global.matched(path, is_dir).map(|_| ())).is_ignore()
    }

    /// Notes a file that is ignored, if its purpose is to hold secrets.
    pub fn note_ignored(&self, path: &Path) {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if name.starts_with(b".env") || name.ends_with(b".env") {
            self.lock().environments.push(path.to_owned());
        }
    }

    /// Notes a folder that is ignored, if it is a repository of its own.
    pub fn note_ignored_folder(&self, path: &Path) {
        if path.join(".git").symlink_metadata().is_ok() {
            self.lock().nested.push(path.to_owned());
        }
    }

    /// What was found out.
    #[must_use]
    pub fn noted(&self) -> Noted {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A path below a root, from the top of the file system.
    fn absolute(&self, path: &Path) -> PathBuf {
        let below = self.roots.iter().find_map(|(root, canonical)| {
            let root = root.strip_prefix("./").unwrap_or(root);
            let root = if root == Path::new(".") { Path::new("") } else { root };
            Some(canonical.join(path.strip_prefix(root).ok()?))
        });
        below.unwrap_or_else(|| path.to_owned())
    }

    /// The rules of a folder: those from above, where it adds none.
    fn level(&self, folder: &Path, is_above: bool, parent: Option<Arc<Level>>) -> Option<Arc<Level>> {
        let dot_git = folder.join(".git");
        let mut is_top = dot_git.symlink_metadata().is_ok();
        if is_top && !is_above {
            self.lock().repositories.push(folder.to_owned());
        }
        self.global.as_ref()?;
        let own = self.file(folder, &folder.join(".gitignore"), is_above);
        // A repository of Jujutsu's, which reads git's rules.
        is_top |= own.is_some()
            && parent.as_ref().is_none_or(|parent| !parent.in_repository)
            && folder.join(".jj").symlink_metadata().is_ok();
        if own.is_none() && !is_top {
            return parent;
        }
        let exclude = if is_top { self.exclude(folder, is_above) } else { None };
        Some(Arc::new(Level {
            own: own.unwrap_or_else(Gitignore::empty),
            exclude: exclude.unwrap_or_else(Gitignore::empty),
            is_top,
            in_repository: is_top || parent.as_ref().is_some_and(|parent| parent.in_repository),
            is_above,
            parent,
        }))
    }

    fn exclude(&self, folder: &Path, is_above: bool) -> Option<Gitignore> {
        let (_, common) = repository::git_folders(&folder.join(".git")).ok()??;
        self.file(folder, &common.join("info/exclude"), is_above)
    }

    /// The rules of one file, for what stands below a folder; nothing where there are none. A file that may not be opened is noted,
    /// and what it would hide is scanned.
    fn file(&self, folder: &Path, file: &Path, is_above: bool) -> Option<Gitignore> {
        let canonical;
        let links = if is_above {
            Links::Below(folder)
        } else {
            // A link may lead to another file of the same tree.
            match file.symlink_metadata() {
                Err(_) => return None,
                Ok(found) if !found.is_symlink() => Links::BetweenGitFolders,
                Ok(_) => {
                    canonical = self.root_above(folder)?;
                    Links::Below(&canonical)
                }
            }
        };
        let text = match guarded::text(file, guarded::SETTINGS, links) {
            Ok(text) => text?,
            Err(reason) => {
                self.lock().unread.push((file.to_owned(), reason));
                return None;
            }
        };
        let mut builder = GitignoreBuilder::new(folder);
        for line in text.trim_start_matches('\u{feff}').lines() {
            // As with git, a pattern that is none hides nothing.
            let _ = builder.add_line(None, line);
        }
        builder.build().ok().filter(|rules| !rules.is_empty())
    }

    /// The canonical path of the root that a folder stands below.
    fn root_above(&self, folder: &Path) -> Option<PathBuf> {
        self.roots.iter().find(|(root, _)| folder.starts_with(root)).map(|(_, canonical)| canonical.clone())
    }
}

/// The rules for what stands in one folder.
#[derive(Clone)]
pub struct Rules(Arc<Level>);
