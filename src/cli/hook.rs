//! `sidsweep hook`: git hooks that stop a leak before it is committed, pushed or received.

mod check;
mod install;
mod manager;
mod status;

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::{Failure, Outcome, unread};
use crate::source::{repository, settings};

/// Install, remove or show git hooks that stop leaks
///
/// A hook of your own is kept: it runs after sidsweep's check has passed, and comes back as it was when the check is
/// removed. `core.hooksPath` is respected. Where husky, lefthook or pre-commit manage the hooks, `install` prints the lines for
/// their configuration. git runs no pre-commit hook for merges, cherry-picks and rebases: a pre-push hook catches what they bring.
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
        #[command(flatten)]
        unread: unread::UnreadArgs,
    },
    /// Remove a hook that was installed
    Uninstall {
        /// Which hook
        #[arg(long = "type", value_enum, default_value = "pre-commit")]
        kind: Kind,
    },
    /// Show which hooks are installed, and whether they work
    ///
    /// Exit codes: 0 a hook is installed, and all that are installed work; 1 none is installed, or one does not work; 2 not in a
    /// git repository.
    Status,
    /// Check what a hook checks: for the configuration of husky, lefthook and pre-commit
    ///
    /// pre-commit checks what is staged, pre-push and pre-receive what git tells on standard input. Under the pre-commit framework,
    /// the range that it names is checked, and all files where it is run by hand.
    Run {
        /// Which hook
        #[arg(value_enum)]
        kind: Kind,
        #[command(flatten)]
        unread: unread::UnreadArgs,
        /// What git gives the hook
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

    /// What a hook manager has to run.
    fn command(self) -> String {
        format!("sidsweep hook run {}", self.name())
    }
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::Install { kind, unread } => install::install(*kind, unread),
        Command::Uninstall { kind } => install::uninstall(*kind),
        Command::Status => status::status(),
        Command::Run { kind, unread, arguments } => check::check(*kind, unread, arguments),
    }
}

/// Where git looks for hooks.
struct Place {
    /// The top of the work tree, or the git folder of a bare repository.
    top: PathBuf,
    /// The repository's own folder of hooks.
    own: PathBuf,
    /// `core.hooksPath` of any level of configuration, where it is set.
    configured: Option<PathBuf>,
}

impl Place {
    fn here() -> Result<Self, Failure> {
        let repository = settings::open(Path::new(".")).map_err(|error| match error {
            repository::Error::None { .. } => {
                Failure("not in a git repository: go into one first".to_owned())
            }
            error => error.into(),
        })?;
        let top = repository.workdir().unwrap_or_else(|| repository.git_dir()).to_owned();
        let configured = repository.config_snapshot().trusted_path("core.hooksPath").ok().flatten();
        let configured = configured.map(|path| if path.is_absolute() { path } else { top.join(path) });
        Ok(Self { own: repository.common_dir().join("hooks"), top, configured })
    }

    fn folder(&self) -> &Path {
        self.configured.as_deref().unwrap_or(&self.own)
    }
}
