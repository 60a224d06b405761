//! `sidsweep hook`: git hooks that stop a leak before it is committed, pushed or received.

use std::fs;
use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use gix::ObjectId;

use super::{Failure, Outcome, output};
use crate::detect::Detector;
use crate::model::{Confidence, Source, SourceMode};
use crate::report;
use crate::rules::Rules;
use crate::scan::{self, Scanned, accept, changes, gather};
use crate::source::{repository, settings};

/// Install, remove or show git hooks that stop leaks
///
/// A hook of your own is kept: it runs after sidsweep's check has passed, and comes back as it was when the check is
/// removed. `core.hooksPath` is respected.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install a hook in this repository
    Install {
        /// Which hook
        #[arg(long = "type", value_enum, default_value = "pre-commit")]
        kind: Kind,
    },
    /// Remove a hook that was installed
    Uninstall {
        /// Which hook
        #[arg(long = "type", value_enum, default_value = "pre-commit")]
        kind: Kind,
    },
    /// Show which hooks are installed, and whether they work
    Status,
    /// What an installed hook calls
    #[command(hide = true)]
    Run {
        /// Which hook
        #[arg(value_enum)]
        kind: Kind,
        /// What git gives it
        arguments: Vec<String>,
    },
}

/// A kind of hook.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(clippy::enum_variant_names, reason = "these are git's own names")]
enum Kind {
    /// Before a commit: what is staged
    PreCommit,
    /// Before a push: the commits that the other side does not have
    PrePush,
    /// On a server, before a push is accepted
    PreReceive,
}

impl Kind {
    const ALL: [Self; 3] = [Self::PreCommit, Self::PrePush, Self::PreReceive];

    fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
        }
    }

    /// Whether git writes to the hook's standard input.
    fn has_input(self) -> bool {
        self != Self::PreCommit
    }
}

/// The line by which our own hooks are known.
const MARK: &str = "# Installed by `sidsweep hook install`; `sidsweep hook uninstall` removes it.";

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::Install { kind } => install(*kind),
        Command::Uninstall { kind } => uninstall(*kind),
        Command::Status => status(),
        Command::Run { kind, arguments } => check(*kind, arguments),
    }
}

/// The folder that git looks for hooks in: `core.hooksPath` of any level of configuration, else the repository's own.
fn hooks_folder() -> Result<PathBuf, Failure> {
    let repository = settings::open(Path::new(".")).map_err(|error| match error {
        repository::Error::None { .. } => Failure("not in a git repository: go into one first".to_owned()),
        error => error.into(),
    })?;
    let configured = repository.config_snapshot().trusted_path("core.hooksPath").ok().flatten();
    let folder = match configured {
        Some(path) if path.is_absolute() => path,
        Some(path) => repository.workdir().unwrap_or_else(|| repository.git_dir()).join(path),
        None => repository.common_dir().join("hooks"),
    };
    if folder.components().any(|part| part.as_os_str() == ".husky") {
        return Err(Failure(format!(
            "the hooks of this repository are husky's: add the line `sidsweep scan --staged` to .husky/pre-commit instead ({})",
            folder.display()
        )));
    }
    let top = repository.workdir().unwrap_or_else(|| repository.git_dir());
    if ["lefthook.yml", "lefthook.yaml", ".lefthook.yml"].iter().any(|name| top.join(name).exists()) {
        return Err(Failure(
            "the hooks of this repository are lefthook's: add `pre-commit: commands: sidsweep: run: sidsweep scan --staged` to lefthook.yml instead".to_owned(),
        ));
    }
    Ok(folder)
}

fn kept(hook: &Path) -> PathBuf {
    hook.with_extension("before-sidsweep")
}

fn is_ours(hook: &Path) -> bool {
    fs::read(hook).is_ok_and(|text| memchr::memmem::find(&text, MARK.as_bytes()).is_some())
}

fn script(kind: Kind, program: &Path) -> String {
    let name = kind.name();
    // Single quotes keep every character of a path but a single quote.
    let quoted = program.to_string_lossy().replace('\'', "'\\''");
    let (read, feed) =
        if kind.has_input() { ("input=$(cat)\n", "printf '%s\\n' \"$input\" | ") } else { ("", "") };
    format!(
        "#!/bin/sh\n{MARK}\nsidsweep='{quoted}'\nif [ ! -x \"$sidsweep\" ]; then\n  \
         echo \"sidsweep is gone from $sidsweep, so nothing was checked. Install it again and run 'sidsweep hook install --type {name}',\" >&2\n  \
         echo \"or go on unchecked with --no-verify.\" >&2\n  exit 1\nfi\n{read}\
         {feed}\"$sidsweep\" hook run {name} -- \"$@\" || exit $?\n\
         own=\"$0.before-sidsweep\"\nif [ -x \"$own\" ]; then\n  {feed}\"$own\" \"$@\"\n  exit $?\nfi\n"
    )
}

fn install(kind: Kind) -> Result<Outcome, Failure> {
    let folder = hooks_folder()?;
    let hook = folder.join(kind.name());
    let named = |error: std::io::Error| Failure(format!("{}: {error}", hook.display()));
    fs::create_dir_all(&folder).map_err(named)?;
    let program = std::env::current_exe().and_then(|path| path.canonicalize())?;
    if hook.exists() && !is_ours(&hook) {
        if kept(&hook).exists() {
            return Err(Failure(format!("{} is in the way: look at it and move it", kept(&hook).display())));
        }
        fs::rename(&hook, kept(&hook)).map_err(named)?;
        output::say(&format!("kept your own hook as {}; it runs after the check", kept(&hook).display()))?;
    }
    fs::write(&hook, script(kind, &program)).map_err(named)?;
    make_executable(&hook).map_err(named)?;
    output::say(&format!("installed {}", hook.display()))?;
    Ok(Outcome::Clean)
}

fn uninstall(kind: Kind) -> Result<Outcome, Failure> {
    let hook = hooks_folder()?.join(kind.name());
    let named = |error: std::io::Error| Failure(format!("{}: {error}", hook.display()));
    if !is_ours(&hook) {
        output::say(&format!("{} is not sidsweep's: nothing to remove", hook.display()))?;
        return Ok(Outcome::Clean);
    }
    fs::remove_file(&hook).map_err(named)?;
    if kept(&hook).exists() {
        fs::rename(kept(&hook), &hook).map_err(named)?;
    }
    output::say(&format!("removed {}", hook.display()))?;
    Ok(Outcome::Clean)
}

#[cfg(unix)]
fn make_executable(hook: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(hook, fs::Permissions::from_mode(0o755))
}

#[cfg(unix)]
fn is_executable(hook: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(hook).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

/// Git for Windows runs hooks whatever their mode.
#[cfg(not(unix))]
fn make_executable(_hook: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn is_executable(hook: &Path) -> bool {
    hook.exists()
}

fn status() -> Result<Outcome, Failure> {
    let folder = hooks_folder()?;
    for kind in Kind::ALL {
        let hook = folder.join(kind.name());
        let state = if !hook.exists() {
            "not installed"
        } else if !is_ours(&hook) {
            "another hook, without sidsweep"
        } else if !is_executable(&hook) {
            "installed, but not executable: install it again"
        } else if kept(&hook).exists() {
            "installed, with your own hook after it"
        } else {
            "installed"
        };
        output::say(&format!("{:<12} {state}", kind.name()))?;
    }
    Ok(Outcome::Clean)
}

/// The check itself.
fn check(kind: Kind, arguments: &[String]) -> Result<Outcome, Failure> {
    let detector = Detector::new(Rules::built_in());
    let here = Path::new(".");
    let (scanned, mode) = match kind {
        Kind::PreCommit => (changes::staged(&detector, here, false)?, SourceMode::Staged),
        Kind::PrePush | Kind::PreReceive => (pushed(&detector, kind, arguments)?, SourceMode::Range),
    };
    let options =
        gather::Options { min_confidence: Confidence::Medium, show_secrets: false, repository: None };
    let gathered = gather::gather(detector.rules(), scanned.texts, options);
    let sources = vec![Source::new(mode, ".", None)];
    let mut report = gathered.report(sources, scanned.stats, scanned.skipped);
    // A server receives from strangers: there the pushed policy has no say.
    let (policies, unread) = match kind {
        Kind::PreReceive => (Vec::new(), Vec::new()),
        Kind::PreCommit | Kind::PrePush => super::scan::policies(&[here.to_owned()], None)?,
    };
    report.skipped.extend(unread);
    accept::mark(&mut report, None, &policies, accept::today());
    accept::settle(&mut report);
    for skipped in &report.skipped {
        output::complain(&format!("sidsweep: not read: {}: {}", skipped.path, skipped.reason));
    }
    if report.findings.iter().any(|finding| finding.kind.is_secret()) {
        let act = if kind == Kind::PreCommit { "commit" } else { "push" };
        let all = if kind == Kind::PreCommit { "sidsweep scan --staged" } else { "sidsweep scan --history" };
        let mut out = BufWriter::new(anstream::stderr().lock());
        let _ = report::hook::write(&report, act, all, &mut out).and_then(|()| out.flush());
        return Ok(Outcome::Found);
    }
    Ok(if report.skipped.is_empty() { Outcome::Clean } else { Outcome::Incomplete })
}

/// Scans what a push brings, as git tells the hook on standard input.
fn pushed(detector: &Detector, kind: Kind, arguments: &[String]) -> Result<Scanned, Failure> {
    let repository = repository::open_for_walks(Path::new("."))?;
    changes::readable(&repository)?;
    let mut tips = Vec::new();
    let mut hidden = known_tips(&repository, kind, arguments);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (new, old) = match (kind, fields.as_slice()) {
            (Kind::PrePush, [_, new, _, old]) => (*new, *old),
            (Kind::PreReceive, [old, new, _]) => (*new, *old),
            (_, []) => continue,
            _ => return Err(Failure(format!("git gave the hook a line that is none of its own: {line:?}"))),
        };
        let id = |text: &str| {
            ObjectId::from_hex(text.as_bytes()).map_err(|error| Failure(format!("{text:?}: {error}")))
        };
        let (new, old) = (id(new)?, id(old)?);
        // A deletion brings nothing.
        if new.is_null() {
            continue;
        }
        tips.push(new);
        if !old.is_null() && repository.has_object(old) {
            hidden.push(old);
        }
    }
    if tips.is_empty() {
        return Ok(Scanned::default());
    }
    let mut scanned = scan::pushed::scan(detector, &repository, &tips, &hidden, scan::all_cores())?;
    scanned.skipped.extend(repository.unread.iter().cloned());
    Ok(scanned)
}

/// What the other side is known to have: the remote's branches as last seen, or all of a server's own references.
fn known_tips(repository: &gix::Repository, kind: Kind, arguments: &[String]) -> Vec<ObjectId> {
    let prefix = match (kind, arguments.first()) {
        (Kind::PrePush, Some(remote)) => format!("refs/remotes/{remote}/"),
        (Kind::PrePush, None) => return Vec::new(),
        _ => "refs/".to_owned(),
    };
    let Ok(platform) = repository.references() else { return Vec::new() };
    let Ok(all) = platform.all() else { return Vec::new() };
    all.filter_map(Result::ok)
        .filter(|reference| reference.name().as_bstr().starts_with(prefix.as_bytes()))
        .filter_map(|mut reference| reference.peel_to_id().ok().map(gix::Id::detach))
        .collect()
}
