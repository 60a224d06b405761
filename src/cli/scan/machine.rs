//! `scan --machine`: the places of a person's machine where secrets lie.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::{Failure, output};
use super::Args;
use super::sources::jobs;
use crate::detect::Detector;
use crate::model::{Source, SourceMode, Tally};
use crate::scan::{self, Found, Progress, Scanned};
use crate::source::machine::Machine;
use crate::source::tree;

/// How many places of a kind are named; more are counted.
const MOST_NAMED: usize = 6;

pub(super) fn look(
    args: &Args,
    detector: &Detector,
    progress: &Progress,
) -> Result<(Scanned, Vec<Source>), Failure> {
    let home = etcetera::home_dir().map_err(|error| Failure(format!("--machine: {error}; set HOME")))?;
    if !home.is_dir() {
        return Err(Failure(format!("--machine: the home folder {} is not there; set HOME", home.display())));
    }
    let tally = Tally::default();
    let machine = Machine::below(&home, progress.stop, &tally);
    name(&machine, &home);
    let roots: Vec<PathBuf> = machine.places.into_iter().map(|(_, path)| path).collect();
    let options = tree::Options {
        // A home folder that is a repository may well ignore its histories.
        no_ignore: true,
        max_file_size: args.max_file_size,
        jobs: jobs(args),
        stop: progress.stop,
    };
    let mut scanned = Found::default().covering(tally);
    if !roots.is_empty() {
        let scan = if args.verify { scan::trees_thoroughly } else { scan::trees };
        // Each place is named in full, so that one alone is too.
        let found = scan(detector, &roots, &options, progress)?;
        scanned.add(found, Path::new(""));
    }
    scanned.not_covered.extend(machine.not_covered);
    let source = |root: &PathBuf| Source::new(SourceMode::Tree, &root.display().to_string(), None);
    Ok((scanned, roots.iter().map(source).collect()))
}

/// Says which places are looked at.
fn name(machine: &Machine, home: &Path) {
    let mut kinds: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (what, path) in &machine.places {
        let shown = path.strip_prefix(home).map_or_else(|_| path.clone(), |below| Path::new("~").join(below));
        kinds.entry(what).or_default().push(shown.display().to_string());
    }
    if kinds.is_empty() {
        output::complain(&format!("none of the usual places is there below {}", home.display()));
    }
    for (what, paths) in kinds {
        let more = paths.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named = paths.into_iter().take(MOST_NAMED).collect::<Vec<_>>().join(", ");
        output::complain(&format!("{what}: {named}{more}"));
    }
}
