//! The scoreboard: every fixture, filled anew, through the real binary; recall, precision and pairs by kind, printed
//! and held.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use common::fixture::{Minted, mint};

const CORE: [&str; 4] = ["account_sid", "auth_token", "api_key_sid", "api_key_secret"];

#[derive(Default, Clone, Copy)]
struct Score {
    expected: usize,
    found: usize,
    wrong: usize,
}

#[derive(Default)]
struct Board {
    kinds: BTreeMap<&'static str, Score>,
    pairs: (usize, usize),
    /// Secrets by confidence: right, and all.
    sure: BTreeMap<String, (usize, usize)>,
    complaints: Vec<String>,
}

fn play(board: &mut Board, seed: u64, wanted: impl Fn(&str) -> bool + Copy) {
    let folder = tempfile::tempdir().unwrap();
    let mut minted = Minted::default();
    for set in ["true", "innocent"] {
        let more = mint(set, folder.path(), seed, wanted);
        minted.expected.extend(more.expected);
        minted.pairs.extend(more.pairs);
    }
    let (report, _) = common::report(folder.path(), &["--show-secrets", "--no-ignore"]);
    let findings = report["findings"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: HashMap<(String, String, String, u64), BTreeSet<u64>> = HashMap::new();
    for finding in findings.iter().filter(|f| CORE.contains(&f["kind"].as_str().unwrap())) {
        let key = (
            text(&finding["path"]),
            text(&finding["kind"]),
            text(&finding["value"]),
            finding["line"].as_u64().unwrap(),
        );
        found.entry(key).or_default().insert(finding["column"].as_u64().unwrap());
    }
    let secrets: BTreeSet<&str> = minted.expected.iter().map(|expected| expected.value.as_str()).collect();
    for finding in findings
        .iter()
        .filter(|finding| matches!(finding["kind"].as_str(), Some("auth_token" | "api_key_secret")))
    {
        let (right, all) = board.sure.entry(text(&finding["confidence"])).or_default();
        *all += 1;
        *right += usize::from(secrets.contains(text(&finding["value"]).as_str()));
    }
    let mut expected_keys = BTreeSet::new();
    for expected in &minted.expected {
        let score = board.kinds.entry(expected.kind).or_default();
        score.expected += 1;
        let key = (expected.path.clone(), expected.kind.to_owned(), expected.value.clone(), expected.line);
        match found.get(&key) {
            Some(columns) => {
                score.found += 1;
                if expected.column.is_some_and(|column| !columns.contains(&column)) {
                    board.complaints.push(format!(
                        "column: {}:{} {:?}, not {columns:?}",
                        expected.path, expected.line, expected.column
                    ));
                }
            }
            None => board
                .complaints
                .push(format!("missed: {} {}:{}", expected.kind, expected.path, expected.line)),
        }
        expected_keys.insert(key);
    }
    for key in found.keys().filter(|key| !expected_keys.contains(*key)) {
        let kind = CORE.iter().find(|kind| **kind == key.1).unwrap();
        board.kinds.entry(kind).or_default().wrong += 1;
        board.complaints.push(format!("wrong: {} {}:{}", key.1, key.0, key.3));
    }
    let by_id: HashMap<&str, &serde_json::Value> =
        findings.iter().map(|f| (f["id"].as_str().unwrap(), f)).collect();
    let mut ties: HashMap<(String, &str), String> = HashMap::new();
    for credential in report["credentials"].as_array().unwrap() {
        for id in credential["findings"].as_array().unwrap() {
            let finding = by_id[id.as_str().unwrap()];
            if matches!(finding["kind"].as_str().unwrap(), "auth_token" | "api_key_secret") {
                for field in ["account_sid", "key_sid"] {
                    ties.insert((text(&finding["value"]), field), text(&credential[field]));
                }
            }
        }
    }
    for pair in &minted.pairs {
        board.pairs.0 += 1;
        if ties.get(&(pair.secret.clone(), pair.field)) == Some(&pair.sid) {
            board.pairs.1 += 1;
        } else {
            board.complaints.push(format!("pair: {} {}", pair.fixture, pair.field));
        }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Prints a board and holds it: recall and precision of each kind to `least`, pairs to 0.98, columns to be exact.
fn hold(title: &str, board: &Board, least: f64) {
    println!("{title}");
    for complaint in &board.complaints {
        println!("  {complaint}");
    }
    for (kind, score) in &board.kinds {
        println!(
            "  {kind:<16} {:>5} expected  recall {:.3}  precision {:.3}",
            score.expected,
            ratio(score.found, score.expected),
            ratio(score.found, score.found + score.wrong)
        );
    }
    println!(
        "  pairs            {:>5} expected  right {:.3}",
        board.pairs.0,
        ratio(board.pairs.1, board.pairs.0)
    );
    // Confidence is calibrated: of what is called high at least 0.99 are right, of medium at least 0.9.
    for (confidence, least) in [("high", 0.99), ("medium", 0.9)] {
        let (right, all) = board.sure.get(confidence).copied().unwrap_or_default();
        println!("  {confidence:<16} {all:>5} secrets   right {:.3}", ratio(right, all));
        assert!(all > 20 && ratio(right, all) >= least, "{confidence}: {right} of {all} are right");
    }
    for (kind, score) in &board.kinds {
        assert!(ratio(score.found, score.expected) >= least, "recall of {kind}: {:?}", board.complaints);
        assert!(
            ratio(score.found, score.found + score.wrong) >= least,
            "precision of {kind}: {:?}",
            board.complaints
        );
    }
    assert!(ratio(board.pairs.1, board.pairs.0) >= 0.98, "pairs: {:?}", board.complaints);
    assert!(
        !board.complaints.iter().any(|complaint| complaint.starts_with("column")),
        "{:?}",
        board.complaints
    );
}

fn later_set(name: &str) -> bool {
    let number = name.strip_prefix('s').and_then(|rest| rest.split(['-', 'p']).next());
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}

#[test]
fn the_first_set_holds() {
    let mut board = Board::default();
    for seed in 1..=4 {
        play(&mut board, seed, |name| !later_set(name));
    }
    hold("first set, written before the rules", &board, 0.99);
}

#[test]
fn the_later_sets_hold() {
    let mut board = Board::default();
    for seed in 1..=4 {
        play(&mut board, seed, later_set);
    }
    // What is left is in docs/accuracy.md: values that only another file explains, and their like.
    hold(
        "later sets, written after the rules; what they scored unseen is in docs/accuracy.md",
        &board,
        0.975,
    );
}

#[test]
fn there_are_enough_fixtures_of_both_sorts() {
    let count = |set: &str| std::fs::read_dir(common::fixture::folder().join(set)).unwrap().count();
    assert!(count("true") >= 150 && count("innocent") >= 120);
}
