//! JSON: the whole report, or one finding a line.

use std::io::{self, Write};

use super::printable;
use crate::model::Report;

/// The whole report as one document.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    printable::json(out, report, true)?;
    out.write_all(b"\n")
}

/// One finding a line, then those that were allowed, with the reason; last, where not all was read, what was and what was not.
pub fn write_lines(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        printable::json(out, finding, false)?;
        out.write_all(b"\n")?;
    }
    for allowed in &report.suppressed {
        printable::json(out, allowed, false)?;
        out.write_all(b"\n")?;
    }
    let coverage = &report.coverage;
    if !(coverage.is_complete() && coverage.opaque().is_empty() && coverage.accepted().is_empty()) {
        printable::json(out, coverage, false)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
