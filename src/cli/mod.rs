//! The command line: arguments, terminal, progress and exit codes; one file a command.

mod asking;
#[cfg(feature = "audit")]
mod audit;
mod confirm;
mod contain;
mod hook;
mod inventory;
mod journal;
mod manual;
mod output;
pub mod panic;
mod progress;
mod report;
mod revoke;
mod rotate;
mod rules;
mod scan;
mod twilio;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::source::repository::causes;

/// Finds leaked Twilio credentials in code and git history, proves which still work, and takes them out of service
#[derive(Parser)]
#[command(name = "sidsweep", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Scan(scan::Args),
    Report(report::Args),
    Verify(verify::Args),
    Inventory(inventory::Args),
    Revoke(revoke::Args),
    Rotate(rotate::Args),
    Contain(contain::Args),
    #[cfg(feature = "audit")]
    Audit(Box<audit::Args>),
    Hook(hook::Args),
    Rules(rules::Args),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing to report.
    Clean,
    /// Something at or above the threshold was found.
    Found,
    /// The command could not do what was asked, or not all of it, and found nothing.
    Incomplete,
}

/// A command that did not start: one line that names the thing and the way out.
#[derive(Debug)]
struct Failure(String);

impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(causes(&error))
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    panic::hide_values();
    let result = match Cli::parse().command {
        Command::Scan(args) => scan::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Inventory(args) => inventory::run(&args),
        Command::Revoke(args) => revoke::run(&args),
        Command::Rotate(args) => rotate::run(&args),
        Command::Contain(args) => contain::run(&args),
        #[cfg(feature = "audit")]
        Command::Audit(args) => audit::run(&args),
        Command::Hook(args) => hook::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    };
    match result {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Ok(Outcome::Incomplete) => ExitCode::from(2),
        Err(Failure(message)) => {
            output::complain(&format!("error: {message}"));
            ExitCode::from(2)
        }
    }
}
