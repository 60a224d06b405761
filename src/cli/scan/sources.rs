//! What a scan is asked to look at: standard input, a change, work trees with or without their histories.

use std::path::{Path, PathBuf};

use super::super::{Failure, output};
use super::{Args, machine};
use crate::detect::Detector;
use crate::model::{Skipped, Source, SourceMode, Unit};
use crate::scan::nested::Nested;
use crate::scan::{self, Progress, Scanned};
use crate::source::{repository, tree};

/// Scans what was asked for.
pub(super) fn look(
    args: &Args,
    detector: &Detector,
    progress: &Progress,
) -> Result<(Scanned, Vec<Source>), Failure> {
    if args.is_stdin() {
        let scanned = scan::stream(detector, &args.stdin_path, std::io::stdin().lock())
            .map_err(|error| Failure(format!("standard input: {error}")))?;
        return Ok((scanned, vec![Source::new(SourceMode::Stdin, &args.stdin_path, None)]));
    }
    if args.machine {
        return machine::look(args, detector, progress);
    }
    let (paths, range) = (args.paths(), args.range_spec());
    if paths.iter().any(|path| path == Path::new("-")) {
        return Err(Failure(
            "- is standard input, which is scanned by itself; write ./- for a file of that name".into(),
        ));
    }
    if args.staged || range.is_some() {
        let [root] = paths.as_slice() else {
            return Err(Failure(
                "--staged and --range take one repository; leave out the other paths".to_owned(),
            ));
        };
        return changed(args, detector, root, range);
    }
    scanned_trees(args, detector, &paths, progress)
}

pub(super) fn jobs(args: &Args) -> usize {
    args.jobs.map_or_else(scan::all_cores, usize::from)
}

/// Scans what would be committed, or what the commits of a range add.
fn changed(
    args: &Args,
    detector: &Detector,
    root: &Path,
    range: Option<String>,
) -> Result<(Scanned, Vec<Source>), Failure> {
    let (scanned, mode) = match &range {
        Some(range) => (scan::changes::range(detector, root, range, jobs(args))?, SourceMode::Range),
        None => (scan::changes::staged(detector, root, args.whole)?, SourceMode::Staged),
    };
    if let Some(range) = range.as_ref().filter(|_| scanned.stats.commits == 0) {
        output::complain(&format!(
            "warning: the range {range} holds no commits, so nothing was scanned; its first end comes before its second"
        ));
    }
    Ok((scanned, vec![Source::new(mode, &root.display().to_string(), range)]))
}

/// Scans work trees, and histories where that was asked. A repository without a work tree is scanned by its history.
fn scanned_trees(
    args: &Args,
    detector: &Detector,
    paths: &[PathBuf],
    progress: &Progress,
) -> Result<(Scanned, Vec<Source>), Failure> {
    let jobs = jobs(args);
    let options = tree::Options {
        no_ignore: args.no_ignore,
        max_file_size: args.max_file_size,
        jobs,
        stop: progress.stop,
    };
    let source = |mode, path: &Path| Source::new(mode, &path.display().to_string(), None);
    let mut sources: Vec<Source> = Vec::new();
    let mut nested = Nested::new(detector, jobs, args.allow_shallow, progress);
    let mut histories: Vec<(&Path, Scanned)> = Vec::new();
    let mut without: Vec<Skipped> = Vec::new();
    for path in paths.iter().filter(|path| args.history || repository::is_bare(path)) {
        if repository::find(path).is_none() {
            let error = repository::Error::None { path: path.display().to_string() };
            if paths.len() == 1 {
                return Err(error.into());
            }
            // It does not hide what the others hold.
            without.push(Skipped { path: path.display().to_string(), reason: error.to_string() });
            continue;
        }
        histories.extend(nested.top(path).map(|scanned| (path.as_path(), scanned)));
        histories.push((path, nested.modules(path)));
        sources.push(source(SourceMode::History, path));
    }
    let trees: Vec<PathBuf> = paths.iter().filter(|path| !repository::is_bare(path)).cloned().collect();
    let scan_trees = if args.verify { scan::trees_thoroughly } else { scan::trees };
    let mut scanned = scan_trees(detector, &trees, &options, progress)?;
    for skipped in without {
        scanned.coverage.skip(Unit::Repositories, skipped);
    }
    sources.extend(trees.iter().map(|path| source(SourceMode::Tree, path)));
    for (path, history) in histories {
        scanned.add(history, if paths.len() > 1 { path } else { Path::new("") });
    }
    if !args.history && trees.iter().any(|path| repository::find(path).is_some()) {
        let (path, reason) = ("git history".to_owned(), "--history adds it".to_owned());
        scanned.not_covered.push(Skipped { path, reason });
    }
    if args.history {
        for top in std::mem::take(&mut scanned.repositories) {
            if let Some(history) = nested.top(&top) {
                let below = paths.iter().find_map(|root| top.strip_prefix(root).ok()).unwrap_or(&top);
                scanned.add(history, if paths.len() > 1 { &top } else { below });
            }
        }
    }
    Ok((scanned, sources))
}
