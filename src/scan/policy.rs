//! A policy of paths that a repository, or an organization, accepts. It can do nothing else: not switch off history, rules, hosts
//! or revoking.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use jiff::civil::Date;
use serde::Deserialize;

use super::accept::{Accepted, Error};
use super::changes;
use crate::model::{Finding, Kind, Skipped};
use crate::rules;
use crate::source::guarded::{self, Links};
use crate::source::repository;

/// The policy's name in a repository.
pub const POLICY_NAME: &str = ".sidsweep.toml";
/// The most that is read of a policy, in bytes.
const LONGEST: u64 = 256 << 10;
/// The most entries of a policy: each is asked about each finding.
const MOST_ENTRIES: usize = 1_000;
/// Paths that nothing but a pattern for every path matches.
const ANY: [&str; 2] = ["some-file-of-any-name", "some/folder/and/some-file.of-any-name"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    #[serde(default)]
    allow: Vec<RawAllow>,
    #[serde(default)]
    accept_unread: Vec<RawAcceptUnread>,
}

/// The same for what cannot be read, of which no kind is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAcceptUnread {
    path: String,
    reason: String,
    #[serde(default)]
    by: Option<String>,
    #[serde(default)]
    until: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllow {
    path: String,
    kind: Option<Kind>,
    reason: String,
    #[serde(default)]
    by: Option<String>,
    /// A date of TOML's, or text.
    #[serde(default)]
    until: Option<toml::Value>,
}

impl RawAcceptUnread {
    fn any_kind(self) -> RawAllow {
        let Self { path, reason, by, until } = self;
        RawAllow { path, kind: None, reason, by, until }
    }
}

/// Paths that were accepted.
#[derive(Debug)]
struct Allow {
    pattern: Gitignore,
    kind: Option<Kind>,
    reason: String,
    until: Option<Date>,
}

/// Paths that are accepted.
#[derive(Debug)]
pub struct Policy {
    /// The folder that its patterns are relative to.
    folder: PathBuf,
    name: String,
    allows: Vec<Allow>,
    /// Paths of what may stay unread.
    accepts_unread: Vec<Allow>,
}

impl Policy {
    /// Reads a policy that somebody named, whose patterns are relative to `folder`.
    pub fn read(path: &Path, folder: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
        Self::of_text(&text, path, folder)
    }

    /// The policies of the repositories that some paths lie in. One that cannot be followed is named, and followed in nothing.
    #[must_use]
    pub fn own(paths: &[PathBuf]) -> (Vec<Self>, Vec<Skipped>) {
        let (mut policies, mut unread) = (Vec::new(), Vec::new());
        for (file, folder) in Self::files_above(paths) {
            let read = || {
                let within = folder.canonicalize().map_err(|error| error.to_string())?;
                let text = guarded::text(&file, LONGEST, Links::Below(&within))?.unwrap_or_default();
                Self::of_text(&text, &file, &folder).map_err(|error| reason(&error))
            };
            match read() {
                Ok(policy) => policies.push(policy),
                Err(reason) => unread.push(not_followed(&file.display().to_string(), &reason)),
            }
        }
        (policies, unread)
    }

    /// The policy of the repository that `root` lies in, as it was before the commits of a range: what a pull request brings
    /// cannot allow what it brings. Says as well where the one that lies there differs.
    pub fn of_range(root: &Path, spec: &str) -> Result<(Vec<Self>, Vec<Skipped>), repository::Error> {
        let repository = repository::open(root)?;
        changes::readable(&repository)?;
        let base = changes::base(&repository, spec)?;
        Ok(Self::of_commit(&repository, root, base))
    }

    /// The policy of the repository that `root` lies in, as it is in a commit.
    #[must_use]
    pub fn of_commit(repository: &gix::Repository, root: &Path, base: ObjectId) -> (Vec<Self>, Vec<Skipped>) {
        let Some(top) = repository.workdir().map(Path::to_owned) else {
            return Self::in_commit(repository, base, Path::new(""), root);
        };
        let absolute = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (top, start) = (absolute(&top), absolute(root));
        for folder in start.ancestors().take_while(|folder| folder.starts_with(&top)) {
            let below = folder.strip_prefix(&top).unwrap_or(Path::new(""));
            // Findings of a range stand below its root, whatever folder that is.
            let (policies, unread) = Self::in_commit(repository, base, below, &root.join(below));
            if !policies.is_empty() || !unread.is_empty() {
                return (policies, unread);
            }
        }
        (Vec::new(), Vec::new())
    }

    fn in_commit(
        repository: &gix::Repository,
        base: ObjectId,
        below: &Path,
        folder: &Path,
    ) -> (Vec<Self>, Vec<Skipped>) {
        let file = below.join(POLICY_NAME);
        let shown = format!("{} of commit {}", file.display(), base.to_hex_with_len(12));
        let blob = || {
            let tree = repository.find_commit(base).ok()?.tree().ok()?;
            let entry = tree.lookup_entry_by_path(&file).ok()??;
            // A link is not followed.
            entry.mode().is_blob().then(|| entry.object_id())
        };
        let Some(blob) = blob() else { return (Vec::new(), Vec::new()) };
        let read = || {
            let header = repository.find_header(blob).map_err(|error| error.to_string())?;
            if header.size() > LONGEST {
                return Err(format!("longer than the {LONGEST} bytes that are read of a policy"));
            }
            let object = repository.find_object(blob).map_err(|error| error.to_string())?;
            let text = String::from_utf8_lossy(&object.data);
            Self::of_text(&text, &file, folder).map_err(|error| reason(&error))
        };
        match read() {
            Ok(policy) => (vec![policy], Vec::new()),
            Err(reason) => (Vec::new(), vec![not_followed(&shown, &reason)]),
        }
    }

    fn of_text(text: &str, path: &Path, folder: &Path) -> Result<Self, Error> {
        let raw: RawPolicy = toml::from_str(text).map_err(|error| {
            let reason = rules::located(text, &error);
            Error::syntax(
                path,
                format!(
                    "{} (a policy holds [[allow]] and [[accept_unread]] with path and reason, and nothing else)",
                    reason.trim()
                ),
            )
        })?;
        let entries = raw.allow.len() + raw.accept_unread.len();
        if entries > MOST_ENTRIES {
            let reason = format!("{entries} entries, above the {MOST_ENTRIES} that a policy may have");
            return Err(Error::syntax(path, reason));
        }
        let all = |entries: Vec<RawAllow>, table: &str| -> Result<Vec<Allow>, Error> {
            entries.into_iter().map(|entry| Allow::of(entry, table, path)).collect()
        };
        let allows = all(raw.allow, "allow")?;
        let unread = raw.accept_unread.into_iter().map(RawAcceptUnread::any_kind).collect();
        let accepts_unread = all(unread, "accept_unread")?;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let folder = std::path::absolute(folder).map_err(|error| Error::io(folder, error))?;
        Ok(Self { folder, name, allows, accepts_unread })
    }

    /// The policies' files of the repositories that some paths lie in, with their folders: the nearest one at a path or above
    /// it, up to the top of the work tree.
    #[must_use]
    pub fn files_above(paths: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
        // A hook may name thousands of files of the same few folders.
        let mut seen = HashSet::new();
        let mut above = |path: &PathBuf| {
            let path = std::path::absolute(path).ok()?;
            let start = if path.is_dir() { path.as_path() } else { path.parent()? };
            for folder in start.ancestors() {
                if !seen.insert(folder.to_owned()) {
                    return None;
                }
                let file = folder.join(POLICY_NAME);
                if file.symlink_metadata().is_ok() {
                    return Some((file, folder.to_owned()));
                }
                if folder.join(".git").exists() {
                    return None;
                }
            }
            None
        };
        paths.iter().filter_map(&mut above).collect()
    }

    pub(super) fn of(&self, finding: &Finding, path: &Path, today: Date) -> Option<Accepted> {
        let below = path.strip_prefix(&self.folder).ok()?;
        let allow = self.allows.iter().find(|allow| {
            allow.kind.is_none_or(|kind| kind == finding.kind)
                && allow.pattern.matched_path_or_any_parents(below, false).is_ignore()
        })?;
        Some(Accepted::until(allow.until, today, &format!("{}: {}", self.name, allow.reason)))
    }

    /// Whether what could not be read at a path may stay so.
    pub(super) fn of_unread(&self, path: &Path, today: Date) -> Option<Accepted> {
        let below = path.strip_prefix(&self.folder).ok()?;
        let is_meant = |accept: &&Allow| accept.pattern.matched_path_or_any_parents(below, false).is_ignore();
        let accept = self.accepts_unread.iter().find(is_meant)?;
        Some(Accepted::until(accept.until, today, &format!("{}: {}", self.name, accept.reason)))
    }
}

impl Allow {
    fn of(allow: RawAllow, table: &str, path: &Path) -> Result<Self, Error> {
        if allow.reason.trim().is_empty() {
            return Err(Error::syntax(path, format!("[[{table}]] {:?} has no reason", allow.path)));
        }
        if allow.path.trim().is_empty() {
            return Err(Error::syntax(
                path,
                format!("[[{table}]] with an empty path: name a path, or a pattern of paths"),
            ));
        }
        let mut builder = GitignoreBuilder::new("");
        builder.add_line(None, &allow.path).map_err(|error| Error::syntax(path, error))?;
        let until = match allow.until {
            None => None,
            Some(toml::Value::String(text)) => Some(text),
            Some(toml::Value::Datetime(date)) => Some(date.to_string()),
            Some(_) => Some("no date".to_owned()),
        };
        let until = until.map(|text| text.parse::<Date>()).transpose().map_err(|error| {
            let reason = format!("[[{table}]] {:?}: until: {error}; write it as 2027-01-31", allow.path);
            Error::syntax(path, reason)
        })?;
        let pattern = builder.build().map_err(|error| Error::syntax(path, error))?;
        let is_any = |path: &&str| pattern.matched_path_or_any_parents(path, false).is_ignore();
        let every = if ANY.iter().all(is_any) {
            format!(" (its path {:?} is every path of the repository)", allow.path)
        } else {
            String::new()
        };
        let by = allow.by.map(|by| format!(" ({by})")).unwrap_or_default();
        let reason = format!("{}{by}{every}", allow.reason);
        Ok(Self { pattern, kind: allow.kind, reason, until })
    }
}

/// What is wrong, without the file's name.
fn reason(error: &Error) -> String {
    match error {
        Error::Io { error, .. } => error.to_string(),
        Error::Syntax { reason, .. } => reason.clone(),
    }
}

fn not_followed(path: &str, reason: &str) -> Skipped {
    Skipped { path: path.to_owned(), reason: format!("this policy is followed in nothing: {reason}") }
}
