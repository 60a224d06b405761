//! The one place that prints. A reader that goes away (`| head`) is no error.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::Failure;
use crate::model::Report;
use crate::report::{self, Format};

/// Columns of text for people where there is no terminal.
const WIDTH: usize = 100;

/// Prints a report to standard output.
pub fn print(report: &Report, format: Format) -> Result<(), Failure> {
    let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    let result = report::write(report, format, width, &mut out).and_then(|()| out.flush());
    pass_broken_pipe(result).map_err(|error| Failure(format!("standard output: {error}")))
}

/// Prints a page for people; `write` is given the columns that there are.
pub fn page(write: impl FnOnce(usize, &mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    let result = write(width, &mut out).and_then(|()| out.flush());
    pass_broken_pipe(result).map_err(|error| Failure(format!("standard output: {error}")))
}

/// Writes a report to a file, without colour.
pub fn write(report: &Report, format: Format, path: &Path) -> Result<(), Failure> {
    let result = File::create(path).and_then(|file| {
        let mut out = BufWriter::new(anstream::StripStream::new(file));
        report::write(report, format, WIDTH, &mut out)?;
        out.flush()
    });
    result.map_err(|error| Failure(format!("{}: {error}", path.display())))
}

/// Writes a report to the end of a file.
pub fn append(report: &Report, format: Format, path: &Path) -> Result<(), Failure> {
    let result = File::options().append(true).create(true).open(path).and_then(|file| {
        let mut out = BufWriter::new(file);
        report::write(report, format, WIDTH, &mut out)?;
        out.flush()
    });
    result.map_err(|error| Failure(format!("{}: {error}", path.display())))
}

/// Prints lines to standard output.
pub fn say(text: &str) -> Result<(), Failure> {
    pass_broken_pipe(writeln!(anstream::stdout().lock(), "{text}"))
        .map_err(|error| Failure(format!("standard output: {error}")))
}

/// Prints a line to standard error. There is nothing to be done where that fails.
pub fn complain(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

fn pass_broken_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
