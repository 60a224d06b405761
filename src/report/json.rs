//! JSON: the whole report, or one finding a line.

use std::io::{self, Write};

use super::printable;
use crate::model::Report;

/// The whole report as one document.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    printable::json(out, report, true)?;
    out.write_all(b"\n")
}

/// One finding a line, then those that were allowed, with the reason.
pub fn write_lines(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        printable::json(out, finding, false)?;
        out.write_all(b"\n")?;
    }
    for allowed in &report.suppressed {
        printable::json(out, allowed, false)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
