//! What was allowed, counted by the way in which it was.

use std::collections::BTreeMap;

use crate::model::Report;

/// How many findings were allowed, and in which way; nothing where none was.
pub fn counts(report: &Report) -> Option<String> {
    let all = report.suppressed.len();
    let mut ways: BTreeMap<&str, usize> = BTreeMap::new();
    for suppressed in &report.suppressed {
        let way = suppressed.allowed_by.map_or("a way that the report does not say", |by| by.words());
        *ways.entry(way).or_default() += 1;
    }
    let s = if all == 1 { "" } else { "s" };
    let words: Vec<String> = match ways.len() {
        0 => return None,
        1 => ways.keys().map(|way| format!("by {way}")).collect(),
        _ => ways.iter().map(|(way, number)| format!("{number} by {way}")).collect(),
    };
    Some(format!("{all} finding{s} allowed: {}", words.join(", ")))
}
