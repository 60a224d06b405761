//! The command line: arguments, terminal, progress and exit codes; one file a command.

mod accepting;
mod asking;
#[cfg(feature = "audit")]
mod audit;
mod confirm;
mod contain;
mod hook;
mod interrupt;
mod inventory;
mod journal;
mod least;
mod manual;
mod output;
pub mod panic;
mod progress;
mod receivers;
mod report;
mod revoke;
mod rooted;
mod rotate;
mod rules;
mod scan;
mod since;
mod sweep;
mod twilio;
mod unread;
mod verify;

use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::report::printable::is_printable;
use crate::source::repository::{self, causes};

/// What the long help ends with.
const LONG_HELP: &str = "\
In a git repository, `sidsweep` alone is `sidsweep scan`.

Exit codes:
  0  nothing to report
  1  something that counts for --fail-on was found (Account SIDs and key
     SIDs alone are identifiers, and do not count), or a step of a plan was
     not done or not proven
  2  the command could not do what was asked, or could not read all of it
     and found nothing in the rest

Environment:
  SIDSWEEP_ADMIN_USER, SIDSWEEP_ADMIN_SECRET
           the administrator's credential: an Account SID and its Auth
           Token, or a Main key's SID and secret. TWILIO_… of your
           application is never taken for it
  SIDSWEEP_ADMIN_ACCOUNT
           the administrator's Account SID, where the user is a key
  SIDSWEEP_ORGANIZATION_CLIENT_ID, SIDSWEEP_ORGANIZATION_CLIENT_SECRET
           an OAuth app of your organization, for the users of `sweep`
  SIDSWEEP_JOURNAL
           where records of changes are kept [default: the user's state
           folder]
  SIDSWEEP_DATABASE
           where audits are kept [default: the user's state folder]
  SIDSWEEP_TWILIO_ENDPOINT, SIDSWEEP_TWILIO_CA
           for tests: a loopback address that stands in for Twilio, and the
           authority of its certificate; named in the output. With them,
           SIDSWEEP_TWILIO_PAUSE_MS is the time between two refusals
  NO_COLOR, CLICOLOR_FORCE
           no colour; colour also where there is no terminal";

/// Finds leaked Twilio credentials in code and git history, proves which still work, and takes them out of service
#[derive(Parser)]
#[command(
    name = "sidsweep",
    version,
    long_version = long_version(),
    about,
    max_term_width = 100,
    after_help = "In a git repository, `sidsweep` alone is `sidsweep scan`.",
    after_long_help = LONG_HELP
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// The version with what tells two builds of it apart.
fn long_version() -> String {
    let commit = match env!("SIDSWEEP_BUILT_FROM") {
        "" => "not known (a development build)",
        commit => commit,
    };
    let features = if cfg!(feature = "audit") { "audit" } else { "none (built without audit)" };
    format!("{}\ncommit: {commit}\nfeatures: {features}", env!("CARGO_PKG_VERSION"))
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
    Sweep(sweep::Args),
    #[cfg(feature = "audit")]
    Audit(Box<audit::Args>),
    Hook(hook::Args),
    Rules(rules::Args),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

impl Command {
    /// What is meant by no command at all: a scan, where there is a repository and it costs no surprise.
    fn alone() -> Option<Self> {
        let here = std::env::current_dir().ok()?;
        repository::find(&here)?;
        output::complain("`sidsweep scan` of the work tree below here; `sidsweep --help` tells of more");
        Cli::parse_from(["sidsweep", "scan"]).command
    }
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

/// Says where a saved report comes from, for those who have none.
fn with_a_tip(error: clap::Error) -> clap::Error {
    let is_missing = |value: &ContextValue| match value {
        ContextValue::Strings(names) => names.iter().any(|name| name.contains("REPORT.json")),
        _ => false,
    };
    if error.kind() != ErrorKind::MissingRequiredArgument
        || !error.get(ContextKind::InvalidArg).is_some_and(is_missing)
    {
        return error;
    }
    let mut error = error;
    let tip = StyledStr::from(format!("a saved report: {}", verify::HOW_TO_GET_ONE));
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    error
}

/// Reads the arguments. What is wrong with them quotes them, and they may have been put together from names that others chose.
fn parsed() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        let error = with_a_tip(error);
        let is_harmless = |argument: std::ffi::OsString| is_printable(&argument.to_string_lossy());
        if std::env::args_os().all(is_harmless) || !error.use_stderr() {
            error.exit();
        }
        output::complain(error.render().to_string().trim_end());
        std::process::exit(error.exit_code());
    })
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    panic::hide_values();
    panic::leave_no_image();
    let none = "not in a git repository, which sidsweep without a command scans; \
                `sidsweep scan` scans this folder";
    let command = parsed()
        .command
        .or_else(Command::alone)
        .unwrap_or_else(|| Cli::command().error(ErrorKind::MissingSubcommand, none).exit());
    let result = match command {
        Command::Scan(args) => scan::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Inventory(args) => inventory::run(&args),
        Command::Revoke(args) => revoke::run(&args),
        Command::Rotate(args) => rotate::run(&args),
        Command::Contain(args) => contain::run(&args),
        Command::Sweep(args) => sweep::run(&args),
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
