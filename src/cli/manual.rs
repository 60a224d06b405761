//! `sidsweep completions` and `sidsweep man`: made from the commands themselves.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Failure, Outcome, output};

/// Print a shell's completions
///
/// For instance: `sidsweep completions bash > /etc/bash_completion.d/sidsweep`
#[derive(clap::Args)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Print the manual page, or write the pages of all commands
///
/// For instance: `sidsweep man | man -l -`
#[derive(clap::Args)]
pub struct ManArgs {
    /// Write one page a command into this folder
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub fn completions(args: &CompletionsArgs) -> Result<Outcome, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sidsweep", &mut text);
    print(&text)
}

pub fn man(args: &ManArgs) -> Result<Outcome, Failure> {
    let mut command = Cli::command();
    // Only then do those below know how they are called.
    command.build();
    let Some(folder) = &args.dir else {
        let mut text = Vec::new();
        clap_mangen::Man::new(command).render(&mut text)?;
        return print(&text);
    };
    std::fs::create_dir_all(folder)?;
    let mut pages = 0;
    each(&command, "sidsweep", &mut |command, name| {
        pages += 1;
        let page = command.clone().name(name.to_owned());
        let mut text = Vec::new();
        clap_mangen::Man::new(page).render(&mut text)?;
        std::fs::write(folder.join(format!("{name}.1")), text)
    })?;
    output::say(&format!("{}: {pages} pages", folder.display()))?;
    Ok(Outcome::Clean)
}

/// A command and all below it, with their names as pages have them.
fn each(
    command: &Command,
    name: &str,
    visit: &mut dyn FnMut(&Command, &str) -> io::Result<()>,
) -> io::Result<()> {
    visit(command, name)?;
    command
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
        .try_for_each(|below| each(below, &format!("{name}-{}", below.get_name()), visit))
}

fn print(text: &[u8]) -> Result<Outcome, Failure> {
    match io::stdout().lock().write_all(text) {
        // A reader that went away.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Clean),
        result => {
            result.map(|()| Outcome::Clean).map_err(|error| Failure(format!("standard output: {error}")))
        }
    }
}
