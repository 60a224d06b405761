//! Where secrets of a person's machine lie, outside of repositories: what shells, Twilio's command line and coding agents wrote, and
//! `.env` files. Only what is below the home folder is named; no link is followed out of it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use super::guarded;
use super::stop::{INTERRUPTED, Stop};
use crate::model::{Skipped, Tally, Unit};

/// Places below the home folder, by what they are.
const PLACES: [(&str, &[&str]); 5] = [
    (
        "shell histories",
        &[
            ".bash_history",
            ".zsh_history",
            ".zhistory",
            ".histfile",
            ".sh_history",
            ".ash_history",
            ".local/share/fish/fish_history",
            ".local/share/powershell/PSReadLine/ConsoleHost_history.txt",
            "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
            ".python_history",
            ".node_repl_history",
            ".psql_history",
            ".mysql_history",
            ".sqlite_history",
        ],
    ),
    (
        "shell settings",
        &[
            ".bashrc",
            ".bash_profile",
            ".bash_aliases",
            ".profile",
            ".zshrc",
            ".zshenv",
            ".zprofile",
            ".config/fish/config.fish",
            ".config/environment.d",
            ".netrc",
            ".curlrc",
        ],
    ),
    ("Twilio's command line", &[".twilio-cli", ".config/twilio-cli"]),
    (
        "MCP configurations",
        &[
            ".mcp.json",
            ".claude.json",
            ".claude/settings.json",
            ".claude/settings.local.json",
            ".config/Claude/claude_desktop_config.json",
            "Library/Application Support/Claude/claude_desktop_config.json",
            "AppData/Roaming/Claude/claude_desktop_config.json",
            ".cursor/mcp.json",
            ".codeium/windsurf/mcp_config.json",
            ".gemini/settings.json",
            ".codex/config.toml",
            ".copilot/mcp-config.json",
            ".aws/amazonq/mcp.json",
            ".lmstudio/mcp.json",
            ".config/Code/User/mcp.json",
            "Library/Application Support/Code/User/mcp.json",
            "AppData/Roaming/Code/User/mcp.json",
            ".config/zed/settings.json",
            ".config/goose/config.yaml",
            ".config/opencode/opencode.json",
            ".continue/config.yaml",
            ".continue/config.json",
        ],
    ),
    (
        "coding agents' transcripts",
        &[
            ".claude/projects",
            ".claude/history.jsonl",
            ".claude/file-history",
            ".claude/shell-snapshots",
            ".codex/sessions",
            ".codex/history.jsonl",
            ".gemini/tmp",
            ".cursor/projects",
            ".config/Cursor/User/globalStorage/state.vscdb",
            "Library/Application Support/Cursor/User/globalStorage/state.vscdb",
            "AppData/Roaming/Cursor/User/globalStorage/state.vscdb",
            ".copilot/history-session-state",
            ".local/share/opencode/storage",
            ".aider.chat.history.md",
            ".aider.input.history",
        ],
    ),
];

/// What the `.env` files are called together.
const ENVIRONMENTS: &str = ".env files";
/// How deep below the home folder `.env` files are looked for.
const DEEPEST: usize = 8;
/// How many files and folders are looked at for that.
const MOST_ENTRIES: usize = 1_000_000;
/// How many `.env` files are read.
const MOST_FILES: usize = 10_000;
/// Folders that tools fill, in which nobody keeps an `.env` of their own.
const TOOLS: [&str; 11] = [
    ".cache",
    ".cargo",
    ".git",
    ".gradle",
    ".m2",
    ".npm",
    ".rustup",
    "Caches",
    "node_modules",
    "site-packages",
    "__pycache__",
];

/// The places of a machine that are there.
#[derive(Debug, Default)]
pub struct Machine {
    /// What they are, and where.
    pub places: Vec<(&'static str, PathBuf)>,
    /// Where `.env` files were not looked for.
    pub not_covered: Vec<Skipped>,
    seen: HashSet<PathBuf>,
}

impl Machine {
    /// Looks below a home folder. What is there and cannot be read is in the tally.
    #[must_use]
    pub fn below(home: &Path, stop: Stop, tally: &Tally) -> Self {
        let mut machine = Self::default();
        let full = home.canonicalize().unwrap_or_else(|_| home.to_owned());
        for (what, places) in PLACES {
            for place in places {
                machine.add(what, home.join(place), &full, tally);
            }
        }
        machine.environments(home, &full, stop, tally);
        machine
    }

    /// Adds a place that is there. `home` is the home folder in full.
    fn add(&mut self, what: &'static str, path: PathBuf, home: &Path, tally: &Tally) {
        let unread = |reason: String| tally.skip(Unit::Files, path.display(), reason);
        match path.symlink_metadata() {
            Ok(_) => {}
            Err(error) if guarded::is_absent(&error) => return,
            Err(error) => return unread(error.to_string()),
        }
        let full = match path.canonicalize() {
            Ok(full) => full,
            Err(error) => return unread(format!("a link that leads nowhere: {error}")),
        };
        if !full.starts_with(home) {
            return unread("a link that leads out of the home folder, so it was not followed".to_owned());
        }
        let checked = full.metadata().and_then(|metadata| {
            if metadata.is_dir() { std::fs::read_dir(&full).map(|_| None) } else { Ok(Some(metadata)) }
        });
        match checked {
            Ok(Some(metadata)) if !metadata.is_file() => {
                return unread(guarded::what_it_is(&metadata).to_owned());
            }
            Ok(_) => {}
            Err(error) => return unread(error.to_string()),
        }
        if self.seen.insert(full) {
            self.places.push((what, path));
        }
    }

    /// Looks for `.env` files in a bounded walk.
    fn environments(&mut self, home: &Path, full: &Path, stop: Stop, tally: &Tally) {
        let walk = WalkBuilder::new(home)
            .standard_filters(false)
            .follow_links(false)
            .same_file_system(true)
            .max_depth(Some(DEEPEST))
            .filter_entry(|entry| !is_of_a_tool(entry))
            .build();
        let (mut files, mut is_deeper) = (0, false);
        for (number, entry) in walk.enumerate() {
            if stop.is_set() {
                return tally.skip(Unit::Files, "(.env files below the home folder)", INTERRUPTED);
            }
            if number >= MOST_ENTRIES || files >= MOST_FILES {
                let reason = format!(
                    "more than {MOST_ENTRIES} files and folders, or {MOST_FILES} .env files; scan the rest by naming its folders"
                );
                return tally.skip(Unit::Files, "(.env files below the home folder)", reason);
            }
            match entry {
                Ok(entry) if is_folder(&entry) => is_deeper |= entry.depth() == DEEPEST,
                Ok(entry) if is_environment(&entry.file_name().to_string_lossy()) => {
                    files += 1;
                    self.add(ENVIRONMENTS, entry.into_path(), full, tally);
                }
                Ok(_) => {}
                Err(error) => tally.skip(Unit::Files, error_place(&error, home), error_words(&error)),
            }
        }
        let mut left = |path: String| {
            let reason = "no .env files were looked for there".to_owned();
            self.not_covered.push(Skipped { path, reason });
        };
        left(format!("folders of tools ({})", TOOLS.join(", ")));
        if is_deeper {
            left(format!("folders more than {DEEPEST} below the home folder"));
        }
    }
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
}

fn is_of_a_tool(entry: &DirEntry) -> bool {
    entry.depth() > 0 && is_folder(entry) && TOOLS.iter().any(|name| entry.file_name() == *name)
}

fn is_environment(name: &str) -> bool {
    name == ".env" || name == ".envrc" || name.starts_with(".env.") || name.ends_with(".env")
}

fn error_place(error: &ignore::Error, home: &Path) -> String {
    match error {
        ignore::Error::WithPath { path, .. } => path.display().to_string(),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            error_place(err, home)
        }
        _ => home.display().to_string(),
    }
}

fn error_words(error: &ignore::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
}
