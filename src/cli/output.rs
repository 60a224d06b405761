//! The one place that prints. A reader that goes away (`| head`) is no error.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Failure, rooted};
use crate::model::Report;
use crate::report::printable::printable_lines;
use crate::report::wrap::labelled;
use crate::report::{self, Format};

/// Columns of text for people where there is no terminal.
const WIDTH: usize = 100;

/// Prints a report to standard output.
pub fn print(report: &Report, format: Format) -> Result<(), Failure> {
    let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    let report = rooted::rooted(report, format);
    let result = report::write(&report, format, width, &mut out).and_then(|()| out.flush());
    pass_broken_pipe(result).map_err(|error| Failure(format!("standard output: {error}")))
}

/// Prints a page for people; `write` is given the columns that there are.
pub fn page(write: impl FnOnce(usize, &mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    let result = write(width, &mut out).and_then(|()| out.flush());
    pass_broken_pipe(result).map_err(|error| Failure(format!("standard output: {error}")))
}

/// Removes what an earlier run wrote where reports are to be written: a run that fails leaves none that lies.
pub fn clear(files: &[(Format, PathBuf)]) -> Result<(), Failure> {
    for (_, path) in files {
        let is_left = path.symlink_metadata().is_ok_and(|found| found.is_file() || found.is_symlink());
        if is_left && !is_device(path) {
            std::fs::remove_file(path).map_err(|error| Failure(format!("{}: {error}", path.display())))?;
        }
    }
    Ok(())
}

/// Whether a path is written to as it stands, and holds no report of an earlier run: `/dev/stdout`, a pipe, the null device.
fn is_device(path: &Path) -> bool {
    path.starts_with("/dev")
        || path
            .symlink_metadata()
            .is_ok_and(|found| !found.is_file() && !found.is_dir() && !found.is_symlink())
}

/// Opens what is written to as it stands. A pipe that nobody reads is an error, and not waited for.
#[cfg(unix)]
fn open_device(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, fcntl_setfl};
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = rustix::fs::open(path, flags | OFlags::NONBLOCK, Mode::empty()).map_err(|error| {
        if error == rustix::io::Errno::NXIO {
            io::Error::other("nobody reads this pipe; start its reader first, or name a file")
        } else {
            error.into()
        }
    })?;
    fcntl_setfl(&file, flags)?;
    Ok(File::from(file))
}

#[cfg(not(unix))]
fn open_device(path: &Path) -> io::Result<File> {
    File::options().append(true).open(path)
}

/// Writes a report to a file, without colour: beside it and then renamed, so that it is never half of one, and never goes where
/// a link leads that somebody put in its place. With values in it, only its owner may read it.
pub fn write(report: &Report, format: Format, path: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure(format!("{}: {error}", path.display()));
    if is_device(path) {
        let file = open_device(path).map_err(failed)?;
        return write_to(report, format, file).map_err(failed);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let result = builder(report).tempfile_in(folder).and_then(|file| {
        write_to(report, format, file.as_file().try_clone()?)?;
        file.persist(path).map_err(|error| error.error)
    });
    result.map(|_| ()).map_err(failed)
}

fn write_to(report: &Report, format: Format, file: File) -> io::Result<()> {
    let mut out = BufWriter::new(anstream::StripStream::new(file));
    report::write(&rooted::rooted(report, format), format, WIDTH, &mut out)?;
    out.flush()
}

/// How the file is made that becomes a report. Temporary ones are for their owner alone; other reports are as open as the user's
/// mask says.
fn builder(report: &Report) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sidsweep-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let holds_values = report.findings.iter().any(|finding| finding.value.is_some());
        let mode = if holds_values { 0o600 } else { 0o666 };
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    builder
}

/// Writes a report to the end of a file.
pub fn append(report: &Report, format: Format, path: &Path) -> Result<(), Failure> {
    let result = File::options().append(true).create(true).open(path).and_then(|file| {
        let mut out = BufWriter::new(file);
        report::write(&rooted::rooted(report, format), format, WIDTH, &mut out)?;
        out.flush()
    });
    result.map_err(|error| Failure(format!("{}: {error}", path.display())))
}

/// Prints lines to standard output.
pub fn say(text: &str) -> Result<(), Failure> {
    pass_broken_pipe(writeln!(anstream::stdout().lock(), "{}", printable_lines(text)))
        .map_err(|error| Failure(format!("standard output: {error}")))
}

/// Prints a label and text to standard output, wrapped under the text, while changes are being made: a reader that went away or a disk
/// that is full does not stop what was begun, and then standard error is told.
pub fn tell(label: &str, text: &str) {
    let text = printable_lines(text);
    if page(|width, out| labelled(out, width, label, &text)).is_err() {
        complain(&format!("{label}{text}"));
    }
}

/// Prints a line to standard error. There is nothing to be done where that fails.
pub fn complain(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{}", printable_lines(text));
}

/// Whether something was piped into a command that did not read it. A pipe that stays open and empty, as under some CI, says
/// nothing.
#[cfg(unix)]
pub fn is_pipe_unread() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    /// What writes to the pipe was started at the same time.
    const MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
    let stdin = io::stdin();
    let is_pipe = rustix::fs::fstat(&stdin)
        .is_ok_and(|found| rustix::fs::FileType::from_raw_mode(found.st_mode) == rustix::fs::FileType::Fifo);
    is_pipe
        && poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&MOMENT)).is_ok()
        && rustix::io::ioctl_fionread(&stdin).is_ok_and(|bytes| bytes > 0)
}

/// Elsewhere nothing tells.
#[cfg(not(unix))]
pub fn is_pipe_unread() -> bool {
    false
}

fn pass_broken_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        other => other,
    }
}

/// Whether a reader went away, also where a library wrapped that in errors of its own.
fn is_broken_pipe(error: &io::Error) -> bool {
    let mut inner = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
    let mut found = error.kind() == io::ErrorKind::BrokenPipe;
    while let Some(cause) = inner.filter(|_| !found) {
        found = cause.downcast_ref().is_some_and(is_broken_pipe);
        inner = cause.source();
    }
    found
}
