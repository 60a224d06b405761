//! The values of options, as they are written on the command line.

use std::path::PathBuf;

use crate::report::Format;

pub fn format(name: &str) -> Result<Format, String> {
    Format::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|(known, _)| *known).collect();
        format!("no such format; there are {}", known.join(", "))
    })
}

pub fn report_file(text: &str) -> Result<(Format, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write it as FORMAT=FILE, e.g. json=report.json")?;
    Ok((format(name)?, PathBuf::from(file)))
}

pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 =
        match text[digits.len()..].to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
            "" => 1,
            "K" => 1 << 10,
            "M" => 1 << 20,
            "G" => 1 << 30,
            _ => return Err("write a number of bytes, or one with K, M or G".into()),
        };
    let number: u64 =
        digits.parse().map_err(|_| "write a number of bytes, or one with K, M or G".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "too large".into())
}
