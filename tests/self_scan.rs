//! This repository is clean, and so is every fixture before it is filled.
#![allow(missing_docs)]

mod common;

use std::path::Path;

#[test]
fn this_repository_holds_nothing_that_looks_like_a_credential() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // With all of its history, where it is a repository and not an unpacked archive.
    let mut arguments = vec!["--min-confidence", "low"];
    if root.join(".git").exists() {
        arguments.extend(["--history", "--allow-shallow"]);
    }
    let (report, code) = common::report(root, &arguments);
    assert!(report["stats"]["files"].as_u64().unwrap() > 300, "it was read");
    assert_eq!(report["findings"], serde_json::json!([]));
    assert_eq!(code, 0);
}
