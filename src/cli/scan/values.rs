//! The values of options, as they are written on the command line.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::report::Format;

/// The formats in the order of help.
const FORMATS: [Format; Format::ALL.len()] = {
    let mut all = [Format::Text; Format::ALL.len()];
    let mut n = 0;
    while n < all.len() {
        all[n] = Format::ALL[n].1;
        n += 1;
    }
    all
};

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &FORMATS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, format) = Self::ALL.iter().find(|(_, format)| format == self)?;
        Some(PossibleValue::new(*name).help(format.help()))
    }
}

pub fn report_file(text: &str) -> Result<(Format, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write it as FORMAT=FILE, e.g. json=report.json")?;
    let format = Format::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
    let format = format.ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|(known, _)| *known).collect();
        format!("no such format; there are {}", known.join(", "))
    })?;
    if file.is_empty() {
        return Err(format!("name a file, e.g. {name}=report.{name}"));
    }
    Ok((format, PathBuf::from(file)))
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
