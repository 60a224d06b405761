//! One file a format: the same report for people and for machines.

pub mod after;
pub mod hook;
pub mod inventory;
pub mod json;
pub mod plan;
mod printable;
pub mod text;
mod verdict;
mod wrap;

use std::io::{self, Write};

use crate::model::Report;

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people, by credential.
    Text,
    /// The whole report as one JSON document, schema `sidsweep/report/1`.
    Json,
    /// One finding a line.
    Jsonl,
}

impl Format {
    /// The names on the command line.
    pub const ALL: [(&'static str, Self); 3] =
        [("text", Self::Text), ("json", Self::Json), ("jsonl", Self::Jsonl)];
}

/// Writes a report in a format. `width` bounds the lines of text for people, in columns.
pub fn write(report: &Report, format: Format, width: usize, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, width, out),
        Format::Json => json::write(report, out),
        Format::Jsonl => json::write_lines(report, out),
    }
}
