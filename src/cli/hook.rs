//! `sidsweep hook`: hooks of git and of coding agents that stop a leak before it is committed, pushed, received or sent to a model.

mod agent;
mod check;
mod install;
mod machine;
mod manager;
mod place;
mod script;
mod status;

use clap::{Subcommand, ValueEnum};

use super::accepting::AcceptArgs;
use super::{Failure, Outcome, unread};
use agent::Agent;
use place::Place;

/// Install, remove or show hooks that stop leaks
///
/// A git hook of your own is kept: it runs after sidsweep's check has passed, and comes back as it was when the check is
/// removed. `core.hooksPath` is respected. Where husky, lefthook or pre-commit manage the hooks, `install` prints the lines for
/// their configuration. git runs no pre-commit hook for merges, cherry-picks and rebases: a pre-push hook catches what they bring.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install a hook in this repository, for this machine, or in coding agents
    Install {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        options: Options,
    },
    /// Remove a hook that was installed
    Uninstall {
        #[command(flatten)]
        which: Which,
    },
    /// Show which hooks are installed, and whether they work
    ///
    /// Exit codes: 0 a hook is installed, and all that are installed work; 1 none is installed, or one does not work; 2 not in a
    /// git repository, and nothing is installed for this machine.
    Status,
    /// Check what a hook checks: for the configuration of husky, lefthook, pre-commit and coding agents
    ///
    /// pre-commit checks what is staged, pre-push and pre-receive what git tells on standard input, agent the call or prompt that a
    /// coding agent tells there. Under the pre-commit framework, the range that it names is checked, and all files where it is run by
    /// hand.
    Run {
        /// Which hook
        #[arg(value_enum)]
        kind: Type,
        #[command(flatten)]
        options: Options,
        /// What git gives the hook
        arguments: Vec<String>,
    },
}

/// Which hook is meant.
#[derive(clap::Args)]
struct Which {
    /// Which hook
    #[arg(long = "type", value_enum, default_value = "pre-commit")]
    kind: Type,
    /// For all repositories of this machine, by git's global core.hooksPath. Each repository's own hooks run as well
    #[arg(long)]
    global: bool,
    /// With --type agent: which coding agent; may be given several times [default: all that are set up for this user]
    #[arg(long = "agent", value_name = "AGENT", value_enum)]
    agents: Vec<Agent>,
}

/// What a check is held to: it becomes part of the hook's line.
#[derive(clap::Args, Clone, Default)]
struct Options {
    #[command(flatten)]
    accepting: AcceptArgs,
    #[command(flatten)]
    unread: unread::UnreadArgs,
}

impl Options {
    /// Reads what they name, so that a mistake is told before anything is done.
    fn check(&self) -> Result<(), Failure> {
        self.accepting.check()?;
        self.unread.check()
    }

    /// The options as words of a command that runs at the top of a work tree, if there is one.
    fn words(&self, top: Option<&std::path::Path>) -> Result<Vec<String>, Failure> {
        let mut words = self.accepting.words(top)?;
        words.extend(self.unread.words());
        Ok(words)
    }
}

/// What can be installed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Type {
    /// Before a commit: what is staged
    PreCommit,
    /// Before a push: the commits that the other side does not have
    PrePush,
    /// On a server, before a push is accepted
    PreReceive,
    /// Before a coding agent calls a tool, writes a file or sends a prompt
    Agent,
}

impl Type {
    /// The git hook, unless it is for coding agents.
    fn git(self) -> Option<Kind> {
        match self {
            Self::PreCommit => Some(Kind::PreCommit),
            Self::PrePush => Some(Kind::PrePush),
            Self::PreReceive => Some(Kind::PreReceive),
            Self::Agent => None,
        }
    }
}

/// A git hook.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::enum_variant_names, reason = "these are git's own names")]
enum Kind {
    PreCommit,
    PrePush,
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
        Command::Install { which, options } => {
            which.check()?;
            options.check()?;
            match which.kind.git() {
                None => agent::install(&which.agents, options),
                Some(kind) if which.global => machine::install(kind, options),
                Some(kind) => install::install(kind, options),
            }
        }
        Command::Uninstall { which } => {
            which.check()?;
            match which.kind.git() {
                None => agent::uninstall(&which.agents),
                Some(kind) if which.global => machine::uninstall(kind),
                Some(kind) => install::uninstall(kind),
            }
        }
        Command::Status => status::status(),
        Command::Run { kind, options, arguments } => match kind.git() {
            None => agent::check(options),
            Some(kind) => check::check(kind, options, arguments),
        },
    }
}

impl Which {
    fn check(&self) -> Result<(), Failure> {
        let wrong = |words: &str| Err(Failure(words.to_owned()));
        match self.kind.git() {
            None if self.global => {
                wrong("--type agent is for all repositories of this user anyway; leave out --global")
            }
            Some(_) if !self.agents.is_empty() => {
                wrong("--agent names coding agents; add --type agent, or leave it out")
            }
            None | Some(_) => Ok(()),
        }
    }
}
