//! Lines of text that fit a terminal.

use std::io::{self, Write};

use anstyle::Style;

const DIM: Style = Style::new().dimmed();

/// Breaks text at spaces into lines of at most `room` characters; what has no space is not cut, so that paths and
/// links stay whole.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// A dimmed label and text, wrapped under the text.
pub fn labelled(out: &mut dyn Write, width: usize, label: &str, text: &str) -> io::Result<()> {
    let indent = label.chars().count();
    for (number, line) in wrap(text, width.saturating_sub(indent).max(20)).into_iter().enumerate() {
        let blank = " ".repeat(indent);
        let prefix = if number == 0 { label } else { &blank };
        writeln!(out, "{DIM}{prefix}{DIM:#}{line}")?;
    }
    Ok(())
}
