//! This repository is clean, and so is every fixture before it is filled.
#![allow(missing_docs)]

mod common;

use std::path::Path;

#[test]
fn this_repository_holds_nothing_that_looks_like_a_credential() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // With all of its history, where it is a repository and not an unpacked archive.
    let history: &[&str] = if root.join(".git").exists() { &["--history", "--allow-shallow"] } else { &[] };
    let (report, code) = common::report(root, history);
    assert!(report["stats"]["files"].as_u64().unwrap() > 300, "it was read");
    assert_eq!(report["findings"], serde_json::json!([]));
    assert_eq!(code, 0);
}

#[test]
fn what_might_be_taken_for_one_was_typed_by_hand() {
    /// Identifiers and words of 32 letters, which are the point of these fixtures.
    const WORDS: [&str; 3] =
        ["s9p-y-identifier-unquoted.tpl", "s9p-y-mangled-symbols.tpl", "s10-placeholder-typed-words-32.tpl"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (report, _) = common::report(root, &["--min-confidence", "low"]);
    for finding in report["findings"].as_array().unwrap() {
        let reason = finding["evidence"][0].as_str().unwrap();
        let path = finding["path"].as_str().unwrap();
        let is_word = WORDS.iter().any(|name| path.ends_with(name));
        assert!(reason.starts_with("somebody typed it: ") || is_word, "{finding:#}");
    }
}
