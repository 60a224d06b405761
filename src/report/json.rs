//! JSON: the whole report, or one finding a line.

use std::io::{self, Write};

use crate::model::Report;

/// The whole report as one document.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// One finding a line.
pub fn write_lines(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        serde_json::to_writer(&mut *out, finding)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
