//! `sidsweep rules`: what is looked for, and whether a file of one's own is right.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Failure, Outcome, output};
use crate::rules::Rules;

/// List the rules in force, or check a rules file
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List every rule: its id, what it finds and what to do
    List,
    /// Check a rules file
    Check {
        /// The file to check
        file: PathBuf,
    },
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::List => {
            for rule in Rules::built_in().all() {
                output::say(&format!("{:<28} {}\n{:<28} {}", rule.id, rule.kind.title(), "", rule.help))?;
            }
        }
        Command::Check { file } => {
            add_file(&mut Rules::built_in(), file)?;
            output::say(&format!("{}: good", file.display()))?;
        }
    }
    Ok(Outcome::Clean)
}

/// Adds a user's rules file.
pub fn add_file(rules: &mut Rules, file: &std::path::Path) -> Result<(), Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| Failure(format!("{name}: {error}")))?;
    Ok(rules.add(&name, &text)?)
}
