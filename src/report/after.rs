//! What to do after the fire, for people.

use std::io::{self, Write};

use anstyle::Style;

use super::printable::printable;
use super::wrap::labelled;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// One leak: what it is called, where it stands, what changes, and the code that takes its place by language.
pub struct Leak<'a> {
    /// For instance `Auth Token 3f9a…`.
    pub name: String,
    /// Files.
    pub places: &'a [&'a str],
    /// What changes, in words.
    pub change: &'a str,
    /// Language and lines of code.
    pub code: Vec<(&'a str, &'a str)>,
}

/// What to do, and with which command.
pub type Line<'a> = (&'a str, Option<&'a str>);

/// How many files of a leak are named; the rest are counted.
const MOST_PLACES: usize = 5;

/// Writes the leaks, and then what is the same for all.
pub fn write(
    leaks: &[Leak],
    history: &[Line],
    watch: &[Line],
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut shown: Vec<&str> = Vec::new();
    let mut changes: Vec<(&str, &str)> = Vec::new();
    for leak in leaks {
        writeln!(out, "{BOLD}{}{BOLD:#}", printable(&leak.name))?;
        let mut places: Vec<String> =
            leak.places.iter().take(MOST_PLACES).map(|path| printable(path)).collect();
        if leak.places.len() > MOST_PLACES {
            places.push(format!("and {} more", leak.places.len() - MOST_PLACES));
        }
        labelled(out, width, "  at      ", &places.join(", "))?;
        if let Some((_, name)) = changes.iter().find(|(change, _)| *change == leak.change) {
            labelled(out, width, "  change  ", &format!("as for {} above", printable(name)))?;
        } else {
            labelled(out, width, "  change  ", leak.change)?;
            changes.push((leak.change, &leak.name));
        }
        for (language, code) in &leak.code {
            if shown.contains(language) {
                writeln!(out, "  {DIM}{language}: as above{DIM:#}")?;
                continue;
            }
            shown.push(language);
            writeln!(out, "  {DIM}{language}{DIM:#}")?;
            for line in code.lines() {
                writeln!(out, "      {line}")?;
            }
        }
        writeln!(out)?;
    }
    let titled = [("Out of history", history), ("Watch the account", watch)];
    for (title, lines) in titled {
        writeln!(out, "{BOLD}{title}{BOLD:#}")?;
        for (number, (text, command)) in (1..).zip(lines) {
            labelled(out, width, &format!("  {number}. "), text)?;
            if let Some(command) = command {
                // Whole, so that it can be copied.
                writeln!(out, "       {command}")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
