//! What must not change what is found: each fixture is changed as people and tools change files (remarks, other sections, quotes,
//! wrappings), alone and in pairs, and must say what it said before.
//!
//! A sample is tried in every run. All of it, some hundred thousand variants: `SIDSWEEP_VARIANTS=all cargo test --test metamorphic
//! -- --nocapture`, whose figures are in docs/accuracy.md.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::fixture::{Minted, mint};
use common::variants::{CHANGES, Text, Values};
use sidsweep::detect::Detector;
use sidsweep::detect::pair::pair;
use sidsweep::model::Confidence;
use sidsweep::rules::Rules;

/// Of the variants so many may say something else: what is left is listed in docs/accuracy.md.
const LEAST_STABLE: f64 = 0.985;

/// The secrets that are reported for one text.
fn secrets(detector: &Detector, text: &Text) -> BTreeSet<String> {
    let mut hits = detector.detect(text.text.as_bytes(), &text.path);
    hits.sort_by_key(|hit| (hit.line, hit.column, hit.kind));
    let _ = pair(&mut hits);
    hits.iter()
        .filter(|hit| hit.kind.is_secret() && hit.confidence >= Confidence::Medium)
        .map(|hit| hit.value.expose().to_owned())
        .collect()
}

/// All runs of 32 and 34 letters and digits.
fn values(text: &str) -> Values {
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    Values { all: runs.filter(|run| matches!(run.len(), 32 | 34)).map(str::to_owned).collect() }
}

#[derive(Default)]
struct Tally {
    tried: usize,
    changed: BTreeMap<String, Vec<String>>,
}

fn try_all(tally: &mut Tally, detector: &Detector, seed: u64, one_in: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(seed);
    for set in ["true", "innocent"] {
        let _: Minted = mint(set, folder.path(), seed, |_| true);
        let mut paths: Vec<_> = ignore::WalkBuilder::new(folder.path().join(set))
            .standard_filters(false)
            .build()
            .flatten()
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
            .map(ignore::DirEntry::into_path)
            .collect();
        paths.sort();
        for path in paths {
            let Ok(body) = std::fs::read_to_string(&path) else { continue };
            let shown = path.strip_prefix(folder.path()).unwrap();
            let inner: std::path::PathBuf = shown.components().skip(2).collect();
            let base = Text {
                path: inner.to_string_lossy().into_owned(),
                text: body,
                is_innocent: set == "innocent",
            };
            let known = values(&base.text);
            if known.all.is_empty() {
                continue;
            }
            let said = secrets(detector, &base);
            let fixture = shown.components().take(2).collect::<std::path::PathBuf>();
            let mut one = |names: String, variant: &Text| {
                tally.tried += 1;
                let now = secrets(detector, variant);
                if now != said {
                    let lost = said.difference(&now).count();
                    let more = now.difference(&said).count();
                    let line = format!("{}: {lost} lost, {more} more\n{}", fixture.display(), variant.text);
                    tally.changed.entry(names).or_default().push(line);
                }
            };
            for (name, change) in CHANGES {
                let Some(first) = change(&base, &known, &mut random) else { continue };
                if random.usize(..one_in) == 0 {
                    one(name.to_owned(), &first);
                }
                for (other, second) in CHANGES {
                    if random.usize(..one_in) == 0
                        && let Some(both) = second(&first, &known, &mut random)
                    {
                        one(format!("{name} + {other}"), &both);
                    }
                }
            }
        }
    }
}

#[test]
fn changes_that_say_nothing_change_nothing() {
    let detector = Detector::new(Rules::built_in());
    let all = std::env::var("SIDSWEEP_VARIANTS").is_ok_and(|value| value == "all");
    let mut tally = Tally::default();
    let (seeds, one_in) = if all { (3, 1) } else { (1, 40) };
    for seed in 1..=seeds {
        try_all(&mut tally, &detector, seed, one_in);
    }
    let changed: usize = tally.changed.values().map(Vec::len).sum();
    for (names, lines) in &tally.changed {
        let smallest = lines.iter().min_by_key(|line| line.len()).unwrap();
        println!("{:>5} {names}: {smallest}", lines.len());
    }
    let stable = 1.0 - changed as f64 / tally.tried as f64;
    println!("{} variants, {changed} say something else: {stable:.4} are stable", tally.tried);
    assert!(tally.tried > if all { 100_000 } else { 1_000 });
    assert!(stable >= LEAST_STABLE, "only {stable:.4} of {} variants are stable", tally.tried);
}
