//! When leaks came and went, for the page's timeline.

use std::collections::BTreeMap;

use serde::Serialize;

use super::printable::printable;
use crate::model::Finding;

/// The timeline's columns; older months are left out, and counted as undated.
const MOST_MONTHS: usize = 48;
/// The height of the highest column, in the picture's units.
const HEIGHT: f64 = 64.0;

/// A column of the timeline.
#[derive(Serialize)]
pub struct Month {
    name: String,
    label: String,
    came: usize,
    went: usize,
    came_height: f64,
    went_height: f64,
}

/// How many places were added and removed, by month; and how many have no date.
pub fn months<'a>(findings: impl Iterator<Item = &'a Finding>) -> (Vec<Month>, usize) {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut undated = 0;
    for finding in findings {
        let month = |date: &str| {
            date.get(..7).filter(|month| month.as_bytes().get(4) == Some(&b'-')).map(str::to_owned)
        };
        match finding.commit.as_ref().and_then(|commit| month(&commit.date)) {
            Some(month) => counts.entry(month).or_default().0 += 1,
            None => undated += 1,
        }
        if let Some(month) = finding.removed_by.as_ref().and_then(|commit| month(&commit.date)) {
            counts.entry(month).or_default().1 += 1;
        }
    }
    let skip = counts.len().saturating_sub(MOST_MONTHS);
    undated += counts.values().take(skip).map(|(came, _)| came).sum::<usize>();
    let kept: Vec<(String, (usize, usize))> = counts.into_iter().skip(skip).collect();
    let highest = kept.iter().map(|(_, (came, went))| *came.max(went)).max().unwrap_or(1).max(1);
    let height = |count: usize| (count as f64 / highest as f64 * HEIGHT).round();
    let months = kept
        .into_iter()
        .map(|(name, (came, went))| Month {
            label: printable(name.get(2..).unwrap_or(&name)),
            name: printable(&name),
            came,
            went,
            came_height: height(came),
            went_height: height(went),
        })
        .collect();
    (months, undated)
}
